package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/dsl/jq"
)

// TestSandboxIsOfTheseSources compares the sources of today with those that the
// program was built from; `make sandbox-check` also builds it.
func TestSandboxIsOfTheseSources(t *testing.T) {
	text, err := os.ReadFile("guest.txt")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	folders := map[string]bool{}
	for _, line := range strings.Split(string(text), "\n")[2:] {
		sum, name, ok := strings.Cut(line, "  ")
		if !ok {
			continue
		}
		listed[name], folders[filepath.Dir(name)] = true, true
		raw, err := os.ReadFile(filepath.Join("../..", name))
		if err != nil {
			t.Errorf("%v: run `make sandbox`", err)
			continue
		}
		if have := sha256.Sum256(raw); hex.EncodeToString(have[:]) != sum {
			t.Errorf("%s has changed: run `make sandbox`", name)
		}
	}
	for folder := range folders {
		files, _ := filepath.Glob(filepath.Join("../..", folder, "*.go"))
		for _, f := range files {
			if name := folder + "/" + filepath.Base(f); !listed[name] && !strings.HasSuffix(f, "_test.go") && folder == "dsl/jq" {
				t.Errorf("%s is new: run `make sandbox`", name)
			}
		}
	}
}

func BenchmarkCell(b *testing.B) {
	s := Default()
	if err := s.Prepare(); err != nil {
		b.Fatal(err)
	}
	in := map[string]any{"a": []any{1, "b", 2.5}}
	for _, c := range []struct {
		name string
		opt  jq.Options
	}{{"process", jq.Options{}}, {"sandbox", jq.Options{Sandbox: s}}} {
		b.Run(c.name, func(b *testing.B) {
			p, problems := jq.Compile(`[.a[] | tostring] | join(",")`, c.opt)
			if p == nil {
				b.Fatal(problems)
			}
			f := &jq.Frame{}
			for b.Loop() {
				if v, _, err := p.One(f, in); err != nil || v != "1,b,2.5" {
					b.Fatal(v, err)
				}
			}
		})
	}
}
