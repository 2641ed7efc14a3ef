package examples_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"crossdock/dsl/compile"
	"crossdock/mappings"
	"crossdock/runtime/message"
	"crossdock/runtime/testrun"
)

var update = flag.Bool("update", false, "write what comes out as what is expected")

// The whole output of every mapping on each of its samples. The cases of an
// example show what matters; this notices everything else that changes.
func TestWholeOutputs(t *testing.T) {
	for _, dir := range workspaces(t) {
		t.Run(dir, func(t *testing.T) {
			got := outputs(t, dir)
			golden := filepath.Join("testdata", dir+".txtar")
			if *update {
				if err := os.WriteFile(golden, txtar.Format(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := txtar.ParseFile(golden)
			if err != nil {
				t.Fatalf("%v (go test ./examples -update writes it)", err)
			}
			if len(got.Files) != len(want.Files) {
				t.Errorf("%d outputs, %s has %d (go test ./examples -update writes it)", len(got.Files), golden, len(want.Files))
			}
			for _, g := range got.Files {
				i := slices.IndexFunc(want.Files, func(w txtar.File) bool { return w.Name == g.Name })
				switch {
				case i < 0:
					t.Errorf("%s is not in %s", g.Name, golden)
				case !bytes.Equal(want.Files[i].Data, g.Data):
					t.Errorf("%s has changed\nwas:\n%s\nis:\n%s", g.Name, want.Files[i].Data, g.Data)
				}
			}
		})
	}
}

func outputs(t *testing.T, dir string) *txtar.Archive {
	t.Helper()
	ws := load(t, dir)
	out := &txtar.Archive{Comment: []byte("What the mappings of " + dir + " make of their samples. Written by: go test ./examples -update\n")}
	var names []string
	for name, m := range ws.Mappings {
		if !m.Std {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		m := ws.Mappings[name]
		if len(m.Spec.Samples) == 0 {
			t.Errorf("%s: mapping %s has no sample", dir, name)
		}
		for _, sample := range m.Spec.Samples {
			raw, at, err := compile.ReadBeside(os.DirFS(dir), mappings.FS, m.File.Path, sample.Value)
			if err != nil {
				t.Fatal(err)
			}
			in, err := message.Decode(raw, message.Unlimited)
			if err != nil {
				t.Fatalf("%s: %v", at, err)
			}
			if m.Input != nil {
				for _, v := range m.Input.Schema.Validate(in) {
					t.Errorf("%s/%s does not keep to %s: %s", dir, at, m.Input.Name, v)
				}
			}
			made, err := m.Mapping.Apply(testrun.ScopeOf(t.Context(), ws, m, fixed, nil, in), in)
			if err != nil {
				t.Fatalf("%s of %s: %v", name, at, err)
			}
			if m.Output != nil {
				for _, v := range m.Output.Schema.Validate(made) {
					t.Errorf("%s of %s is no %s: %s", name, at, m.Output.Name, v)
				}
			}
			var text bytes.Buffer
			if err := json.Indent(&text, message.Marshal(made), "", "  "); err != nil {
				t.Fatal(err)
			}
			text.WriteByte('\n')
			out.Files = append(out.Files, txtar.File{Name: name + "/" + path.Base(at), Data: text.Bytes()})
		}
	}
	return out
}
