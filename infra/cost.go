package infra

import "fmt"

// PricesOf is the month the prices below were noted: AWS's public price pages
// for us-east-1, as known then, to be checked before relying on them.
const PricesOf = "2026-08"

// hoursPerMonth is AWS's own convention.
const hoursPerMonth = 730.0

// hourly prices in USD by instance type, Linux on demand.
var hourly = map[string]float64{
	"t2.micro": 0.0116, "t2.small": 0.023, "t2.medium": 0.0464,
	"t3.micro": 0.0104, "t3.small": 0.0208, "t3.medium": 0.0416, "t3.large": 0.0832,
	"t4g.micro": 0.0084, "t4g.small": 0.0168, "t4g.medium": 0.0336, "t4g.large": 0.0672,
	"m5.large": 0.096, "m6i.large": 0.096, "m7g.large": 0.0816,
	"ml.t2.medium": 0.056, "ml.m5.large": 0.115, "ml.m5.xlarge": 0.23, "ml.m5.2xlarge": 0.461,
	"ml.c5.large": 0.102, "ml.c5.xlarge": 0.204, "ml.g4dn.xlarge": 0.736,
}

const (
	priceInterfaceEndpoint = 0.01  // an hour and zone
	pricePublicAddress     = 0.005 // an hour
	priceVolume            = 0.08  // a GiB and month, gp3
	priceBackup            = 0.05  // a GiB and month
	priceStandardObjects   = 0.023 // a GiB and month, S3
	priceFiles             = 0.30  // a GiB and month, EFS standard
)

// CostItem is one line of the bill. Hour is in USD.
type CostItem struct {
	What, How string
	Hour      float64
}

// Month is the item's cost over 730 hours.
func (i CostItem) Month() float64 { return i.Hour * hoursPerMonth }

// Costs lists what a configuration costs before anybody uses it, in us-east-1;
// known is false when it holds an instance type without a price here.
func Costs(c Config) (items []CostItem, known bool) {
	known = true
	add := func(what, how string, hour float64) {
		items = append(items, CostItem{what, how, hour})
	}
	instances := func(what, kind string, n int) {
		price, ok := hourly[kind]
		known = known && ok
		add(what, fmt.Sprintf("%d x %s", n, kind), price*float64(n))
	}
	if c.Model.Enabled {
		instances("SageMaker endpoint", c.Model.InstanceType, c.Model.InstanceCount)
	} else {
		add("SageMaker endpoint", "switched off", 0)
	}
	instances("Web instance", c.Web.InstanceType, c.Web.Count)
	instances("Database instance", c.Database.InstanceType, 1)
	n := len(interfaceEndpoints(c)) * c.Network.EndpointAZCount
	add("Interface endpoints", fmt.Sprintf("%d (S3's gateway is free)", n), float64(n)*priceInterfaceEndpoint)
	if c.Web.public() {
		add("Public address", "1", pricePublicAddress)
	}
	volumes := rootGiB*(c.Web.Count+1) + c.Database.VolumeGiB
	add("Volumes", fmt.Sprintf("%d GiB gp3", volumes), float64(volumes)*priceVolume/hoursPerMonth)
	if c.Backup.Enabled {
		kept := 10.0 // what is written on fresh volumes; snapshots are incremental
		add("Backup", fmt.Sprintf("about %.0f GiB of recovery points", kept), kept*priceBackup/hoursPerMonth)
	}
	add("S3, EFS, logs", "first GiB", (priceStandardObjects+priceFiles+0.5)/hoursPerMonth)
	return items, known
}

// costSentence tells an operator what a stack costs.
func costSentence(c Config) string {
	items, known := Costs(c)
	if !known {
		return "docs/cost.md says what it costs."
	}
	total := 0.0
	for _, item := range items {
		total += item.Hour
	}
	return fmt.Sprintf("It costs about %.2f USD an hour (%.0f a month) in us-east-1 while it runs, at prices of %s; 'pulumi destroy' ends that.",
		total, total*hoursPerMonth, PricesOf)
}
