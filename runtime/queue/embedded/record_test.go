package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"crossdock/runtime/queue"
)

func drawTime(rt *rapid.T, name string) time.Time {
	n := rapid.Int64().Draw(rt, name)
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

// Every record comes back as it was written.
func TestRecordsRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		text := func(name string) string { return rapid.String().Draw(rt, name) }
		j := queue.Job{
			ID: text("id"), Lane: text("lane"), Key: text("key"), Priority: queue.Priority(rapid.IntRange(0, 3).Draw(rt, "p")),
			NotBefore: drawTime(rt, "not before"), Body: rapid.SliceOfN(rapid.Byte(), 0, 2*inline).Draw(rt, "body"),
		}
		at := drawTime(rt, "at")
		h, err := readHeader(appendHeader(nil, &j, at))
		if err != nil {
			rt.Fatal(err)
		}
		body := h.job.Body
		if !h.inline {
			b := sealBody(j.Body)
			rec := binary.LittleEndian.AppendUint32(append([]byte{version}, b.body...), b.sum)
			if body, err = unseal(rec); err != nil {
				rt.Fatal(err)
			}
		}
		h.job.Body = j.Body
		if !reflect.DeepEqual(h.job, j) || !h.enqueued.Equal(at) || !bytes.Equal(body, j.Body) {
			rt.Fatalf("header: got %+v, want %+v", h.job, j)
		}
		sd := standing{state: rapid.Byte().Draw(rt, "state"), attempts: rapid.IntRange(0, 1<<30).Draw(rt, "attempts"), due: at,
			reason: text("reason"), box: text("box"), group: text("group")}
		if got, err := readStanding(appendStanding(nil, sd)); err != nil || got != sd {
			rt.Fatalf("standing: got %+v, %v, want %+v", got, err, sd)
		}
		k := known{id: text("original"), digest: text("digest"), expires: at}
		if got, err := readKnown(appendKnown(nil, k)); err != nil || got != k {
			rt.Fatalf("known: got %+v, %v, want %+v", got, err, k)
		}
		e := queue.Entry{Message: text("m"), At: at, Kind: queue.Kind(text("kind")), Pipeline: text("pipeline"), Detail: text("detail"),
			Attempt: rapid.IntRange(0, 1000).Draw(rt, "attempt"), Refs: []queue.Ref{{Type: text("t"), Value: text("v")}}}
		r := reader{b: appendEntry(nil, &e)}
		if got := r.entry(); !reflect.DeepEqual(got, e) || r.bad || len(r.b) != 0 {
			rt.Fatalf("entry: got %+v, want %+v", got, e)
		}
	})
}

// A record that was changed in one place is never taken for a good one.
func TestSealFindsEveryChange(t *testing.T) {
	rec := appendKnown(nil, known{id: "m1", digest: strings.Repeat("d", 40)})
	for i := range rec {
		for bit := range 8 {
			bad := bytes.Clone(rec)
			bad[i] ^= 1 << bit
			if _, err := readKnown(bad); err == nil {
				t.Fatalf("bit %d of byte %d was changed and nobody noticed", bit, i)
			}
		}
		if _, err := readKnown(rec[:i]); !errors.Is(err, errDamaged) {
			t.Fatalf("cut after %d bytes: %v", i, err)
		}
	}
	newer := append([]byte{version + 1}, "from the future"...)
	if _, err := readKnown(seal(newer)); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Fatalf("a newer record: %v", err)
	}
}

// No bytes make a reader panic or take more memory than they are long.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{})
	f.Add(appendHeader(nil, &queue.Job{ID: "a", Lane: "l", Body: []byte("b")}, time.Unix(1, 2)))
	f.Add(appendEntry(nil, &queue.Entry{Message: "m", Refs: []queue.Ref{{Type: "t", Value: "v"}}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		sealed := seal(append([]byte{version}, raw...))
		for _, b := range [][]byte{raw, sealed} {
			h, err := readHeader(b)
			if err == nil && len(h.job.ID)+len(h.job.Body) > len(b) {
				t.Error("a header has more bytes than its record")
			}
			if _, err := readStanding(b); err == nil && len(b) < 5 {
				t.Error("a record of nothing was read")
			}
			if _, err := readKnown(b); err == nil && len(b) < 5 {
				t.Error("a record of nothing was read")
			}
			if v, err := readValue(b); err == nil && len(v.data) > len(b) {
				t.Error("a value has more bytes than its record")
			}
			r := reader{b: b}
			if e := r.entry(); !r.bad && len(e.Message)+len(e.Data) > len(b) {
				t.Error("an entry has more bytes than its record")
			}
		}
	})
}

func TestAfter(t *testing.T) {
	for in, want := range map[string]string{"a": "b", "a\xff": "b", "\x00": "\x01", "ab\xff\xff": "ac"} {
		if got := after([]byte(in)); string(got) != want {
			t.Errorf("after %q: got %q, want %q", in, got, want)
		}
	}
	if got := after([]byte("\xff\xff")); got != nil {
		t.Errorf("nothing is behind everything, got %q", got)
	}
}
