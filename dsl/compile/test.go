package compile

import (
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/spec"
)

// tests resolves what each test is about.
func (b *builder) tests() {
	for _, d := range b.defs["test"] {
		t := &Test{Definition: d.Definition, Spec: &spec.Test{}}
		dec := b.decoder(d)
		dec.Decode(d.node, t.Spec)
		kind, name, _ := strings.Cut(t.Spec.Of.Value, " ")
		name = strings.TrimSpace(name)
		ref := d.head.Value
		at := *ref
		at.Text = name
		if i := strings.LastIndex(ref.Text, name); i >= 0 && name != "" {
			at.Span = ref.Range(i, len(ref.Text))
		}
		switch kind {
		case "mapping":
			if t.Mapping = b.ws.Mappings[d.stdName(name)]; t.Mapping == nil {
				dec.Unknown(&at, "mapping", sortedKeys(b.ws.Mappings))
			}
		case "pipeline":
			if d.Std && b.ws.Pipelines[d.stdName(name)] == nil {
				continue // of a flow that is not used here
			}
			if t.Pipeline = b.ws.Pipelines[d.stdName(name)]; t.Pipeline == nil {
				dec.Unknown(&at, "pipeline", sortedKeys(b.ws.Pipelines))
			}
		default:
			dec.Errorf(spec.CodeUnknown, ref.Span, "a test says what it tests").Hint = "write `test: mapping NAME` or `test: pipeline NAME`"
		}
		b.testTime(dec, t.Spec.Now)
		for i := range t.Spec.Cases {
			b.testCase(dec, d, t, &t.Spec.Cases[i])
		}
		if d.Std {
			b.ws.StdTests = append(b.ws.StdTests, t)
			continue
		}
		b.ws.Tests = append(b.ws.Tests, t)
	}
}

// stdName is the name under which a definition of d's own library is known.
func (d *definition) stdName(name string) string {
	if d.Std {
		return "std/" + name
	}
	return name
}

// CompileStub compiles a stand-in answer of a test case.
func (w *Workspace) CompileStub(s *spec.Stub) (Stub, error) {
	b := &builder{ws: w}
	b.cells = &cell.Compiler{Diags: &b.diags, Lookup: b.findTable}
	dec := &spec.Decoder{Diags: &b.diags, Kind: "test"}
	out := b.stub(dec, cell.Context{Kind: "test", Row: "stub"}, s)
	if b.diags.HasErrors() {
		return out, b.diags
	}
	return out, nil
}
