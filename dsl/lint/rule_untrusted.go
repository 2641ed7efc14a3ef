package lint

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// untrusted reports what people one does not trust may not write (XD1202): jq
// cells of theirs run in the sandbox, but what these keys name lies outside of
// it.
func untrusted(p *pass) {
	p.noFolder()
	for _, at := range sortedKeys(p.ws.Files) {
		why, _ := p.ws.Untrusted(at)
		f := p.ws.Files[at]
		if why == nil || f.Root == nil || len(f.Root.Pairs) == 0 {
			continue
		}
		o := outsider{p: p, why: why, kind: f.Root.Pairs[0].Key.Text, name: f.Root.Pairs[0].Value.Text,
			prefix: secretPrefix(why.Text)}
		switch o.kind {
		case "environment", "crossdock":
			o.report(f.Root.Pairs[0].Key, "", "says how all of the workspace runs", "move it out of the folder")
		case "connection":
			if n := f.Root.Get("type"); n != nil && n.Text == "file" {
				o.report(n, "type", "reads and writes files of this machine", "move the connection out of the folder")
			}
		}
		o.look(f.Root)
	}
}

// noFolder reports folders that are not there, and are nearly called as one that
// is: nobody is kept from anything by such a name.
func (p *pass) noFolder() {
	if p.ws.Spec == nil || p.Files == nil {
		return
	}
	for _, folder := range p.ws.Spec.Untrusted {
		dir := path.Clean(folder.Value)
		if _, err := fs.Stat(p.Files, dir); err == nil || !fs.ValidPath(dir) || !folder.Set() {
			continue
		}
		var there []string
		for _, file := range sortedKeys(p.ws.Files) {
			for d := path.Dir(file); d != "." && own(file); d = path.Dir(d) {
				if !slices.Contains(there, d) && strings.Count(d, "/") == strings.Count(dir, "/") && max(len(d), len(dir))-min(len(d), len(dir)) <= 2 {
					there = append(there, d)
				}
			}
		}
		near := diag.DidYouMean(dir, there)
		if near == "" {
			continue // it may still be made
		}
		d := diag.Diagnostic{Code: codeUntrusted, Severity: diag.Warning, Span: folder.Span(), Kind: "crossdock", Row: "untrusted", Source: folder.Value,
			Message: "there is no folder `" + folder.Value + "`, so this keeps nobody from anything", Short: near,
			Hint: "name the folder with their definitions, relative to crossdock.yaml"}
		p.about(d)
	}
}

// outsider is one definition by somebody who is not trusted.
type outsider struct {
	p          *pass
	why        *ast.Node
	kind, name string
	prefix     string
}

func (o *outsider) report(n *ast.Node, row, what, hint string) {
	o.p.about(diag.Diagnostic{Code: codeUntrusted, Span: n.Span, Kind: o.kind, Name: o.name, Row: row, Source: n.Text,
		Message: "this " + what + ", which is not for people whom crossdock.yaml does not trust", Hint: hint,
		Related: []diag.Related{{Span: o.why.Span, Message: "this folder is untrusted"}}})
}

var secretRef = regexp.MustCompile(`\$\{secret\.([A-Za-z0-9_.-]+)\}`)

// secretPrefix is how the names of those secrets begin that belong to a folder.
func secretPrefix(folder string) string {
	return strings.NewReplacer("-", "_", ".", "_").Replace(path.Base(path.Clean(folder))) + "_"
}

// look reports what opens the network, and secrets of others: who may send a
// secret anywhere has it. Instances of templates can replace what a connection
// says, so every key counts.
func (o *outsider) look(n *ast.Node) {
	for _, m := range secretRef.FindAllStringSubmatch(n.Text, -1) {
		if name := strings.NewReplacer("-", "_", ".", "_").Replace(m[1]); !strings.HasPrefix(name, o.prefix) {
			o.report(n, "", "uses a secret of others", "secrets of this folder have names that begin with "+o.prefix)
		}
	}
	for _, pair := range n.Pairs {
		if pair.Key.Text == "allow_private" {
			o.report(pair.Value, "allow_private", "opens addresses inside of the network", "move it out of the folder")
		}
		o.look(pair.Value)
	}
	for _, item := range n.Items {
		o.look(item)
	}
}
