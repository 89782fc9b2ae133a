package words

// site is the frame of every page, and dates.
var site = area{
	"site.name":     {"VinFast classifier", "Nhận diện xe VinFast"},
	"site.skip":     {"Skip to the content", "Chuyển đến nội dung"},
	"site.nav":      {"Site", "Trang web"},
	"site.classify": {"Classify", "Nhận diện"},
	"site.history":  {"History", "Lịch sử"},
	"site.stats":    {"Statistics", "Thống kê"},
	"site.docs":     {"API", "API"},
	"site.language": {"Language", "Ngôn ngữ"},
	"site.footer": {
		"Pictures you send are kept together with the answer, for later study.",
		"Ảnh bạn gửi được lưu lại cùng với kết quả để nghiên cứu về sau.",
	},
	// A layout of package time.
	"site.date": {"2 January 2006, 15:04 UTC", "2/1/2006, 15:04 UTC"},
}
