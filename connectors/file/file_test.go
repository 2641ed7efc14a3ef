package file_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/file"
)

func open(t testing.TB, dir, operations string) connectors.Sink {
	t.Helper()
	config := connectortest.Load(t, file.Connector{}, "connection: out\ntype: file\ndir: data\noperations:\n"+operations, nil)
	s, err := file.Connector{}.Open(config, connectors.Env{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, `
  order: {write: "{client}/order-{order}.json"}
  text:  {write: note.txt, body: text}
  row:   {write: row.csv, body: csv, columns: [a, "b,c"]}
`)
	order := connectors.Request{Operation: "order", With: map[string]any{"client": "acme", "order": json.Number("7")}, Body: map[string]any{"n": json.Number("1.10"), "t": "<é>"}}
	for range 3 { // a repeated delivery changes nothing
		a, err := s.Deliver(t.Context(), order)
		if err != nil || a.Status != 200 || a.Body.(map[string]any)["file"] != "acme/order-7.json" {
			t.Fatalf("%v %v", a, err)
		}
	}
	for _, r := range []connectors.Request{{Operation: "text", Body: "two\nlines"}, {Operation: "row", Body: map[string]any{"a": "=1+1", "b,c": "x\"y"}}} {
		if _, err := s.Deliver(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{"acme/order-7.json": `{"n":1.10,"t":"<é>"}`, "note.txt": "two\nlines", "row.csv": "a,\"b,c\"\n'=1+1,\"x\"\"y\"\n"} {
		if got := read(t, dir, "data", name); got != want {
			t.Errorf("%s holds %q, want %q", name, got, want)
		}
	}
	var left []string
	filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d os.DirEntry, err error) error {
		if !d.IsDir() {
			left = append(left, path)
		}
		return err
	})
	if len(left) != 3 {
		t.Errorf("files left behind: %v", left)
	}
}

func TestNames(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, "  one: {write: \"in/{name}\"}\n  two: {append: \"{name}\"}\n")
	if err := os.MkdirAll(filepath.Join(dir, "data", "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(dir, filepath.Join(dir, "data", "away")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "data", "in", "link")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []any{nil, "", ".", "..", "../x", "/etc/passwd", `..\x`, `C:\x`, "a/b", "a\x00b", "a\nb", "...", ". .", "x ", strings.Repeat("a", 241),
		"x.crossdock-part", map[string]any{}, "\u2024\u2024/x", "a\uFFFDb"} {
		for _, op := range []string{"one", "two"} {
			_, err := s.Deliver(t.Context(), connectors.Request{Operation: op, With: map[string]any{"name": name}, Body: map[string]any{}})
			if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassPermanent {
				t.Errorf("%s %q: %v", op, name, err)
			}
		}
	}
	// A link inside the folder is replaced, never followed out of it.
	if _, err := s.Deliver(t.Context(), connectors.Request{Operation: "one", With: map[string]any{"name": "link"}, Body: map[string]any{}}); err != nil {
		t.Error(err)
	}
	if got := read(t, dir, "secret"); got != "x" {
		t.Errorf("a file outside was changed: %q", got)
	}
	if err := os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "data", "grow")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Deliver(t.Context(), connectors.Request{Operation: "two", With: map[string]any{"name": "grow"}, Body: map[string]any{}})
	if err == nil || read(t, dir, "secret") != "x" {
		t.Errorf("appending went through a link that leads outside: %v", err)
	}
	for _, definition := range []string{"{write: ../x}", "{write: /x}", "{append: a/../b}", "{write: x/}", "{}", "{write: a, append: b}", "{write: a, body: csv}", "{write: a, columns: [x]}", `{write: "{x?}"}`, `{write: "{x"}`} {
		_, found := connectortest.Decode(t, file.Connector{}, "connection: x\ntype: file\ndir: d\noperations: {a: "+definition+"}\n", nil)
		if len(found) != 1 || found[0].Span.Start.Line != 4 {
			t.Errorf("%s: %v", definition, found)
		}
	}
}

func TestAppend(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, "  add: {append: log/out.ndjson}\n  csv: {append: out.csv, body: csv, columns: [a, b]}\n  text: {append: out.txt, body: text}\n")
	const workers, each = 32, 50
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				_, err := s.Deliver(t.Context(), connectors.Request{Operation: "add", Encoded: fmt.Appendf(nil, "{\"w\":%d,\n\"i\":%d}", w, i)})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	last := map[int]int{}
	lines := strings.Split(strings.TrimSuffix(read(t, dir, "data/log/out.ndjson"), "\n"), "\n")
	if len(lines) != workers*each {
		t.Fatalf("%d lines", len(lines))
	}
	for _, line := range lines {
		var v struct{ W, I int }
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if v.I != last[v.W] {
			t.Fatalf("worker %d: line %d came after %d", v.W, v.I, last[v.W])
		}
		last[v.W]++
	}
	for range 2 {
		if _, err := s.Deliver(t.Context(), connectors.Request{Operation: "csv", Body: map[string]any{"a": "x\ny", "b": json.Number("-1")}}); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, dir, "data/out.csv"); got != "a,b\n\"x\ny\",-1\n\"x\ny\",-1\n" {
		t.Errorf("csv %q", got)
	}
	_, err := s.Deliver(t.Context(), connectors.Request{Operation: "text", Body: "a\nb"})
	if class, _ := connectors.ClassOf(err); class != connectors.ClassPermanent {
		t.Errorf("several lines of text: %v", err)
	}
}

func TestTornLines(t *testing.T) {
	tests := []struct{ name, before, want string }{
		{"new", "", "{\"a\":1}\n"},
		{"whole", "{\"b\":1}\n", "{\"b\":1}\n{\"a\":1}\n"},
		{"torn", "{\"b\":1}\n{\"b\":", "{\"b\":1}\n{\"a\":1}\n"},
		{"only torn", "{\"b\":", "{\"a\":1}\n"},
		{"whole without newline", "{\"b\":1}", "{\"b\":1}\n{\"a\":1}\n"},
		{"long torn", "{\"b\":1}\n" + strings.Repeat("x", 200_000), "{\"b\":1}\n{\"a\":1}\n"},
		{"zeroes of a power cut", "{\"b\":1}\n" + strings.Repeat("\x00", 5000), "{\"b\":1}\n{\"a\":1}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "data", "out")
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.before), 0o644); err != nil {
				t.Fatal(err)
			}
			s := open(t, dir, "  add: {append: out}\n")
			add := connectors.Request{Operation: "add", Encoded: []byte(`{"a":1}`)}
			if _, err := s.Deliver(t.Context(), add); err != nil {
				t.Fatal(err)
			}
			if got := read(t, path); got != tt.want {
				t.Errorf("got %q\nwant %q", got, tt.want)
			}
			// Rotation and truncation by others are noticed.
			if err := os.Rename(path, path+".1"); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Deliver(t.Context(), add); err != nil {
				t.Fatal(err)
			}
			if got := read(t, path); got != "{\"a\":1}\n" {
				t.Errorf("after rotation: %q", got)
			}
			if err := os.Truncate(path, 3); err != nil {
				t.Fatal(err)
			}
			if _, err := s.Deliver(t.Context(), add); err != nil {
				t.Fatal(err)
			}
			if got := read(t, path); got != "{\"a\":1}\n" {
				t.Errorf("after truncation: %q", got)
			}
		})
	}
}

func TestFailures(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir, "  add: {append: out}\n  put: {write: out2}\n")
	for _, op := range []string{"add", "put"} {
		_, err := s.Deliver(t.Context(), connectors.Request{Operation: op, Body: map[string]any{}})
		if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassNotSent {
			t.Errorf("%s with a file in place of the folder: %v", op, err)
		}
	}
	if err := os.Remove(filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	for _, op := range []string{"add", "put"} { // heals by itself
		if _, err := s.Deliver(t.Context(), connectors.Request{Operation: op, Body: map[string]any{}}); err != nil {
			t.Errorf("%s: %v", op, err)
		}
	}
	s.Close()
	_, err := s.Deliver(t.Context(), connectors.Request{Operation: "add", Body: map[string]any{}})
	if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassNotSent {
		t.Errorf("after Close: %v", err)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, sync := range []string{"fsync", "process", "fsync, keyed"} {
		sync, keyed, _ := strings.Cut(sync, ", ")
		for _, parallel := range []int{32, 256} {
			b.Run(fmt.Sprintf("%s%s/%d", sync, keyed, 2*parallel), func(b *testing.B) {
				config := connectortest.Load(b, file.Connector{}, "connection: out\ntype: file\ndir: data\nsync: "+sync+"\noperations: {add: {append: out.ndjson, repeat: "+cmp.Or(keyed, "safe")+"}}\n", nil)
				s, err := file.Connector{}.Open(config, connectors.Env{Dir: b.TempDir()})
				if err != nil {
					b.Fatal(err)
				}
				defer s.Close()
				var n atomic.Int64
				line := []byte(`{"pad":"` + strings.Repeat("x", 800) + `"}`)
				b.SetParallelism(parallel)
				b.ReportAllocs()
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						if _, err := s.Deliver(b.Context(), connectors.Request{Operation: "add", Encoded: line, Key: strconv.FormatInt(n.Add(1), 10)}); err != nil {
							b.Error(err)
						}
					}
				})
			})
		}
	}
}
