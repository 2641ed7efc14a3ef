package jq

import (
	"encoding/json"
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

// orderText is an order of 1.5 KB with five lines.
const orderText = `{"orderNo": "SO-2026-0047110", "type": "ZOR", "salesOrg": "2100", "channel": "20", "createdAt": "2026-05-11T08:15:00Z",
"reqDelivery": "2026-05-18", "currency": "EUR", "incoterms": "DAP", "priority": 3,
"customer": {"id": "C-40012", "name": "Nordlicht Baustoffe KG", "vat": "DE987654321", "group": "B2B"},
"shipTo": {"name1": "Nordlicht Baustoffe KG", "name2": "Tor 3", "street": "Werftweg", "houseNo": "7b", "zip": "01067",
"city": "Dresden", "country": "DE", "phone": "+49 351 555010", "email": "tor3@nordlicht.example"},
"lines": [
{"pos": 10, "sku": "B-100", "desc": "Fliesenkleber grau 25 kg", "qty": 40, "uom": "ST", "weightKg": 25.2, "netPrice": 11.95, "batch": "K77", "hazmat": false},
{"pos": 20, "sku": "B-210", "desc": "Dichtband 50 m Rolle", "qty": 12, "uom": "ROL", "weightKg": 1.75, "netPrice": 24.50, "batch": null, "hazmat": false},
{"pos": 30, "sku": "C-030", "desc": "Grundierung 10 l Kanister", "qty": 8, "uom": "KAN", "weightKg": 10.8, "netPrice": 42.10, "batch": "L12", "hazmat": true},
{"pos": 40, "sku": "D-001", "desc": "Fliesenkreuze 3 mm", "qty": 200, "uom": "ST", "weightKg": 0.05, "netPrice": 0.85, "hazmat": false},
{"pos": 50, "sku": "D-770", "desc": "Fugenmasse silber 5 kg", "qty": 6, "uom": "KAR", "weightKg": 20.4, "netPrice": 61.00, "batch": "F3", "hazmat": false}],
"payment": {"terms": "ZB14", "method": "INVOICE"}, "notes": ["Anlieferung nur mit Hebebuehne", "Avis am Vortag"],
"custom": {"costCenter": "0815", "project": "PRJ-22", "revision": 2}}`

func orderInput(tb testing.TB) any {
	tb.Helper()
	return decode(tb, orderText)
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

// BenchmarkOrderByHand is the same mapping written in Go over the same values,
// which is as fast as a compiled mapping could hope to be.
func BenchmarkOrderByHand(b *testing.B) {
	in := orderInput(b)
	b.ReportAllocs()
	for b.Loop() {
		if out := orderByHand(in.(map[string]any)); out["reference"] == nil {
			b.Fatal("no value")
		}
	}
}

func orderByHand(o map[string]any) map[string]any {
	or := func(v, def any) any {
		if v == nil || v == false {
			return def
		}
		return v
	}
	text := func(v any) string { s, _ := v.(string); return s }
	number := func(v any) float64 { n, _ := v.(json.Number); f, _ := n.Float64(); return f }
	lookup := func(table map[string]any, v any, def string) any { return or(table[text(v)], def) }
	ship, cust, lines := o["shipTo"].(map[string]any), o["customer"].(map[string]any), o["lines"].([]any)
	items := make([]any, 0, len(lines))
	var weight, value, quantity float64
	hazmat := false
	for _, l := range lines {
		l := l.(map[string]any)
		qty := number(l["qty"])
		w, v := qty*number(l["weightKg"]), qty*number(l["netPrice"])
		haz := or(l["hazmat"], false)
		weight, value, quantity, hazmat = weight+w, value+v, quantity+qty, hazmat || haz == true
		items = append(items, map[string]any{
			"lineNo": l["pos"], "sku": l["sku"], "description": l["desc"], "quantity": l["qty"],
			"unit": lookup(byHandUnits, l["uom"], "PCE"), "weightKg": w, "value": v,
			"batch": or(l["batch"], "NONE"), "hazardous": haz,
		})
	}
	service := "ECONOMY"
	if p := number(o["priority"]); p <= 1 {
		service = "EXPRESS"
	} else if p <= 3 {
		service = "STANDARD"
	}
	return map[string]any{
		"shipmentId": "SHP-" + text(o["orderNo"]), "reference": o["orderNo"], "source": "erp",
		"orderType": lookup(byHandTypes, o["type"], "STANDARD"), "salesOrg": o["salesOrg"], "channel": o["channel"],
		"created": o["createdAt"], "requestedDelivery": o["reqDelivery"], "currency": o["currency"],
		"incoterm": or(o["incoterms"], "EXW"), "service": service,
		"customer": map[string]any{"id": cust["id"], "name": cust["name"], "vatId": cust["vat"], "segment": or(cust["group"], "B2C")},
		"consignee": map[string]any{
			"name": text(ship["name1"]) + ", " + text(ship["name2"]), "address": text(ship["street"]) + " " + text(ship["houseNo"]),
			"postalCode": ship["zip"], "city": ship["city"], "country": ship["country"],
			"countryName": lookup(byHandCountries, ship["country"], "Unknown"), "phone": or(ship["phone"], ""),
			"email": or(ship["email"], ""), "contact": or(ship["contact"], "n/a"),
		},
		"items": items, "lineCount": len(items), "totalQuantity": quantity, "totalWeightKg": weight, "totalValue": value,
		"hasHazmat": hazmat, "oversize": weight > 300,
	}
}

var (
	byHandTypes     = map[string]any{"ZOR": "STANDARD", "ZRE": "RETURN", "ZEX": "EXPORT"}
	byHandUnits     = map[string]any{"ST": "PCE", "ROL": "ROL", "KAN": "CAN", "KAR": "CTN"}
	byHandCountries = map[string]any{"DE": "Germany", "FR": "France", "US": "United States", "CH": "Switzerland"}
)

// TestOrderAgrees keeps the three ways of the benchmarks honest.
func TestOrderAgrees(t *testing.T) {
	in := orderInput(t)
	v, ok, err := mustCompile(t, orderCell, Options{}).One(&Frame{}, in)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if got, want := encode(t, v), encode(t, orderByHand(in.(map[string]any))); got != want {
		t.Errorf("compiled\n%s\nby hand\n%s", got, want)
	}
	compareRuns(t, orderCell, in, nil, nil)
}

// orderRows is the same mapping as rows, the way a mapping file has it: every
// row is a cell, and the lines are rows of their own.
var (
	orderLets = []string{
		`{"ZOR":"STANDARD","ZRE":"RETURN","ZEX":"EXPORT"}`,
		`{"ST":"PCE","ROL":"ROL","KAN":"CAN","KAR":"CTN"}`,
		`{"DE":"Germany","FR":"France","US":"United States","CH":"Switzerland"}`,
	}
	orderLine = []string{
		`.pos`, `.sku`, `.desc`, `.qty`, `$uoms[.uom] // "PCE"`, `.qty * .weightKg`, `.qty * .netPrice`, `.batch // "NONE"`, `.hazmat // false`,
	}
	orderRows = []string{
		`"SHP-" + .orderNo`, `.orderNo`, `"erp"`, `$types[.type] // "STANDARD"`, `.salesOrg`, `.channel`, `.createdAt`, `.reqDelivery`,
		`.currency`, `.incoterms // "EXW"`, `if .priority <= 1 then "EXPRESS" elif .priority <= 3 then "STANDARD" else "ECONOMY" end`,
		`.customer.id`, `.customer.name`, `.customer.vat`, `.customer.group // "B2C"`, `.shipTo.name1 + ", " + .shipTo.name2`,
		`.shipTo.street + " " + .shipTo.houseNo`, `.shipTo.zip`, `.shipTo.city`, `.shipTo.country`, `$countries[.shipTo.country] // "Unknown"`,
		`.shipTo.phone // ""`, `.shipTo.email // ""`, `.shipTo.contact // "n/a"`, `.lines | length`, `[.lines[].qty] | add`,
		`[.lines[] | .qty * .weightKg] | add`, `[.lines[] | .qty * .netPrice] | add`, `any(.lines[]; .hazmat == true)`,
		`([.lines[] | .qty * .weightKg] | add) > 300`,
	}
)

func BenchmarkOrderRows(b *testing.B) {
	in := orderInput(b)
	opt := Options{Vars: []string{"types", "uoms", "countries"}}
	f := &Frame{}
	for _, src := range orderLets {
		v, _, err := mustCompile(b, src, Options{}).One(&Frame{}, nil)
		if err != nil {
			b.Fatal(err)
		}
		f.Vars = append(f.Vars, v)
	}
	compile := func(list []string) (out []*Program) {
		for _, src := range list {
			out = append(out, mustCompile(b, src, opt))
		}
		return out
	}
	rows, line := compile(orderRows), compile(orderLine)
	one := func(p *Program, in any) any {
		v, _, err := p.One(f, in)
		if err != nil {
			b.Fatal(err)
		}
		return v
	}
	b.ReportAllocs()
	for b.Loop() {
		out := make(map[string]any, len(rows)+1)
		for i, p := range rows {
			out[orderRows[i]] = one(p, in)
		}
		lines := in.(map[string]any)["lines"].([]any)
		items := make([]any, 0, len(lines))
		for _, l := range lines {
			item := make(map[string]any, len(line))
			for i, p := range line {
				item[orderLine[i]] = one(p, l)
			}
			items = append(items, item)
		}
		out["items"] = items
	}
}
