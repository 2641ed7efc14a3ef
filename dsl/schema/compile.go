package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
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

func compilePattern(s string) (jsonschema.Regexp, error) {
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, err
	}
	return pattern{re}, nil
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
	c.UseRegexpEngine(compilePattern)
	c.AssertFormat()
	for _, name := range notes {
		c.RegisterFormat(note(name))
	}
	err := c.AddResource(base, s.document)
	if err == nil {
		s.compiled, err = c.Compile(base)
	}
	if err != nil {
		l.Errorf(CodeUnknown, src.Span, "%s is not a valid JSON Schema: %s", nameOf(src), compileMessage(err))
		return false
	}
	return true
}

func nameOf(src Source) string {
	if src.File != "" {
		return src.File
	}
	return src.Name
}

// compileMessage takes the words for people out of the library's errors.
func compileMessage(err error) string {
	var invalid *jsonschema.SchemaValidationError
	if errors.As(err, &invalid) {
		var validation *jsonschema.ValidationError
		if errors.As(invalid.Err, &validation) {
			if vs := violations(validation); len(vs) > 0 {
				return fmt.Sprintf("at %s: %s", vs[0].Path, vs[0].Message)
			}
		}
	}
	var load *jsonschema.LoadURLError
	if errors.As(err, &load) {
		return load.Err.Error()
	}
	var regex *jsonschema.InvalidRegexError
	if errors.As(err, &regex) {
		return fmt.Sprintf("%q is not a regular expression known here (no look-around, no back references)", regex.Regex)
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
