package lint

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/rule"
)

// twice reports what operations say about being done twice and cannot hold
// (XD4101).
func twice(p *pass) {
	for _, name := range sortedKeys(p.ws.Connections) {
		c := p.ws.Connections[name]
		if c.Std || c.Spec == nil {
			continue
		}
		for _, f := range c.Spec.Operations {
			if op := p.ws.Operation(c.Name + "." + f.Key.Text); op != nil && op.Spec != nil {
				p.look(c, op)
			}
		}
	}
	for _, pl := range p.delivering() {
		for _, s := range effects(pl) {
			if op := p.ws.Operation(s.Target); op != nil && op.Spec != nil && !p.ws.Connections[op.Connection].Std {
				p.forgetful(pl, s, op)
				p.collects(pl, s, op)
			}
		}
	}
}

// look reports a check that changes something itself, or always says the same.
func (p *pass) look(c *compile.Connection, op *compile.Operation) {
	check := op.Spec.Check
	if op.Check == nil || check == nil {
		return
	}
	d := diag.Diagnostic{Code: codeRepeat, Kind: "connection", Name: c.Name, Row: op.Name}
	if by := p.ws.Operation(op.Check.Operation); by != nil && by.Repeat != compile.RepeatSafe && !p.broken(by) {
		d.Span, d.Source = check.Call.Span(), check.Call.Value
		d.Message = fmt.Sprintf("%s is no look: it may change something itself", check.Call.Value)
		d.Hint = "look with an operation that only reads, such as `get: ...`"
		if n := by.Spec.Node; by.Spec.Repeat.Set() && n != nil && n.Pair("get") != nil {
			d.Hint = "it reads with `get`: write `repeat: safe` there"
			d.Related = []diag.Related{{Span: by.Spec.Repeat.Span(), Message: "its `repeat`"}}
		}
		p.about(d)
	}
	if op.Check.FoundWhen == nil {
		return
	}
	d.Span, d.Lang, d.Source = check.FoundWhen.Node.Span, "expr", check.FoundWhen.Node.Text
	switch op.Check.FoundWhen.Truth() {
	case rule.Always:
		d.Message = "this is always true, so a lost attempt counts as done and is never repeated"
	case rule.Never:
		d.Message = "this is never true, so the look finds nothing and the operation is done twice"
	default:
		p.looked(d, op)
		return
	}
	d.Hint = "ask the answer for the effect, such as len(response.body ?? []) > 0"
	p.about(d)
}

// broken reports whether something is wrong in what is written of an operation:
// then it cannot be told what it is before that is mended.
func (p *pass) broken(op *compile.Operation) bool {
	return op.Spec != nil && op.Spec.Node != nil && slices.ContainsFunc(p.wrong, func(w spot) bool { return op.Spec.Node.Span.Contains(w.span) })
}

// forgetful reports an operation that forgets keys while attempts may still come.
func (p *pass) forgetful(pl *compile.Pipeline, s *compile.Step, op *compile.Operation) {
	longest := s.Policy.Retry.Longest()
	if op.Repeat != compile.RepeatKeyed || op.KeyMemory >= longest {
		return
	}
	at := p.written(op, "key_memory")
	if at == nil {
		return
	}
	p.about(diag.Diagnostic{Code: codeRepeat, Span: at.Span, Kind: "connection", Name: op.Connection, Row: op.Name, Source: at.Text,
		Message: fmt.Sprintf("%s knows a key for %s, but attempts go on for up to %s: a late one is done twice", op.Ref(), length(op.KeyMemory), length(longest)),
		Hint:    "write the `key_memory` that is true, and fewer `attempts` or a shorter `max_wait` where it is so short",
		Related: []diag.Related{{Span: target(s).Span(), Message: "it is used here, by " + user(pl)}}})
}

// written is the value of a key of an operation; nil where nothing was written.
func (p *pass) written(op *compile.Operation, key string) *ast.Node {
	n := op.Spec.Node.Get(key)
	if n == nil || !own(n.Span.File) {
		return nil
	}
	return n
}

// collects reports a POST to a whole collection that is called safe: it makes
// something new each time.
func (p *pass) collects(pl *compile.Pipeline, s *compile.Step, op *compile.Operation) {
	post, repeat := p.written(op, "post"), p.written(op, "repeat")
	if s.Action != compile.ActSend || post == nil || repeat == nil || op.Repeat != compile.RepeatSafe || strings.Contains(post.Text, "{") ||
		op.Spec.Check != nil || op.Spec.KeyMemory.Node != nil { // which say what was meant
		return
	}
	p.about(diag.Diagnostic{Code: codeRepeat, Severity: diag.Warning, Span: repeat.Span, Kind: "connection", Name: op.Connection, Row: op.Name, Source: repeat.Text,
		Message: fmt.Sprintf("a POST to %s usually makes something new each time, and `safe` says that twice is the same as once", post.Text),
		Hint:    "write `keyed` (the other side knows our key), `check` (look before trying again) or `never`",
		Related: []diag.Related{{Span: target(s).Span(), Message: "it is used here, by " + user(pl)}}})
}
