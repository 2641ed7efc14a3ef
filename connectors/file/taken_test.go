package file_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/connectors"
)

func line(key, text string) connectors.Request {
	return connectors.Request{Operation: "add", Key: key, Encoded: []byte(text)}
}

func deliver(t *testing.T, s connectors.Sink, rs ...connectors.Request) {
	t.Helper()
	for i, a := range s.(connectors.Gatherer).DeliverAll(t.Context(), rs) {
		if a.Err != nil || a.Response.Status != 200 {
			t.Fatalf("request %d: %+v", i, a)
		}
	}
}

const keyedAppend = "  add: {append: out.ndjson, repeat: keyed}\n"

// TestLinesComeOnce: a line that is delivered again is not written again,
// whether the process lives or died, and lines are told apart by their keys.
func TestLinesComeOnce(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "data", "out.ndjson")
	first := open(t, dir, keyedAppend)
	deliver(t, first, line("a", `{"n":1}`), line("b", `{"n":1}`), line("", `{"n":0}`), line("c", `{"n":2}`))
	deliver(t, first, line("b", `{"n":1}`), line("", `{"n":0}`))
	// The first one is killed: it is not closed, and another process comes.
	for range 3 {
		s := open(t, dir, keyedAppend)
		deliver(t, s, line("c", `{"n":2}`), line("a", `{"n":1}`), line("d", `{"n":3}`))
	}
	want := "{\"n\":1}\n{\"n\":1}\n{\"n\":0}\n{\"n\":2}\n{\"n\":0}\n{\"n\":3}\n"
	if got := read(t, path); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// Others rotate: what came is not written to the new file.
	s := open(t, dir, keyedAppend)
	deliver(t, s, line("d", `{"n":3}`))
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	deliver(t, s, line("d", `{"n":3}`), line("a", `{"n":1}`), line("e", `{"n":4}`))
	if got := read(t, path); got != "{\"n\":4}\n" {
		t.Errorf("after a rotation: %q", got)
	}
	// Lines that are gone when a process begins were not taken as far as it knows:
	// it knows those only that it found before.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	deliver(t, open(t, dir, keyedAppend), line("e", `{"n":4}`))
	if got := read(t, path); got != "{\"n\":4}\n" {
		t.Errorf("a line that is not there was taken for one that is: %q", got)
	}
}

// TestLinesComeOnceAfterAnyCrash cuts both files where a crash may have left
// them, anywhere in the last write, and delivers again what was under way: no
// line is missing, none is there twice, and none is torn.
func TestLinesComeOnceAfterAnyCrash(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	dir := t.TempDir()
	lines := filepath.Join(dir, "data", "out.ndjson")
	keys := filepath.Join(dir, "data", ".out.ndjson.crossdock-keys")
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			return 0
		}
		return info.Size()
	}
	cut := func(path string, from int64) {
		to := size(path)
		if err := os.Truncate(path, from+random.Int64N(to-from+1)); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for range 300 {
		s := open(t, dir, keyedAppend)
		deliver(t, s, line(fmt.Sprint("begin", n), fmt.Sprintf(`{"begin":%d}`, n))) // the files are open and tidied
		before, known := size(lines), size(keys)
		var batch []connectors.Request
		for range 1 + random.IntN(5) {
			n++
			text := `{"same":true}`
			if random.IntN(3) > 0 {
				text = fmt.Sprintf(`{"n":%d,"pad":"%s"}`, n, strings.Repeat("x", random.IntN(40)))
			}
			batch = append(batch, line(fmt.Sprint(n), text))
		}
		deliver(t, s, batch...)
		switch random.IntN(3) {
		case 0: // before the lines, in the middle of the keys
			if err := os.Truncate(lines, before); err != nil {
				t.Fatal(err)
			}
			cut(keys, known)
		case 1: // in the middle of the lines
			cut(lines, before)
		}
		random.Shuffle(len(batch), func(i, j int) { batch[i], batch[j] = batch[j], batch[i] })
		s = open(t, dir, keyedAppend)
		deliver(t, s, batch...)
		want := map[string]int{}
		for _, r := range batch {
			want[string(r.Encoded)]++
		}
		got := map[string]int{}
		for text := range strings.Lines(read(t, lines)[before:]) {
			got[strings.TrimSuffix(text, "\n")]++
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("after %d lines: got %v, want %v", n, got, want)
		}
	}
}

// TestOldKeysLeave: what is remembered is bounded, in memory and on disk.
func TestOldKeysLeave(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, keyedAppend)
	const many = 75_000
	var rs []connectors.Request
	for i := range many {
		if rs = append(rs, line(fmt.Sprint(i), `{}`)); len(rs) == 500 || i == many-1 {
			deliver(t, s, rs...)
			rs = rs[:0]
		}
	}
	info, err := os.Stat(filepath.Join(dir, "data", ".out.ndjson.crossdock-keys"))
	if err != nil || info.Size() > 5<<20 {
		t.Errorf("the file of keys: %v %v", info, err)
	}
	deliver(t, s, line(fmt.Sprint(many-1), `{}`), line(fmt.Sprint(many-4000), `{}`))
	s = open(t, dir, keyedAppend)
	deliver(t, s, line(fmt.Sprint(many-1), `{}`), line(fmt.Sprint(many-4000), `{}`))
	if n := strings.Count(read(t, dir, "data", "out.ndjson"), "\n"); n != many {
		t.Errorf("%d lines, want %d", n, many)
	}
}
