package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/mutant"
)

var builtMutant = sync.OnceValues(func() (string, error) {
	if _, err := builtBinary(); err != nil {
		return "", err
	}
	binary := filepath.Join(builtIn, "crossdock-mutant")
	return binary, goBuild("-tags", "mutant", "-o", binary, ".")
})

// buildMutant builds the command line with places where it dies when asked to.
func buildMutant(t *testing.T) string {
	t.Helper()
	binary, err := builtMutant()
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

// TestAppendedLinesComeOnce kills a process again and again right after it has
// appended lines and before it has noted that. With `repeat: keyed` each line is
// in the file once; with `safe` some come twice, or the test would be blind.
func TestAppendedLinesComeOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("kills real processes")
	}
	binary := buildMutant(t)
	for _, repeat := range []string{"keyed", "safe"} {
		t.Run(repeat, func(t *testing.T) {
			c := lively(t)
			c.binary = binary
			c.save("connections/out.connection.yaml", "connection: out\ntype: file\ndir: out\noperations:\n  add: {append: lines.ndjson, repeat: "+repeat+"}\n")
			c.save("pipelines/in.pipeline.yaml", "pipeline: in\ntrigger: {http: {path: /in, verify: none}}\nkey: .n\nsteps:\n  - {send: out.add}\n")
			t.Setenv("CROSSDOCK_CRASH_AT", string(mutant.AfterEffect)+":5")
			deaths, n := 0, 0
			for deaths < 6 {
				c.start()
				for alive := true; alive; {
					select {
					case <-c.ended:
						alive = false
					default:
						resp, err := http.Post("http://"+c.http+"/in", "application/json", strings.NewReader(fmt.Sprintf(`{"n":"%d"}`, n)))
						if err == nil {
							resp.Body.Close()
							if resp.StatusCode == http.StatusAccepted {
								n++
								continue
							}
						}
						time.Sleep(5 * time.Millisecond) // as a sender would
					}
				}
				deaths++
			}
			t.Setenv("CROSSDOCK_CRASH_AT", "")
			c.start()
			if b := c.settle(); b.Dead != 0 || b.Delivered < int64(n) {
				t.Errorf("%d were taken in: %+v; the log:\n%s", n, b, c.logTail())
			}
			raw, err := os.ReadFile(filepath.Join(c.dir, "out", "lines.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			times := map[string]int{}
			for line := range bytes.Lines(raw) {
				times[strings.TrimSpace(string(line))]++
			}
			twice := 0
			for i := range n {
				switch times[fmt.Sprintf(`{"n":"%d"}`, i)] {
				case 0:
					t.Errorf("message %d is not in the file", i)
				case 1:
				default:
					twice++
				}
			}
			t.Logf("%d deaths, %d messages, %d lines twice", deaths, n, twice)
			if repeat == "keyed" && twice > 0 || repeat == "safe" && twice == 0 {
				t.Errorf("%d lines are there twice", twice)
			}
		})
	}
}
