package predictions

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
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
	return func(ctx context.Context) (Credentials, error) {
		var c Credentials
		for name, to := range map[string]*string{password: &c.Password, ca: &c.CA} {
			out, err := api.GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
			if err != nil {
				return Credentials{}, fmt.Errorf("get parameter %q: %w", name, err)
			}
			if out.Parameter == nil || out.Parameter.Value == nil || *out.Parameter.Value == unset {
				return Credentials{}, fmt.Errorf("parameter %q: %w", name, ErrNotReady)
			}
			*to = *out.Parameter.Value
		}
		return c, nil
	}
}
