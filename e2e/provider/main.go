// Command pulumi-resource-aws is the Terraform AWS provider under the tokens of Pulumi's AWS provider: what the project's
// own plugin is, for a machine that cannot download that plugin. It serves the resources of resources.txt and no others.
//
// "schema --out DIR" writes schema.json and bridge-metadata.json, which it later expects beside itself.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/hashicorp/terraform-provider-aws/xpprovider"
	pfbridge "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	pfgen "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfgen"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
)

// version is the one of the SDK that the program is written with; the engine asks for exactly that plugin.
const version = "6.83.2"

const metadataFile = "bridge-metadata.json"

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	generating := len(os.Args) > 1 && os.Args[1] == "schema"
	folder, metadata := ".", []byte("{}")
	if !generating {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program's folder: %w", err)
		}
		folder = filepath.Dir(self)
		if metadata, err = os.ReadFile(filepath.Join(folder, metadataFile)); err != nil {
			return fmt.Errorf("read the bridge's metadata: %w", err)
		}
	}
	info, err := provider(ctx, metadata)
	if err != nil {
		return err
	}
	if generating {
		pfgen.MainWithMuxer("aws", info)
		return nil
	}
	schema, err := os.ReadFile(filepath.Join(folder, "schema.json"))
	if err != nil {
		return fmt.Errorf("read the provider's schema: %w", err)
	}
	pfbridge.MainWithMuxer(ctx, "aws", info, schema)
	return nil
}

// provider bridges both halves of the Terraform provider, the older SDK's and the newer framework's.
func provider(ctx context.Context, metadata []byte) (tfbridge.ProviderInfo, error) {
	framework, classic, err := xpprovider.GetProvider(ctx)
	if err != nil {
		return tfbridge.ProviderInfo{}, fmt.Errorf("make the Terraform AWS provider: %w", err)
	}
	mapped, err := readTable()
	if err != nil {
		return tfbridge.ProviderInfo{}, err
	}
	both := pfbridge.MuxShimWithDisjointgPF(ctx, sdkv2.NewProvider(classic), framework)
	info := tfbridge.ProviderInfo{
		P:            both,
		Name:         "aws",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
		Resources:    mapped.resources,
		DataSources:  mapped.dataSources,
		Config:       config(),

		IgnoreMappings: mapped.unmapped(both),
	}
	info.MetadataInfo.Path = metadataFile
	info.SetAutonaming(255, "-")
	return info, nil
}
