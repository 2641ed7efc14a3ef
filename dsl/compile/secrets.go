package compile

import (
	"regexp"
	"slices"

	"crossdock/dsl/ast"
)

var secretName = regexp.MustCompile(`\$\{secret\.([A-Za-z0-9_.-]+)\}`)

// SecretNames returns the names of all secrets that the definitions use.
func (w *Workspace) SecretNames() []string {
	var names []string
	var walk func(n *ast.Node)
	walk = func(n *ast.Node) {
		if n == nil {
			return
		}
		for _, m := range secretName.FindAllStringSubmatch(n.Text, -1) {
			names = append(names, m[1])
		}
		for _, p := range n.Pairs {
			walk(p.Value)
		}
		for _, item := range n.Items {
			walk(item)
		}
	}
	for _, f := range w.Files {
		if f != nil {
			walk(f.Root)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
