package flow

import "testing"

// The key of an effect must not change with the program: targets remember it.
func TestIdempotencyKeyStays(t *testing.T) {
	r := Run{Pipeline: "orders", Key: `["SO-1"]`}
	if got := r.IdempotencyKey("send target.shipment"); got != "40a98bd428ff8076524a3a674674b90f" {
		t.Errorf("the key became %s", got)
	}
}
