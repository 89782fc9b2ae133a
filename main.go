// Command vinfast-classifier is the Pulumi program: it declares the whole
// system. The system's parts are components of package infra.
package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"vinfast-classifier/infra"
)

func main() {
	pulumi.Run(infra.Deploy)
}
