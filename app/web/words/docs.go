package words

// docs is the page for programmers. Its examples are the same in all languages.
var docs = area{
	"docs.title":     {"The API", "API cho lập trình viên"},
	"docs.lead":      {"Everything the pages do, a program can do. The whole description for tools:", "Chương trình làm được mọi việc mà trang web làm. Mô tả đầy đủ cho công cụ:"},
	"docs.send":      {"Send a picture", "Gửi ảnh"},
	"docs.send.text": {"JPEG, PNG, WebP or GIF, in a form field called image. Repeat the field for several at once.", "Ảnh JPEG, PNG, WebP hoặc GIF, trong trường image của biểu mẫu. Lặp lại trường này để gửi nhiều ảnh một lúc."},
	"docs.raw":       {"Or the bare bytes. With an Idempotency-Key it is safe to send them again when the answer got lost: the same key and bytes give the first answer, with or without the cookie; other bytes are another upload.", "Hoặc gửi thẳng dữ liệu ảnh. Có Idempotency-Key thì gửi lại vẫn an toàn khi câu trả lời bị mất: cùng khóa và cùng dữ liệu thì nhận lại câu trả lời đầu tiên, có hay không có cookie; dữ liệu khác là một lần gửi khác."},
	"docs.list":      {"Read what was sent", "Đọc những gì đã gửi"},
	"docs.list.text": {"Newest first. Filter by label, since, until (a date includes that day), minScore and mine=true; \"next\" of an answer is the cursor of the next page. The CSV has all pages.", "Mới nhất trước. Lọc theo label, since, until (ngày được tính trọn), minScore và mine=true; \"next\" trong câu trả lời là cursor của trang sau. Tệp CSV gồm mọi trang."},
	"docs.own":       {"Your own pictures", "Ảnh của riêng bạn"},
	"docs.own.text":  {"A cookie tells who sent a picture. A program that keeps it can list its own, say what is right, and delete them; without it the pictures are nobody's.", "Cookie cho biết ai đã gửi ảnh. Chương trình nào giữ cookie thì liệt kê được ảnh của mình, cho biết tên đúng và xóa ảnh; không giữ thì ảnh không thuộc về ai."},
	"docs.labels":    {"Labels for feedback:", "Các tên dùng để góp ý:"},
	"docs.limits":    {"Limits", "Giới hạn"},
	"docs.limits.text": {
		"One address may send %d pictures a minute, and make twice as many changes. RateLimit in each answer tells what is left; after 429, wait as many seconds as Retry-After says.",
		"Mỗi địa chỉ được gửi %d ảnh một phút, và thay đổi nhiều gấp đôi. RateLimit trong mỗi câu trả lời cho biết còn lại bao nhiêu; gặp 429 thì chờ số giây ghi ở Retry-After.",
	},
	"docs.errors": {"Errors", "Lỗi"},
	"docs.errors.text": {
		"They are application/problem+json (RFC 9457): \"detail\" is a sentence for people. After an error nothing is kept. A 503 says in Retry-After when to come back.",
		"Lỗi có dạng application/problem+json (RFC 9457): \"detail\" là câu dành cho người đọc. Gặp lỗi thì không có gì được lưu. Với 503, Retry-After cho biết khi nào nên thử lại.",
	},
	"docs.privacy": {"Who sees what", "Ai xem được gì"},
	"docs.privacy.text": {
		"Everybody may read all answers and see all pictures, without what cameras note in them, like the place. Only the sender gets the original, with original=true.",
		"Mọi người đọc được mọi kết quả và xem được mọi ảnh, nhưng không có thông tin máy ảnh ghi kèm, như nơi chụp. Chỉ người gửi nhận được ảnh gốc, với original=true.",
	},
}
