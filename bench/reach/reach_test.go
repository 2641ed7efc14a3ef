package main

import (
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"crossdock/bench/chaos/stage"
)

// TestShort runs the short form of every measurement, so that none of them rots.
// What they promise has to be kept; speed is not judged.
func TestShort(t *testing.T) {
	if testing.Short() {
		t.Skip("starts real processes")
	}
	top, err := root()
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(t.TempDir(), "crossdock")
	if err := stage.Build(t.Context(), top, binary, false); err != nil {
		t.Fatal(err)
	}
	_, err = exec.LookPath("redis-server")
	redis := err == nil
	for _, m := range measurements {
		for _, store := range []string{"embedded", "redis"} {
			if store == "redis" && (!redis || m.name != "reload-storm" && m.name != "power-cuts") || m.name == "rolling" && !redis {
				continue // enough of them run on both
			}
			if m.name == "clocks" {
				continue // builds the whole standard library anew
			}
			t.Run(m.name+" "+store, func(t *testing.T) {
				out := filepath.Join(t.TempDir(), "result.json")
				args := []string{m.name, "--short", "--json", out, "--crossdock", binary}
				if m.stores {
					args = append(args, "--store", store)
				}
				switch code := command(t.Context(), args); code {
				case 0:
				case exitSkip:
					t.Skip("this machine cannot run it")
				default:
					t.Fatalf("it ended with %d", code)
				}
				var r Result
				raw, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(raw, &r); err != nil {
					t.Fatal(err)
				}
				if r.Name != m.name || !r.Kept || r.Line == "" || len(r.Figures) == 0 || r.Verdict == nil || r.Verdict.Sent < 100 {
					t.Errorf("the result says too little: %s", raw)
				}
			})
		}
	}
}

// TestTheClockCanBeSetWrong holds what is changed in the standard library to the
// Go that is used.
func TestTheClockCanBeSetWrong(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(runtime.GOROOT(), "src", "time", "time.go"))
	if err != nil {
		t.Skip("the sources of the standard library are not here")
	}
	text, err := wrongly(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parser.ParseFile(token.NewFileSet(), "time.go", text, 0); err != nil {
		t.Error(err)
	}
}
