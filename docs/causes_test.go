package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// causes are where the codes of dead letters are written in the source.
var causes = []struct{ files, pattern string }{
	{"../runtime/flow/*.go", `Cause\{[^}]*Code: "([a-z_]+)"`},
	{"../runtime/worker/*.go", `Cause\{[^}]*Code: "([a-z_]+)"`},
	{"../runtime/worker/deliver.go", `cause\.Code[^=\n]*= "([a-z_]+)"`},
	{"../dsl/mapping/*.go", `fail\(row, "([a-z_]+)"`},
	{"../dsl/value/errors.go", `Code += Code = "([a-z_]+)"`},
	{"../dsl/value/errors.go", `Code = "([a-z_]+)"`},
}

// TestCauses holds the table of causes in operations.md to the codes that there
// are.
func TestCauses(t *testing.T) {
	page, err := os.ReadFile("operations.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "### What messages die of")
	table, _, _ = strings.Cut(table, "\n## ")
	found := 0
	for _, c := range causes {
		files, err := filepath.Glob(c.files)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", c.files, err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			raw, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range regexp.MustCompile(c.pattern).FindAllStringSubmatch(string(raw), -1) {
				found++
				if !strings.Contains(table, "`"+m[1]+"`") {
					t.Errorf("operations.md says nothing of the cause %s (%s)", m[1], f)
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d causes were found", found)
	}
}
