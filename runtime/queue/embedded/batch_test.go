package embedded

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

// A batch does to a store what its changes do one after the other, in whatever
// order it writes them.
func TestBatchKeepsTheOrderOfEachKey(t *testing.T) {
	s, err := open(t.Context(), t.TempDir(), Options{Durability: Process})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := map[string][]byte{}
	rapid.Check(t, func(rt *rapid.T) {
		b := s.kv.batch()
		for range rapid.IntRange(0, 40).Draw(rt, "changes") {
			key := []byte(rapid.StringMatching("[yz][a-c]{0,2}").Draw(rt, "key"))
			value := rapid.SliceOfN(rapid.Byte(), 1, 8).Draw(rt, "value")
			switch rapid.IntRange(0, 2).Draw(rt, "do") {
			case 0:
				b.del(key)
				delete(want, string(key))
			case 1:
				b.set(key, value)
				want[string(key)] = value
			default:
				b.body(key, sealBody(value))
				want[string(key)] = seal(append([]byte{version}, value...))
			}
			clear(key) // it was copied
		}
		if err := s.writeNow(b); err != nil {
			rt.Fatal(err)
		}
		for key, value := range want {
			if got, err := s.kv.get([]byte(key)); err != nil || !bytes.Equal(got, value) {
				rt.Fatalf("%s: got %x, want %x (%v)", key, got, value, err)
			}
		}
		n := 0
		if err := s.kv.scan([]byte("y"), []byte("zz"), false, func(_, _ []byte) bool { n++; return true }); err != nil || n != len(want) {
			rt.Fatalf("%d keys, want %d (%v)", n, len(want), err)
		}
	})
}
