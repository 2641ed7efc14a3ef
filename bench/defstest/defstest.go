// Package defstest holds the definitions that measurements run on to the language,
// for tests.
package defstest

import (
	"maps"
	"testing"
	"testing/fstest"

	"crossdock/dsl"
	"crossdock/runtime/catalog"
)

// Hold fails unless files are good definitions, and none of four faulty edits of
// effect.mapping.yaml is one that may go live.
func Hold(t *testing.T, files map[string]string, faulty func(edit int) string) {
	t.Helper()
	if list := findings(t, files); list != "" {
		t.Errorf("the definitions have errors: %s", list)
	}
	for n := range 4 {
		edited := maps.Clone(files)
		edited["effect.mapping.yaml"] = faulty(n)
		if findings(t, edited) == "" {
			t.Errorf("the faulty edit %d may go live", n)
		}
	}
}

func findings(t *testing.T, files map[string]string) string {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	_, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New()})
	if err != nil {
		t.Fatal(err)
	}
	if !list.HasErrors() {
		return ""
	}
	return list.Error()
}
