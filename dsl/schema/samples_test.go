package schema

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/dsl/diag"
)

// samples returns the folder of real documents, or skips.
func samples(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "samples")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the folder of real documents is not here: " + dir)
	}
	return dir
}

// JSON Schemas that companies and standards publish become schemas, or say in
// words why not.
func TestPublishedSchemas(t *testing.T) {
	root := samples(t)
	for _, c := range []struct{ file, path string }{
		{"tms/project44/schema/project44-error-schema.json", ""},
		{"tms/project44/schema/project44-position-schema.json", ""},
		{"events/cloudevents/cloudevents.schema.json", "specversion"},
		{"events/epcis/EPCIS-JSON-Schema.json", ""},
	} {
		data, err := os.ReadFile(filepath.Join(root, c.file))
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		var l diag.List
		s := Build(Source{Name: "x@1", JSON: data, File: c.file}, &l)
		if s == nil {
			if len(l) == 0 || !strings.Contains(l[0].Message, "never loaded") {
				t.Errorf("%s: %v", c.file, l)
			}
			t.Logf("%s: %v", c.file, l)
			continue
		}
		fields := s.Fields()
		t.Logf("%s: %d fields", c.file, len(fields))
		if len(fields) == 0 {
			t.Errorf("%s: no fields", c.file)
		}
		for _, f := range fields {
			if _, ok := s.Lookup(Split(f.Path)); !ok && !strings.ContainsAny(f.Path, ":@$") {
				t.Errorf("%s: %s is listed and not found", c.file, f.Path)
			}
		}
		if c.path != "" {
			if f, ok := s.Lookup(Split(c.path)); !ok || f.Optional {
				t.Errorf("%s: %s: %v %+v", c.file, c.path, ok, f)
			}
		}
	}
	for _, c := range []struct {
		schema, doc string
		valid       bool
	}{{"events/cloudevents/cloudevents.schema.json", `{"specversion":"1.0","id":"1","source":"/a","type":"t"}`, true}, {"events/cloudevents/cloudevents.schema.json", `{"specversion":"1.0","id":"","source":"/a"}`, false}} {
		data, err := os.ReadFile(filepath.Join(root, c.schema))
		if err != nil {
			t.Fatal(err)
		}
		var l diag.List
		s := Build(Source{Name: "x@1", JSON: data, File: c.schema}, &l)
		if s == nil {
			t.Fatal(l)
		}
		got := s.Validate(decoded(t, c.doc))
		if (len(got) == 0) != c.valid {
			t.Errorf("%s: %v", c.doc, got)
		}
		t.Log(got)
	}
}
