package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"crossdock/connectors/connectortest"
)

// TestSumAhead: the sum of a large file is there before the file may be taken
// in, and is that of what the file holds when it is.
func TestSumAhead(t *testing.T) {

	made := func(c byte, n int) []byte { return append(append([]byte{'"'}, bytes.Repeat([]byte{c}, n-2)...), '"') }
	for _, c := range []struct {
		name  string
		old   bool // written long ago
		size  int
		again bool // written again while it is left alone
		ahead bool
	}{
		{"large", true, large, false, true},
		{"large, written a moment ago", false, large, false, false},
		{"small", true, large - 1, false, false},
		{"large, written again", true, large, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			put := func(text []byte, at time.Time) {
				path := filepath.Join(dir, "a.json")
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(path, at, at); err != nil {
					t.Fatal(err)
				}
			}
			at := time.Now()
			if c.old {
				at = at.Add(-time.Hour)
			}
			text := made('x', c.size)
			put(text, at)
			opened, err := New(Config{Name: "p", Dir: dir, Pattern: "*.json", Format: "json", State: connectortest.NewState(), StableFor: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			s := opened.(*source)
			q := &connectortest.Queue{}
			look := func() {
				t.Helper()
				if _, err := s.look(context.Background(), q); err != nil {
					t.Fatal(err)
				}
			}
			look()
			if got := s.seen["a.json"].sum != ""; got != c.ahead {
				t.Errorf("the sum was computed ahead: %t, want %t", got, c.ahead)
			}
			if c.again {
				text = made('y', c.size)
				put(text, at.Add(time.Second))
				look()
			}
			s.seen["a.json"].since = time.Now().Add(-time.Hour) // it was left alone
			look()
			want := sha256.Sum256(text)
			if got := q.Taken(); len(got) != 1 || got[0].Meta.File.SHA256 != hex.EncodeToString(want[:]) || !bytes.Equal(got[0].Raw, text) {
				t.Errorf("%d messages, not what the file holds", len(got))
			}
		})
	}
}
