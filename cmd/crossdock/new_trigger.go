package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"crossdock/dsl"
	"crossdock/dsl/value"
	"crossdock/runtime/message"
)

// incoming is a sample of what a trigger takes in.
type incoming struct {
	name string
	raw  []byte
	doc  any // nil where it is no JSON
}

func readSample(file string) (*incoming, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, failf(exitLoad, "the file %s cannot be read: %s", file, plainError(err))
	}
	s := &incoming{name: filepath.Base(file), raw: raw}
	s.doc, _ = message.Decode(raw, message.Unlimited)
	return s, nil
}

// filesText is a trigger that takes in files of the form of the sample.
func (p pipelineParts) filesText(connection string) string {
	path, form, more := "in/*.csv", "format: csv                            # or json, ndjson, text", ""
	if s := p.sample; s != nil {
		ext := strings.ToLower(filepath.Ext(s.name))
		if ext != "" {
			path = "in/*" + ext
		}
		switch ext {
		case ".csv", ".tsv", ".tab":
			form, more = "format: csv", s.csvText()
		case ".ndjson", ".jsonl":
			form = "format: ndjson"
		default:
			form = "format: json"
			if s.doc == nil {
				form = "format: text"
			}
		}
	}
	return fmt.Sprintf("trigger:\n  files:\n    connection: %s\n    path: %s\n    %s\n%s    after: {move_to: done}\n    on_bad_file: {move_to: bad}\n", connection, path, form, more)
}

// csvText is how the rows of a sample are written, "" where that is the usual way.
func (s *incoming) csvText() string {
	var details []string
	switch c := delimiterOf(s.raw); c {
	case ',':
	case '\t':
		details = append(details, "delimiter: tab")
	default:
		details = append(details, `delimiter: "`+string(c)+`"`)
	}
	if !utf8.Valid(s.raw) {
		details = append(details, "encoding: windows-1252")
	}
	if len(details) == 0 {
		return ""
	}
	return "    csv: {" + strings.Join(details, ", ") + "}\n"
}

// pollText is a trigger that asks an operation, and what the operation has to say of
// its answer: where the items are, and where the next page.
func (p pipelineParts) pollText(operation string, ws *dsl.Workspace) string {
	var b strings.Builder
	fmt.Fprintf(&b, "trigger:\n  poll:\n    call: %s\n    every: 5m\n", operation)
	items, next, changed := ".items", ".next", ".changedAt"
	seen := false
	if p.sample != nil && p.sample.doc != nil {
		seen = true
		items, next, changed = answerOf(p.sample.doc)
	}
	if changed != "" {
		fmt.Fprintf(&b, "    # cursor: {save: %s, as: since, start: \"2026-01-01T00:00:00Z\", overlap: 5m}   # asks for what is new; the operation takes {since}\n", changed)
	}
	connection, name, _ := strings.Cut(operation, ".")
	if c := ws.Connections[connection]; c != nil && c.Operations[name] != nil && c.Operations[name].Items != nil {
		return b.String()
	}
	if seen && items == "" {
		return b.String() // the answer is no list: nothing to say of it
	}
	says := "items: " + cellText(items)
	if next != "" {
		says += ", next: " + cellText(next)
	}
	if !seen {
		says = "such as " + says
	}
	fmt.Fprintf(&b, "# The operation %s says where its answer has the items and the next page, %s\n", operation, says)
	if next != "" && (!seen || noAddress(p.sample.doc, next)) {
		b.WriteString("# A next page that is a number or token, and no address, is filled in as {page?}: query: {page: \"{page?}\"}\n")
	}
	return b.String()
}

var (
	nextName    = regexp.MustCompile(`(?i)^(@odata\.)?next(_?(page|link|url|token|cursor|href|offset|page_?token))?$`)
	changedName = regexp.MustCompile(`(?i)(chang|updat|modif)`)
)

// answerOf finds in the answer of a list where its items are, the next page, and when an
// item was changed; "" for what is not there.
func answerOf(doc any) (items, next, changed string) {
	var list []any
	found := func(path string, v any) {
		if l, ok := v.([]any); ok && len(l) > len(list) && len(objects(l)) == len(l) {
			items, list = path, l
		}
	}
	found(".", doc)
	within(doc, "", 2, found)
	within(doc, "", 3, func(path string, v any) {
		names := fieldName.FindAllString(path, -1)
		last := strings.Trim(names[len(names)-1], `"`)
		if i := len(names) - 2; last == "href" && i >= 0 {
			last = strings.Trim(names[i], `"`)
		}
		if _, text := value.Text(v); (text || v == nil) && next == "" && nextName.MatchString(last) {
			next = path
		}
	})
	if len(list) == 0 {
		return items, next, ""
	}
	within(list[0], "", 1, func(path string, v any) {
		if text, ok := v.(string); ok && changed == "" && changedName.MatchString(path) && len(text) >= 10 && text[0] >= '0' && text[0] <= '9' {
			changed = path
		}
	})
	return items, next, changed
}

// within visits the fields of an object and of objects in it, down to a depth, by name.
func within(v any, at string, depth int, visit func(path string, v any)) {
	o, ok := v.(map[string]any)
	if !ok || depth == 0 {
		return
	}
	names := make([]string, 0, len(o))
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		visit(at+step(name), o[name])
		within(o[name], at+step(name), depth-1, visit)
	}
}

// noAddress reports whether what stands at the path of a next page is no address.
func noAddress(doc any, next string) bool {
	out := true
	within(doc, "", 3, func(path string, v any) {
		if text, ok := v.(string); ok && path == next {
			out = !strings.Contains(text, "/")
		}
	})
	return out
}
