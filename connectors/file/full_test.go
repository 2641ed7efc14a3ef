package file_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"crossdock/connectors"
	"crossdock/runtime/disktest"
)

// TestFullDisk: what does not fit is refused as not done, nobody sees a part of
// it, and with room again it is done, each line once.
func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o755); err != nil {
		t.Fatal(err)
	}
	disktest.Mount(t, data, "64k")
	s := open(t, dir, `
  whole: {write: "whole-{n}.txt", body: text}
  plain: {append: plain.ndjson}
  keyed: {append: keyed.ndjson, repeat: keyed}
`)
	t.Cleanup(func() { s.Close() }) // before the disk goes
	text := strings.Repeat("0123456789", 300)
	request := func(operation string, n int) connectors.Request {
		r := connectors.Request{Operation: operation, With: map[string]any{"n": fmt.Sprint(n)}, Key: fmt.Sprint("key-", n), Body: map[string]any{"n": fmt.Sprint(n), "text": text}}
		if operation == "whole" {
			r.Body = text
		}
		return r
	}
	const most = 30 // 90 KB in all
	done := map[string]int{}
	for n := range most {
		for _, operation := range []string{"whole", "plain", "keyed"} {
			if done[operation] != n {
				continue // the earlier one comes first
			}
			_, err := s.Deliver(t.Context(), request(operation, n))
			if err == nil {
				done[operation]++
				continue
			}
			if class, _ := connectors.ClassOf(err); class != connectors.ClassNotSent || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "no space left") {
				t.Errorf("%s %d: %v (%v)", operation, n, err, class)
			}
		}
	}
	check := func(when string) {
		t.Helper()
		for _, operation := range []string{"plain", "keyed"} {
			var want strings.Builder
			for n := range done[operation] {
				fmt.Fprintf(&want, `{"n":"%d","text":"%s"}`+"\n", n, text)
			}
			if got := read(t, data, operation+".ndjson"); got != want.String() {
				t.Errorf("%s: %s.ndjson has %d bytes, want %d of %d lines", when, operation, len(got), want.Len(), done[operation])
			}
		}
		wholes := 0
		err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
			if name := filepath.Base(path); err == nil && strings.HasPrefix(name, "whole-") {
				wholes++
				if got := read(t, path); got != text {
					t.Errorf("%s: %s has %d bytes", when, name, len(got))
				}
			}
			return err
		})
		if err != nil || wholes != done["whole"] {
			t.Errorf("%s: %d whole files, want %d (%v)", when, wholes, done["whole"], err)
		}
	}
	for operation, n := range done {
		if n == 0 || n == most {
			t.Fatalf("%s: %d of %d were written to a disk of 64 KiB", operation, n, most)
		}
	}
	check("full")
	disktest.Change(t, data, "size=1m")
	for _, operation := range []string{"whole", "plain", "keyed"} {
		for ; done[operation] < most; done[operation]++ {
			if _, err := s.Deliver(t.Context(), request(operation, done[operation])); err != nil {
				t.Fatalf("%s %d, with room again: %v", operation, done[operation], err)
			}
		}
	}
	check("with room again")
}
