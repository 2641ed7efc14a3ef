package compile

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/lookup"
	"crossdock/dsl/spec"
	"crossdock/runtime/retry"
)

// The codes this package reports beside those of dsl/spec.
const (
	CodeLookup diag.Code = "XD2105" // lookup without on_miss, or duplicate codes
)

// workspace reads crossdock.yaml, the environment and the policies.
func (b *builder) workspace() {
	b.environment()
	b.ws.Spec = &spec.Workspace{}
	var dec *spec.Decoder
	if defs := b.defs["crossdock"]; len(defs) > 0 {
		dec = b.configured(defs[0])
		dec.Decode(defs[0].node, b.ws.Spec)
		b.ws.Name = b.ws.Spec.Name.Value
	}
	for _, name := range b.ws.Spec.Use {
		if name.Set() && b.named["pipeline"]["std/"+strings.TrimPrefix(name.Value, "std/")] == nil {
			dec.Unknown(name.Node, "shipped flow", b.library["pipeline"])
		}
	}
	for i, v := range b.ws.Spec.Verify {
		b.addVerify(dec, v.Key, &b.ws.Spec.Verify[i].Value)
	}
	if e := b.ws.Environment; e != nil && e.Spec != nil {
		for i, v := range e.Spec.Verify {
			b.ws.Verify[v.Key.Text] = nil
			b.addVerify(dec, v.Key, &e.Spec.Verify[i].Value)
		}
	}
	for _, p := range b.ws.Spec.Policies {
		b.policy(dec, p.Key.Text, nil)
	}
	if name := b.ws.Spec.Defaults.Policy; name.Set() && b.ws.Policies[name.Value] == nil {
		dec.Unknown(name.Node, "policy", b.ws.Spec.Policies.Names())
	}
}

func (b *builder) addVerify(dec *spec.Decoder, key *ast.Node, v *spec.Verify) {
	b.ws.Verify[key.Text] = v
	CheckVerify(dec, key.Span, v)
}

// CheckVerify reports a verification that does not choose exactly one way.
func CheckVerify(dec *spec.Decoder, at diag.Span, v *spec.Verify) {
	ways := 0
	for _, set := range []bool{v.StandardWebhooks != nil, v.HMAC != nil, v.APIKey != nil, v.Basic != nil, v.None} {
		if set {
			ways++
		}
	}
	if ways != 1 && dec != nil {
		dec.Errorf(spec.CodeUnknown, at, "a verification needs exactly one way, this one has %d", ways).
			Hint = "you can use: standard_webhooks, hmac, api_key, basic, none"
	}
}

// environment chooses the place to run and its variables.
func (b *builder) environment() {
	b.vars = map[string]string{}
	want := b.opt.Environment
	var missing *diag.Diagnostic
	if want == "" {
		if defs := b.defs["crossdock"]; len(defs) > 0 {
			if n := defs[0].node.Get("defaults").Get("environment"); n != nil {
				want = n.Text
				if b.named["environment"][want] == nil {
					d := b.decoder(defs[0])
					d.Unknown(n, "environment", sortedKeys(b.named["environment"]))
				}
			}
		}
	} else if b.named["environment"][want] == nil {
		missing = b.diags.Errorf(spec.CodeUnknown, diag.Span{File: "crossdock.yaml"}, "there is no environment `%s`", want)
		missing.Hint = "environments of this workspace: " + strings.Join(sortedKeys(b.named["environment"]), ", ")
	}
	names := sortedKeys(b.named["environment"])
	if want == "" && len(names) > 0 {
		want = names[0]
		if len(names) > 1 && !b.opt.AnyEnvironment {
			b.diags.Errorf(spec.CodeUnknown, diag.Span{File: "crossdock.yaml"}, "choose an environment: there are %s", strings.Join(names, ", ")).
				Hint = "use --env NAME, CROSSDOCK_ENV, or defaults: {environment: NAME} in crossdock.yaml"
		}
	}
	for _, d := range b.defs["environment"] {
		e := &Environment{Definition: d.Definition, Spec: &spec.Environment{}, Vars: map[string]any{}}
		b.decoder(d).Decode(d.node, e.Spec)
		if d.Name != want {
			continue
		}
		b.ws.Environment = e
		for _, v := range e.Spec.Vars {
			b.vars[v.Key.Text] = v.Value.Value
		}
	}
	if b.ws.Environment == nil {
		b.ws.Environment = &Environment{Spec: &spec.Environment{}, Vars: map[string]any{}}
	}
	for k, v := range b.opt.Vars {
		b.vars[k] = v
	}
	for k, v := range b.vars {
		b.ws.Environment.Vars[k] = v
	}
}

// standard is the policy under everything.
func standard() *Policy {
	return &Policy{Name: "standard", Priority: 2, Retry: retry.Default, Remember: 40 * 24 * time.Hour, Ordered: true,
		Box: "general", Keep: 30 * 24 * time.Hour}
}

var priorities = []string{"critical", "high", "normal", "low"}

// policy compiles a named policy with everything it extends. chain holds the
// names on the way, to find circles.
func (b *builder) policy(dec *spec.Decoder, name string, chain []string) *Policy {
	if p := b.ws.Policies[name]; p != nil {
		return p
	}
	s, ok := b.ws.Spec.Policies.Get(name)
	if !ok {
		return nil
	}
	base := standard()
	if s.Extends.Set() {
		for _, c := range append(chain, name) {
			if c == s.Extends.Value {
				dec.Errorf(spec.CodeUnknown, s.Extends.Span(), "the policies %s extend each other in a circle", strings.Join(append(chain, name, c), " -> "))
				return nil
			}
		}
		if parent := b.policy(dec, s.Extends.Value, append(chain, name)); parent != nil {
			copied := *parent
			base = &copied
		} else if _, there := b.ws.Spec.Policies.Get(s.Extends.Value); !there {
			dec.Unknown(s.Extends.Node, "policy", b.ws.Spec.Policies.Names())
		}
	}
	base.Name = name
	b.overlay(dec, base, &s)
	b.ws.Policies[name] = base
	return base
}

// overlay applies the sections that s sets.
func (b *builder) overlay(dec *spec.Decoder, p *Policy, s *spec.Policy) {
	if s.Node != nil {
		p.Span = s.Node.Span
	}
	for i, word := range priorities {
		if s.Priority.Value == word {
			p.Priority = i
		}
	}
	if r := s.Retry; r != nil {
		if r.Attempts > 0 {
			p.Retry.Attempts, p.RetrySet = r.Attempts, true
		}
		p.Retry.Wait = r.Wait.Or(p.Retry.Wait)
		if r.Grow > 0 {
			p.Retry.Grow = r.Grow
		}
		p.Retry.MaxWait = r.MaxWait.Or(p.Retry.MaxWait)
		if r.Jitter != nil {
			p.Retry.Jitter = *r.Jitter
		}
		if len(r.On) > 0 {
			p.Retry.On = retry.Set{}
			for _, word := range r.On {
				if !p.Retry.On.ParseSet(word.Value) {
					dec.Errorf(spec.CodeUnknown, word.Span(), "`%s` cannot be repeated on", word.Value).
						Hint = "you can use: timeout, connection, 5xx, or a status number from 400 to 599"
				}
			}
		}
	}
	p.Remember = s.Remember.Or(p.Remember)
	if s.Order.Set() {
		p.Ordered = s.Order.Value == "per_key"
	}
	if s.DeadLetter != nil {
		if s.DeadLetter.Box.Set() {
			p.Box = s.DeadLetter.Box.Value
		}
		p.Keep = s.DeadLetter.Keep.Or(p.Keep)
	}
}

// effective returns the policy that ref chooses on top of base.
func (b *builder) effective(dec *spec.Decoder, ref spec.PolicyRef, base *Policy) *Policy {
	switch {
	case ref.Inline != nil:
		p := *base
		if ref.Inline.Extends.Set() {
			if named := b.ws.Policies[ref.Inline.Extends.Value]; named != nil {
				p = *named
			} else {
				dec.Unknown(ref.Inline.Extends.Node, "policy", b.ws.Spec.Policies.Names())
			}
		}
		b.overlay(dec, &p, ref.Inline)
		return &p
	case ref.Name.Set():
		if p := b.ws.Policies[ref.Name.Value]; p != nil {
			return p
		}
		dec.Unknown(ref.Name.Node, "policy", b.ws.Spec.Policies.Names())
	}
	return base
}

// lookups builds the crosswalks.
func (b *builder) lookups() {
	for _, d := range b.defs["lookup"] {
		l := &Lookup{Definition: d.Definition, Spec: &spec.Lookup{}}
		dec := b.decoder(d)
		dec.Decode(d.node, l.Spec)
		onMiss, ok := map[string]lookup.OnMiss{"error": lookup.Fail, "pass": lookup.Pass, "default": lookup.Default}[l.Spec.OnMiss.Value]
		if !ok && !l.Spec.OnMiss.Set() {
			dec.Errorf(CodeLookup, d.head.Value.Span, "the lookup does not say what happens to an unknown code").
				Hint = "add `on_miss: error`, `on_miss: pass`, or `on_miss: default` with a `default:`"
		}
		if onMiss == lookup.Default && !l.Spec.Default.Set() {
			dec.Errorf(CodeLookup, l.Spec.OnMiss.Span(), "`on_miss: default` needs a `default:`").Hint = "add `default:` with the value for unknown codes"
		}
		l.Table = lookup.New(d.Name, onMiss, l.Spec.Default.V, l.Spec.IgnoreCase)
		switch {
		case l.Spec.File.Set() && l.Spec.Rows != nil:
			dec.Errorf(spec.CodeUnknown, l.Spec.File.Span(), "a lookup has either `rows` or `file`")
		case l.Spec.File.Set():
			b.lookupFile(dec, d, l)
		case l.Spec.Rows != nil && l.Spec.Rows.Kind == ast.Map:
			for _, p := range l.Spec.Rows.Pairs {
				if !l.Table.Add(p.Key.Text, spec.Plain(p.Value)) {
					dec.Errorf(CodeLookup, p.Key.Span, "the code `%s` stands here twice (codes are compared without blanks around them%s)",
						p.Key.Text, map[bool]string{true: " and without case"}[l.Spec.IgnoreCase]).Hint = "remove one of the two rows"
				}
			}
		case l.Spec.Rows != nil:
			dec.Errorf(spec.CodeUnknown, l.Spec.Rows.Span, "expected rows such as `01: GROUND`, found %s", l.Spec.Rows.Kind)
		default:
			dec.Errorf(spec.CodeUnknown, d.head.Key.Span, "a lookup needs `rows` or `file`")
		}
		b.ws.Lookups[d.Name] = l
	}
}

// lookupFile reads the rows of a CSV file with a header line.
func (b *builder) lookupFile(dec *spec.Decoder, d *definition, l *Lookup) {
	raw, at, err := b.readBeside(d, l.Spec.File.Value)
	if err != nil {
		dec.Errorf(spec.CodeUnknown, l.Spec.File.Span(), "the file `%s` cannot be read: %s", l.Spec.File.Value, plainError(err)).
			Hint = "the path is relative to this definition"
		return
	}
	l.Digest = meaning(d.node, string(raw))
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	r := csv.NewReader(bytes.NewReader(raw))
	r.TrimLeadingSpace = true
	if head, _, _ := bytes.Cut(raw, []byte("\n")); bytes.Count(head, []byte(";")) > bytes.Count(head, []byte(",")) {
		r.Comma = ';'
	}
	columns, err := r.Read()
	if err != nil {
		dec.Errorf(CodeLookup, l.Spec.File.Span(), "%s has no header line", at)
		return
	}
	key := 0
	if l.Spec.KeyColumn.Set() {
		key = -1
		for i, c := range columns {
			if strings.TrimSpace(c) == l.Spec.KeyColumn.Value {
				key = i
			}
		}
		if key < 0 {
			dec.Unknown(l.Spec.KeyColumn.Node, "column", columns)
			return
		}
	}
	for {
		row, err := r.Read()
		if err == io.EOF {
			return
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			f := dec.Errorf(CodeLookup, l.Spec.File.Span(), "%s cannot be read: %s", at, err)
			f.Hint = "every line needs the columns of the header"
			return
		}
		if !l.Table.Add(row[key], b.csvRow(columns, row, key)) {
			f := dec.Errorf(CodeLookup, l.Spec.File.Span(), "the code `%s` stands twice in %s, again in line %d", strings.TrimSpace(row[key]), at, line)
			f.Hint = "remove one of the two lines"
			f.Related = []diag.Related{{Span: diag.Span{File: at, Start: diag.Point{Line: line, Col: 1}, End: diag.Point{Line: line, Col: 2}}, Message: "the second one"}}
		}
	}
}

// csvRow is the value of a table with two columns, or the columns by name.
func (b *builder) csvRow(columns, row []string, key int) any {
	values := map[string]any{}
	for i, c := range columns {
		if i != key && i < len(row) && row[i] != "" {
			values[strings.TrimSpace(c)] = row[i]
		}
	}
	if len(columns) == 2 {
		return values[strings.TrimSpace(columns[1-key])]
	}
	return values
}

// findTable finds a lookup by name for a jq or expr cell.
func (b *builder) findTable(name string) *lookup.Table {
	if l := b.ws.Lookups[name]; l != nil {
		return l.Table
	}
	if l := b.ws.Lookups["std/"+name]; l != nil {
		return l.Table
	}
	return nil
}

// tableRef resolves `table` or `table.column`.
func (b *builder) tableRef(dec *spec.Decoder, ref spec.Text) (*lookup.Table, string) {
	if t := b.findTable(ref.Value); t != nil {
		if len(t.Columns) > 0 {
			f := dec.Errorf(spec.CodeUnknown, ref.Span(), "the lookup `%s` has several columns", ref.Value)
			f.Hint = fmt.Sprintf("choose one: %s.%s", ref.Value, strings.Join(t.Columns, ", "+ref.Value+"."))
			return nil, ""
		}
		return t, ""
	}
	name, column := splitRef(ref.Value)
	t := b.findTable(name)
	if t == nil {
		dec.Unknown(ref.Node, "lookup", sortedKeys(b.ws.Lookups))
		return nil, ""
	}
	for _, c := range t.Columns {
		if c == column {
			return t, column
		}
	}
	f := dec.Errorf(spec.CodeUnknown, ref.Span(), "the lookup `%s` has no column `%s`", name, column)
	f.Short = diag.DidYouMean(column, t.Columns)
	f.Hint = "its columns: " + strings.Join(t.Columns, ", ")
	if len(t.Columns) == 0 {
		f.Hint = "it has one value per code: write `lookup: " + name + "`"
	}
	return nil, ""
}

// Table finds a lookup by name, that of the shipped library included; nil where
// there is none.
func (w *Workspace) Table(name string) *lookup.Table {
	b := &builder{ws: w}
	return b.findTable(name)
}
