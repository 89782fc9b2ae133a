// Package sagemaker asks a SageMaker endpoint what is on a photo. The endpoint
// runs the Hugging Face inference container, or answers as it does.
package sagemaker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime"
	"github.com/aws/aws-sdk-go-v2/service/sagemakerruntime/types"
	"github.com/aws/smithy-go"

	"vinfast-classifier/app/car"
)

// Options of New.
type Options struct {
	Endpoint string // name of the SageMaker endpoint
	// Timeout bounds one Invoke, retries included. SageMaker itself gives a
	// container 60 seconds.
	Timeout time.Duration
	// Attempts is how often a call is tried at most: the first time, and again
	// after throttling or a passing fault of the network or of AWS.
	Attempts int
}

// Client is a car.Endpoint.
type Client struct {
	api  *sagemakerruntime.Client
	opts Options
}

// New makes a client; region, credentials and service URL come from cfg.
func New(cfg aws.Config, o Options) *Client {
	api := sagemakerruntime.NewFromConfig(cfg, func(c *sagemakerruntime.Options) {
		c.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts = o.Attempts
			r.MaxBackoff = time.Second // somebody is waiting
		})
		if c.HTTPClient == nil {
			c.HTTPClient = awshttp.NewBuildableClient()
		}
		c.HTTPClient = bounded{c.HTTPClient}
	})
	return &Client{api: api, opts: o}
}

// Invoke classifies one JPEG. Errors wrap car.ErrEndpointTimeout if the answer
// took too long, car.ErrEndpointBusy if SageMaker throttles,
// car.ErrPictureRefused if the container cannot read this picture,
// context.Canceled if the caller gave up, and otherwise
// car.ErrEndpointUnavailable; and always the cause.
func (c *Client) Invoke(ctx context.Context, photo []byte) (car.Reply, error) {
	limited, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	out, err := c.api.InvokeEndpoint(limited, &sagemakerruntime.InvokeEndpointInput{
		EndpointName: &c.opts.Endpoint,
		ContentType:  aws.String("image/jpeg"),
		Accept:       aws.String("application/json"),
		Body:         photo,
	})
	if err != nil {
		return car.Reply{}, fmt.Errorf("invoke endpoint %q: %w", c.opts.Endpoint, classify(ctx, err))
	}
	reply, err := parse(out.Body, aws.ToString(out.CustomAttributes))
	if err != nil {
		return car.Reply{}, fmt.Errorf("invoke endpoint %q: %w: %w", c.opts.Endpoint, car.ErrEndpointUnavailable, err)
	}
	return reply, nil
}

// classify adds the domain's fault to err.
func classify(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return fmt.Errorf("%w: %w", context.Canceled, err)
	}
	if timedOut(err) {
		return fmt.Errorf("%w: %w", car.ErrEndpointTimeout, err)
	}
	if throttled(err) {
		return fmt.Errorf("%w: %w", car.ErrEndpointBusy, err)
	}
	if pictureRefused(err) {
		return fmt.Errorf("%w: %w", car.ErrPictureRefused, err)
	}
	return fmt.Errorf("%w: %w", car.ErrEndpointUnavailable, err)
}

// throttled tells whether there is more to do than the endpoint can, by SageMaker
// or by the container in it; the endpoint itself works.
func throttled(err error) bool {
	if originalStatus(err) == http.StatusTooManyRequests {
		return true
	}
	_, known := retry.DefaultThrottleErrorCodes[code(err)]
	return known
}

// validation is AWS's code for a request that it does not understand, and for an
// endpoint that it does not know.
const validation = "ValidationError"

func code(err error) string {
	fault := smithy.APIError(nil)
	if errors.As(err, &fault) {
		return fault.ErrorCode()
	}
	return ""
}

// pictureRefused tells whether the container answered that it cannot read this
// picture, or SageMaker did not pass it on for its size; the endpoint itself
// works.
func pictureRefused(err error) bool {
	if response := (*awshttp.ResponseError)(nil); errors.As(err, &response) && response.HTTPStatusCode() == http.StatusRequestEntityTooLarge {
		return true
	}
	if code(err) == validation && !NoEndpoint(err) {
		return true
	}
	status := originalStatus(err)
	return status >= 400 && status < 500
}

// NoEndpoint tells whether AWS knows no endpoint of this name: the model is
// switched off, or being made.
func NoEndpoint(err error) bool {
	return code(err) == validation && strings.Contains(err.Error(), "not found")
}

// ModelFault tells whether the container failed, or is not ready.
func ModelFault(err error) bool {
	loading := (*types.ModelNotReadyException)(nil)
	return originalStatus(err) >= 500 || errors.As(err, &loading)
}

// originalStatus is what the container answered; 0 for nothing.
func originalStatus(err error) int32 {
	model := (*types.ModelError)(nil)
	if !errors.As(err, &model) {
		return 0
	}
	return aws.ToInt32(model.OriginalStatusCode)
}

// timedOut finds a deadline of ours, of the network, and SageMaker's own: a
// container that does not answer in 60 seconds is a ModelError with status 0.
func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	if model := (*types.ModelError)(nil); errors.As(err, &model) {
		return model.OriginalStatusCode == nil || *model.OriginalStatusCode == 0
	}
	timeout := net.Error(nil)
	return errors.As(err, &timeout) && timeout.Timeout()
}

// bounded cuts off replies that no classifier gives, before the SDK has read
// them into memory.
type bounded struct{ next sagemakerruntime.HTTPClient }

func (b bounded) Do(r *http.Request) (*http.Response, error) {
	resp, err := b.next.Do(r)
	if err != nil {
		return nil, err
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{http.MaxBytesReader(nil, resp.Body, maxReply), resp.Body}
	return resp, nil
}
