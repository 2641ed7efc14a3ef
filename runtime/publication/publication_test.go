package publication_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"crossdock/runtime/publication"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

func pack(t *testing.T, text string) *publication.Pack {
	t.Helper()
	p, err := publication.New(map[string][]byte{"a.yaml": []byte(text), "lookups/b.csv": []byte("x,y\n")})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPack(t *testing.T) {
	files := fstest.MapFS{"a.yaml": {Data: []byte("one")}, "sub/b.csv": {Data: []byte("two")}, "never-read": {Data: []byte("three")}}
	rec := publication.Record(files)
	for _, name := range []string{"a.yaml", "sub/b.csv", "a.yaml"} {
		if _, err := fs.ReadFile(rec, name); err != nil {
			t.Fatal(err)
		}
	}
	p, err := rec.Pack()
	if err != nil {
		t.Fatal(err)
	}
	again, err := publication.Open(p.Raw)
	if err != nil || again.Digest != p.Digest || again.Files != 2 || again.Size != 6 {
		t.Fatalf("opened again: %+v, %v", again, err)
	}
	if raw, err := fs.ReadFile(again.FS(), "sub/b.csv"); err != nil || string(raw) != "two" {
		t.Errorf("sub/b.csv: %q, %v", raw, err)
	}
	if names, err := fs.Glob(again.FS(), "*"); err != nil || fmt.Sprint(names) != "[a.yaml sub]" {
		t.Errorf("names %v, %v", names, err)
	}
	if other := pack(t, "one"); other.Digest == pack(t, "two").Digest || other.Digest != pack(t, "one").Digest {
		t.Error("the digest does not follow the content")
	}
}

// Packs come over the network: whatever is in them may not leave the workspace
// nor grow beyond its bounds.
func TestHostilePacks(t *testing.T) {
	zipped := func(files ...[2]string) []byte {
		var buf bytes.Buffer
		w := zip.NewWriter(&buf)
		for _, f := range files {
			h := &zip.FileHeader{Name: f[0], Method: zip.Deflate}
			if f[1] == "link" {
				h.SetMode(fs.ModeSymlink | 0o777)
			}
			e, err := w.CreateHeader(h)
			if err == nil {
				_, err = e.Write([]byte(f[1]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return buf.Bytes()
	}
	many := make([][2]string, publication.MaxFiles+1)
	for i := range many {
		many[i] = [2]string{fmt.Sprintf("f%d", i), ""}
	}
	wrong := zipped([2]string{"a.yaml", "text"})
	wrong = bytes.Replace(wrong, []byte("text"), []byte("teXt"), 1)
	flat := zipped([2]string{"a.yaml", strings.Repeat("x", 1000)})
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"up":              {zipped([2]string{"../a.yaml", "x"}), "below the workspace"},
		"up inside":       {zipped([2]string{"a/../../b.yaml", "x"}), "below the workspace"},
		"absolute":        {zipped([2]string{"/etc/passwd", "x"}), "below the workspace"},
		"windows":         {zipped([2]string{`a\..\b`, "x"}), "below the workspace"},
		"drive":           {zipped([2]string{"C:a.yaml", "x"}), "below the workspace"},
		"zero":            {zipped([2]string{"a\x00b", "x"}), "below the workspace"},
		"hidden":          {zipped([2]string{".crossdock/admin.token", "x"}), "hidden"},
		"hidden below":    {zipped([2]string{"a/.git/config", "x"}), "hidden"},
		"folder":          {zipped([2]string{"a/", ""}), "below the workspace"},
		"link":            {zipped([2]string{"a.yaml", "link"}), "not a plain file"},
		"twice":           {zipped([2]string{"a.yaml", "x"}, [2]string{"A.yaml", "y"}), "comes twice"},
		"nothing":         {zipped(), "there are no definitions"},
		"no pack":         {[]byte("hello"), "cannot be read"},
		"cut":             {flat[:len(flat)/2], "cannot be read"},
		"too many":        {zipped(many...), "at most"},
		"one is too long": {zipped([2]string{"a.yaml", strings.Repeat("x", publication.MaxFile+1)}), "a file may have"},
		"all too long": {zipped([2]string{"a", strings.Repeat("x", 15<<20)}, [2]string{"b", strings.Repeat("x", 15<<20)}, [2]string{"c", strings.Repeat("x", 15<<20)},
			[2]string{"d", strings.Repeat("x", 15<<20)}, [2]string{"e", strings.Repeat("x", 15<<20)}), "together"},
		"packed too long": {make([]byte, publication.MaxPacked+1), "when packed"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := publication.Open(c.raw)
			if !errors.Is(err, publication.ErrPack) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("opened as %+v, %v; want %q", p, err, c.want)
			}
		})
	}
	t.Run("damaged", func(t *testing.T) {
		if bytes.Contains(wrong, []byte("teXt")) {
			if _, err := publication.Open(wrong); !errors.Is(err, publication.ErrPack) {
				t.Errorf("opened: %v", err)
			}
		}
	})
}

func TestBook(t *testing.T) {
	d, ctx := memory.Open(memory.Options{}), t.Context()
	if b, err := publication.Read(ctx, d); err != nil || b.Active != 0 || b.Previous() != 0 {
		t.Fatalf("a new store: %+v, %v", b, err)
	}
	if err := publication.Withdraw(ctx, d); !errors.Is(err, publication.ErrNone) {
		t.Errorf("withdraw nothing: %v", err)
	}
	for i := range publication.Keep + 5 {
		e, err := publication.Publish(ctx, d, publication.Entry{Who: "ana"}, pack(t, fmt.Sprint("text ", i%10)))
		if err != nil || e.Number != i+1 {
			t.Fatalf("publication %d: %+v, %v", i, e, err)
		}
	}
	b, err := publication.Read(ctx, d)
	if err != nil || len(b.Entries) != publication.Keep || b.Active != publication.Keep+5 || b.Previous() != publication.Keep+4 {
		t.Fatalf("%d entries, active r%d, previous r%d, %v", len(b.Entries), b.Active, b.Previous(), err)
	}
	for _, e := range b.Entries {
		p, err := publication.Files(ctx, d, e)
		if err != nil || p.Digest != e.Digest {
			t.Errorf("r%d: %v", e.Number, err)
		}
	}
	if err := publication.Withdraw(ctx, d); err != nil {
		t.Fatal(err)
	}
	if b, _ := publication.Read(ctx, d); b.Active != 0 || b.Previous() != publication.Keep+5 {
		t.Errorf("withdrawn: active r%d, previous r%d", b.Active, b.Previous())
	}
}

// Files that no kept revision names any more leave the store.
func TestOldFilesLeave(t *testing.T) {
	d, ctx := memory.Open(memory.Options{}), t.Context()
	first, err := publication.Publish(ctx, d, publication.Entry{}, pack(t, "first"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range publication.Keep {
		if _, err := publication.Publish(ctx, d, publication.Entry{}, pack(t, fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := publication.Files(ctx, d, first); !errors.Is(err, publication.ErrGone) {
		t.Errorf("files of r1: %v", err)
	}
	values, err := d.Get(ctx, "revision/"+first.Digest)
	if err != nil || values[0].Version != 0 {
		t.Errorf("they are still stored: %v", err)
	}
}

func TestPublishAtTheSameTime(t *testing.T) {
	d, ctx := memory.Open(memory.Options{}), t.Context()
	var mu sync.Mutex
	var wg sync.WaitGroup
	numbers := map[int]bool{}
	for i := range 10 {
		p := pack(t, fmt.Sprint(i))
		wg.Go(func() {
			e, err := publication.Publish(ctx, d, publication.Entry{}, p)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			numbers[e.Number] = true
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(numbers) != 10 {
		t.Errorf("numbers %v", numbers)
	}
}

// A pack that was damaged in the store is not run.
func TestStoredPackIsChecked(t *testing.T) {
	d, ctx := memory.Open(memory.Options{}), t.Context()
	e, err := publication.Publish(ctx, d, publication.Entry{}, pack(t, "one"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = d.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: "revision/" + e.Digest, Version: queue.AnyVersion, Value: pack(t, "two").Raw}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := publication.Files(ctx, d, e); err == nil || !strings.Contains(err.Error(), "not those that were published") {
		t.Errorf("files: %v", err)
	}
}
