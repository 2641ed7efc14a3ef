package compile

import (
	"errors"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
	"crossdock/runtime/message"
)

// Expectations are the keys of `expect` in tests of pipelines.
var Expectations = spec.Keys(reflect.TypeFor[spec.Expectation]())

// Outcomes are the words that `outcome` takes.
var Outcomes = spec.Outcomes

// testCase reports what keeps a case from being run, or makes it say something
// else than was meant.
func (b *builder) testCase(dec *spec.Decoder, d *definition, t *Test, c *spec.Case) {
	b.testTime(dec, c.Now)
	b.caseMeta(dec, c.Meta.Node)
	if c.Given != nil {
		given := []*ast.Node{c.Given}
		if c.Given.Kind == ast.List {
			given = c.Given.Items
			if len(given) == 0 && t.Pipeline != nil {
				dec.Errorf(spec.CodeUnknown, c.Given.Span, "`given` is empty").Hint = "name a file, or write the payload: given: {...}"
			}
		}
		for _, n := range given {
			b.given(dec, d, n)
		}
	}
	switch {
	case t.Mapping != nil:
		changedFields(dec, t.Mapping.Input, c)
	case t.Pipeline != nil:
		changedFields(dec, t.Pipeline.Accept, c)
	}
	for _, s := range c.Stubs {
		op := b.operationRef(dec, spec.Text{Value: s.Key.Text, Node: s.Key})
		expectedStubs(dec, op, c, s.Value)
	}
	switch {
	case t.Mapping != nil:
		if p := c.Node.Pair("stubs"); p != nil {
			dec.Errorf(spec.CodeUnknown, p.Key.Span, "`stubs` belongs to tests of pipelines: a mapping asks nobody")
		}
		expectedRows(dec, t.Mapping, c)
		expectedOptions(dec, t.Mapping.Output, c.Expect)
	case t.Pipeline != nil:
		if p := c.Node.Pair("absent"); p != nil {
			dec.Errorf(spec.CodeUnknown, p.Key.Span, "`absent` beside `expect` belongs to tests of mappings").
				Hint = "a pipeline sends to many: write expect: {absent: {connection.operation: [field]}}"
		}
		b.expectation(dec, t, c.Expect)
		if c.ExpectError != nil {
			expectedStep(dec, t.Pipeline, c.ExpectError.Step)
		}
	}
	if c.Expect != nil && c.ExpectError != nil && t.Mapping != nil {
		dec.Errorf(spec.CodeUnknown, c.Node.Pair("expect_error").Key.Span, "a case has either `expect` or `expect_error`: a mapping that fails gives nothing")
	}
}

// indexed is the number of an item in a path.
var indexed = regexp.MustCompile(`\[\d+\]`)

// changedFields reports paths of `change` that are nearly those of a field: a case
// may well add a field that nobody knows, but not one that looks like another.
func changedFields(dec *spec.Decoder, in *Schema, c *spec.Case) {
	if in == nil || in.Schema == nil {
		return
	}
	for _, ch := range c.Change {
		path := schema.Split(indexed.ReplaceAllString(ch.Key.Text, value.Items))
		_, bad, ok := in.Schema.Shape().At(path)
		if ok || bad >= len(path) {
			continue
		}
		known := in.Schema.Children(path[:bad])
		near := diag.Nearest(path[bad], known)
		if len(near) == 0 {
			continue
		}
		f := dec.Warnf("XD2101", ch.Key.Span, "%s has no field `%s`, so this changes nothing that it knows", in.Name, ch.Key.Text)
		f.Short, f.Hint = "did you mean `"+near[0]+"`?", "you can use: "+strings.Join(known, ", ")
	}
}

// caseMeta looks at the names below `meta`.
func (b *builder) caseMeta(dec *spec.Decoder, n *ast.Node) {
	known := []string{"source", "received_at", "headers", "path", "query", "consumer", "content_type", "file", "event"}
	if n == nil {
		return
	}
	if n.Kind != ast.Map {
		dec.Errorf(spec.CodeUnknown, n.Span, "`meta` is a map").Hint = "you can use: " + strings.Join(known, ", ")
	}
	for _, p := range n.Pairs {
		if !slices.Contains(known, p.Key.Text) {
			dec.UnknownKey(p.Key, known)
		}
	}
}

func (b *builder) testTime(dec *spec.Decoder, t spec.Text) {
	if !t.Set() {
		return
	}
	if _, err := time.Parse(time.RFC3339, t.Value); err != nil {
		dec.Errorf(spec.CodeUnknown, t.Span(), "`%s` is not a time", t.Value).Hint = "write it as in 2026-03-01T08:00:00Z"
	}
}

// given looks at one input of a case: a file must be there and readable.
func (b *builder) given(dec *spec.Decoder, d *definition, n *ast.Node) {
	if n.Kind != ast.Scalar || GivenText(n) {
		return
	}
	if n.Text == "" {
		dec.Errorf(spec.CodeUnknown, n.Span, "`given` is empty").Hint = "name a file, or write the payload: given: {...}"
		return
	}
	raw, at, err := b.read(d.File.Path, n.Text)
	if err != nil {
		f := dec.Errorf(spec.CodeUnknown, n.Span, "the file `%s` cannot be read: %s", n.Text, plainError(err))
		f.Hint = "the path is relative to this test; a payload is written as given: {...}, a text as a block behind given: |"
		f.Missing = MissingFile + n.Text
		return
	}
	if path.Ext(n.Text) == ".json" {
		if _, err := message.Decode(raw, message.Unlimited); err != nil {
			dec.Diags.Add(NotJSON(n.Span, at, n.Text, err))
		}
	}
}

// GivenText reports whether a scalar of `given` is the payload itself and not the
// name of a file: it is written as a block, or has several lines.
func GivenText(n *ast.Node) bool {
	return n.Kind == ast.Scalar && n.Text != "" &&
		(n.Style == ast.Literal || n.Style == ast.Folded || strings.Contains(n.Text, "\n"))
}

// NotJSON is the finding about a file that cannot be read as JSON, at the place
// in the file where that is known. named is where a definition names it.
func NotJSON(named diag.Span, at, name string, err error) diag.Diagnostic {
	d := diag.Diagnostic{Code: spec.CodeUnknown, Span: named, Message: "the file `" + name + "` is not JSON: " + err.Error()}
	var bad *message.Error
	if errors.As(err, &bad) && bad.Line > 0 {
		from, to := diag.Point{Line: bad.Line, Col: bad.Column}, diag.Point{Line: bad.Line, Col: bad.Column + 1}
		d.Span = diag.Span{File: at, Start: from, End: to}
		d.Message = "this is not JSON: " + bad.Message
		d.Related = []diag.Related{{Span: named, Message: "named here"}}
	}
	return d
}

// expectation looks at what a case expects of a pipeline.
func (b *builder) expectation(dec *spec.Decoder, t *Test, n *ast.Node) {
	if n == nil {
		return
	}
	if n.Kind != ast.Map {
		f := dec.Errorf(spec.CodeUnknown, n.Span, "`expect` of a pipeline is a map")
		f.Hint = "you can use: " + strings.Join(Expectations, ", ")
		return
	}
	for _, p := range n.Pairs {
		switch p.Key.Text {
		case "attempts", "sent":
			for _, op := range p.Value.Pairs {
				target := b.operationRef(dec, spec.Text{Value: op.Key.Text, Node: op.Key})
				if p.Key.Text == "attempts" {
					counted(dec, op.Value, "how often it is called", "2")
				} else if target != nil {
					expectedSent(dec, t.Pipeline, target, op.Value)
					expectedOptions(dec, target.Request, op.Value)
				}
			}
			b.isMap(dec, p)
		case "emitted":
			b.isMap(dec, p)
			for _, event := range p.Value.Pairs {
				if !b.heard(EventName(event.Key.Text)) {
					b.schemaRef(dec, spec.Text{Value: event.Key.Text, Node: event.Key})
				}
			}
		case "routes":
			b.expectedRoutes(dec, t, p.Value)
		case "outcome":
			if p.Value.Kind != ast.Scalar {
				dec.Errorf(spec.CodeUnknown, p.Value.Span, "expected one word for all messages of the case, found a %s", p.Value.Kind).
					Hint = "you can use: " + strings.Join(Outcomes, ", ")
			} else if !slices.Contains(Outcomes, p.Value.Text) {
				dec.Unknown(p.Value, "outcome", Outcomes)
			}
		case "duplicates":
			counted(dec, p.Value, "how many inputs came again", "1")
		case "rejected":
			if p.Value.Kind == ast.List && len(p.Value.Items) > 0 {
				for _, item := range p.Value.Items {
					counted(dec, item, "the status of the refusal", "422")
				}
				break
			}
			counted(dec, p.Value, "the status of the refusal", "422")
		case "absent":
			b.isMap(dec, p)
			for _, named := range p.Value.Pairs {
				b.expectedAbsent(dec, t.Pipeline, named)
			}
		default:
			dec.UnknownKey(p.Key, Expectations)
		}
	}
}

// expectedAbsent looks at the fields that must not be in what an operation is sent,
// or an event holds.
func (b *builder) expectedAbsent(dec *spec.Decoder, p *Pipeline, named ast.Pair) {
	var op *Operation
	switch name := named.Key.Text; {
	case strings.Contains(name, "@"):
		b.schemaRef(dec, spec.Text{Value: name, Node: named.Key})
	case !b.heard(EventName(name)):
		op = b.operationRef(dec, spec.Text{Value: name, Node: named.Key})
	}
	if named.Value.Kind != ast.List {
		dec.Errorf(spec.CodeUnknown, named.Value.Span, "expected a list of fields that must not be there, found %s", named.Value.Kind).
			Hint = "write it as in absent: {" + named.Key.Text + ": [phone]}"
		return
	}
	if op == nil {
		return
	}
	made, known := sentTo(p, op)
	for _, field := range named.Value.Items {
		if known && field.Kind == ast.Scalar {
			made.absent(dec, op.Request, spec.Text{Value: field.Text, Node: field})
		}
	}
}

// heard reports whether some schema is heard under an event name.
func (b *builder) heard(name string) bool {
	b.ask(allSchemas, "")
	for _, s := range b.ws.Schemas {
		if b.mine(s.Name) && s.hears(name) {
			return true
		}
	}
	return false
}

func (b *builder) isMap(dec *spec.Decoder, p ast.Pair) {
	if p.Value.Kind != ast.Map {
		dec.Errorf(spec.CodeUnknown, p.Value.Span, "`%s` is a map by name", p.Key.Text)
	}
}

// expectedRoutes compares with the rules of the pipeline.
func (b *builder) expectedRoutes(dec *spec.Decoder, t *Test, n *ast.Node) {
	items := n.Items
	if n.Kind == ast.Scalar {
		items = []*ast.Node{n}
	}
	known := []string{"otherwise"}
	for _, id := range sortedKeys(t.Pipeline.ByID) {
		if r := t.Pipeline.ByID[id].Route; r != nil {
			for _, rule := range r.Rules {
				known = append(known, rule.Name)
			}
		}
	}
	for _, item := range items {
		if !slices.Contains(known, item.Text) {
			dec.Unknown(item, "rule", slices.DeleteFunc(known, func(name string) bool { return name == "" }))
			(*dec.Diags)[len(*dec.Diags)-1].Missing = "rule " + t.Pipeline.Name
		}
	}
}
