package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
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
