package document

import (
	"fmt"
	"strings"

	"vinfast-classifier/infra"
)

// seedItems are what the workshop this comes from runs, by its own text.
var seedItems = []infra.CostItem{
	{What: "SageMaker endpoint", How: "1 x ml.m5.xlarge", Hour: 0.23},
	{What: "SageMaker notebook", How: "1 x ml.t3.medium, while it is open", Hour: 0.05},
	{What: "Web instance", How: "1 x t2.micro", Hour: 0.0116},
	{What: "Database instance", How: "1 x t2.micro", Hour: 0.0116},
	{What: "Interface endpoints", How: "4 (logs, ssm, ssmmessages, ec2messages)", Hour: 0.04},
	{What: "Public addresses", How: "2", Hour: 0.01},
	{What: "Volumes", How: "16 GiB", Hour: 16 * 0.08 / 730},
	{What: "Backup", How: "about 10 GiB of recovery points", Hour: 10 * 0.05 / 730},
	{What: "S3, EFS, logs", How: "first GiB", Hour: 0.823 / 730},
}

// Cost compares the stack dev with the workshop, item by item.
func Cost() string {
	dev := infra.DefaultConfig()
	dev.Web.AllowedCIDRs = []string{"0.0.0.0/0"}
	off := dev
	off.Model.Enabled = false
	ours, _ := infra.Costs(dev)
	without, _ := infra.Costs(off)
	var b strings.Builder
	b.WriteString("# Cost\n\n" + generated)
	fmt.Fprintf(&b, `What a stack costs in us-east-1 before anybody uses it, in USD. Prices are those of AWS's public price
pages as known in %s; they were not fetched by a program. **Check them before you rely on them**:
<https://aws.amazon.com/ec2/pricing/on-demand/>, <https://aws.amazon.com/sagemaker/pricing/>,
<https://aws.amazon.com/privatelink/pricing/>, <https://aws.amazon.com/backup/pricing/>. A month has 730 hours.

## The stack `+"`dev`"+`

`, infra.PricesOf)
	table(&b, ours)
	b.WriteString("\n## The workshop's own set-up, left running\n\n")
	table(&b, seedItems)
	fmt.Fprintf(&b, `
The workshop's instances are smaller, but it keeps two public addresses and a notebook (without the notebook it is
%s a month). It pays for the endpoint `+"`ec2messages`"+`, which current agents no longer need; this system pays as much
for `+"`sagemaker.runtime`"+`, without which a web instance with no way to the internet cannot reach the model.

## Paying less

- **Switch the endpoint off** when nobody classifies: `+"`pulumi config set --path model.enabled false && pulumi up`"+`.
  The rest, with all data, costs %s a month. Switching it on again takes about ten minutes.
- `+"`model.instanceType: ml.m5.large`"+` halves the largest item, `+"`ml.t2.medium`"+` quarters it, at slower answers.
- `+"`web.instanceType: t4g.small`"+` (arm64; the app is built for it) saves a fifth of the web instance.
- `+"`pulumi destroy`"+` ends all of it. Recovery points go with the vault.

## What use adds

| What | Price |
|---|---|
| Data through an interface endpoint | 0.01 a GB |
| Data to the internet | 0.09 a GB, the first 100 GB of a month free |
| Images in S3 | 0.023 a GB and month |
| Shared files in EFS | 0.30 a GB and month; the spool is empty when all is well |
| Log lines | 0.50 a GB taken in, 0.03 a GB and month kept |
| T3 instances under lasting load | 0.05 per vCPU-hour above their baseline |
`, money((total(seedItems)-seedItems[1].Hour)*730), money(total(without)*730))
	return b.String()
}

func table(b *strings.Builder, items []infra.CostItem) {
	b.WriteString("| Item | How much | An hour | A month |\n|---|---|---:|---:|\n")
	for _, i := range items {
		fmt.Fprintf(b, "| %s | %s | %.4f | %.2f |\n", i.What, i.How, i.Hour, i.Month())
	}
	sum := total(items)
	fmt.Fprintf(b, "| **Together** | | **%.4f** | **%.2f** |\n", sum, sum*730)
}

func total(items []infra.CostItem) float64 {
	sum := 0.0
	for _, i := range items {
		sum += i.Hour
	}
	return sum
}

func money(usd float64) string { return fmt.Sprintf("%.2f USD", usd) }
