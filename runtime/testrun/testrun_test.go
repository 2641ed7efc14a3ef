package testrun_test

import (
	"context"
	"flag"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"crossdock/dsl/compile"
	"crossdock/runtime/catalog"
	"crossdock/runtime/testrun"
)

var update = flag.Bool("update", false, "rewrite the want sections of testdata/*.txtar")

// TestCases runs the cases of testdata/*.txtar. The name of a case begins with
// `ok`, or with `fails:`; what a failing one must tell stands in the section
// `want`, a line `case name: text` for each failure, in order.
func TestCases(t *testing.T) {
	for _, file := range []string{"mapping", "pipeline", "files", "client"} {
		t.Run(file, func(t *testing.T) {
			ar, err := txtar.ParseFile("testdata/" + file + ".txtar")
			if err != nil {
				t.Fatal(err)
			}
			fsys, err := txtar.FS(ar)
			if err != nil {
				t.Fatal(err)
			}
			ws, list, err := compile.Load(fsys, compile.Options{Catalog: catalog.New()})
			if err != nil || list.HasErrors() {
				t.Fatal(err, list)
			}
			var got strings.Builder
			n := 0
			runner := testrun.Runner{WS: ws, FS: fsys}
			runner.All(context.Background(), nil, func(res testrun.Result) {
				n++
				if ok := strings.HasPrefix(res.Case, "ok"); ok != res.Passed() {
					t.Errorf("%s: %q", res.Case, res.Failures)
				}
				for _, f := range res.Failures {
					got.WriteString(res.Case + ": " + f + "\n")
				}
			})
			if n == 0 {
				t.Fatal("no cases")
			}
			for i := range ar.Files {
				if ar.Files[i].Name != "want" {
					continue
				}
				if *update {
					ar.Files[i].Data = []byte(got.String())
					if err := os.WriteFile("testdata/"+file+".txtar", txtar.Format(ar), 0o644); err != nil {
						t.Fatal(err)
					}
				} else if string(ar.Files[i].Data) != got.String() {
					t.Errorf("failures\n got\n%s\nwant\n%s", got.String(), ar.Files[i].Data)
				}
			}
		})
	}
}
