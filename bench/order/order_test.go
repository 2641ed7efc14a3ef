package order

import (
	"encoding/json"
	"testing"
)

func TestAppend(t *testing.T) {
	raw := Append([]byte("x"), 42)[1:]
	if len(raw) != Size() {
		t.Fatalf("an order has %d bytes, Size says %d", len(raw), Size())
	}
	var o struct{ OrderNo string }
	if err := json.Unmarshal(raw, &o); err != nil || o.OrderNo != "SO-2026-0000042" {
		t.Fatalf("order 42 is %q (%v)", o.OrderNo, err)
	}
	Renumber(raw, 9_999_999)
	if err := json.Unmarshal(raw, &o); err != nil || o.OrderNo != "SO-2026-9999999" {
		t.Fatalf("order 9999999 is %q (%v)", o.OrderNo, err)
	}
}

func TestNumber(t *testing.T) {
	for body, want := range map[string]int{
		`{"a":1,"shipmentId":"SHP-SO-2026-0000042","z":2}`: 42,
		`{"shipmentId":"SHP-SO-2026-00000"`:                -1,
		`{"shipmentId":"SHP-SO-2026-00000x2"}`:             -1,
		`{"reference":"SO-2026-0000042"}`:                  -1,
		``:                                                 -1,
	} {
		if got := Number([]byte(body)); got != want {
			t.Errorf("Number(%s) = %d, want %d", body, got, want)
		}
	}
}
