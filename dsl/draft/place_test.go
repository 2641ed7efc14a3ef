package draft

import (
	"strings"
	"testing"

	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
)

// TestWhatStandsBeside drafts from payloads in which a value can only be read with
// another one: each case is a rule, with what must be written and what must not.
func TestWhatStandsBeside(t *testing.T) {
	const target = `
  order_no: {type: string, required: true}
  event_id: {type: string}
  occurred_at: {type: datetime, required: true}
  weight_kg: {type: decimal(3)}
  total: {type: decimal(2)}
  consignee.street: {type: string}
  consignee.city: {type: string}
  lines[].sku: {type: string, required: true}
  lines[].quantity: {type: decimal(3), required: true}
`
	for _, c := range []struct {
		name, payload string
		want, not     []string
	}{
		{"the zone of a time", `{"Timestamp": "06/14/2026 18:22:31", "TimeZone": "America/New_York"}`,
			[]string{`occurred_at: {from: '.Timestamp + " " + .TimeZone', type: datetime, parse: "MM/dd/yyyy HH:mm:ss VV", required: true}`, "its zone stands in TimeZone"}, []string{"zone: UTC"}},
		{"an offset is a zone, and ISO times have one, too", `{"event": {"event_time": "2026-06-14T18:22:31", "tz": "+02:00"}}`,
			[]string{`from: '.event.event_time + " " + .event.tz', type: datetime, parse: "yyyy-MM-dd'T'HH:mm:ss XXX"`}, nil},
		{"an abbreviation is none", `{"Timestamp": "06/14/2026 18:22:31", "TimeZone": "Eastern"}`,
			[]string{"zone: UTC", "the zone is assumed"}, []string{"VV"}},
		{"the zone of something else is none", `{"Timestamp": "06/14/2026 18:22:31", "a": {"TimeZone": "America/New_York"}, "b": {"TimeZone": "Asia/Tokyo"}}`,
			[]string{"the zone is assumed"}, nil},
		{"the unit of a weight", `{"weight": {"value": 12.5, "units": "ounces"}}`,
			[]string{"weight_kg: {from: .weight.value, unit: oz -> kg, type: decimal(3)}", "units is ounces"}, nil},
		{"the unit in a name", `{"weight_lbs": 12.5}`, []string{"unit: lb -> kg"}, nil},
		{"the same unit is no conversion", `{"weight": {"value": 12.5, "unit": "KGM"}}`, []string{"weight_kg: {from: .weight.value, type: decimal(3)}"}, []string{"->"}},
		{"units that nobody knows are named", `{"weight": {"value": 12.5, "unit": "stone"}}`, []string{"its unit stands in unit: stone"}, []string{"->"}},
		{"whole amounts beside a currency may be cents", `{"total_money": {"amount": 3573, "currency": "USD"}}`,
			[]string{"total: {from: .total_money.amount, type: decimal(2)}", "exact_div(.total_money.amount; 100; 2)"}, nil},
		{"an amount with a fraction is not", `{"total_money": {"amount": 35.73, "currency": "USD"}}`, []string{"total: {from"}, []string{"exact_div"}},
		{"all lines of a street", `{"shipping_address": {"city": "Riga", "street": ["Elm 5", "Yard"]}}`,
			[]string{`consignee.street: '.shipping_address.street | map(values) | join(", ")'`, "its lines put together"}, nil},
		{"the number of an order before its key", `{"orderId": 43945660, "orderNumber": "0100038-1"}`, []string{"order_no: {from: .orderNumber,"}, nil},
		{"and no id that nobody says", `{"order_id": "5a1d5a50-1c3a-4d5c-9a8b-16f5f0e9a7c1", "order_number": "10105083300694"}`, []string{"order_no: {from: .order_number,"}, nil},
		{"a quantity before one of a kind", `{"items": [{"sku": "A", "quantityShipped": 0, "quantity": 10}]}`, []string{"quantity: {from: .quantity,"}, nil},
		{"the id of a status is that of no event", `{"StatusId": "3", "ShipmentId": "77"}`, nil, []string{"event_id: "}},
		{"parts of a line are told", `{"items": [{"item_id": 1, "sku": "A", "qty": 2}, {"item_id": 2, "parent_item_id": 1, "sku": "A", "qty": 2}]}`,
			[]string{"# some items are part of another, which parent_item_id names; without them: each: '.items[] | select(.parent_item_id == null)'"}, nil},
	} {
		file, _ := parser.Parse("x.schema.yaml", []byte("schema: order@1\nfields:"+target))
		var list diag.List
		to := schema.Build(schema.Source{Name: "order@1", Fields: file.Root.Get("fields")}, &list)
		if to == nil {
			t.Fatal(list)
		}
		p := profileOf()
		for _, v := range documents([]byte(c.payload)) {
			p.Add(v)
		}
		text, _, err := Mapping(Request{Name: "m", To: to, Output: "order@1", Profile: p, Zone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		var rows strings.Builder
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, "# TODO") {
				rows.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
			}
		}
		for _, want := range c.want {
			if !strings.Contains(rows.String(), want) {
				t.Errorf("%s: %q is not in\n%s", c.name, want, rows.String())
			}
		}
		for _, not := range c.not {
			if strings.Contains(rows.String(), not) {
				t.Errorf("%s: %q is in\n%s", c.name, not, rows.String())
			}
		}
	}
}
