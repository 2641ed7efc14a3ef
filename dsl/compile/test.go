package compile

import (
	"strings"

	"crossdock/dsl/cell"
	"crossdock/dsl/spec"
)

// tests resolves what each test is about.
func (b *builder) tests() {
	units := b.compileAll("test", (*builder).test)
	for _, u := range units {
		switch {
		case u.Test == nil: // of a flow that is not used here
		case u.Std:
			b.ws.StdTests = append(b.ws.StdTests, u.Test)
		default:
			b.ws.Tests = append(b.ws.Tests, u.Test)
		}
	}
	b.take(units)
}

func (b *builder) test(d *definition) {
	b.ask(base, "")
	t := &Test{Definition: b.unit.Definition, Spec: &spec.Test{}}
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
		for _, full := range d.fullNames(b, name) {
			if t.Mapping = b.ask(aMapping, full).(*Mapping); t.Mapping != nil {
				break
			}
		}
		if t.Mapping == nil {
			dec.Unknown(&at, "mapping", b.knownNames("mapping"))
		}
	case "pipeline":
		for _, full := range d.fullNames(b, name) {
			if t.Pipeline = b.ask(aPipeline, full).(*Pipeline); t.Pipeline != nil {
				break
			}
		}
		if d.Std && t.Pipeline == nil {
			return
		}
		if t.Pipeline == nil {
			dec.Unknown(&at, "pipeline", b.knownNames("pipeline"))
		}
	default:
		f := dec.Errorf(spec.CodeUnknown, ref.Span, "a test says what it tests")
		f.Hint = "write `test: mapping NAME` or `test: pipeline NAME`"
		for _, kind := range []string{"mapping", "pipeline"} {
			if contains(b.knownNames(kind), ref.Text) {
				f.Hint = "write `test: " + kind + " " + ref.Text + "`"
			}
		}
	}
	b.client = t.Owner() // names in the test of a client's definition mean what they mean in it
	for i := range t.Spec.Cases {
		t.Spec.Cases[i].Given = b.nearbyGiven(d, t.Spec.Cases[i].Given)
	}
	b.testTime(dec, t.Spec.Now)
	for i := range t.Spec.Cases {
		b.testCase(dec, d, t, &t.Spec.Cases[i])
	}
	b.unit.Test = t
}

// fullNames are the names that a test can mean: of the library its own, else
// first that of the client.
func (d *definition) fullNames(b *builder, name string) []string {
	if d.Std {
		return []string{"std/" + name}
	}
	if b.client != "" {
		return []string{b.client + "/" + name, name}
	}
	return []string{name}
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
