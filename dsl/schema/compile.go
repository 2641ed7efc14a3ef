package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"crossdock/dsl/diag"
)

// base is the address schemas are known under; it is never resolved.
const base = "crossdock:///schema.json"

// closedLoader refuses to load anything: a schema stands alone.
type closedLoader struct{}

func (closedLoader) Load(url string) (any, error) {
	return nil, fmt.Errorf("it refers to %s: other files and addresses are never loaded", url)
}

// pattern adapts the regular expressions of Go, which cannot run away.
type pattern struct{ *regexp.Regexp }

func (p pattern) MatchString(s string) bool { return p.Regexp.MatchString(s) }

// unchecked is a regular expression that is right elsewhere but not known here.
// Published schemas cannot be rewritten, so it lets everything through and the
// author is told.
type unchecked string

func (u unchecked) MatchString(string) bool { return true }
func (u unchecked) String() string          { return string(u) }

// patterns compiles regular expressions and keeps those that will not be
// checked.
type patterns struct{ unchecked []string }

func (p *patterns) compile(s string) (jsonschema.Regexp, error) {
	re, err := regexp.Compile(s)
	if err == nil {
		return pattern{re}, nil
	}
	var bad *syntax.Error
	if errors.As(err, &bad) {
		switch bad.Code {
		case syntax.ErrInvalidPerlOp, syntax.ErrInvalidEscape, syntax.ErrInvalidRepeatSize, syntax.ErrInvalidCharRange:
			if !slices.Contains(p.unchecked, s) {
				p.unchecked = append(p.unchecked, s)
			}
			return unchecked(s), nil
		}
	}
	return nil, err
}

// notes are the formats of JSON Schema. In a file they say what a text means and
// are not checked, as the standard has it; registering them keeps them readable
// in the compiled schema.
var notes = []string{"json-pointer", "relative-json-pointer", "uuid", "duration", "period", "ipv4", "ipv6", "hostname", "email", "date", "time",
	"date-time", "uri", "iri", "uri-reference", "iri-reference", "uri-template", "semver", "idn-email", "idn-hostname"}

func note(name string) *jsonschema.Format {
	return &jsonschema.Format{Name: name, Validate: func(any) error { return nil }}
}

func (s *Schema) compile(src Source, l *diag.List) bool {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.UseLoader(closedLoader{})
	var found patterns
	c.UseRegexpEngine(found.compile)
	c.AssertFormat()
	for _, name := range notes {
		c.RegisterFormat(note(name))
	}
	err := c.AddResource(base, withoutFragment(s.document))
	if err == nil {
		s.compiled, err = c.Compile(base)
	}
	if err != nil {
		l.Errorf(CodeUnknown, src.Span, "%s is not a valid JSON Schema: %s", nameOf(src), compileMessage(err, s.document))
		return false
	}
	for _, p := range found.unchecked {
		l.Warnf(CodeUnknown, src.Span, "a pattern of %s is not checked: %s", nameOf(src), p).Hint = "look-around, back references and \\u are not known here"
	}
	return true
}

// withoutFragment drops an identity such as "#/components/schemas/Error", which
// generators write and the standard forbids.
func withoutFragment(doc any) any {
	m, ok := doc.(map[string]any)
	id, _ := m["$id"].(string)
	if !ok || !strings.HasPrefix(id, "#") {
		return doc
	}
	m = maps.Clone(m)
	delete(m, "$id")
	return m
}

func nameOf(src Source) string {
	if src.File != "" {
		return src.File
	}
	return src.Name
}

// compileMessage takes the words for people out of the library's errors.
func compileMessage(err error, doc any) string {
	var invalid *jsonschema.SchemaValidationError
	if errors.As(err, &invalid) {
		var validation *jsonschema.ValidationError
		if errors.As(invalid.Err, &validation) {
			if vs := violations(validation, doc); len(vs) > 0 {
				return vs[0].Message
			}
		}
	}
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		return load.Err.Error()
	}
	var regex *jsonschema.InvalidRegexError
	if errors.As(err, &regex) {
		return fmt.Sprintf("%q is not a regular expression", regex.Regex)
	}
	return strings.ReplaceAll(err.Error(), base, "")
}

// decode reads JSON with exact numbers and nothing behind it.
func decode(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("something stands behind the end")
	}
	return v, nil
}
