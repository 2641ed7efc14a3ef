package mutation_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"crossdock/dsl"
	"crossdock/runtime/catalog"
	"crossdock/runtime/mutation"
	"crossdock/runtime/testrun"
)

var update = flag.Bool("update", false, "rewrite the want section of testdata/*.txtar")

func loader(t *testing.T, ar *txtar.Archive, loaded *[]*testrun.Runner) func() (*testrun.Runner, error) {
	fsys, err := txtar.FS(ar)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex // each worker loads its own
	return func() (*testrun.Runner, error) {
		ws, list, err := dsl.Load(fsys, dsl.Options{Catalog: catalog.New()})
		if err != nil {
			return nil, err
		}
		if list.HasErrors() {
			return nil, fmt.Errorf("%v", list)
		}
		r := &testrun.Runner{WS: ws, FS: fsys}
		if loaded != nil {
			mu.Lock()
			*loaded = append(*loaded, r)
			mu.Unlock()
		}
		return r, nil
	}
}

// TestMutants plants every change into a workspace and compares their fates. The
// fates do not depend on who works, and afterwards everything is as it was.
func TestMutants(t *testing.T) {
	const file = "testdata/order.txtar"
	ar, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	if n := len(ar.Files); ar.Files[n-1].Name == "want" {
		want, ar.Files = string(ar.Files[n-1].Data), ar.Files[:n-1]
	}
	var before string
	for _, workers := range []int{1, 3} {
		var loaded []*testrun.Runner
		r, err := mutation.Run(t.Context(), mutation.Options{Load: loader(t, ar, &loaded), Workers: workers})
		if err != nil || len(r.Failing) > 0 {
			t.Fatal(err, r.Failing)
		}
		if len(r.Unread) != 1 || r.Unread[0].Name != "countries" || r.Unread[0].Span.String() != "countries.lookup.yaml:1:9" {
			t.Errorf("nobody looks into %+v", r.Unread)
		}
		var b strings.Builder
		for _, x := range r.Results {
			fmt.Fprintf(&b, "%-8s %s %s %s, %s: %s\n", x.Fate, x.Span, x.Kind, x.Name, x.Row, x.What)
		}
		if before != "" && before != b.String() {
			t.Errorf("the number of workers counts:\n%s", cmp.Diff(before, b.String()))
		}
		before = b.String()
		for _, run := range loaded {
			run.All(t.Context(), nil, func(r testrun.Result) {
				if !r.Passed() {
					t.Errorf("afterwards %s fails: %v", r.Case, r.Failures)
				}
			})
		}
	}
	if *update {
		ar.Files = append(ar.Files, txtar.File{Name: "want", Data: []byte(before)})
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, before); diff != "" {
		t.Errorf("the fates differ (-want +got); run with -update if that is meant:\n%s", diff)
	}
}

// TestFailing says what fails already and plants nothing.
func TestFailing(t *testing.T) {
	ar := txtar.Parse([]byte(`
-- crossdock.yaml --
crossdock: 1
-- a.mapping.yaml --
mapping: a
fields: {x: .x}
-- a.test.yaml --
test: mapping a
cases: [{name: wrong, given: {x: 1}, expect: {x: 2}}]
`))
	r, err := mutation.Run(t.Context(), mutation.Options{Load: loader(t, ar, nil)})
	if err != nil || len(r.Failing) != 1 || len(r.Results) != 0 {
		t.Errorf("got %v, %+v", err, r)
	}
}
