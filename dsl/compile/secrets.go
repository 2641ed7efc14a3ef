package compile

import (
	"regexp"
	"slices"

	"crossdock/dsl/ast"
)

var secretName = regexp.MustCompile(`\$\{secret\.([A-Za-z0-9_.-]+)\}`)

// SecretNames returns the names of all secrets that the definitions use.
// Environments other than the chosen one do not count.
func (w *Workspace) SecretNames() []string { return slices.Clone(w.secrets) }

// secretNames returns the names of the secrets that a tree uses.
func secretNames(n *ast.Node) []string {
	var names []string
	var walk func(n *ast.Node)
	walk = func(n *ast.Node) {
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
	walk(n)
	return names
}
