package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
)

//go:embed resources.txt
var tableText string

type mapping struct {
	resources   map[string]*tfbridge.ResourceInfo
	dataSources map[string]*tfbridge.DataSourceInfo
}

// readTable gives each line of resources.txt its token, and what differs from the bridge's default names.
func readTable() (mapping, error) {
	mapped := mapping{map[string]*tfbridge.ResourceInfo{}, map[string]*tfbridge.DataSourceInfo{}}
	for line := range strings.Lines(tableText) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
		case len(fields) == 4 && fields[0] == "resource":
			info := special(fields[1])
			info.Tok = tokens.Type(fields[3])
			mapped.resources[fields[1]] = info
		case len(fields) == 4 && fields[0] == "data":
			mapped.dataSources[fields[1]] = &tfbridge.DataSourceInfo{Tok: tokens.ModuleMember(fields[3])}
		default:
			return mapping{}, fmt.Errorf("resources.txt: cannot read the line %q", line)
		}
	}
	return mapped, nil
}

// unmapped names all that the Terraform provider has and the table leaves out.
func (m mapping) unmapped(provider shim.Provider) []string {
	var names []string
	provider.ResourcesMap().Range(func(name string, _ shim.Resource) bool {
		if m.resources[name] == nil {
			names = append(names, name)
		}
		return true
	})
	provider.DataSourcesMap().Range(func(name string, _ shim.Resource) bool {
		if m.dataSources[name] == nil {
			names = append(names, name)
		}
		return true
	})
	return names
}
