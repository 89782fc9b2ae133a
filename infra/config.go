// Package infra declares the system on AWS: one component per file, put
// together in deployment order by Deploy.
package infra

// Project is the name in Pulumi.yaml and the namespace of our configuration.
const Project = "vinfast-classifier"

// Config is one stack's configuration. Its tags are the source of
// docs/configuration.md: allowed values, what a setting costs and what it
// risks. A field tagged "later" is refused unless it keeps its default.
type Config struct {
	Network     NetworkConfig  `json:"network" doc:"The private network everything lives in."`
	Web         WebConfig      `json:"web" doc:"The instance that serves the web app on port 8080."`
	Database    DatabaseConfig `json:"database" doc:"MySQL on an instance of its own."`
	Model       ModelConfig    `json:"model" doc:"The SageMaker endpoint."`
	Logs        LogsConfig     `json:"logs" doc:"CloudWatch log groups of the app, MySQL and the endpoint."`
	Alarms      AlarmsConfig   `json:"alarms" doc:"CloudWatch alarms."`
	Backup      BackupConfig   `json:"backup" doc:"AWS Backup of both instances, the file system and the images."`
	ProtectData bool           `json:"protectData" doc:"Keep everything that holds data: Pulumi refuses to delete it, buckets and vault are not emptied." allowed:"true or false" cost:"nothing" risk:"true: 'pulumi destroy' stops until you set it to false and run 'pulumi up'"`
}

// NetworkConfig is the key network.
type NetworkConfig struct {
	CIDR            string   `json:"cidr" doc:"Addresses of the network." allowed:"a private IPv4 range from /16 to /23" cost:"nothing" risk:"a change replaces everything"`
	AZCount         int      `json:"azCount" doc:"Zones that get a public and a private subnet and an EFS mount target." allowed:"1 to 4" cost:"nothing" risk:"1: the file system has no second mount target"`
	EndpointAZCount int      `json:"endpointAzCount" doc:"Zones that get the interface endpoints." allowed:"1 to network.azCount" cost:"about 7.30 USD a month per zone and endpoint (4 endpoints)" risk:"1: if that zone fails, AWS services are out of reach"`
	Internet        bool     `json:"internet" doc:"Whether public subnets have a default route. The gateway stays either way." allowed:"true or false" cost:"nothing" risk:"false: the public address does not answer; use Session Manager"`
	ExtraEndpoints  []string `json:"extraEndpoints" doc:"More interface endpoints." allowed:"any of ec2, ec2messages, kms, monitoring, sts" cost:"about 7.30 USD a month each and zone" risk:"nothing"`
	FlowLogs        bool     `json:"flowLogs" doc:"Log the network's traffic." allowed:"false" cost:"about 0.50 USD per GB" risk:"nothing" later:"flow logs"`
}

// WebConfig is the key web.
type WebConfig struct {
	InstanceType string   `json:"instanceType" doc:"Type of the web instance, x86_64 or arm64; the app is built for it." allowed:"an EC2 instance type with 1 GiB of memory or more" cost:"t3.small: about 15 USD a month" risk:"less than 2 GiB: very large photos are refused more often"`
	Count        int      `json:"count" doc:"Web instances." allowed:"1" cost:"one instance each" risk:"nothing" later:"more than one web instance"`
	AllowedCIDRs []string `json:"allowedCidrs" doc:"Who may reach port 8080. Empty: no public address; the browser comes through Session Manager." allowed:"IPv4 ranges such as 203.0.113.7/32" cost:"about 3.65 USD a month for the public address" risk:"whoever is in the range may upload, over plain HTTP"`
	Domain       string   `json:"domain" doc:"Serve HTTPS under this name behind a balancer." allowed:"empty" cost:"about 17 USD a month" risk:"nothing" later:"the balancer with HTTPS"`
	HostedZoneID string   `json:"hostedZoneId" doc:"Route 53 zone of the domain." allowed:"empty" cost:"0.50 USD a month" risk:"nothing" later:"the balancer with HTTPS"`
	AMIID        string   `json:"amiId" doc:"Pin the image. Empty: the newest Amazon Linux 2023 when the instance is made, then left alone." allowed:"ami-... or empty" cost:"nothing" risk:"a change replaces the instance; an old image misses security fixes"`
}

// DatabaseConfig is the key database.
type DatabaseConfig struct {
	InstanceType string `json:"instanceType" doc:"Type of the database instance: Nitro; x86_64 unless mysqlUrl names an arm64 build." allowed:"a Nitro EC2 instance type with 1 GiB of memory or more" cost:"t3.small: about 15 USD a month" risk:"a change stops MySQL for some minutes; from x86_64 to arm64 or back, set amiId to a fitting image as well"`
	VolumeGiB    int    `json:"volumeGiB" doc:"Size of the data volume. Growing takes effect at the next boot; it cannot shrink." allowed:"5 to 16384" cost:"0.08 USD a month per GiB" risk:"full disk: predictions wait in the spool"`
	SnapshotID   string `json:"snapshotId" doc:"Make the data volume from this snapshot: the way back from a backup." allowed:"snap-... or empty" cost:"nothing" risk:"a change replaces the data volume; the old one is deleted"`
	MySQLURL     string `json:"mysqlUrl" doc:"Another generic Linux build of MySQL 8.4 than the built-in one." allowed:"https://... or file://..., together with mysqlSha256" cost:"nothing" risk:"your build, your risk"`
	MySQLSHA256  string `json:"mysqlSha256" doc:"Digest of that file." allowed:"64 lower-case hex digits, together with mysqlUrl" cost:"nothing" risk:"nothing"`
	AMIID        string `json:"amiId" doc:"Pin the image, as web.amiId." allowed:"ami-... or empty" cost:"nothing" risk:"a change replaces the instance; data stays on its volume"`
}

// ModelConfig is the key model.
type ModelConfig struct {
	Enabled          bool              `json:"enabled" doc:"Run the endpoint. false deletes it and stops its cost; the rest stays." allowed:"true or false" cost:"ml.m5.xlarge: about 168 USD a month, the largest item" risk:"false: uploads are answered with 503"`
	HuggingFaceID    string            `json:"huggingFaceId" doc:"Model on the Hugging Face hub, fetched by the container at start." allowed:"owner/name" cost:"nothing" risk:"someone else's repository: it may change or vanish; pin revision or use dataPath"`
	Revision         string            `json:"revision" doc:"Commit of the model on the hub. Empty: its main branch." allowed:"40 lower-case hex digits or empty" cost:"nothing" risk:"empty: the model can change under you"`
	ImageTag         string            `json:"imageTag" doc:"Tag of AWS's huggingface-pytorch-inference container." allowed:"an existing tag" cost:"nothing" risk:"only the default was proven with this model"`
	DataPath         string            `json:"dataPath" doc:"Your own model instead of the hub's: a folder, or a model.tar.gz. Turns network isolation on." allowed:"a folder with config.json, or a .tar.gz, on the machine that runs Pulumi; or empty" cost:"storage in S3, cents" risk:"nothing"`
	InstanceType     string            `json:"instanceType" doc:"Type of the endpoint's instances." allowed:"ml.<type>" cost:"ml.m5.xlarge: 0.23 USD an hour each" risk:"new accounts may have a quota of 0 for a type"`
	InstanceCount    int               `json:"instanceCount" doc:"Instances behind the endpoint." allowed:"1 to 10" cost:"one instance each" risk:"1: no second one when it fails"`
	MaxInstanceCount int               `json:"maxInstanceCount" doc:"Scale up to this many." allowed:"1" cost:"one instance each while busy" risk:"nothing" later:"scaling of the endpoint"`
	Serverless       *ServerlessConfig `json:"serverless" doc:"A serverless endpoint instead of instances." later:"the serverless endpoint"`
}

// ServerlessConfig is the key model.serverless.
type ServerlessConfig struct {
	MemoryMiB      int `json:"memoryMiB" doc:"Memory of one worker." allowed:"unset" cost:"by the request" risk:"nothing"`
	MaxConcurrency int `json:"maxConcurrency" doc:"Requests at the same time." allowed:"unset" cost:"nothing" risk:"nothing"`
}

// LogsConfig is the key logs.
type LogsConfig struct {
	RetentionDays int `json:"retentionDays" doc:"Days until log lines are deleted." allowed:"1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653" cost:"0.03 USD a month per GB kept" risk:"short: no traces of old trouble"`
}

// AlarmsConfig is the key alarms.
type AlarmsConfig struct {
	Email string `json:"email" doc:"Who is told when something breaks." allowed:"empty" cost:"0.10 USD a month per alarm" risk:"nothing" later:"alarms"`
}

// BackupConfig is the key backup.
type BackupConfig struct {
	Enabled                 bool   `json:"enabled" doc:"Back up every day. false deletes plan and vault with all recovery points." allowed:"true or false" cost:"about 0.05 USD a month per GB kept" risk:"false: nothing to come back to"`
	Schedule                string `json:"schedule" doc:"When, in the timezone below." allowed:"cron(...) with six fields, at most once an hour" cost:"nothing" risk:"rare: more work lost"`
	Timezone                string `json:"timezone" doc:"Timezone of the schedule." allowed:"an IANA name such as Asia/Bangkok" cost:"nothing" risk:"nothing"`
	StartWindowMinutes      int    `json:"startWindowMinutes" doc:"A job that has not started by then is cancelled." allowed:"60 to 10080" cost:"nothing" risk:"short: a busy service skips a day"`
	CompletionWindowMinutes int    `json:"completionWindowMinutes" doc:"A job that has not ended by then, counted from the schedule, is cancelled." allowed:"startWindowMinutes + 60 to 100000" cost:"nothing" risk:"short: the first, full backup may be cancelled"`
	RetentionDays           int    `json:"retentionDays" doc:"Days until a recovery point is deleted." allowed:"1 to 36500" cost:"more recovery points kept" risk:"short: a fault found late cannot be undone"`
}

// DefaultConfig holds every default. They cost little and open nothing.
func DefaultConfig() Config {
	return Config{
		Network: NetworkConfig{CIDR: "10.20.0.0/16", AZCount: 2, EndpointAZCount: 1, Internet: true},
		Web:     WebConfig{InstanceType: "t3.small", Count: 1},
		Database: DatabaseConfig{
			InstanceType: "t3.small",
			VolumeGiB:    10,
		},
		Model: ModelConfig{
			Enabled:          true,
			HuggingFaceID:    "hungtu/vinfast-car-classifier",
			ImageTag:         "2.1.0-transformers4.37.0-cpu-py310-ubuntu22.04",
			InstanceType:     "ml.m5.xlarge",
			InstanceCount:    1,
			MaxInstanceCount: 1,
		},
		Logs: LogsConfig{RetentionDays: 30},
		Backup: BackupConfig{
			Enabled:                 true,
			Schedule:                "cron(0 10 * * ? *)",
			Timezone:                "Asia/Bangkok",
			StartWindowMinutes:      60,
			CompletionWindowMinutes: 120,
			RetentionDays:           7,
		},
	}
}

// public reports whether the web instance gets an address of its own.
func (c WebConfig) public() bool { return len(c.AllowedCIDRs) > 0 }
