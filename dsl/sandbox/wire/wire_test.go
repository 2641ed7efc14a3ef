package wire

import (
	"testing"
)

// FuzzReadResult reads what a machine gone mad may give back: it ends in values
// or an error, and takes memory in proportion to what it reads.
func FuzzReadResult(f *testing.F) {
	f.Add(AppendResult(nil, []any{nil, true, 1, 2.5, "x", []any{1}, map[string]any{"a": "b"}}, nil))
	f.Add([]byte{endValues, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{endValues, 1, tagList, 0xff, 0x01})
	f.Add([]byte{endLimit, 9})
	f.Fuzz(func(t *testing.T, b []byte) {
		values, err := ReadResult(b)
		if err != nil || len(b) == 0 || b[0] != endValues {
			return
		}
		again, err := ReadResult(AppendResult(nil, values, nil))
		if err != nil || len(again) != len(values) {
			t.Errorf("%v becomes %v %v", values, again, err)
		}
	})
}

// TestDeep holds the bound on nesting on both sides.
func TestDeep(t *testing.T) {
	var v any = 1
	for range MaxDepth + 1 {
		v = []any{v}
	}
	if _, err := AppendValue(nil, v); err == nil {
		t.Error("written although it is too deep")
	}
	b := []byte{endValues, 1}
	for range MaxDepth + 2 {
		b = append(b, tagList, 1)
	}
	if _, err := ReadResult(append(b, tagNull)); err == nil {
		t.Error("read although it is too deep")
	}
}
