package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// Whoever starts a program says what it gets of the environment: the function
// that makes the command sets Env, too, or takes one of the two packages that
// do so (local/program, e2e/tools). A command without Env gets all there is,
// as a chroot once got the Makefile's TMPDIR. The language host of e2e/engine
// passes on the engine's, which is such a list.
func TestEveryProgramIsStartedWithAListOfWhatItGets(t *testing.T) {
	files := token.NewFileSet()
	found := 0
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		hidden := strings.HasPrefix(path, ".") && path != "."
		if err == nil && entry.IsDir() && (hidden || path == filepath.Join("e2e", "engine")) {
			return filepath.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".go" {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			made, listed := commands(declaration)
			found += len(made)
			for _, command := range made[min(listed, len(made)):] {
				t.Errorf("%s: a program is started with the whole environment", files.Position(command.Pos()))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == 0 {
		t.Error("no command is found in this repository: this test looks wrong")
	}
}

// commands are the commands that os/exec is asked to make and the browsers that
// chromedp is, and how many environments are set beside them.
func commands(declaration ast.Decl) (made []*ast.CallExpr, listed int) {
	ast.Inspect(declaration, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if isSelector(n.Fun, "NewExecAllocator") {
				made = append(made, n)
			}
			if isSelector(n.Fun, "Command") || isSelector(n.Fun, "CommandContext") {
				if of, ok := n.Fun.(*ast.SelectorExpr).X.(*ast.Ident); ok && (of.Name == "exec" || of.Name == "osexec") {
					made = append(made, n)
				}
			}
		case *ast.SelectorExpr:
			if n.Sel.Name == "NoInheritEnv" {
				listed++
			}
		case *ast.AssignStmt:
			for _, to := range n.Lhs {
				if isSelector(to, "Env") {
					listed++
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Env" {
				listed++
			}
		}
		return true
	})
	return made, listed
}

func isSelector(n ast.Expr, name string) bool {
	selector, ok := n.(*ast.SelectorExpr)
	return ok && selector.Sel.Name == name
}
