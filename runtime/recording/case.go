package recording

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
)

// Case is a recording as files of a test.
type Case struct {
	Text    []byte // of the test
	Payload []byte // of the file that it names as given; nil: none
	Outcome string // what the definitions make of it, for people
	Notes   []string
}

// Case writes a recording as a test of ws, which expects what the definitions
// make of it now. file is what the payload is called beside the test, without its
// extension.
func (r *Recording) Case(ctx context.Context, ws *compile.Workspace, file string) (*Case, error) {
	p := ws.Pipelines[r.Pipeline]
	if p == nil {
		return nil, fmt.Errorf("the workspace has no pipeline %s, of which this message is", r.Pipeline)
	}
	c := &caser{rec: r, ws: ws, p: p}
	if err := c.payload(file); err != nil {
		return nil, err
	}
	first, err := c.run(ctx, r.Meta, "")
	if err != nil {
		return nil, err
	}
	meta, err := c.needed(ctx, first)
	if err != nil {
		return nil, err
	}
	// What a second run under another revision sends otherwise changes from run
	// to run, and cannot be expected.
	if first, err = c.run(ctx, meta, ""); err != nil {
		return nil, err
	}
	second, err := c.run(ctx, meta, "another")
	if err != nil {
		return nil, err
	}
	c.write(meta, first, second)
	return &Case{Text: []byte(c.out.String()), Payload: c.raw, Outcome: ending(first), Notes: c.notes}, nil
}

type caser struct {
	rec   *Recording
	ws    *compile.Workspace
	p     *compile.Pipeline
	body  any
	raw   []byte // of the file; nil: the payload stands in the test
	given string
	out   strings.Builder
	notes []string
}

// payload decides how the payload is written: JSON and text as a file, a form in
// the test.
func (c *caser) payload(file string) error {
	c.body = c.rec.Payload
	t := c.p.Trigger.Files
	if f, _ := c.rec.Meta["file"].(map[string]any); t != nil && t.Format.Value == "csv" && c.p.PerRecord() {
		// One row of a file comes as a file with one row.
		if row, ok := c.body.(map[string]any); ok && row["rows"] == nil {
			c.body = map[string]any{"name": f["name"], "rows": []any{row}}
		}
	}
	text, isText := c.body.(string)
	switch h := c.p.Trigger.HTTP; {
	case h != nil && h.Format.Value == "form":
		c.given = testrun.OneLine(c.body)
		return nil
	case isText:
		c.given, c.raw = file+".txt", []byte(text)
		return nil
	}
	var b bytes.Buffer
	if err := json.Indent(&b, message.Marshal(c.body), "", "  "); err != nil {
		return fmt.Errorf("write the payload: %w", err)
	}
	c.given, c.raw = file+".json", append(b.Bytes(), '\n')
	return nil
}

// run does what the test will do.
func (c *caser) run(ctx context.Context, meta map[string]any, revision string) (*testrun.Rehearsal, error) {
	ws := *c.ws
	if revision != "" {
		ws.Revision = revision
	}
	in := testrun.Input(c.p, c.body, c.raw, any(meta), c.rec.Now)
	got, err := testrun.Rehearse(ctx, &ws, c.p, []message.Message{in}, stubs(c.rec.Answers))
	if err != nil {
		return nil, fmt.Errorf("run the recorded message: %w", err)
	}
	return got, nil
}

// needed leaves out what is known about a message beside its content and what
// nothing asks for.
func (c *caser) needed(ctx context.Context, want *testrun.Rehearsal) (map[string]any, error) {
	meta := maps.Clone(c.rec.Meta)
	try := func(without map[string]any) error {
		got, err := c.run(ctx, without, "")
		if err == nil && same(got, want) {
			meta = without
		}
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(c.rec.Meta)) {
		without := maps.Clone(meta)
		delete(without, name)
		if err := try(without); err != nil {
			return nil, err
		}
		parts, ok := meta[name].(map[string]any)
		if !ok {
			continue
		}
		for _, part := range slices.Sorted(maps.Keys(parts)) {
			fewer, _ := meta[name].(map[string]any)
			fewer = maps.Clone(fewer)
			delete(fewer, part)
			without := maps.Clone(meta)
			without[name] = fewer
			if err := try(without); err != nil {
				return nil, err
			}
		}
	}
	return meta, nil
}

// same reports whether two runs came to the same but for what differs from run
// to run, such as IDs.
func same(a, b *testrun.Rehearsal) bool {
	return ending(a) == ending(b) && len(a.Calls) == len(b.Calls) && len(a.Emitted) == len(b.Emitted) && bytes.Equal(traffic(a, b), traffic(b, a))
}

// traffic is what a run sent, without what is different in every run.
func traffic(a, b *testrun.Rehearsal) []byte {
	var out []any
	for i := range a.Calls {
		out = append(out, a.Calls[i].Operation, idless(a.Calls[i].Whole(), b.Calls[i].Whole()))
	}
	for i := range a.Emitted {
		out = append(out, a.Emitted[i].Schema, idless(a.Emitted[i].Body, b.Emitted[i].Body))
	}
	return message.Marshal(out)
}

// idless takes out texts that hold the ID of a run: 26 letters and digits that
// are others each time.
func idless(a, b any) any {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok {
			return a
		}
		out := map[string]any{}
		for k, v := range x {
			out[k] = idless(v, y[k])
		}
		return out
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return a
		}
		out := make([]any, len(x))
		for i := range x {
			out[i] = idless(x[i], y[i])
		}
		return out
	case string:
		if y, ok := b.(string); ok && x != y && len(x) == len(y) && len(x) >= idLength {
			return nil
		}
	}
	return a
}

const idLength = 26

// write writes the test.
func (c *caser) write(meta map[string]any, a, b *testrun.Rehearsal) {
	r := c.rec
	fmt.Fprintf(&c.out, "test: pipeline %s\ncases:\n", c.p.Name)
	name := "as it came on " + r.Now.Format(time.DateOnly)
	if len(r.Refs) > 0 {
		name = r.Refs[0].Type + " " + r.Refs[0].Value + " " + name
	}
	fmt.Fprintf(&c.out, "  - name: %s\n", testrun.OneLine(name))
	fmt.Fprintf(&c.out, "    now: %s\n", r.Now.Format(time.RFC3339Nano))
	fmt.Fprintf(&c.out, "    given: %s\n", c.given)
	if len(meta) > 0 {
		c.section(4, "meta", meta)
	}
	c.stubs()
	c.out.WriteString("    expect:\n")
	outcomes := slices.Compact(slices.Sorted(slices.Values(a.Outcomes)))
	switch {
	case len(a.Rejections) > 0:
		fmt.Fprintf(&c.out, "      rejected: %d\n", a.Rejections[0].Status)
	case len(a.Parked) > 0:
		c.out.WriteString("      outcome: held\n")
	case slices.Contains(outcomes, "dead"):
		c.out.WriteString("      outcome: dead\n")
	case len(outcomes) > 0:
		fmt.Fprintf(&c.out, "      outcome: %s\n", outcomes[0])
	default:
		c.out.WriteString("      duplicates: 0\n")
	}
	if len(a.Routes) > 0 {
		var routes []any
		for _, x := range a.Routes {
			routes = append(routes, x)
		}
		fmt.Fprintf(&c.out, "      routes: %s\n", testrun.OneLine(routes))
	}
	c.sent(a, b)
	c.dead(a)
}

// stubs writes the answers, by operation.
func (c *caser) stubs() {
	if len(c.rec.Answers) == 0 {
		return
	}
	by := map[string]any{}
	for _, x := range c.rec.Answers {
		var one any = x.Fault
		if x.Fault == "" {
			m := map[string]any{"status": json.Number(fmt.Sprint(x.Status))}
			if x.Body != nil {
				m["body"] = x.Body
			}
			one = m
		}
		list, _ := by[x.Operation].([]any)
		by[x.Operation] = append(list, one)
	}
	for ref, v := range by {
		if list := v.([]any); len(list) == 1 {
			by[ref] = list[0]
		}
	}
	c.section(4, "stubs", by)
}

// sent writes what each operation was told and which events were emitted.
func (c *caser) sent(a, b *testrun.Rehearsal) {
	attempts, sent, emitted := map[string]any{}, map[string]any{}, map[string]any{}
	for _, x := range a.Calls {
		if attempts[x.Operation] != nil {
			continue
		}
		attempts[x.Operation] = json.Number(fmt.Sprint(a.Attempts(x.Operation)))
		if v, ok := c.steady("what "+x.Operation+" is sent", a.Told(x.Operation), b.Told(x.Operation)); ok {
			sent[x.Operation] = v
		}
	}
	for _, e := range a.Emitted {
		if _, done := emitted[e.Schema]; done {
			continue
		}
		if v, ok := c.steady("the event "+e.Schema, a.Heard(e.Schema), b.Heard(e.Schema)); ok {
			emitted[e.Schema] = v
		}
	}
	for _, part := range []struct {
		name string
		what map[string]any
	}{{"attempts", attempts}, {"sent", sent}, {"emitted", emitted}} {
		if len(part.what) > 0 {
			c.section(6, part.name, part.what)
		}
	}
}

// steady is what two runs have in common: one message as it is, several as a list.
func (c *caser) steady(what string, a, b []any) (any, bool) {
	if len(a) == 0 || len(a) != len(b) {
		c.note("%s is another in each run, so it is not expected", what)
		return nil, false
	}
	out := make([]any, len(a))
	for i := range a {
		v, ok := c.common(what, a[i], b[i])
		if !ok {
			return nil, false
		}
		out[i] = v
	}
	if len(out) == 1 {
		return out[0], true
	}
	return out, true
}

// common leaves out the fields in which two values differ.
func (c *caser) common(what string, a, b any) (any, bool) {
	if bytes.Equal(message.Marshal(a), message.Marshal(b)) {
		return a, true
	}
	x, isMap := a.(map[string]any)
	y, alsoMap := b.(map[string]any)
	if !isMap || !alsoMap {
		c.note("%s is another in each run, so it is not expected", what)
		return nil, false
	}
	out := map[string]any{}
	for _, k := range slices.Sorted(maps.Keys(x)) {
		w, there := y[k]
		if !there {
			continue
		}
		if v, ok := c.common(k+" of "+what, x[k], w); ok {
			out[k] = v
		}
	}
	return out, true
}

func (c *caser) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

// dead writes the error that is expected.
func (c *caser) dead(a *testrun.Rehearsal) {
	if len(a.Dead) == 0 {
		return
	}
	d := a.Dead[0]
	want := map[string]any{"code": d.Code}
	if d.Step != "" {
		want["step"] = d.Step
	}
	if d.Field != "" {
		want["field"] = d.Field
	}
	fmt.Fprintf(&c.out, "    expect_error: %s\n", testrun.OneLine(want))
}
