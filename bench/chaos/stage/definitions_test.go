package stage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/bench/chaos/plan"
	"crossdock/dsl"
	"crossdock/runtime/catalog"
)

// TestDefinitions holds the definitions to the language: good ones are good, and
// no faulty edit is one that may go live.
func TestDefinitions(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		text = strings.NewReplacer("TARGET", "127.0.0.1:1", "SHARED", dir, "LIMITS", limits(plan.Plan{Concurrent: 4, Breaker: true, Quota: 300})).Replace(text)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range definitions {
		put(name, text)
	}
	errors := func() bool {
		_, list, err := dsl.Load(os.DirFS(dir), dsl.Options{Catalog: catalog.New()})
		if err != nil {
			t.Fatal(err)
		}
		if list.HasErrors() {
			t.Logf("%v", list)
		}
		return list.HasErrors()
	}
	if errors() {
		t.Error("the definitions have errors")
	}
	for n := range 4 {
		put("effect.mapping.yaml", BrokenMapping(n))
		if !errors() {
			t.Errorf("the faulty edit %d may go live", n)
		}
	}
}
