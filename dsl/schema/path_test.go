package schema

import (
	"reflect"
	"slices"
	"testing"

	"crossdock/dsl/value"
)

func TestPaths(t *testing.T) {
	for text, want := range map[string][]string{
		"lines[].sku":          {"lines", "[]", "sku"},
		"a[][].b":              {"a", "[]", "[]", "b"},
		"Order No":             {"Order No"},
		`"@odata.nextLink"`:    {"@odata.nextLink"},
		`value[]."a.b"[].c`:    {"value", "[]", "a.b", "[]", "c"},
		`"he said \"so\" \\ "`: {`he said "so" \ `},
	} {
		got := Split(text)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %q", text, got)
		}
		if back := Join(got); back != text {
			t.Errorf("%s becomes %s", text, back)
		}
		if bad := checkName(text); bad != "" {
			t.Errorf("%s: %s", text, bad)
		}
	}
	for _, text := range []string{"", ".", "a.", ".a", "a..b", "a[x]", "a[", "a[]b", " a", "a ", `"a`, `""`, `"a"b`, "lines [].sku"} {
		if checkName(text) == "" {
			t.Errorf("%q is taken for a name: %q", text, Split(text))
		}
	}
}

// FuzzPath: whatever the names of a document are, their path is read as it was
// written, and is accepted in a schema.
func FuzzPath(f *testing.F) {
	f.Add("a", "b.c", true)
	f.Add(`"`, `\`, false)
	f.Fuzz(func(t *testing.T, a, b string, list bool) {
		if a == "" || b == "" || a == value.Items || b == value.Items {
			return
		}
		path := []string{a, b}
		if list {
			path = []string{a, value.Items, b, value.Items}
		}
		text := Join(path)
		if got := Split(text); !slices.Equal(got, path) {
			t.Fatalf("%q was written as %s and read as %q", path, text, got)
		}
		if bad := checkName(text); bad != "" {
			t.Fatalf("%q is written %s: %s", path, text, bad)
		}
		checkName(a)
	})
}
