package compile

import (
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
)

// counted reports an expected number that is none: it would never be reached.
func counted(dec *spec.Decoder, n *ast.Node, what, example string) {
	if n.Kind == ast.Scalar && n.Text != "" && strings.Trim(n.Text, "0123456789") == "" {
		return
	}
	found := "`" + n.Text + "`"
	if n.Kind != ast.Scalar {
		found = n.Kind.String()
	} else if n.Text == "" {
		found = "nothing"
	}
	dec.Errorf(spec.CodeUnknown, n.Span, "expected a number (%s), found %s", what, found).Hint = "write it as in " + example
}

// expectedSent looks at the fields that an operation is expected to be sent: one
// that no step of the pipeline gives it is never there.
func expectedSent(dec *spec.Decoder, p *Pipeline, op *Operation, v *ast.Node) {
	made, known := sentTo(p, op)
	if !known {
		return
	}
	values := []*ast.Node{v}
	if v.Kind == ast.List {
		values = v.Items
	}
	for _, one := range values {
		for _, field := range one.Pairs {
			made.target(dec, field.Key, field.Key.Text, field.Value)
		}
	}
}

// sentTo are the rows that make what an operation is sent; false where that is
// known only when it runs, or nothing is sent.
func sentTo(p *Pipeline, op *Operation) (rowsOf, bool) {
	made := rowsOf{missing: MissingSent + p.Name + " "}
	for _, id := range sortedKeys(p.ByID) {
		s := p.ByID[id]
		if s.Target != op.Ref() {
			continue
		}
		if s.Map == nil && s.With == nil {
			return made, false // it sends the payload
		}
		for _, m := range []*mapping.Mapping{s.Map, s.With} {
			switch {
			case m == nil:
			case m.Program != nil:
				return made, false // it makes what it likes
			default:
				made.objects = append(made.objects, &m.Object)
				if m == s.Map {
					made.missing = MissingSent + p.Name + " " + m.Name
				}
			}
		}
	}
	return made, len(made.objects) > 0
}

// expectedStep looks at the step that is expected to fail: its name is what
// trace calls it, with or without the rules around it and its `as`.
func expectedStep(dec *spec.Decoder, p *Pipeline, step spec.Text) {
	if !step.Set() || step.Value == "intake" {
		return
	}
	var known []string
	for _, id := range sortedKeys(p.ByID) {
		plain, _, _ := strings.Cut(id, "@")
		for _, name := range []string{id, plain} {
			if name == step.Value || strings.HasSuffix(name, "/"+step.Value) {
				return
			}
		}
		if !slices.Contains(known, plain) {
			known = append(known, plain)
		}
	}
	dec.Unknown(step.Node, "step", known)
	f := &(*dec.Diags)[len(*dec.Diags)-1]
	f.Missing = ""
	for _, name := range known {
		if strings.HasSuffix(name, ":"+step.Value) {
			name = name[strings.LastIndex(name, "/")+1:] // the rules around it may be left out
			f.Short, f.Fixes = "did you mean `"+name+"`?", nil
			if step.Node.Style == ast.Plain {
				f.Fixes = []diag.Fix{{Title: "replace with `" + name + "`", Edits: []diag.Edit{{Span: step.Span(), Text: name}}}}
			}
			return
		}
	}
}
