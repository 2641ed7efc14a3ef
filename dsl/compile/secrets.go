package compile

import (
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
)

var secretName = regexp.MustCompile(`\$\{secret\.([A-Za-z0-9_.-]+)\}`)

// SecretNames returns the names of all secrets that the definitions use.
// Environments other than the chosen one do not count.
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
	for path, f := range w.Files {
		other := strings.HasSuffix(path, ".environment.yaml") && (w.Environment == nil || f != w.Environment.File)
		if f != nil && !other {
			walk(f.Root)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
