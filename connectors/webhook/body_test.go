package webhook

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"
)

// FuzzUnpack: a packed body gives what was packed or is refused, and never more
// than the limit and the ratio allow.
func FuzzUnpack(f *testing.F) {
	for _, body := range [][]byte{[]byte(`{"a":1}`), make([]byte, 1<<20), nil} {
		var packed bytes.Buffer
		w := gzip.NewWriter(&packed)
		if _, err := w.Write(body); err != nil {
			f.Fatal(err)
		}
		if err := w.Close(); err != nil {
			f.Fatal(err)
		}
		f.Add(packed.Bytes(), int64(1<<20))
		f.Add(append(packed.Bytes(), packed.Bytes()...), int64(100)) // several in one
	}
	f.Fuzz(func(t *testing.T, packed []byte, limit int64) {
		limit = min(max(limit, 1), 1<<20)
		body, problem := unpack(packed, limit)
		if problem != nil {
			if problem.Status != 400 && problem.Status != 413 {
				t.Fatalf("status %d", problem.Status)
			}
			return
		}
		if int64(len(body)) > limit || len(body) > max(len(packed)*maxRatio, 64<<10) {
			t.Fatalf("%d bytes out of %d, the limit is %d", len(body), len(packed), limit)
		}
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatal(err)
		}
		whole, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(whole, body) {
			t.Fatalf("%d bytes of %d: %v", len(body), len(whole), err)
		}
	})
}
