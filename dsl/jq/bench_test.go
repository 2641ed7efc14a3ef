package jq

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/itchyny/gojq"
)

// orderCell maps an ERP order to a shipment: the work that the benchmarks
// measure.
const orderCell = `
  {"ZOR":"STANDARD","ZRE":"RETURN","ZEX":"EXPORT"} as $types
| {"ST":"PCE","ROL":"ROL","KAN":"CAN","KAR":"CTN"} as $uoms
| {"DE":"Germany","FR":"France","US":"United States","CH":"Switzerland"} as $countries
| [.lines[] | {
    lineNo: .pos, sku: .sku, description: .desc, quantity: .qty,
    unit: ($uoms[.uom] // "PCE"), weightKg: (.qty * .weightKg), value: (.qty * .netPrice),
    batch: (.batch // "NONE"), hazardous: (.hazmat // false)
  }] as $items
| ([$items[].weightKg] | add) as $weight
| {
    shipmentId: ("SHP-" + .orderNo), reference: .orderNo, source: "erp",
    orderType: ($types[.type] // "STANDARD"), salesOrg: .salesOrg, channel: .channel,
    created: .createdAt, requestedDelivery: .reqDelivery, currency: .currency,
    incoterm: (.incoterms // "EXW"),
    service: (if .priority <= 1 then "EXPRESS" elif .priority <= 3 then "STANDARD" else "ECONOMY" end),
    customer: {id: .customer.id, name: .customer.name, vatId: .customer.vat, segment: (.customer.group // "B2C")},
    consignee: {
      name: (.shipTo.name1 + ", " + .shipTo.name2), address: (.shipTo.street + " " + .shipTo.houseNo),
      postalCode: .shipTo.zip, city: .shipTo.city, country: .shipTo.country,
      countryName: ($countries[.shipTo.country] // "Unknown"), phone: (.shipTo.phone // ""),
      email: (.shipTo.email // ""), contact: (.shipTo.contact // "n/a")
    },
    items: $items, lineCount: ($items | length), totalQuantity: ([$items[].quantity] | add),
    totalWeightKg: $weight, totalValue: ([$items[].value] | add),
    hasHazmat: ([$items[].hazardous] | any), oversize: ($weight > 300)
  }`

func orderInput(tb testing.TB) any {
	tb.Helper()
	const at = "../../../shared/bench/order.json"
	b, err := os.ReadFile(filepath.FromSlash(at))
	if err != nil {
		tb.Skip("needs ../shared/bench/order.json beside the repository")
	}
	return decode(tb, string(b))
}

func BenchmarkOrderClosures(b *testing.B) {
	in := orderInput(b)
	p := mustCompile(b, orderCell, Options{})
	if !p.Compiled() {
		b.Fatal("not compiled")
	}
	f := &Frame{}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok, err := p.One(f, in); err != nil || !ok {
			b.Fatal(err)
		}
	}
}

func BenchmarkOrderInterpreter(b *testing.B) {
	in := orderInput(b)
	q, err := gojq.Parse(orderCell)
	if err != nil {
		b.Fatal(err)
	}
	code, err := gojq.Compile(q)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		it := code.Run(in)
		if v, ok := it.Next(); !ok || v == nil {
			b.Fatal("no value")
		}
	}
}

func BenchmarkCompileOrder(b *testing.B) {
	for b.Loop() {
		if p, problems := Compile(orderCell, Options{}); p == nil {
			b.Fatal(problems)
		}
	}
}
