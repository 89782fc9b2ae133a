package words

// upload is the start page. What begins with js. is said by app.js, which
// fills in {placeholders} itself.
var upload = area{
	"upload.title": {"Which VinFast is this?", "Đây là xe VinFast nào?"},
	"upload.lead": {
		"Send a photo of a car. The model says which of these six it is, and how sure it is.",
		"Gửi một tấm ảnh xe. Mô hình cho biết đó là mẫu nào trong sáu mẫu dưới đây, và chắc chắn đến đâu.",
	},
	"upload.choose":   {"Choose photos", "Chọn ảnh"},
	"upload.camera":   {"Take a photo", "Chụp ảnh"},
	"upload.drop":     {"or drop them anywhere on this page, or paste one", "hoặc thả ảnh vào bất cứ đâu trên trang, hoặc dán ảnh"},
	"upload.dropnow":  {"Drop the photos here", "Thả ảnh vào đây"},
	"upload.send":     {"Classify", "Nhận diện"},
	"upload.original": {"Send the original, not scaled down", "Gửi ảnh gốc, không thu nhỏ"},
	"upload.limits": {
		"JPEG, PNG, WebP or GIF; up to %s and %s megapixels each; at most %d at once.",
		"JPEG, PNG, WebP hoặc GIF; mỗi ảnh tối đa %s và %s megapixel; mỗi lần tối đa %d ảnh.",
	},
	"upload.small": {
		"Large photos are scaled down on your device before they are sent.",
		"Ảnh lớn được thu nhỏ ngay trên máy của bạn trước khi gửi.",
	},
	"upload.samples": {"No photo at hand? Try a drawing", "Không có sẵn ảnh? Thử một hình vẽ"},
	"upload.results": {"Your photos", "Ảnh của bạn"},

	"down.database": {
		"The database is starting or does not answer. Pictures are taken and kept; the history comes back with it.",
		"Cơ sở dữ liệu đang khởi động hoặc không trả lời. Ảnh vẫn được nhận và lưu lại; lịch sử sẽ trở lại cùng với nó.",
	},
	"down.bucket": {
		"The picture store does not answer. Pictures are taken and kept, and stored when it does.",
		"Kho ảnh không trả lời. Ảnh vẫn được nhận, giữ an toàn và sẽ được cất vào kho khi kho hoạt động lại.",
	},
	"down.spool": {
		"The shared folder cannot be written. Pictures are refused until it can.",
		"Không ghi được vào thư mục dùng chung. Chưa thể nhận ảnh cho đến khi ghi được.",
	},
	"down.endpoint": {
		"The model does not answer: it is switched off, starting or busy. Pictures are refused until it does.",
		"Mô hình không trả lời: đang tắt, đang khởi động hoặc đang bận. Chưa thể nhận ảnh cho đến khi mô hình trả lời.",
	},

	"js.reading":  {"Preparing the picture", "Đang chuẩn bị ảnh"},
	"js.queued":   {"Waiting for its turn", "Đang chờ đến lượt"},
	"js.sending":  {"Sending: {percent}%", "Đang gửi: {percent}%"},
	"js.asking":   {"Sent. The model is looking at it", "Đã gửi. Mô hình đang xem ảnh"},
	"js.slow":     {"Still waiting for the model, {seconds} s so far. It may be starting", "Vẫn đang chờ mô hình, đã {seconds} giây. Có thể mô hình đang khởi động"},
	"js.again":    {"Trying again by itself in {seconds} s (attempt {number})", "Tự thử lại sau {seconds} giây (lần {number})"},
	"js.gaveup":   {"Tried {number} times. Nothing was kept.", "Đã thử {number} lần. Không có gì được lưu."},
	"js.stopped":  {"Cancelled", "Đã hủy"},
	"js.offline":  {"The connection broke", "Mất kết nối"},
	"js.offline2": {"The picture did not get through. Check your connection.", "Ảnh chưa gửi được. Hãy kiểm tra kết nối mạng."},
	"js.cancel":   {"Cancel", "Hủy"},
	"js.retry":    {"Try again", "Thử lại"},
	"js.now":      {"Try now", "Thử ngay"},
	"js.name":     {"pasted picture", "ảnh đã dán"},
	"js.preview":  {"Preview of {name}", "Xem trước {name}"},
	"js.progress": {"Upload of {name}", "Tải lên {name}"},
	"js.done":     {"{name}: {answer}", "{name}: {answer}"},
	"js.scaled":   {"scaled from {from} to {to} pixels", "thu nhỏ từ {from} xuống {to} điểm ảnh"},
	"js.many":     {"Too many pictures", "Quá nhiều ảnh"},
	"js.many2":    {"At most {most} at once; the rest was left out.", "Mỗi lần tối đa {most} ảnh; phần còn lại không được gửi."},
	"js.large":    {"Picture too large", "Ảnh quá lớn"},
	"js.large2": {
		"The picture has {size}; at most {most} are taken. Scale it down, or do not send the original.",
		"Ảnh này có {size}; chỉ nhận tối đa {most}. Hãy thu nhỏ ảnh, hoặc bỏ chọn gửi ảnh gốc.",
	},
	"js.heic": {"HEIC is not taken", "Không nhận ảnh HEIC"},
	"js.heic2": {
		"This browser cannot read HEIC photos. On an iPhone choose Settings, Camera, Formats, Most Compatible and take it again, or send a screenshot.",
		"Trình duyệt này không đọc được ảnh HEIC. Trên iPhone, vào Cài đặt, Camera, Định dạng, chọn Tương thích nhất (Most Compatible) rồi chụp lại, hoặc gửi ảnh chụp màn hình.",
	},
	"js.thanks":  {"Thank you. It is noted beside the answer.", "Cảm ơn bạn. Góp ý đã được ghi cạnh kết quả."},
	"js.notsent": {"It could not be sent. Try again in a minute.", "Chưa gửi được. Hãy thử lại sau một phút."},
}
