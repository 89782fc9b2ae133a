package tools

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The Terraform AWS provider registers some 240 services, and linking them all costs 6 GB of memory and a quarter of an
// hour. The services that the program uses are compiled from the same, unchanged source; only the list of services and the
// clients that nobody is left to call go.
const (
	awsModule     = "github.com/hashicorp/terraform-provider-aws"
	serviceFolder = "internal/service"
	registryFile  = "internal/provider/service_packages_gen.go"
	clientsFile   = "internal/conns/awsclient_gen.go"
)

var (
	serviceImport   = regexp.MustCompile(`"` + regexp.QuoteMeta(awsModule+"/"+serviceFolder) + `/([a-z0-9]+)"`)
	serviceRegister = regexp.MustCompile(`^\s*([a-z0-9]+)\.ServicePackage\(ctx\),$`)
	clientCall      = regexp.MustCompile(`\.(\w+(?:Client|Conn))\(`)
)

// TrimProvider copies the Terraform AWS provider's source from one folder to another, leaving out every service that is
// neither named nor imported by one that is.
func TrimProvider(from, to string, services []string) error {
	kept, err := withImports(from, services)
	if err != nil {
		return err
	}
	if err := copySource(from, to, kept); err != nil {
		return err
	}
	if err := trimRegistry(filepath.Join(to, registryFile), services); err != nil {
		return err
	}
	if err := trimClients(to); err != nil {
		return err
	}
	return addTimezone(filepath.Join(to, planFile))
}

// withImports adds to the services those they import.
func withImports(root string, services []string) (map[string]bool, error) {
	kept := map[string]bool{}
	queue := slices.Clone(services)
	for len(queue) > 0 {
		service := queue[0]
		queue = queue[1:]
		if kept[service] {
			continue
		}
		kept[service] = true
		files, err := filepath.Glob(filepath.Join(root, serviceFolder, service, "*.go"))
		if err != nil || len(files) == 0 {
			return nil, fmt.Errorf("list the source of service %q: %d files, %w", service, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("read %q: %w", file, err)
			}
			for _, match := range serviceImport.FindAllSubmatch(text, -1) {
				queue = append(queue, string(match[1]))
			}
		}
	}
	return kept, nil
}

// copySource copies what compiling needs. Module files are read-only, the copies are not.
func copySource(from, to string, services map[string]bool) error {
	for _, top := range []string{"go.mod", "go.sum", "internal", "names", "version", "xpprovider"} {
		err := filepath.WalkDir(filepath.Join(from, top), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(from, path)
			if err != nil {
				return err
			}
			if entry.IsDir() {
				if service, under := strings.CutPrefix(filepath.ToSlash(rel), serviceFolder+"/"); under && !strings.Contains(service, "/") && !services[service] {
					return filepath.SkipDir
				}
				return nil
			}
			if strings.HasSuffix(rel, "_test.go") {
				return nil
			}
			return copyFile(path, filepath.Join(to, rel))
		})
		if err != nil {
			return fmt.Errorf("copy the provider's %q: %w", top, err)
		}
	}
	return nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// copyRuntime copies AWS's Go runtime and repairs it.
func copyRuntime(from, to string) error {
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return copyFile(path, filepath.Join(to, rel))
	})
	if err != nil {
		return fmt.Errorf("copy AWS's runtime: %w", err)
	}
	return closedBodyIsEmpty(filepath.Join(to, bodyFile))
}

// trimRegistry drops the import and the registration of each service that is not wanted.
func trimRegistry(file string, services []string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read the provider's list of services: %w", err)
	}
	var out bytes.Buffer
	for line := range strings.Lines(string(text)) {
		match := serviceImport.FindStringSubmatch(line)
		if match == nil {
			match = serviceRegister.FindStringSubmatch(strings.TrimRight(line, "\n"))
		}
		if match == nil || slices.Contains(services, match[1]) {
			out.WriteString(line)
		}
	}
	return os.WriteFile(file, out.Bytes(), 0o644)
}

// trimClients drops the client methods that no remaining file calls, and with them the imports of their SDK packages.
func trimClients(root string) error {
	called, err := clientsCalled(root)
	if err != nil {
		return err
	}
	path := filepath.Join(root, clientsFile)
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
	if err != nil {
		return fmt.Errorf("parse the provider's clients: %w", err)
	}
	file.Decls = slices.DeleteFunc(file.Decls, func(decl ast.Decl) bool {
		method, ok := decl.(*ast.FuncDecl)
		return ok && !called[method.Name.Name]
	})
	dropUnusedImports(file)
	var out bytes.Buffer
	if err := format.Node(&out, set, file); err != nil {
		return fmt.Errorf("print the provider's clients: %w", err)
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

func clientsCalled(root string) (map[string]bool, error) {
	called := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, clientsFile) {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, match := range clientCall.FindAllSubmatch(text, -1) {
			called[string(match[1])] = true
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("search the provider for client calls: %w", err)
	}
	return called, nil
}

// dropUnusedImports knows the file's shape: every import that matters there has a name of its own.
func dropUnusedImports(file *ast.File) {
	used := map[string]bool{}
	for _, decl := range file.Decls {
		if function, ok := decl.(*ast.FuncDecl); ok {
			ast.Inspect(function, func(node ast.Node) bool {
				if name, ok := node.(*ast.Ident); ok {
					used[name.Name] = true
				}
				return true
			})
		}
	}
	for _, decl := range file.Decls {
		imports, ok := decl.(*ast.GenDecl)
		if !ok || imports.Tok != token.IMPORT {
			continue
		}
		imports.Specs = slices.DeleteFunc(imports.Specs, func(spec ast.Spec) bool {
			name := spec.(*ast.ImportSpec).Name
			return name != nil && !used[name.Name]
		})
	}
	file.Comments = slices.DeleteFunc(file.Comments, func(group *ast.CommentGroup) bool {
		return group.Pos() > file.Name.Pos()
	})
}
