package predictions

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
)

// Parameters is what is used of SSM Parameter Store.
type Parameters interface {
	GetParameter(context.Context, *ssm.GetParameterInput, ...func(*ssm.Options)) (*ssm.GetParameterOutput, error)
}

// unset is the value of a parameter that the stack has made and the database
// instance has not written yet.
const unset = "unset"

// FromParameters reads credentials from two parameters, decrypted. The error
// is ErrNotReady while one of them is unset.
func FromParameters(api Parameters, password, ca string) func(context.Context) (Credentials, error) {
	return func(ctx context.Context) (c Credentials, err error) {
		if c.Password, err = Parameter(ctx, api, password); err != nil {
			return Credentials{}, err
		}
		if c.CA, err = Parameter(ctx, api, ca); err != nil {
			return Credentials{}, err
		}
		return c, nil
	}
}

// Parameter reads one parameter, decrypted. The error is ErrNotReady while it
// is unset; see also IsParameterMissing.
func Parameter(ctx context.Context, api Parameters, name string) (string, error) {
	out, err := api.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return "", fmt.Errorf("get parameter %q: %w", name, err)
	}
	if out.Parameter == nil || out.Parameter.Value == nil || *out.Parameter.Value == unset {
		return "", fmt.Errorf("parameter %q: %w", name, ErrNotReady)
	}
	return *out.Parameter.Value, nil
}

// IsParameterMissing tells whether err comes of a parameter that does not
// exist.
func IsParameterMissing(err error) bool { return errors.As(err, new(*types.ParameterNotFound)) }
