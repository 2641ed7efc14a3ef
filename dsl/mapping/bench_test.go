package mapping_test

import (
	"context"
	"os"
	"testing"

	"crossdock/dsl"
	"crossdock/dsl/cell"
	"crossdock/runtime/catalog"
	"crossdock/runtime/message"
)

// BenchmarkApply maps the order of bench/ to a shipment.
func BenchmarkApply(b *testing.B) {
	ws, list, err := dsl.Load(os.DirFS("../../bench/workspace"), dsl.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		b.Fatal(err, list)
	}
	raw, err := os.ReadFile("../../bench/order/order.json")
	if err != nil {
		b.Fatal(err)
	}
	in, err := message.Decode(raw, message.Unlimited)
	if err != nil {
		b.Fatal(err)
	}
	m := ws.Mappings["order-to-shipment"].Mapping
	s := &cell.Scope{Ctx: context.Background(), Original: in, Steps: map[string]any{}, Vars: map[string]any{}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Apply(s, in); err != nil {
			b.Fatal(err)
		}
	}
}
