package testrun

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
)

// Scope is what a mapping sees when it runs by itself.
func Scope(ctx context.Context, ws *compile.Workspace, now time.Time, meta, original any) *cell.Scope {
	if meta == nil {
		meta = map[string]any{}
	}
	return &cell.Scope{
		Ctx: ctx, Original: original, Meta: meta, Vars: ws.Environment.Vars, Steps: map[string]any{}, Watch: ws.Watch,
		Run: map[string]any{"id": "test", "now": now.UTC().Format("2006-01-02T15:04:05.000Z"), "pipeline": "test", "attempt": 1, "revision": ws.Revision},
	}
}

// ScopeOf is Scope for the cells of a mapping, which may be that of a client.
func ScopeOf(ctx context.Context, ws *compile.Workspace, m *compile.Mapping, now time.Time, meta, original any) *cell.Scope {
	s := Scope(ctx, ws, now, meta, original)
	if run, ok := s.Run.(map[string]any); ok && m.Client != "" {
		run["client"] = m.Client
	}
	return s
}

// mapping runs a case of a mapping.
func (r *Runner) mapping(ctx context.Context, t *compile.Test, c *spec.Case, given []payload, now time.Time) []string {
	in := mappingInput(c, given)
	out, err := t.Mapping.Mapping.Apply(ScopeOf(ctx, r.WS, t.Mapping, now, c.Meta.V, in), in)
	if c.ExpectError != nil {
		return expectRowError(c.ExpectError, out, err)
	}
	if err != nil {
		return mappingFailures(err)
	}
	var failures []string
	if c.Expect != nil {
		for _, d := range subset("", spec.Plain(c.Expect), out) {
			failures = append(failures, strings.TrimSpace(d.path+" "+d.text))
		}
	}
	for _, path := range c.Absent {
		if v, there := Find(out, path.Value); there {
			failures = append(failures, fmt.Sprintf("%s is %s, expected nothing", path.Value, show(v)))
		}
	}
	if t.Mapping.Output != nil && len(failures) == 0 {
		for _, v := range t.Mapping.Output.Schema.Validate(out) {
			failures = append(failures, "the result is not a valid "+t.Mapping.Output.Name+": "+v.String())
		}
	}
	return failures
}

func mappingFailures(err error) []string {
	var me *mapping.Error
	if !errors.As(err, &me) {
		return []string{err.Error()}
	}
	var out []string
	for _, row := range me.Rows {
		text := fmt.Sprintf("row %s failed (%s): %s", row.Field, row.Code, row.Message)
		if row.Hint != "" {
			text += "; " + row.Hint
		}
		out = append(out, text)
	}
	return out
}

// expectRowError compares the rows that failed with the one that should.
func expectRowError(want *spec.ExpectError, out any, err error) []string {
	if err == nil {
		return []string{"expected an error" + describeError(want) + ", but the mapping gave " + show(out)}
	}
	var me *mapping.Error
	if errors.As(err, &me) {
		for _, row := range me.Rows {
			if (!want.Field.Set() || fieldFits(want.Field.Value, row.Field) || row.Row == want.Field.Value) &&
				(!want.Code.Set() || row.Code == want.Code.Value) &&
				(!want.Text.Set() || strings.Contains(row.Message, want.Text.Value)) {
				return nil
			}
		}
	}
	return append([]string{"expected an error" + describeError(want) + ", but found another one:"}, mappingFailures(err)...)
}

func describeError(want *spec.ExpectError) string {
	var b strings.Builder
	for _, part := range []struct {
		word string
		text spec.Text
	}{{"step", want.Step}, {"field", want.Field}, {"code", want.Code}, {"text", want.Text}} {
		if part.text.Set() {
			fmt.Fprintf(&b, " %s=%s", part.word, part.text.Value)
		}
	}
	return b.String()
}
