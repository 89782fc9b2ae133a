package words

// stats is the page of charts.
var stats = area{
	"stats.title":      {"Statistics", "Thống kê"},
	"stats.lead":       {"What all visitors have sent from %s to %s, days in UTC.", "Ảnh mọi người đã gửi từ %s đến %s, tính ngày theo giờ UTC."},
	"stats.date":       {"2 January 2006", "2/1/2006"},
	"stats.span":       {"Days to count", "Khoảng thời gian"},
	"stats.total":      {"Pictures", "Số ảnh"},
	"stats.judged":     {"Judged by their senders", "Được người gửi đánh giá"},
	"stats.agreed":     {"Of these, the model was right", "Trong đó mô hình đúng"},
	"stats.models":     {"By model", "Theo mẫu xe"},
	"stats.models.alt": {"Bars: how many pictures were taken for each model. The table beside has the numbers.", "Biểu đồ cột: số ảnh được nhận là từng mẫu xe. Số liệu ở bảng bên cạnh."},
	"stats.days":       {"By day", "Theo ngày"},
	"stats.days.alt":   {"Bars: how many pictures came on each day. The table beside has the numbers.", "Biểu đồ cột: số ảnh gửi mỗi ngày. Số liệu ở bảng bên cạnh."},
	"stats.scores":     {"How sure the model was", "Mô hình chắc chắn đến đâu"},
	"stats.scores.alt": {"Bars: how many pictures were answered with each confidence, in steps of 10%. The table beside has the numbers.", "Biểu đồ cột: số ảnh theo từng mức tin cậy, mỗi bậc 10%. Số liệu ở bảng bên cạnh."},
	"stats.model":      {"Model", "Mẫu xe"},
	"stats.day":        {"Day", "Ngày"},
	"stats.score":      {"Confidence", "Độ tin cậy"},
	"stats.count":      {"Pictures", "Số ảnh"},
	"stats.right":      {"Sender agrees", "Người gửi đồng ý"},
	"stats.of":         {"%d of %d", "%d trên %d"},
	"stats.none":       {"none said", "chưa có"},
	"stats.empty":      {"No picture was sent in these days.", "Không có ảnh nào được gửi trong khoảng này."},
	"stats.most":       {"Most on one day: %d", "Nhiều nhất trong một ngày: %d"},
}
