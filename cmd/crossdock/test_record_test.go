package main

import (
	"slices"
	"testing"

	"crossdock/runtime/message"
	"crossdock/runtime/recording"
)

// TestNamesOfRecordings: the messages of one number are tests of their own, and
// none is written over another.
func TestNamesOfRecordings(t *testing.T) {
	one := func(pipeline, id, number string) *recording.Recording {
		r := &recording.Recording{Pipeline: pipeline, Message: id}
		if number != "" {
			r.Refs = []message.Ref{{Type: "order", Value: number}}
		}
		return r
	}
	got := testNames([]*recording.Recording{one("acme/orders", "A1", "SO 1"), one("acme/orders", "A2", "SO-1"), one("p", "A3", "SO-1"), one("p", "A4.1", ""), one("acme/orders", "A5", "so/1")})
	want := []string{"acme-orders-so-1", "acme-orders-so-1-2", "p-so-1", "p-a4-1", "acme-orders-so-1-3"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
