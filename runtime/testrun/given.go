package testrun

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/files"
	"crossdock/connectors/format"
	"crossdock/connectors/format/text"
	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/likeness"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
	"crossdock/runtime/message"
)

// payload is one input of a case: a value, and its bytes where it came from a
// file.
type payload struct {
	body any
	raw  []byte
	file string
}

// given reads the inputs of a case.
func (r *Runner) given(t *compile.Test, c *spec.Case) ([]payload, error) {
	nodes := []*ast.Node{c.Given}
	if c.Given.Kind == ast.List {
		nodes = c.Given.Items
	}
	if len(nodes) == 0 && t.Mapping == nil {
		return nil, errors.New("`given` is empty")
	}
	out := make([]payload, 0, len(nodes))
	for _, n := range nodes {
		p, err := r.one(t, n)
		if err != nil {
			return nil, err
		}
		for _, ch := range c.Change {
			if p.body, err = Change(p.body, ch.Key.Text, ch.Value.V); err != nil {
				return nil, fmt.Errorf("`change: %s`: %w", ch.Key.Text, err)
			}
			p.raw = nil
		}
		out = append(out, p)
	}
	return out, nil
}

// misspelt names the changes of a case that failed which add a field where one of a
// similar name is there: nothing reads the new one.
func (r *Runner) misspelt(t *compile.Test, c *spec.Case) []string {
	n := c.Given
	if n.Kind == ast.List && len(n.Items) > 0 {
		n = n.Items[0]
	}
	p, err := r.one(t, n)
	if err != nil {
		return nil
	}
	var out []string
	for _, ch := range c.Change {
		if meant := meantBy(p.body, ch.Key.Text); meant != "" && ch.Value.V != nil {
			out = append(out, fmt.Sprintf("`change: %s` adds a field; did you mean `%s`?", ch.Key.Text, meant))
		}
	}
	return out
}

// meantBy is the name that is there in the place of a path that is not, "" where the
// path is there or nothing is near.
func meantBy(v any, path string) string {
	if _, there := Find(v, path); there {
		return ""
	}
	for _, part := range parts(path) {
		switch p := part.(type) {
		case string:
			m, ok := v.(map[string]any)
			if !ok {
				return ""
			}
			next, there := m[p]
			if !there {
				if near := diag.Nearest(p, sortedKeys(m)); len(near) > 0 {
					return near[0]
				}
				for _, name := range sortedKeys(m) {
					if likeness.Compare([]string{p}, []string{name}) > 0.9 {
						return name
					}
				}
				return ""
			}
			v = next
		case int:
			l, ok := v.([]any)
			if !ok || p < 0 || p >= len(l) {
				return ""
			}
			v = l[p]
		}
	}
	return ""
}

func (r *Runner) one(t *compile.Test, n *ast.Node) (payload, error) {
	if n.Kind != ast.Scalar {
		return payload{body: spec.Plain(n)}, nil
	}
	if compile.GivenText(n) {
		p := payload{body: n.Text}
		var err error
		if p.raw, err = text.Encode(n.Text, encoding(t)); err != nil {
			return payload{}, fmt.Errorf("the text of `given` cannot be a file of %s: %w", t.Of(), err)
		}
		if v, err := message.Decode(p.raw, message.Unlimited); err == nil && !isScalar(v) {
			p.body, p.file = v, textOfJSON
		}
		return p, nil
	}
	raw, at, err := compile.ReadBeside(r.FS, r.Std, t.File.Path, n.Text)
	if err != nil {
		return payload{}, fmt.Errorf("the file `%s` named by `given` cannot be read; paths are relative to the test", n.Text)
	}
	p := payload{raw: raw, file: at}
	if path.Ext(at) != ".json" {
		p.body = string(raw)
		return p, nil
	}
	if p.body, err = message.Decode(raw, message.Unlimited); err != nil {
		return payload{}, fmt.Errorf("%s: %w", at, err)
	}
	return p, nil
}

// encoding is that of the files which a tested pipeline reads.
func encoding(t *compile.Test) string {
	if t.Pipeline == nil || t.Pipeline.Trigger.Files == nil {
		return ""
	}
	return t.Pipeline.Trigger.Files.Charset()
}

// textOfJSON is how JSON that stands in a test is called.
const textOfJSON = "given.json"

func isScalar(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return false
	}
	return true
}

// called is how people know a payload.
func (p *payload) called() string {
	if p.file == "" {
		return "the text of `given`"
	}
	return p.file
}

// name is how the connector would call the file: below the folder of its
// connection, so behind the folder of the trigger's path where that is no pattern.
func (p *payload) name(t *spec.FilesTrigger) string {
	if p.file == "" {
		return inputName
	}
	folder := path.Dir(path.Clean(strings.TrimPrefix(t.Path.Value, "/")))
	if strings.ContainsAny(folder, `*?[\`) {
		folder = ""
	}
	return path.Join(folder, path.Base(p.file))
}

// Given is what one case gives to what it tests.
type Given struct {
	Messages []message.Message         // of a pipeline, as its trigger would make them
	Stubs    map[string][]compile.Stub // of a pipeline
	Input    any                       // of a mapping
	Meta     any                       // of a mapping, $meta
	Now      time.Time
}

// Given returns what a case would run with.
func (r *Runner) Given(t *compile.Test, c *spec.Case) (Given, error) {
	payloads, err := r.given(t, c)
	if err != nil {
		return Given{}, err
	}
	out := Given{Meta: c.Meta.V}
	if out.Now, err = caseTime(t, c); err != nil {
		return out, err
	}
	if t.Mapping != nil {
		out.Input = mappingInput(c, payloads)
		return out, nil
	}
	for _, g := range payloads {
		made, _ := inputs(t.Pipeline, g, c.Meta.V, out.Now) // what cannot be read is no message
		out.Messages = append(out.Messages, made...)
	}
	out.Stubs, err = r.stubs(t, c)
	return out, err
}

// FromFile returns the messages that a file makes for a pipeline, as its trigger
// would; name tells the format where the trigger does not.
func FromFile(p *compile.Pipeline, name string, raw []byte, now time.Time) ([]message.Message, error) {
	g := payload{raw: raw, file: name, body: string(raw)}
	if path.Ext(name) == ".json" {
		var err error
		if g.body, err = message.Decode(raw, message.Unlimited); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	out, bad := inputs(p, g, nil, now)
	if len(bad) > 0 {
		return nil, bad[0]
	}
	return out, nil
}

// Now is the time at which samples and cases without one of their own run.
func Now() time.Time { return time.Date(2026, 1, 15, 12, 0, 0, 0, time.UTC) }

// mappingInput is what a mapping is given: a list that was written as payload
// stays one, a single file is its content.
func mappingInput(c *spec.Case, given []payload) any {
	if c.Given.Kind != ast.List || len(given) == 1 && c.Given.Items[0].Kind == ast.Scalar {
		return given[0].body
	}
	list := make([]any, 0, len(given))
	for _, g := range given {
		list = append(list, g.body)
	}
	return list
}

// inputs makes the messages of one payload, as the trigger of p would. A file
// in the format of a files trigger is read as the trigger reads it; what is
// wrong with it comes back as rejections.
func inputs(p *compile.Pipeline, g payload, meta any, now time.Time) ([]message.Message, []*connectors.Rejection) {
	t := p.Trigger.Files
	if t == nil || g.raw == nil || path.Ext(g.file) == ".json" && t.Format.Value != "json" {
		raw := g.raw
		if h := p.Trigger.HTTP; h != nil && h.Format.Value == "form" && path.Ext(g.file) == ".json" {
			raw = nil // the fields as they are read, not the text of a form
		}
		return []message.Message{Input(p, g.body, raw, meta, now)}, nil
	}
	reader := files.Open(t, bytes.NewReader(g.raw))
	var out []message.Message
	var rows []any
	var bad []*connectors.Rejection
	whole := t.Format.Value == "csv" && !p.PerRecord()
	for n := 1; ; n++ {
		rec, err := reader.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			bad = append(bad, &connectors.Rejection{Status: 400, Message: g.called() + " cannot be read", Problems: []connectors.Problem{{Message: err.Error()}}})
			var wrong *format.Error
			if whole {
				return nil, bad // one wrong row spoils the file
			}
			if !errors.As(err, &wrong) || !wrong.Skip {
				break
			}
			continue
		}
		if whole {
			rows = append(rows, rec.Value)
			continue
		}
		m := Input(p, rec.Value, rec.Raw, meta, now)
		m.Raw, m.Meta.File.Record = rec.Raw, n
		switch t.Format.Value {
		case "text":
			m.Meta.Type, m.Meta.File.Record = "text/plain", 0
		case "json":
			m.Meta.File.Record = 0
		}
		out = append(out, m)
	}
	if whole {
		if rows == nil {
			rows = []any{}
		}
		out = append(out, Input(p, map[string]any{"name": g.name(t), "rows": rows}, nil, meta, now))
	}
	for i := range out {
		if f := out[i].Meta.File; f != nil && f.Name == inputName && g.file != "" {
			f.Name, f.Size = g.name(t), int64(len(g.raw))
		}
	}
	return out, bad
}

// encode writes a payload as a webhook of the format would receive it.
func encode(form string, body any) (raw []byte, contentType string) {
	switch form {
	case "text":
		if s, ok := body.(string); ok {
			return []byte(s), "text/plain"
		}
		return message.Marshal(body), "text/plain"
	case "form":
		fields, ok := body.(map[string]any)
		if !ok {
			return message.Marshal(body), "application/x-www-form-urlencoded"
		}
		values := url.Values{}
		for k, v := range fields {
			items, many := v.([]any)
			if !many {
				items = []any{v}
			}
			for _, item := range items {
				s, isText := value.Text(item)
				if !isText {
					s = string(message.Marshal(item))
				}
				values.Add(k, s)
			}
		}
		return []byte(values.Encode()), "application/x-www-form-urlencoded"
	}
	return message.Marshal(body), "application/json"
}
