// Package rehearsal runs the program without an engine, a provider or AWS and
// records what it declares. Tests ask the record; the picture is drawn from it.
package rehearsal

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"vinfast-classifier/infra"
)

// What the rehearsal's AWS says about itself.
const (
	Stack   = "dev"
	Account = "123456789012"
	Region  = "us-east-1"
)

// Resource is one declared resource.
type Resource struct {
	Type     string
	Name     string
	URN      string
	Parent   string         // URN, empty for none
	Provider string         // URN::id, empty for components
	Custom   bool           // false for components
	Inputs   map[string]any // plain Go values; secrets are unwrapped
	Secrets  []string       // top-level inputs that were secret
	After    []string       // URNs of explicit and implicit dependencies
	Options  Options
	Aliases  []*pulumirpc.Alias `json:"-"` // earlier names, its own only
}

// Options are the resource options the program set.
type Options struct {
	Protect             bool
	DeleteBeforeReplace bool
	IgnoreChanges       []string
	ReplaceOnChanges    []string
	DeleteTimeout       string
}

// Plan is everything one run declared.
type Plan struct {
	Resources []Resource
	Outputs   map[string]any
}

// Tools stand in for the Go compiler and the network.
func Tools() infra.Tools {
	return infra.Tools{
		BuildApp: func(_ context.Context, _, goarch string) (infra.File, error) {
			return infra.File{Path: "testdata/app", SHA256: strings.Repeat("a", 60) + goarch[:4]}, nil
		},
		Download: func(_ context.Context, _, sha256 string, _ func(string)) (infra.File, error) {
			return infra.File{Path: "testdata/mysql.tar.xz", SHA256: sha256}, nil
		},
		Pack: func(_, _ string) (infra.File, error) {
			return infra.File{Path: "testdata/model.tar.gz", SHA256: strings.Repeat("d", 64)}, nil
		},
	}
}

// Run declares a stack with the given configuration, whose keys are those of
// docs/configuration.md and whose values are texts or JSON objects.
func Run(settings map[string]string) (Plan, error) {
	return RunAs(Stack, settings, Tools())
}

// RunAs is Run with a stack's name and tools of the caller's choice.
func RunAs(stack string, settings map[string]string, tools infra.Tools) (Plan, error) {
	all := map[string]string{"aws:region": Region}
	for key, value := range settings {
		if !strings.Contains(key, ":") {
			key = infra.Project + ":" + key
		}
		all[key] = value
	}
	r := &recorder{stack: stack, region: all["aws:region"], outputs: map[string]any{}}
	err := pulumi.RunErr(func(ctx *pulumi.Context) error {
		outputs, err := infra.Declare(ctx, all, tools)
		if err != nil {
			return err
		}
		for name, value := range outputs {
			// The run waits for outputs of resources only.
			if text, ok := value.(pulumi.String); ok {
				r.output(name, string(text))
				continue
			}
			pulumi.ToOutput(value).ApplyT(func(v any) any {
				r.output(name, v)
				return v
			})
		}
		return nil
	}, pulumi.WithMocks(infra.Project, stack, r), func(info *pulumi.RunInfo) { info.Config = all })
	slices.SortFunc(r.resources, func(a, b Resource) int { return strings.Compare(a.URN, b.URN) })
	return Plan{Resources: r.resources, Outputs: r.outputs}, err
}

type recorder struct {
	sync.Mutex
	stack     string
	region    string
	resources []Resource
	outputs   map[string]any
}

func (r *recorder) output(name string, value any) {
	r.Lock()
	defer r.Unlock()
	r.outputs[name] = value
}

// NewResource records and answers with what AWS would add.
func (r *recorder) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	id := identifier(args.TypeToken, args.Name)
	rec := Resource{Type: args.TypeToken, Name: args.Name, Provider: args.Provider, Custom: args.Custom, Inputs: map[string]any{}}
	for key, value := range args.Inputs {
		if value.IsSecret() || (value.IsOutput() && value.OutputValue().Secret) {
			rec.Secrets = append(rec.Secrets, string(key))
		}
		rec.Inputs[string(key)] = plain(value)
	}
	if rpc := args.RegisterRPC; rpc != nil {
		rec.describe(rpc)
		rec.URN = r.urn(rec.Parent, rec.Type, rec.Name)
	}
	r.Lock()
	r.resources = append(r.resources, rec)
	r.Unlock()
	return id, computed(args), nil
}

func (rec *Resource) describe(rpc *pulumirpc.RegisterResourceRequest) {
	rec.Parent = rpc.GetParent()
	rec.After = rpc.GetDependencies()
	rec.Aliases = rpc.GetAliases()
	rec.Options = Options{
		Protect:             rpc.GetProtect(),
		DeleteBeforeReplace: rpc.GetDeleteBeforeReplace(),
		IgnoreChanges:       rpc.GetIgnoreChanges(),
		ReplaceOnChanges:    rpc.GetReplaceOnChanges(),
		DeleteTimeout:       rpc.GetCustomTimeouts().GetDelete(),
	}
}

// urn composes a name as the engine does.
func (r *recorder) urn(parent, typ, name string) string {
	over := tokens.Type("")
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		over = p.QualifiedType()
	}
	return string(resource.NewURN(tokens.QName(r.stack), infra.Project, over, tokens.Type(typ), name))
}

// identifier is made up, in the shape AWS gives it where something looks at it.
func identifier(typ, name string) string {
	switch short := shortType(typ); short {
	case "Volume":
		return "vol-0123456789abcdef0"
	case "FileSystem":
		return "fs-0123456789abcdef0"
	case "AccessPoint":
		return "fsap-0123456789abcdef0"
	case "BucketV2":
		return name + "-1a2b3c4"
	default:
		return short + "-" + name
	}
}

func shortType(token string) string { return token[strings.LastIndex(token, ":")+1:] }

// computed are the outputs that others use.
func computed(args pulumi.MockResourceArgs) resource.PropertyMap {
	out := args.Inputs.Copy()
	set := func(key resource.PropertyKey, value string) {
		if _, ok := out[key]; !ok {
			out[key] = resource.NewStringProperty(value)
		}
	}
	short := shortType(args.TypeToken)
	set("name", args.Name+"-1a2b3c4")
	switch short {
	case "NetworkInterface":
		set("privateIp", "10.20.128.10")
	case "Eip":
		set("publicIp", "198.51.100.7")
	case "VpcEndpoint":
		set("prefixListId", "pl-63a5400a")
	}
	set("arn", arn(args.TypeToken, args.Name, text(out["name"])))
	return out
}

// arn is made up too, from the logical and, where it matters, the real name.
func arn(typ, name, realName string) string {
	switch short := shortType(typ); short {
	case "BucketV2":
		return "arn:aws:s3:::" + identifier(typ, name)
	case "LogGroup":
		return fmt.Sprintf("arn:aws:logs:%s:%s:log-group:%s", Region, Account, realName)
	default:
		return fmt.Sprintf("arn:aws:mock:%s:%s:%s/%s", Region, Account, short, name)
	}
}

// partition is AWS's own division of regions.
func partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}

var zones = []string{"us-east-1c", "us-east-1a", "us-east-1b", "us-east-1d"}

// Call answers the questions the program asks AWS.
func (r *recorder) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	answers := map[string]map[string]any{
		"aws:index/getCallerIdentity:getCallerIdentity":             {"accountId": Account},
		"aws:index/getRegion:getRegion":                             {"name": r.region},
		"aws:index/getPartition:getPartition":                       {"partition": partition(r.region)},
		"aws:index/getAvailabilityZones:getAvailabilityZones":       {"names": zones},
		"aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": {"locations": zones},
		"aws:ec2/getVpcEndpointService:getVpcEndpointService": {
			"serviceName":       "com.amazonaws." + Region + "." + text(args.Args["service"]),
			"availabilityZones": zones,
		},
		"aws:ssm/getParameter:getParameter": {"value": "ami-0123456789abcdef0", "name": text(args.Args["name"])},
		"aws:sagemaker/getPrebuiltEcrImage:getPrebuiltEcrImage": {
			"registryId":   "763104351884",
			"registryPath": "763104351884.dkr.ecr." + Region + ".amazonaws.com/" + text(args.Args["repositoryName"]) + ":" + text(args.Args["imageTag"]),
		},
	}
	answer, ok := answers[args.Token]
	if !ok {
		return nil, fmt.Errorf("the rehearsal has no answer to %s", args.Token)
	}
	if args.Provider == "" {
		return nil, fmt.Errorf("%s is asked without the explicit provider", args.Token)
	}
	return resource.NewPropertyMapFromMap(answer), nil
}

func text(v resource.PropertyValue) string {
	if v.IsString() {
		return v.StringValue()
	}
	return ""
}

// plain turns a property into Go values; assets become their paths.
func plain(v resource.PropertyValue) any {
	switch {
	case v.IsSecret():
		return plain(v.SecretValue().Element)
	case v.IsOutput():
		return plain(v.OutputValue().Element)
	case v.IsAsset():
		return v.AssetValue().Path
	case v.IsArray():
		list := []any{}
		for _, e := range v.ArrayValue() {
			list = append(list, plain(e))
		}
		return list
	case v.IsObject():
		object := map[string]any{}
		for key, e := range v.ObjectValue() {
			object[string(key)] = plain(e)
		}
		return object
	default:
		return v.V
	}
}

// Clone returns a deep copy, for experiments.
func (p Plan) Clone() (Plan, error) {
	var c Plan
	bytes, err := json.Marshal(p)
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(bytes, &c)
}
