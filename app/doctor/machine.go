package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

const notEC2 = skipped("not on EC2")

// identity asks the metadata service, by IMDSv2 only, who we are. No STS
// endpoint is paid for.
func (d *doctor) identity(ctx context.Context) (string, error) {
	if !d.Machine.EC2() {
		return "", notEC2
	}
	client := imds.NewFromConfig(d.AWS, func(o *imds.Options) {
		o.EnableFallback = aws.FalseTernary // no IMDSv1
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) { r.MaxAttempts = 2 })
	})
	document, err := client.GetInstanceIdentityDocument(ctx, nil)
	if err != nil {
		return "", fmt.Errorf("get instance identity: %w", err)
	}
	out, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: "iam/security-credentials/"})
	if err != nil {
		return "", advise("The instance has no role: attach its instance profile again with pulumi up --refresh.", fmt.Errorf("get role of the instance: %w", err))
	}
	defer out.Content.Close()
	role, err := io.ReadAll(io.LimitReader(out.Content, 200))
	if err != nil || len(role) == 0 {
		return "", errors.Join(errors.New("the instance has no role"), err)
	}
	if document.Region != d.AWS.Region {
		return "", advise("AWS_REGION in /etc/vinfast/app.env is another region than the instance's.",
			fmt.Errorf("the instance is in %s, AWS_REGION is %s", document.Region, d.AWS.Region))
	}
	return fmt.Sprintf("%s, role %s, %s (%s)", document.InstanceID, strings.TrimSpace(string(role)), document.AvailabilityZone, document.InstanceType), nil
}

// service is one that instances reach through an interface endpoint.
type service struct {
	name, host string
	override   func(aws.Config) *string // the address that the environment sets for it
}

// endpoints is the same list as infra's.
var endpoints = []service{
	{"logs", "logs", func(c aws.Config) *string { return cloudwatchlogs.NewFromConfig(c).Options().BaseEndpoint }},
	{"ssm", "ssm", func(c aws.Config) *string { return ssm.NewFromConfig(c).Options().BaseEndpoint }},
	{"ssmmessages", "ssmmessages", nil},
	{"sagemaker.runtime", "runtime.sagemaker", func(c aws.Config) *string { return sagemakerruntime.NewFromConfig(c).Options().BaseEndpoint }},
}

// address resolves the name of a service's endpoint: a private address is the
// VPC endpoint's. Then it knocks, since a security group may be in the way.
func (d *doctor) address(s service) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if s.override != nil {
			if url := s.override(d.AWS); url != nil {
				return "", skipped("the environment sets its address: " + *url)
			}
		}
		if !d.Machine.EC2() {
			return "", notEC2
		}
		host := s.host + "." + d.AWS.Region + ".amazonaws.com"
		found, err := d.Machine.Lookup(ctx, host)
		if err != nil {
			return "", fmt.Errorf("look up %s: %w", host, err)
		}
		for _, a := range found {
			if !a.Unmap().IsPrivate() {
				return "", fmt.Errorf("%s is %s, a public address: the VPC endpoint is not used", host, a)
			}
		}
		return d.knock(ctx, host, found)
	}
}

func (d *doctor) knock(ctx context.Context, host string, found []netip.Addr) (string, error) {
	if len(found) == 0 {
		return "", fmt.Errorf("look up %s: no address", host)
	}
	var faults []error
	for _, a := range found {
		conn, err := d.Machine.Dial(ctx, "tcp", net.JoinHostPort(a.String(), "443"))
		if err == nil {
			return fmt.Sprintf("%s is %s", host, join(found)), conn.Close()
		}
		faults = append(faults, err)
	}
	return "", fmt.Errorf("connect to %s: %w", host, errors.Join(faults...))
}

// addressS3 says what may surprise: a gateway endpoint is a route, not an
// address. That it works is what the check "bucket" shows.
func (d *doctor) addressS3(ctx context.Context) (string, error) {
	if url := d.s3URL(); url != nil {
		return "", skipped("the environment sets its address: " + *url)
	}
	if !d.Machine.EC2() {
		return "", notEC2
	}
	host := "s3." + d.AWS.Region + ".amazonaws.com"
	found, err := d.Machine.Lookup(ctx, host)
	if err != nil {
		return "", fmt.Errorf("look up %s: %w", host, err)
	}
	return fmt.Sprintf("%s is %s, public as it must be: its gateway is a route; \"bucket\" proves it", host, join(found)), nil
}

func (d *doctor) s3URL() *string { return s3.NewFromConfig(d.AWS).Options().BaseEndpoint }

func join(found []netip.Addr) string {
	var texts []string
	for _, a := range found {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ", ")
}

// clockMost is far below the five minutes at which AWS refuses signatures.
const clockMost = time.Minute

// clock compares with the Date of an answer of S3: an unsigned one, which a
// wrong clock cannot spoil.
func (d *doctor) clock(ctx context.Context) (string, error) {
	url := "https://s3." + d.AWS.Region + ".amazonaws.com"
	if own := d.s3URL(); own != nil {
		url = *own
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, strings.TrimSuffix(url, "/")+"/"+d.Bucket, nil)
	if err != nil {
		return "", fmt.Errorf("ask S3 for the time: %w", err)
	}
	asked := d.Machine.Now()
	resp, err := answersOnly(d.AWS.HTTPClient).Do(req)
	if err != nil {
		return "", advise("S3 must be reachable; an error about a certificate's dates means that the clock is far off: systemctl restart chronyd.",
			fmt.Errorf("ask S3 for the time: %w", err))
	}
	defer resp.Body.Close()
	answered := d.Machine.Now()
	there, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return "", fmt.Errorf("ask S3 for the time: %w", err)
	}
	// Date is a whole second, somewhere between question and answer.
	off := asked.Add(answered.Sub(asked) / 2).Sub(there.Add(500 * time.Millisecond)).Round(100 * time.Millisecond)
	if off.Abs() > clockMost {
		return "", fmt.Errorf("the clock is %s off", off)
	}
	return fmt.Sprintf("within %.1f s of S3's", off.Abs().Seconds()), nil
}

// answersOnly takes a redirection as the answer it is.
func answersOnly(c aws.HTTPClient) *http.Client {
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if own, ok := c.(interface{ GetTransport() *http.Transport }); ok {
		client.Transport = own.GetTransport()
	}
	return client
}

// app asks the running app, as a load balancer's operator would.
func (d *doctor) app(ctx context.Context) (string, error) {
	host, port, err := net.SplitHostPort(d.Listen)
	if err != nil {
		return "", fmt.Errorf("address of the app: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	url := "http://" + net.JoinHostPort(host, port) + "/readyz"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("ask the app: %w", err)
	}
	resp, err := answersOnly(nil).Do(req)
	if err != nil {
		return "", advise("It does not run: journalctl -u vinfast -u vinfast-boot -n 50; on a laptop: make run.", fmt.Errorf("ask the app: %w", err))
	}
	defer resp.Body.Close()
	var ready struct {
		Status       string
		Dependencies []struct{ Name, State, Detail string }
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&ready); err != nil {
		return "", fmt.Errorf("ask the app: %s answered %s: %w", url, resp.Status, err)
	}
	var down []string
	for _, part := range ready.Dependencies {
		if part.State != "up" {
			down = append(down, part.Name+": "+part.Detail)
		}
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %s", ready.Status, strings.Join(down, " "))
	}
	return url + " is " + ready.Status, nil
}
