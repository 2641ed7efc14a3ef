package testrun

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Rewrite is one expectation that would be written into a test file so that the
// case says what happens now.
type Rewrite struct {
	Path    string // target, or section and target
	Was, Is string // "" where nothing was, or nothing is expected
	Edit    diag.Edit
}

// Acceptance is what it takes to let a case pass.
type Acceptance struct {
	Changes []Rewrite
	Reasons []string // why the case cannot be accepted as it is
}

// Accept compares a case with what happens now. With full, fields that come out
// and that nobody expects yet are added as well.
func (r *Runner) Accept(ctx context.Context, t *compile.Test, c *spec.Case, full bool) Acceptance {
	a := &accepting{full: full}
	given, err := r.given(t, c)
	if err != nil {
		return Acceptance{Reasons: []string{err.Error()}}
	}
	now, err := caseTime(t, c)
	if err != nil {
		return Acceptance{Reasons: []string{err.Error()}}
	}
	switch {
	case c.ExpectError != nil:
		if res := r.Case(ctx, t, c); !res.Passed() {
			a.cannot("another error is expected than comes; change `expect_error` by hand: %s", strings.Join(res.Failures, "; "))
		}
	case t.Mapping != nil:
		in := mappingInput(c, given)
		out, err := t.Mapping.Mapping.Apply(ScopeOf(ctx, r.WS, t.Mapping, now, c.Meta.V, in), in)
		if err != nil {
			a.cannot("%s", strings.Join(mappingFailures(err), "; "))
			break
		}
		if !a.first(t.File, c, out) && !a.spread(c, out) {
			a.value("", c.Expect, out)
		}
		a.absent(c, out)
	case t.Pipeline != nil:
		got, err := r.rehearsed(ctx, t, c, given, now)
		if err != nil {
			a.cannot("%s", err)
			break
		}
		a.rehearsal(got, c)
	}
	return a.out
}

type accepting struct {
	full bool
	out  Acceptance
}

func (a *accepting) cannot(format string, args ...any) {
	a.out.Reasons = append(a.out.Reasons, fmt.Sprintf(format, args...))
}

func (a *accepting) change(path string, n *ast.Node, is any) {
	a.out.Changes = append(a.out.Changes, Rewrite{Path: path, Was: show(spec.Plain(n)), Is: show(is), Edit: diag.Edit{Span: n.Span, Text: oneLine(is, quoted(n))}})
}

func quoted(n *ast.Node) bool {
	return n.Kind == ast.Scalar && (n.Style == ast.SingleQuoted || n.Style == ast.DoubleQuoted)
}

// value lets n expect got.
func (a *accepting) value(path string, n *ast.Node, got any) {
	if n == nil {
		return
	}
	at := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	switch {
	case n.Kind == ast.Map && isObject(got):
		for i, p := range n.Pairs {
			v, ok := Find(got, p.Key.Text)
			if !ok {
				a.remove(at(p.Key.Text), n, i)
				continue
			}
			a.value(at(p.Key.Text), p.Value, v)
		}
		if a.full {
			a.fill(path, n, got.(map[string]any))
		}
	case n.Kind == ast.List && isList(got, len(n.Items)):
		for i, item := range n.Items {
			a.value(fmt.Sprintf("%s[%d]", path, i), item, got.([]any)[i])
		}
	case n.Kind == ast.Scalar && n.Empty:
		if got != nil {
			a.cannot("%s: nothing is written there; write a value by hand", path)
		}
	case len(subset("", spec.Plain(n), got)) > 0:
		a.change(path, n, got)
	}
}

func isObject(v any) bool { _, ok := v.(map[string]any); return ok }

func isList(v any, n int) bool { l, ok := v.([]any); return ok && len(l) == n }

// remove takes an entry out of a map.
func (a *accepting) remove(path string, m *ast.Node, i int) {
	p := m.Pairs[i]
	span := diag.Span{File: p.Key.Span.File, Start: p.Key.Span.Start, End: p.Value.Span.End}
	text := ""
	switch {
	case len(m.Pairs) == 1 && m.Flow:
	case len(m.Pairs) == 1:
		text = "{}"
	case i+1 < len(m.Pairs):
		span.End = m.Pairs[i+1].Key.Span.Start
	default:
		span.Start = m.Pairs[i-1].Value.Span.End
	}
	a.out.Changes = append(a.out.Changes, Rewrite{Path: path, Was: show(spec.Plain(p.Value)), Edit: diag.Edit{Span: span, Text: text}})
}

// absent stops expecting that fields are missing which are there.
func (a *accepting) absent(c *spec.Case, out any) {
	pair := c.Node.Pair("absent")
	if pair == nil {
		return
	}
	var keep []any
	was := len(c.Absent)
	for _, path := range c.Absent {
		if _, there := Find(out, path.Value); !there {
			keep = append(keep, path.Value)
		}
	}
	if len(keep) == was {
		return
	}
	text := oneLine(keep, false)
	if keep == nil {
		text = "[]"
	}
	a.out.Changes = append(a.out.Changes, Rewrite{Path: "absent", Was: show(spec.Plain(pair.Value)), Is: text, Edit: diag.Edit{Span: pair.Value.Span, Text: text}})
}

// fill adds what comes out and is not expected.
func (a *accepting) fill(path string, n *ast.Node, got map[string]any) {
	if len(n.Pairs) == 0 || n.Flow {
		return // a line would grow without end
	}
	more := additions(path, n, got)
	if len(more) == 0 {
		return
	}
	last := n.Pairs[len(n.Pairs)-1]
	between := "\n" + strings.Repeat(" ", n.Pairs[0].Key.Span.Start.Col-1)
	text := ""
	for i := range more {
		text += between + more[i].Edit.Text
		more[i].Edit = diag.Edit{}
	}
	end := last.Value.Span.End
	more[0].Edit = diag.Edit{Span: diag.Span{File: last.Key.Span.File, Start: end, End: end}, Text: text}
	a.out.Changes = append(a.out.Changes, more...)
}

// additions are the fields that come out and that no key of n names.
func additions(path string, n *ast.Node, got map[string]any) []Rewrite {
	keys := map[string]bool{}
	for _, p := range n.Pairs {
		keys[p.Key.Text] = true
	}
	var more []Rewrite
	missing("", got, keys, func(name string, v any) {
		more = append(more, Rewrite{Path: strings.TrimPrefix(path+"."+name, "."), Is: show(v), Edit: diag.Edit{Text: lineKey(name) + ": " + oneLine(v, false)}})
	})
	return more
}

// spread writes what a mapping gives as one line per field, where all of it is
// expected and stood in braces before.
func (a *accepting) spread(c *spec.Case, out any) bool {
	pair := c.Node.Pair("expect")
	got, isMap := out.(map[string]any)
	if !a.full || pair == nil || !isMap || c.Node.Flow || !pair.Value.Flow || pair.Value.Kind != ast.Map {
		return false
	}
	more := additions("", pair.Value, got)
	if len(more) == 0 {
		return false
	}
	between := "\n" + strings.Repeat(" ", pair.Key.Span.Start.Col+1)
	text := ":"
	for _, p := range pair.Value.Pairs {
		v, ok := Find(got, p.Key.Text)
		was := spec.Plain(p.Value)
		if ok && len(subset("", was, v)) == 0 {
			text += between + lineKey(p.Key.Text) + ": " + oneLine(was, quoted(p.Value))
			continue
		}
		change := Rewrite{Path: p.Key.Text, Was: show(was)}
		if ok {
			change.Is = show(v)
			text += between + lineKey(p.Key.Text) + ": " + oneLine(v, quoted(p.Value))
		}
		a.out.Changes = append(a.out.Changes, change)
	}
	for i := range more {
		text += between + more[i].Edit.Text
		more[i].Edit = diag.Edit{}
	}
	more[0].Edit = diag.Edit{Span: diag.Span{File: pair.Key.Span.File, Start: pair.Key.Span.End, End: pair.Value.Span.End}, Text: text}
	a.out.Changes = append(a.out.Changes, more...)
	return true
}

// missing calls f for the fields that no key names, as high up as possible.
func missing(prefix string, got map[string]any, keys map[string]bool, f func(name string, v any)) {
	for _, k := range sortedKeys(got) {
		name := prefix + k
		inside := false
		for key := range keys {
			inside = inside || strings.HasPrefix(key, name+".") || strings.HasPrefix(key, name+"[")
		}
		switch {
		case keys[name] || strings.ContainsAny(k, ".["):
		case inside:
			if m, ok := got[k].(map[string]any); ok {
				missing(name+".", m, keys, f)
			}
		default:
			if m, ok := got[k].(map[string]any); ok && len(m) > 0 {
				missing(name+".", m, keys, f)
			} else {
				f(name, got[k])
			}
		}
	}
}

// rehearsal lets a case expect what a pipeline did.
func (a *accepting) rehearsal(got *Rehearsal, c *spec.Case) {
	if c.Expect == nil || c.Expect.Kind != ast.Map {
		a.cannot("the case expects nothing")
		return
	}
	for _, p := range c.Expect.Pairs {
		switch p.Key.Text {
		case "routes":
			var names []any
			for _, r := range got.Routes {
				names = append(names, r)
			}
			bad := false
			got.routes(p.Value, func(string, ...any) { bad = true })
			if bad {
				a.change("routes", p.Value, names)
			}
		case "attempts":
			for _, op := range p.Value.Pairs {
				a.value("attempts."+op.Key.Text, op.Value, json.Number(fmt.Sprint(got.Attempts(op.Key.Text))))
			}
		case "duplicates":
			a.value("duplicates", p.Value, json.Number(fmt.Sprint(got.Duplicates)))
		case "sent":
			for i, op := range p.Value.Pairs {
				a.messages("sent."+op.Key.Text, p.Value, i, got.Told(op.Key.Text))
			}
		case "emitted":
			for i, ev := range p.Value.Pairs {
				a.messages("emitted."+ev.Key.Text, p.Value, i, got.Heard(ev.Key.Text))
			}
		case "outcome":
			bad := false
			got.outcome(p.Value.Text, func(string, ...any) { bad = true })
			if bad && len(got.Outcomes) > 0 && len(got.Dead)+len(got.Rejections) == 0 {
				a.change("outcome", p.Value, got.Outcomes[0])
			} else if bad {
				a.cannot("outcome: %s", strings.Join(got.causes(c), "; "))
			}
		}
	}
	if len(a.out.Changes) == 0 {
		a.out.Reasons = append(a.out.Reasons, got.compare(c)...)
	}
}

// messages lets an entry expect the messages that were sent: one value the first
// of them, a list all.
func (a *accepting) messages(path string, m *ast.Node, i int, got []any) {
	n := m.Pairs[i].Value
	switch {
	case len(got) == 0:
		a.remove(path, m, i)
	case n.Kind == ast.List:
		a.value(path, n, got)
	default:
		for _, g := range got {
			if len(subset("", spec.Plain(n), g)) == 0 {
				if a.full {
					a.value(path, n, g)
				}
				return
			}
		}
		a.value(path, n, got[0])
	}
}

// plainScalar is text that YAML and the language read as it stands.
var plainScalar = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*$`)

// oneLine writes a value as YAML on one line; quote quotes a text in any case.
func oneLine(v any, quote bool) string {
	switch v := v.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, k := range sortedKeys(v) {
			parts = append(parts, lineKey(k)+": "+oneLine(v[k], false))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		parts := make([]string, 0, len(v))
		for _, item := range v {
			parts = append(parts, oneLine(item, false))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		switch strings.ToLower(v) {
		case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
			quote = true
		}
		if !quote && plainScalar.MatchString(v) {
			return v
		}
		return doubleQuoted(v)
	case nil:
		return "null"
	}
	return fmt.Sprint(v)
}

// OneLine writes a value as tests hold it, on one line.
func OneLine(v any) string { return oneLine(v, false) }

// Key writes the name of a field as tests hold it.
func Key(name string) string { return lineKey(name) }

func lineKey(k string) string { return oneLine(k, strings.ContainsAny(k, "[]")) }

// doubleQuoted writes a text in double quotes, whose escapes are those of JSON.
func doubleQuoted(s string) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSuffix(b.String(), "\n")
}
