package words

// result is the card of one picture's outcome.
var result = area{
	"result.title":   {"Results", "Kết quả"},
	"result.picture": {"The picture that was sent", "Ảnh đã gửi"},
	"result.named":   {"The picture that was sent: %s", "Ảnh đã gửi: %s"},
	"result.sure":    {"The model is %s sure.", "Mức độ chắc chắn: %s."},
	"result.notsure": {"Not sure", "Chưa chắc chắn"},
	"result.guess": {
		"The best guess is %[1]s with %[2]s; it takes %[3]s to name a car.",
		"Khả năng cao nhất là %[1]s với %[2]s; cần đạt ít nhất %[3]s mới kết luận được.",
	},
	"result.six": {
		"The model knows only six cars: %s. This may be another one, or no car at all.",
		"Mô hình chỉ biết sáu mẫu xe: %s. Đây có thể là xe khác, hoặc không phải là xe.",
	},
	"result.few": {
		"The model knows a few cars and nothing else: this may be another one, or no car at all.",
		"Mô hình chỉ biết vài mẫu xe: đây có thể là xe khác, hoặc không phải là xe.",
	},
	"result.bars":    {"How well each car fits", "Mức độ khớp với từng mẫu xe"},
	"result.took":    {"Answered in %s s", "Trả lời trong %s giây"},
	"result.pixels":  {"%d × %d pixels", "%d × %d điểm ảnh"},
	"result.pending": {"Kept safe, not in the history yet: the storage is busy and will be caught up with.", "Đã giữ an toàn, chưa có trong lịch sử: kho lưu trữ đang bận và sẽ được cập nhật sau."},
	"result.link":    {"Link to this result", "Liên kết đến kết quả này"},
	"result.wrong":   {"Wrong label?", "Sai tên xe?"},
	"result.which":   {"Which car is it really?", "Thật ra là xe nào?"},
	"result.other":   {"Another car", "Xe khác"},
	"result.tell":    {"Send", "Gửi"},
	"result.another": {"Classify another", "Nhận diện ảnh khác"},
	"result.history": {"See the history", "Xem lịch sử"},
	"result.request": {"Request %s", "Yêu cầu %s"},
	"result.status":  {"Status %d, request %s", "Trạng thái %d, yêu cầu %s"},
	"result.start":   {"Back to the start", "Về trang đầu"},
	// What the built-in model says of itself; other notices stay as they are.
	"result.demo": {"demo model, trained on drawings, not for photos", "mô hình thử nghiệm, học từ hình vẽ, không dùng cho ảnh chụp"},
}
