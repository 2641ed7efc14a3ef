package lint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
	"crossdock/runtime/message"
)

// maxSample bounds how much of a sample is read.
const maxSample = 4 << 20

// document is one decoded sample.
type document struct {
	name   string // as people write it
	path   string // as read
	values []any  // several of a file with one document per line
	err    error
}

// sample reads and decodes a sample once.
func (p *pass) sample(from, name string) *document {
	key := from + "\x00" + name
	if d := p.decoded[key]; d != nil {
		return d
	}
	d := &document{name: name}
	p.decoded[key] = d
	raw, at, err := compile.ReadBeside(p.Files, nil, from, name)
	d.path = at
	t := p.filesTrigger()
	switch ext := path.Ext(name); {
	case err != nil:
		d.err = err
	case t != nil && ext != ".json" && len(raw) <= maxSample:
		d.values, d.err = p.records(t, raw, name)
	case tabular(ext) && len(raw) <= maxSample && p.ofMapping(from) && p.Catalog != nil:
		d.values, d.err = p.Catalog.Records(tableTrigger(ext, raw), raw)
	case len(raw) > maxSample || ext != ".json" && ext != ".ndjson" && ext != ".jsonl":
		// Other formats are read by triggers, which know their details.
	default:
		d.values, d.err = decode(raw)
	}
	return d
}

// tabular reports whether files with an ending have a row per record.
func tabular(ext string) bool { return ext == ".csv" || ext == ".tsv" }

// ofMapping reports whether a file holds a mapping: what it reads is a row. What
// a pipeline reads is what its trigger makes of the file.
func (p *pass) ofMapping(file string) bool {
	if p.unit != nil {
		return p.unit.Mapping != nil
	}
	for _, m := range p.ws.Mappings {
		if m.File.Path == file {
			return true
		}
	}
	return false
}

// tableTrigger reads rows as a trigger would: the delimiter is the one that stands most
// often in the header.
func tableTrigger(ext string, raw []byte) *spec.FilesTrigger {
	head, _, _ := bytes.Cut(raw, []byte("\n"))
	best := ","
	for _, d := range []string{";", "\t", "|"} {
		if bytes.Count(head, []byte(d)) > bytes.Count(head, []byte(best)) {
			best = d
		}
	}
	if ext == ".tsv" || best == "\t" {
		best = "tab"
	}
	t := &spec.FilesTrigger{}
	t.Format.Value, t.CSV.Delimiter.Value = "csv", best
	return t
}

// filesTrigger is the trigger of the pipeline looked at, where it reads files.
func (p *pass) filesTrigger() *spec.FilesTrigger {
	if p.unit == nil || p.unit.Pipeline == nil {
		return nil
	}
	return p.unit.Pipeline.Trigger.Files
}

// records reads a sample as the trigger reads files: a csv file is one payload
// with its rows, also where the engine takes `split: .rows` as it comes.
func (p *pass) records(t *spec.FilesTrigger, raw []byte, name string) ([]any, error) {
	switch t.Format.Value {
	case "json", "ndjson":
		return decode(raw)
	case "csv", "text":
	default:
		return nil, nil // which was said
	}
	values, err := p.Catalog.Records(t, raw)
	if err != nil || t.Format.Value != "csv" {
		return values, err
	}
	return []any{map[string]any{"name": path.Base(name), "rows": values}}, nil
}

// decode reads all JSON documents of a file. What is wrong is told by the codec
// that reads messages: its words are for people, and it knows the place.
func decode(raw []byte) ([]any, error) {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var out []any
	for {
		var v any
		from := dec.InputOffset()
		switch err := dec.Decode(&v); {
		case err == io.EOF && len(out) > 0:
			return out, nil
		case err != nil:
			return nil, told(raw, int(from), err)
		}
		out = append(out, v)
	}
}

// told is err in the words of the codec of messages, which reads the document
// that begins at byte from.
func told(raw []byte, from int, err error) error {
	_, bad := message.Decode(raw[from:], message.Unlimited)
	var at *message.Error
	if !errors.As(bad, &at) || at.Line == 0 {
		return err
	}
	before := raw[:from]
	if at.Line == 1 {
		at.Column += utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	}
	at.Line += bytes.Count(before, []byte("\n"))
	return at
}

// example is one value of a sample.
type example struct {
	value any
	file  string
}

// examples returns the values that the samples of a shape have at its place.
func (p *pass) examples(s cell.Shape) []example {
	if s.Examples == nil {
		return nil
	}
	var out []example
	if s.Examples.Split != nil {
		out = p.parts(s.Examples)
	}
	for _, name := range s.Examples.Files {
		for _, v := range p.sample(s.Examples.From, name).values {
			out = append(out, example{v, name})
		}
	}
	for _, name := range s.Path {
		out = below(out, name)
	}
	return out
}

// parts runs a cell that splits payloads on the examples of them. What one example
// does not fit shows nothing.
func (p *pass) parts(e *cell.Examples) []example {
	if out, done := p.splits[e]; done {
		return out
	}
	var out []example
	examples := p.examples(e.Of)
	if known := e.Of.Known(); e.Of.Examples == nil && known != nil {
		if doc, whole := documentOf(known, 0); whole {
			examples = []example{{doc, e.Of.Schema.Name}}
		}
	}
	for _, of := range examples {
		scope := cell.Scope{Original: of.value}
		if p.unit != nil && p.unit.Pipeline != nil {
			scope.Params = p.unit.Pipeline.Params
		}
		values, err := scope.All(e.Split, of.value)
		if err != nil {
			continue
		}
		for _, part := range mapping.Items(values) {
			if len(out) < maxExamples {
				out = append(out, example{part, of.file})
			}
		}
	}
	if p.splits == nil {
		p.splits = map[*cell.Examples][]example{}
	}
	p.splits[e] = out
	return out
}

// maxExamples bounds how many items of lists are looked at.
const maxExamples = 1000

// below returns the values one step further down: a field, or the items of a
// list. What is no list stands for its only item, as it does for `each`.
func below(in []example, name string) []example {
	var out []example
	for _, e := range in {
		if len(out) > maxExamples {
			break
		}
		switch v := e.value.(type) {
		case []any:
			if name == value.Items {
				for _, item := range v {
					out = append(out, example{item, e.file})
				}
			}
		case map[string]any:
			if name == value.Items {
				out = append(out, e)
			} else if field, there := v[name]; there {
				out = append(out, example{field, e.file})
			}
		default:
			if name == value.Items {
				out = append(out, e)
			}
		}
	}
	return out
}

// samplesExist reports samples that are not there or cannot be read.
func samplesExist(p *pass) {
	check := func(d compile.Definition, list []spec.Text) {
		for _, s := range list {
			doc := p.sample(d.File.Path, s.Value)
			if doc.err == nil {
				continue
			}
			f := diag.Diagnostic{Code: spec.CodeUnknown, Span: s.Span(), Kind: d.Kind, Name: d.Name, Source: s.Value,
				Message: "the sample `" + s.Value + "` cannot be read: " + plain(doc.err), Hint: "the path is relative to this definition", Missing: compile.MissingFile + s.Value}
			if strings.HasSuffix(s.Value, "json") && doc.values == nil && !missingFile(doc.err) {
				f = compile.NotJSON(s.Span(), doc.path, s.Value, doc.err)
			}
			if names := strings.FieldsFunc(s.Value, func(r rune) bool { return strings.ContainsRune(",; ", r) }); missingFile(doc.err) && len(names) > 1 && !slices.ContainsFunc(names, func(n string) bool { return p.sample(d.File.Path, n).err != nil }) {
				f.Hint, f.Missing = "write ["+strings.Join(names, ", ")+"]", ""
			}
			p.about(f)
		}
	}
	for _, m := range p.mappings() {
		check(m.Definition, m.Spec.Samples)
	}
	for _, pl := range p.pipelines() {
		check(pl.Definition, pl.Spec.Samples)
	}
}
