package redis

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"crossdock/runtime/queue"
)

// makeRecord writes a record as prelude.lua does.
func makeRecord(r record) string {
	var b []byte
	num := func(v uint64, size int) {
		var full [8]byte
		binary.BigEndian.PutUint64(full[:], v)
		b = append(b, full[8-size:]...)
	}
	us := func(t time.Time) uint64 {
		if t.IsZero() {
			return 0
		}
		return uint64(t.UnixMicro())
	}
	num(uint64(r.State), 1)
	num(uint64(r.Priority), 1)
	num(r.Seq, 6)
	num(us(r.Enqueued), 7)
	num(us(r.Due), 7)
	num(uint64(r.Attempts), 4)
	num(uint64(r.Crashes), 2)
	num(uint64(r.Version), 4)
	slot := slotText(r.Slot)
	b = append(append(b, byte(len(r.Lane))), r.Lane...)
	b = append(append(b, byte(len(slot))), slot...)
	return string(append(b, r.Key...))
}

func drawTime(t *rapid.T, label string) time.Time {
	return microTime(rapid.Uint64Range(0, 1<<52).Draw(t, label))
}

func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := record{
			State:    rapid.ByteRange(0, 3).Draw(t, "state"),
			Priority: queue.Priority(rapid.ByteRange(0, 3).Draw(t, "priority")),
			Seq:      rapid.Uint64Range(0, 1<<48-1).Draw(t, "seq"),
			Enqueued: drawTime(t, "enqueued"),
			Due:      drawTime(t, "due"),
			Attempts: rapid.IntRange(0, 1<<31).Draw(t, "attempts"),
			Crashes:  rapid.IntRange(0, 65535).Draw(t, "crashes"),
			Version:  rapid.Uint32().Draw(t, "version"),
			Lane:     rapid.StringN(1, 60, 255).Draw(t, "lane"),
			Slot:     rapid.Uint64().Draw(t, "slot"),
			Key:      rapid.String().Draw(t, "key"),
		}
		got, err := parseRecord(makeRecord(want))
		if err != nil || got != want {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestEntryRoundTrip(t *testing.T) {
	text := rapid.String()
	rapid.Check(t, func(t *rapid.T) {
		want := queue.Entry{
			Message: "m", At: time.Unix(0, rapid.Int64Range(1, 1<<62).Draw(t, "at")).UTC(),
			Kind: "failed", Pipeline: text.Draw(t, "pipeline"), Revision: text.Draw(t, "revision"), Step: text.Draw(t, "step"),
			Target: text.Draw(t, "target"), Attempt: rapid.IntRange(0, 1e6).Draw(t, "attempt"),
			Detail: text.Draw(t, "detail"), Parent: text.Draw(t, "parent"), Data: rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "data"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "refs") {
			want.Refs = append(want.Refs, queue.Ref{Type: text.Draw(t, "type"), Value: text.Draw(t, "value")})
		}
		if rapid.Bool().Draw(t, "sub") {
			want.Message = "m." + rapid.StringMatching(`[0-9.]+`).Draw(t, "message")
		}
		got, err := unpackEntry("m", string(want.Kind)+"\x00"+string(packEntry(&want)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	})
}

func TestBodySeal(t *testing.T) {
	sealed := sealBody("a", []byte("body"))
	body, ok := openBody("a", string(sealed))
	if !ok || string(body) != "body" {
		t.Fatalf("got %q, %v", body, ok)
	}
	if _, ok := openBody("b", string(sealed)); ok {
		t.Error("the body of another job was taken")
	}
	for i := range sealed {
		broken := bytes.Clone(sealed)
		broken[i] ^= 0x10
		if _, ok := openBody("a", string(broken)); ok {
			t.Errorf("a flipped bit in byte %d was not noticed", i)
		}
		if _, ok := openBody("a", string(sealed[:i])); ok {
			t.Errorf("a body cut after %d bytes was not noticed", i)
		}
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add("")
	f.Add(makeRecord(record{Lane: "in/orders", Key: "SO-1", Slot: 1 << 60, Seq: 7, Enqueued: time.Now()}))
	f.Fuzz(func(t *testing.T, s string) {
		r, err := parseRecord(s)
		if err == nil && makeRecord(r) != s && slotText(r.Slot) == strings.ToLower(slotText(r.Slot)) {
			// Only the text of the slot has more than one form (zeroes, case).
			again, err := parseRecord(makeRecord(r))
			if err != nil || again != r {
				t.Fatalf("%+v became %+v, %v", r, again, err)
			}
		}
	})
}

func FuzzUnpackEntry(f *testing.F) {
	e := queue.Entry{At: time.Now(), Message: "m.1", Detail: "x", Refs: []queue.Ref{{Type: "a", Value: "b"}}}
	f.Add("accepted\x00" + string(packEntry(&e)))
	f.Add("accepted\x00\x01")
	f.Fuzz(func(t *testing.T, s string) {
		e, err := unpackEntry("m", s)
		if err != nil {
			return
		}
		if e.At.IsZero() { // an entry is never packed without a time
			return
		}
		again, err := unpackEntry("m", string(e.Kind)+"\x00"+string(packEntry(&e)))
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Fatalf("%+v became %+v, %v", e, again, err)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	f.Add("0E\tDabc\tC", 3)
	f.Add("1", 0)
	f.Fuzz(func(t *testing.T, line string, n int) {
		jobs := make([]queue.Job, max(0, min(n, 100)))
		a, err := parseAnswer(line, jobs)
		if err == nil && a.err == nil && len(a.results) != len(jobs) {
			t.Fatalf("%d results for %d jobs", len(a.results), len(jobs))
		}
	})
}

func FuzzParseURL(f *testing.F) {
	for _, s := range []string{"redis://u:p@h:1/2?pool=3", "rediss://h?servername=x", "redis+sentinel://a,b/m", "redis+cluster://[::1]:1,x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, _, err := parseURL(s)
		if err == nil && len(o.Addrs) == 0 {
			t.Fatal("no address")
		}
	})
}

func TestBodyCache(t *testing.T) {
	c := newBodyCache(4000)
	c.put(1, cachedBody{version: 1, body: make([]byte, 100), hint: "h"})
	if b, ok := c.take(1, 1); !ok || b.hint != "h" {
		t.Errorf("got %+v, %v", b, ok)
	}
	if _, ok := c.take(1, 1); ok {
		t.Error("a body was handed out twice")
	}
	c.put(2, cachedBody{version: 1})
	if _, ok := c.take(2, 2); ok {
		t.Error("a body that was replaced since was handed out")
	}
	for slot := range uint64(1000) {
		c.put(slot, cachedBody{version: 1, body: make([]byte, 100)})
	}
	kept := len(c.young) + len(c.old)
	if kept > 2*4000/228 || kept < 4000/228/2 {
		t.Errorf("%d bodies are kept in 4000 bytes", kept)
	}
	if _, ok := c.take(999, 1); !ok {
		t.Error("the newest is not there")
	}
}

func TestSession(t *testing.T) {
	s := newSession()
	first, second := s.next(), s.next()
	if first.no != 1 || second.no != 2 || first.low != 1 || second.low != 1 || len(second.forget) != 0 {
		t.Fatalf("calls %+v, %+v", first, second)
	}
	s.done(second, true)
	// The first is still open: the answer of the second must stay, for below low
	// alone a late arrival is refused.
	third := s.next()
	if third.low != 1 || third.carried != 2 || len(third.forget) != 0 {
		t.Fatalf("while call 1 is open: %+v", third)
	}
	p := &pending{commit: &queue.Commit{Jobs: []queue.Job{{ID: "a"}}}}
	s.doubt(first.no, []*pending{p})
	s.done(third, false)
	if got := s.doubtful(); len(got) != 1 || got[0] != first.no {
		t.Fatalf("in doubt: %v", got)
	}
	now := time.Now()
	if err := s.settle(first.no, now, "lane\n0E"); err != nil {
		t.Fatal(err)
	}
	same := &queue.Commit{Jobs: []queue.Job{{ID: "a", Body: []byte("body")}}}
	if a, ok := s.recall(same, now.Add(answersKept)); !ok || a.err != nil || a.results[0].ID != "a" {
		t.Errorf("recall: %+v, %v", a, ok)
	}
	if _, ok := s.recall(&queue.Commit{Jobs: []queue.Job{{ID: "b"}}}, now); ok {
		t.Error("another commit was taken for it")
	}
	if _, ok := s.recall(same, now.Add(answersKept+time.Second)); ok {
		t.Error("an answer was kept for too long")
	}
	// The third was refused, so Redis need not know of it.
	if fourth := s.next(); fourth.low != 4 || fourth.carried != 2 || len(fourth.forget) != 3 {
		t.Errorf("after all were settled: %+v", fourth)
	}
}

func TestKeyLayout(t *testing.T) {
	seen := map[string]string{}
	for name, suffix := range suffixes {
		if other, ok := seen[suffix]; ok {
			t.Errorf("%s and %s share the suffix %q", name, other, suffix)
		}
		seen[suffix] = name
	}
	k := newKeyset(defaultPrefix, 0)
	if got := k.of("ready", "in/orders"); got != "cd:{0}:r:in/orders" {
		t.Errorf("got %s", got)
	}
	if a, b := newKeyset("a", 1).prefix, newKeyset("b", 1).prefix; a != "a:{a.1}:" || a == b {
		t.Errorf("got %s and %s", a, b)
	}
	long := strings.Repeat("x", 49)
	if a, b := dedupeName(long), dedupeName(long+"y"); len(a) > 48 || a == b || a == dedupeName(a) && len(a) < 10 {
		t.Errorf("long keys: %q, %q", a, b)
	}
	// Every key that a script names is in the layout.
	for _, s := range allScripts {
		for _, part := range strings.Split(s.text, "K.")[1:] {
			name := part
			if i := strings.IndexFunc(part, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }); i >= 0 {
				name = part[:i]
			}
			if _, ok := suffixes[name]; !ok {
				t.Errorf("script %s uses the key %q, which keys.go does not have", s.name, name)
			}
		}
	}
}
