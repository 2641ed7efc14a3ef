package dsltest

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// Pairs runs testdata/*.txtar, in which each file that ends with in is followed
// by one that ends with .want: what do makes of it. With update the archives are
// written anew.
func Pairs(t *testing.T, update bool, in string, do func(name string, data []byte) string) {
	t.Helper()
	archives(t, func(t *testing.T, ar *txtar.Archive) *txtar.Archive {
		want := map[string]string{}
		for _, f := range ar.Files {
			want[f.Name] = string(f.Data)
		}
		out := &txtar.Archive{Comment: ar.Comment}
		for _, f := range ar.Files {
			name, ok := strings.CutSuffix(f.Name, in)
			if !ok {
				continue
			}
			t.Run(name, func(t *testing.T) {
				got := do(f.Name, f.Data)
				out.Files = append(out.Files, f, txtar.File{Name: name + ".want", Data: []byte(got)})
				differs(t, update, want[name+".want"], got)
			})
		}
		return out
	}, update)
}

// Workspaces runs testdata/*.txtar, each of which is a workspace and what do says
// about it, in a file called want. comment is what stands above the files.
func Workspaces(t *testing.T, update bool, do func(t *testing.T, comment string, fsys fs.FS) string) {
	t.Helper()
	archives(t, func(t *testing.T, ar *txtar.Archive) *txtar.Archive {
		out, want := &txtar.Archive{Comment: ar.Comment}, ""
		for _, f := range ar.Files {
			if f.Name == "want" {
				want = string(f.Data)
				continue
			}
			out.Files = append(out.Files, f)
		}
		fsys, err := txtar.FS(out)
		if err != nil {
			t.Fatal(err)
		}
		got := do(t, string(ar.Comment), fsys)
		differs(t, update, want, got)
		out.Files = append(out.Files, txtar.File{Name: "want", Data: []byte(got)})
		return out
	}, update)
}

// archives gives each archive to do, and writes what it returns with update.
func archives(t *testing.T, do func(*testing.T, *txtar.Archive) *txtar.Archive, update bool) {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			out := do(t, ar)
			if !update || t.Failed() {
				return
			}
			if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func differs(t *testing.T, update bool, want, got string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" && !update {
		t.Errorf("run with -update if that is meant (-want +got):\n%s", diff)
	}
}
