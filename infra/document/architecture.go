package document

import (
	"fmt"
	"slices"
	"strings"

	"vinfast-classifier/infra/rehearsal"
)

// node is one box of the picture. It stands for a resource, without which the
// picture cannot be drawn, and shows the kinds it covers.
type node struct {
	kind, name string // the resource it stands for; no kind: a person
	x, y, w, h int
	title      string
	lines      []string
	class      string
}

// shown are the kinds of resource that some box, frame, arrow or badge tells
// about. A resource of another kind stops the drawing: it would be missing.
var shown = strings.Fields(`Vpc Subnet RouteTable RouteTableAssociation Route InternetGateway DefaultSecurityGroup
	SecurityGroup SecurityGroupIngressRule SecurityGroupEgressRule VpcEndpoint Eip EipAssociation
	Instance NetworkInterface Volume VolumeAttachment Role RolePolicy RolePolicyAttachment InstanceProfile
	BucketV2 BucketPolicy BucketPublicAccessBlock BucketOwnershipControls BucketVersioningV2 BucketNotification
	BucketServerSideEncryptionConfigurationV2 BucketLifecycleConfigurationV2 BucketObjectv2
	FileSystem FileSystemPolicy AccessPoint MountTarget LogGroup Parameter Model EndpointConfiguration Endpoint
	Vault Plan Selection`)

// Architecture draws the stack dev as an SVG. What it shows it asks the
// program, which it runs in a rehearsal.
func Architecture() (string, error) {
	p, err := rehearsal.Run(map[string]string{"web": `{"allowedCidrs":["0.0.0.0/0"]}`})
	if err != nil {
		return "", fmt.Errorf("rehearsing the program: %w", err)
	}
	for i := range p.Resources {
		if r := &p.Resources[i]; r.Custom && r.Type != "pulumi:providers:aws" && !slices.Contains(shown, r.Kind()) {
			return "", fmt.Errorf("the picture does not show %s yet: see infra/document/architecture.go", r)
		}
	}
	d := &drawing{plan: &p}
	d.frames()
	d.wires()
	for _, n := range d.nodes() {
		if err := d.box(n); err != nil {
			return "", err
		}
	}
	return d.svg(), nil
}

// nodes are the boxes, from left to right.
func (d *drawing) nodes() []node {
	port := func(rule string) string { return d.plan.One("SecurityGroupIngressRule", rule).Text("fromPort") }
	at := func(kind, name, path string) string { return d.plan.One(kind, name).Text(path) }
	rule := "rules.0."
	return []node{
		{x: 24, y: 182, w: 142, h: 66, title: "Browser", lines: []string{"HTTP, port " + port("web-0.0.0.0/0")}, class: "person"},
		{x: 24, y: 622, w: 142, h: 70, title: "Operator", lines: []string{"Session Manager,", "no SSH"}, class: "person"},
		{kind: "Eip", name: "web", x: 224, y: 188, w: 108, h: 54, title: "Gateway", lines: []string{"fixed address"}, class: "net"},
		{kind: "Instance", name: "web-1", x: 374, y: 160, w: 204, h: 110, title: "Web instance", class: "compute",
			lines: []string{at("Instance", "web-1", "instanceType") + ", Amazon Linux 2023", "vinfast serve on :" + port("web-0.0.0.0/0"), "IMDSv2, encrypted root"}},
		{kind: "Instance", name: "database", x: 374, y: 362, w: 204, h: 110, title: "Database instance", class: "compute",
			lines: []string{at("Instance", "database", "instanceType") + ", MySQL 8.4 over TLS", "own address and certificate", at("Volume", "data", "size") + " GiB data volume outlives it"}},
		{kind: "MountTarget", name: "files-1", x: 374, y: 490, w: 204, h: 46, title: "EFS mount target", class: "storage"},
		{kind: "MountTarget", name: "files-2", x: 624, y: 490, w: 138, h: 46, title: "Mount target", class: "storage"},
		{kind: "VpcEndpoint", name: "s3", x: 610, y: 566, w: 166, h: 50, title: "S3 gateway", lines: []string{"our buckets, our roles"}, class: "net"},
		{kind: "VpcEndpoint", name: "ssm", x: 374, y: 632, w: 402, h: 66, title: "Interface endpoints", class: "net",
			lines: []string{strings.Join(d.interfaces(), ", ")}},
		{kind: "Plan", name: "plan", x: 880, y: 92, w: 300, h: 72, title: "AWS Backup", class: "safety",
			lines: []string{"daily, " + at("Plan", "plan", rule+"schedule") + " " + at("Plan", "plan", rule+"scheduleExpressionTimezone"),
				"kept " + at("Plan", "plan", rule+"lifecycle.deleteAfter") + " days in a vault of its own"}},
		{kind: "BucketV2", name: "images", x: 880, y: 180, w: 300, h: 72, title: "S3: images", class: "storage",
			lines: []string{"private, versioned, TLS only;", "nightly database dumps"}},
		{kind: "BucketV2", name: "artifacts", x: 880, y: 268, w: 300, h: 56, title: "S3: artifacts", class: "storage",
			lines: []string{strings.Join(d.names("BucketObjectv2"), " and ") + ", each under its SHA-256"}},
		{kind: "FileSystem", name: "files", x: 880, y: 340, w: 300, h: 72, title: "EFS", class: "storage",
			lines: []string{"upload spool and shared keys;", "TLS, IAM, access point"}},
		{kind: "LogGroup", name: "app", x: 880, y: 428, w: 300, h: 92, title: "CloudWatch Logs", class: "safety",
			lines: append(d.groups(), "kept "+at("LogGroup", "app", "retentionInDays")+" days")},
		{kind: "Endpoint", name: "endpoint", x: 880, y: 536, w: 300, h: 92, title: "SageMaker endpoint", class: "compute",
			lines: []string{at("EndpointConfiguration", "endpoint", "productionVariants.0.instanceType") + ", Hugging Face container",
				at("Model", "model", "primaryContainer.environment.HF_MODEL_ID"), "can be switched off"}},
		{kind: "Parameter", name: "password", x: 880, y: 644, w: 300, h: 110, title: "Systems Manager", class: "safety",
			lines: []string{"encrypted parameters: " + strings.Join(d.names("Parameter"), ", "), "sessions: shell, browser, doctor"}},
	}
}

// frames are region, network, zones and subnets.
func (d *drawing) frames() {
	vpc := d.plan.One("Vpc", "vpc")
	d.frame(196, 62, 1008, 720, "AWS region", "region")
	d.frame(278, 96, 516, 620, "VPC "+vpc.Text("cidrBlock")+", no NAT", "vpc")
	for i, x := range []int{358, 610} {
		w := []int{236, 166}[i]
		for _, kind := range []string{"public", "private"} {
			subnet := d.plan.One("Subnet", fmt.Sprintf("%s-%d", kind, i+1))
			y, h := 128, 158
			if kind == "private" {
				y, h = 332, 218
			}
			d.frame(x, y, w, h, subnet.Text("availabilityZone")+", "+kind, kind)
		}
	}
}

// wires are the ways data goes: a security group rule or an endpoint each.
func (d *drawing) wires() {
	port := func(rule string) string { return d.plan.One("SecurityGroupIngressRule", rule).Text("fromPort") }
	const bus = 340 // where both instances go down to the endpoints
	d.wire([2]int{166, 215}, [2]int{224, 215})
	d.wire([2]int{332, 215}, [2]int{374, 215})
	d.wire([2]int{530, 270}, [2]int{530, 362})
	d.wire([2]int{374, 258}, [2]int{366, 258}, [2]int{366, 513}, [2]int{374, 513})
	d.wire([2]int{374, 176}, [2]int{bus, 176}, [2]int{bus, 665}, [2]int{374, 665})
	d.line([2]int{374, 417}, [2]int{bus, 417})
	d.wire([2]int{bus, 591}, [2]int{610, 591})
	d.line([2]int{578, 513}, [2]int{602, 513}, [2]int{602, 558}, [2]int{786, 558}, [2]int{786, 513})
	d.wire([2]int{762, 513}, [2]int{826, 513}, [2]int{826, 376}, [2]int{880, 376})
	d.wire([2]int{776, 591}, [2]int{812, 591}, [2]int{812, 216}, [2]int{880, 216})
	d.wire([2]int{812, 296}, [2]int{880, 296})
	d.wire([2]int{776, 646}, [2]int{840, 646}, [2]int{840, 474}, [2]int{880, 474})
	d.wire([2]int{776, 664}, [2]int{856, 664}, [2]int{856, 582}, [2]int{880, 582})
	d.wire([2]int{776, 682}, [2]int{880, 682})
	d.wire([2]int{95, 692}, [2]int{95, 738}, [2]int{880, 738})
	d.label(530, 312, "MySQL "+port("database-from-web"))
	d.label(388, 312, "NFS "+port("files-from-web"))
	d.label(bus, 580, "HTTPS "+port("endpoints-from-database"))
	d.label(195, 209, port("web-0.0.0.0/0"))
}

func (d *drawing) names(kind string) []string {
	var names []string
	for _, r := range d.plan.Of(kind) {
		names = append(names, r.Name)
	}
	slices.Sort(names)
	return names
}

func (d *drawing) interfaces() []string {
	var names []string
	for _, r := range d.plan.Of("VpcEndpoint") {
		if r.Text("vpcEndpointType") == "Interface" {
			names = append(names, r.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (d *drawing) groups() []string {
	var names []string
	for _, r := range d.plan.Of("LogGroup") {
		names = append(names, r.Text("name"))
	}
	slices.Sort(names)
	return []string{strings.Join(names[1:], ", "), names[0]}
}
