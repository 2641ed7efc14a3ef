package compile

import (
	"path"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/jq"
	"crossdock/dsl/sandbox"
	"crossdock/dsl/spec"
)

// Untrusted returns what says that the definition at a path is by people one
// does not trust: the entry of crossdock.yaml, or the whole of `sandbox: strict`.
// strict also holds where the process was told so; then there is no place.
func (w *Workspace) Untrusted(at string) (why *ast.Node, strict bool) {
	if strings.HasPrefix(at, "std/") {
		return nil, false
	}
	for _, folder := range w.Spec.Untrusted {
		if dir := path.Clean(folder.Value); folder.Set() && (dir == "." || strings.HasPrefix(at, dir+"/")) {
			return folder.Node, true
		}
	}
	return nil, w.Strict
}

// Sandboxed reports whether any cell of the workspace runs in the sandbox.
func (w *Workspace) Sandboxed() bool { return w.Strict || len(w.Spec.Untrusted) > 0 }

// strictness reads what crossdock.yaml, the environment and the process say
// about the sandbox, which must be there before cells are compiled. Who is
// strictest wins.
func (b *builder) strictness(dec *spec.Decoder) {
	b.ws.Strict = b.opt.Strict || b.ws.Spec.Sandbox.Set() || b.ws.Environment.Spec.Sandbox.Set()
	for _, folder := range b.ws.Spec.Untrusted {
		if dir := path.Clean(folder.Value); folder.Set() && (path.IsAbs(dir) || dir == ".." || strings.HasPrefix(dir, "../")) {
			dec.Errorf(spec.CodeUnknown, folder.Span(), "`%s` is no folder of this workspace", folder.Value).
				Hint = "name it relative to crossdock.yaml, such as clients/acme"
		}
	}
}

// cellsOf returns where the cells of a definition run; nil is this process.
func (b *builder) cellsOf(d *definition) jq.Sandbox {
	strict, _ := b.ask(isUntrusted, d.source.path).(bool)
	if d.client != nil { // whoever writes an instance can replace cells of its template
		its, _ := b.ask(isUntrusted, d.client.Path).(bool)
		strict = strict || its
	}
	if !strict {
		return nil
	}
	return sandbox.Default()
}
