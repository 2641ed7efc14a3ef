package compile

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
)

// trigger checks that there is exactly one and compiles its cells.
func (b *pipelineBuilder) trigger() {
	s := &b.p.Spec.Trigger
	t := &b.p.Trigger
	b.uses = append(b.uses, fmt.Sprint(b.base.Priority, b.base.Retry, b.base.Remember, b.base.Ordered, b.base.SLA, b.base.Box))
	t.HTTP, t.Schedule, t.Files, t.Poll = s.HTTP, s.Schedule, s.Files, s.Poll
	n := 0
	for _, set := range []bool{s.HTTP != nil, s.Schedule != nil, s.Files != nil, s.Poll != nil, s.Event != nil} {
		if set {
			n++
		}
	}
	if n > 1 || n == 0 && s.Node != nil && len(s.Node.Pairs) == 0 {
		b.dec.Errorf(spec.CodeUnknown, s.Node.Span, "a pipeline has exactly one trigger, this one has %d", n).
			Hint = "you can use: http, schedule, files, poll, event"
	}
	b.accept()
	switch {
	case s.HTTP != nil:
		b.httpTrigger(s.HTTP)
	case s.Schedule != nil:
		t.Zone = s.Schedule.Zone.Value
		if t.Zone == "" {
			t.Zone = b.ws.Spec.Defaults.Zone.Value
		}
		if t.Zone == "" {
			t.Zone = "UTC"
		}
		if s.Schedule.Zone.Set() && checkZone(b.dec, s.Schedule.Zone) {
			t.Zone = "UTC"
		}
		if err := b.opt.Catalog.Cron(s.Schedule.Cron.Value, t.Zone); err != nil && s.Schedule.Cron.Set() {
			span := s.Schedule.Cron.Span()
			var of interface{ Part() string } // the field that is wrong, where it is one
			if errors.As(err, &of) {
				if at := strings.Index(s.Schedule.Cron.Node.Text, of.Part()); at >= 0 {
					span = s.Schedule.Cron.Node.Range(at, at+len(of.Part()))
				}
			}
			b.dec.Errorf("XD4102", span, "%s", err)
		}
	case s.Files != nil:
		b.filesTrigger(s.Files)
	case s.Poll != nil:
		b.pollTrigger(s.Poll)
	case s.Event != nil:
		for _, name := range s.Event.Names {
			t.Events = append(t.Events, EventName(name.Value))
		}
		if b.p.Accept == nil {
			b.at.Shape.Schema = b.eventSchema(t.Events)
		}
	}
}

// eventSchema is the contract of what is heard, where one schema emits it.
func (b *pipelineBuilder) eventSchema(names []string) *schema.Schema {
	var found *Schema
	b.ask(allSchemas, "")
	for _, s := range b.ws.Schemas {
		for _, name := range names {
			if b.mine(s.Name) && s.hears(name) {
				if found != nil {
					return nil
				}
				found = s
				break
			}
		}
	}
	if found == nil {
		return nil
	}
	return found.Schema
}

func (b *pipelineBuilder) httpTrigger(s *spec.HTTPTrigger) {
	if s.Path.Set() && !strings.HasPrefix(s.Path.Value, "/") {
		b.dec.Errorf(spec.CodeUnknown, s.Path.Span(), "the path must begin with /").Hint = "write /" + s.Path.Value
	}
	v := s.Verify
	switch {
	case v.Inline != nil:
		b.p.Trigger.Verify = v.Inline
		b.verification(v.Inline)
	case v.Name.Value == "none":
		b.p.Trigger.Verify = &spec.Verify{None: true}
	case v.Name.Set():
		named := b.ws.Verify[v.Name.Value]
		if named == nil {
			b.dec.Unknown(v.Name.Node, "verification", append(sortedKeys(b.ws.Verify), "none"))
			if len(b.ws.Verify) == 0 {
				f := &(*b.dec.Diags)[len(*b.dec.Diags)-1]
				f.Hint = "it is written in crossdock.yaml, such as verify: {" + v.Name.Value + ": {api_key: {header: X-Api-Key, keys: [\"${secret." + secretWord(v.Name.Value) + "_key}\"]}}}; `none` lets anybody call"
			}
			return
		}
		b.p.Trigger.Verify = named
		if named.Node != nil {
			b.uses = append(b.uses, meaning(named.Node))
		}
	}
}

// ofType names the connections of a type; none where there are none.
func (b *builder) ofType(typ, none string) string {
	var names []string
	for _, name := range b.knownNames("connection") {
		if c := b.connectionRef(name); c != nil && c.Type == typ {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return none
	}
	return "connections of type " + typ + ": " + strings.Join(names, ", ")
}

func (b *pipelineBuilder) filesTrigger(s *spec.FilesTrigger) {
	if s.Connection.Set() {
		c := b.connectionRef(s.Connection.Value)
		switch {
		case c == nil:
			b.dec.Unknown(s.Connection.Node, "connection", b.knownNames("connection"))
		case c.Type == "":
			// That its type is missing is told there.
		case c.Type != "file":
			b.dec.Errorf(spec.CodeUnknown, s.Connection.Span(), "files are read from a connection of type file, `%s` is of type %s", c.Name, c.Type).
				Hint = b.ofType("file", "make one with `crossdock new connection NAME --type file`")
		default:
			b.p.Trigger.From = c.Name
			b.uses = append(b.uses, c.Digest)
		}
	}
	formats := []string{"json", "ndjson", "csv", "text"}
	if s.Format.Set() && !contains(formats, s.Format.Value) {
		b.dec.Unknown(s.Format.Node, "format", formats)
		b.dec.Spreadsheet(s.Format.Value)
	}
	for _, after := range []*spec.FileAfter{&s.After, &s.OnBadFile} {
		n := 0
		for _, set := range []bool{after.MoveTo.Set(), after.Delete, after.Keep} {
			if set {
				n++
			}
		}
		if n > 1 {
			b.dec.Errorf(spec.CodeUnknown, after.Node.Span, "only one of move_to, delete and keep can happen to a file")
		}
	}
	if s.CSV.Node != nil && s.Format.Set() && s.Format.Value != "csv" && contains(formats, s.Format.Value) {
		f := b.dec.Errorf(spec.CodeUnknown, b.p.Spec.Trigger.Node.Get("files").Pair("csv").Key.Span, "`csv` has no effect beside `format: %s`", s.Format.Value)
		f.Hint = "write `format: csv`, or remove it"
		if s.Format.Value == "text" && s.CSV.Encoding.Set() {
			f.Hint = "write `encoding: " + s.CSV.Encoding.Value + "` without `csv`"
		}
	}
	if s.Encoding.Set() && s.Format.Set() && s.Format.Value != "text" && contains(formats, s.Format.Value) {
		f := b.dec.Errorf(spec.CodeUnknown, b.p.Spec.Trigger.Node.Get("files").Pair("encoding").Key.Span, "`encoding` has no effect beside `format: %s`", s.Format.Value)
		f.Hint = "remove it: JSON is always UTF-8"
		if s.Format.Value == "csv" {
			f.Hint = "write csv: {encoding: " + s.Encoding.Value + "}"
		}
	}
	b.notYetSaid(b.opt.Catalog.Files(s))
	if d := s.CSV.Delimiter; d.Set() && len(d.Value) != 1 && d.Value != "tab" {
		f := b.dec.Errorf(spec.CodeUnknown, d.Span(), "`%s` cannot be a delimiter", d.Value)
		f.Hint = "use one character such as , ; | or the word tab"
		if meant := spec.Word(d.Value, []string{",", ";", "|", "tab"}); meant != "" {
			f.Hint = "write `delimiter: \"" + meant + "\"`"
		}
	}
	if c := s.CSV.Comment; c.Set() && len(c.Value) != 1 {
		b.dec.Errorf(spec.CodeUnknown, c.Span(), "`%s` cannot start comments", c.Value).Hint = "use one character such as #"
	}
	if s.CSV.Header != nil && !*s.CSV.Header && len(s.CSV.Columns) == 0 {
		b.dec.Errorf(spec.CodeUnknown, s.CSV.Node.Pair("header").Key.Span, "a file without header needs the names of its columns").Hint = "add `columns: [...]`"
	}
}

func contains(list []string, s string) bool {
	for _, l := range list {
		if l == s {
			return true
		}
	}
	return false
}

// shortestPoll is the shortest pause between two rounds of a poll: less is a
// loop that neither side wants.
const shortestPoll = 100 * time.Millisecond

// cursorTime reads the start of a cursor that walks through time.
func cursorTime(v any) (time.Time, bool) {
	text, _ := v.(string)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// plainText is a value as it was written.
func plainText(v spec.Value) string {
	if v.Node != nil && v.Node.Kind == ast.Scalar {
		return "`" + v.Node.Text + "`"
	}
	return "a map or list"
}

// PageName is the placeholder that takes the number or token which `next` gives.
const PageName = "page"

// pages reports placeholders of a poll that look as if they should take the next
// page: the first one is asked for without, and the others under PageName.
func (b *pipelineBuilder) pages(op *Operation, at spec.Text, given map[string]bool) {
	const how = "the number or token that `next` gives is filled in as {page?}; the first page is asked for without it"
	switch {
	case given[PageName] || op.Next == nil:
	case op.Bound[PageName]:
		given[PageName] = true
		b.dec.Errorf(spec.CodeUnknown, at.Span(), "%s cannot ask for its first page, which has no {page} yet", op.Ref()).Hint = "write {page?}: a parameter without a value is left out"
	case !op.Binds(PageName):
		for _, name := range sortedKeys(op.Bound) {
			if !given[name] && !op.Bound[name] {
				b.dec.Warnf(CodePattern, at.Span(), "nothing gives {%s?} of %s a value", name, op.Ref()).Hint = how
			}
		}
	}
}

// openPlaceholders are those of an operation that nothing fills.
func openPlaceholders(op *Operation, given map[string]bool) []string {
	return slices.DeleteFunc(sortedKeys(op.Bound), func(name string) bool { return given[name] })
}

func (b *pipelineBuilder) pollTrigger(s *spec.PollTrigger) {
	op := b.operationRef(b.dec, s.Call)
	if op == nil {
		return
	}
	b.p.Trigger.From = op.Ref()
	b.uses = append(b.uses, b.ask(aConnection, op.Connection).(*Connection).Digest)
	b.p.Trigger.PollWith = b.rows(b.dec, "poll with", b.at.In("trigger").As("with").Of(cell.Shape{}), s.With, nil)
	given := map[string]bool{}
	for _, name := range s.With.Names() {
		given[name] = true
	}
	if c := s.Cursor; c != nil && c.As.Set() {
		given[c.As.Value] = true
		if !op.Binds(c.As.Value) {
			f := b.dec.Errorf(spec.CodeUnknown, c.As.Span(), "%s has no placeholder {%s} that could take the cursor", op.Ref(), c.As.Value)
			f.Hint = "its placeholders: " + strings.Join(sortedKeys(op.Bound), ", ")
			if len(op.Bound) == 0 {
				f.Hint = "let its path or query hold {" + c.As.Value + "}"
			}
			meant := diag.Nearest(c.As.Value, sortedKeys(op.Bound))
			if open := openPlaceholders(op, given); len(meant) == 0 && len(open) == 1 {
				meant = open // nothing else can take it
			}
			if len(meant) > 0 {
				f.Short = "did you mean `" + meant[0] + "`?"
				given[meant[0]] = true
			}
			for _, open := range openPlaceholders(op, given) {
				given[open] = true // one of them is to take the cursor
			}
		}
		_, isTime := cursorTime(c.Start.V)
		if c.Overlap.Node != nil && c.Start.Set() && !isTime {
			f := b.dec.Errorf(spec.CodeUnknown, c.Overlap.Node.Span, "`overlap` steps back in time, but the cursor starts with %s, which is no time", plainText(c.Start))
			f.Hint = "begin with a time such as 2026-01-01T00:00:00Z, or remove `overlap`"
			if text, _ := c.Start.V.(string); value.DateMeant(text) != "" {
				f.Span, f.Hint = c.Start.Node.Span, value.DateMeant(text)
			}
		}
	}
	if s.Every.Node != nil && s.Every.D < shortestPoll {
		b.dec.Errorf(spec.CodeUnknown, s.Every.Node.Span, "`every` must be at least %s", shortestPoll).Hint = "write `every: 10s`, or what the other side bears"
	}
	b.pages(op, s.Call, given)
	unbound(b.dec, op, s.Call, given, s.With)
	shape := op.responseShape()
	if op.Items != nil {
		shape = (cell.Context{Shape: shape}).Result(op.Items).Items()
	}
	if !b.p.Spec.Accept.Set() { // which counts, also where it cannot be read
		if len(shape.Path) > 0 {
			b.at.Shape.Examples = nil // they show whole answers
		}
		b.at.Shape.Schema, b.at.Shape.Path = shape.Schema, shape.Path
	}
	if s.Cursor != nil {
		b.p.Trigger.Save = b.cells.JQ(s.Cursor.Save, b.at.In("trigger cursor").As("save"))
	}
}

// secretWord is a name as it can stand in that of a secret.
func secretWord(name string) string { return strings.ReplaceAll(strings.ToLower(name), "-", "_") }
