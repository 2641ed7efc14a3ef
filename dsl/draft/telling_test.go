package draft

import (
	"strings"
	"testing"

	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
)

// TestWhatNamesTell drafts from payloads in which a name says more, or less, than
// it seems to: each case is a rule, with what must be read and what must not.
func TestWhatNamesTell(t *testing.T) {
	const order = `
  event: {type: choice, required: true, options: [released]}
  subject: {type: string, required: true, note: "order/SO-1"}
  order_no: {type: string, required: true}
  tz_source: {type: choice, options: [offset, unknown]}
  ship_from.city: {type: string}
  ship_from.postal_code: {type: string}
  ship_to.name: {type: string}
  ship_to.street: {type: string}
  ship_to.city: {type: string}
  ship_to.region: {type: string}
  ship_to.postal_code: {type: string}
  driver.id: {type: string}
  service: {type: string}
  lines[].sku: {type: string, required: true}
  lines[].qty.value: {type: decimal(3), required: true}
  lines[].qty.uom: {type: string}
`
	for _, c := range []struct {
		name, payload string
		want, not     []string
	}{
		{"a field of one possible value is asked of nobody", `{"eventType": "order.changed"}`,
			[]string{"event: {const: released}"}, nil},
		{"the subject is the number that the order has", `{"MallOrderId": "9-1", "SellerOrderId": "S-7"}`,
			[]string{"order_no: {from: .MallOrderId, required: true}", `subject: {from: '.MallOrderId | values | "order/\(.)"'`}, nil},
		{"one line of several is not the order", `{"items": [{"order_id": "9", "service_type": "A"}, {"order_id": "9", "service_type": "B"}]}`,
			nil, []string{"first("}},
		{"but the only item of a list is it", `{"assignments": [{"shipping": {"address": {"city": "Riga", "postcode": "LV-1050"}}}]}`,
			[]string{"ship_to.city: 'first(.assignments[]?.shipping.address.city)'", "the only one of a list"}, []string{"ship_from.city:"}},
		{"the type of an order is no number of it, nor is the id of its status", `{"OrderType": "COD-1", "order_status_id": "17", "order_currency_code": "EUR"}`,
			nil, []string{"order_no: {from", "subject: {from"}},
		{"what was canceled was not ordered", `{"items": [{"sku": "A", "qty_canceled": 0, "qty_ordered": 2}]}`,
			[]string{"qty.value: {from: .qty_ordered, type: decimal(3), required: true}"}, nil},
		{"the price per unit is no unit", `{"items": [{"sku": "A", "quantity": 2, "PricePerUnit": "9.90"}]}`,
			nil, []string{"qty.uom: "}},
		{"an address without more is where it goes", `{"Auftragsnr.": "A-1", "Empfänger": "Müller & Söhne", "Straße": "Ring 1", "PLZ": "01067", "Ort": "Dresden"}`,
			[]string{`order_no: {from: '."Auftragsnr."', required: true}`, `ship_to.street: '."Straße"'`, "ship_to.postal_code: .PLZ", "ship_to.city: .Ort"}, []string{"ship_from.city:"}},
		{"so is that of a customer, and not where it is billed", `{"customer": {"address": {"town": "Riga"}, "billing_address": {"town": "Oslo"}}}`,
			[]string{"ship_to.city: .customer.address.town"}, []string{"billing"}},
		{"the state of an address is a region, and stands beside its city", `{"receiver": {"address": {"city": "Austin", "state": "TX"}}, "state": "OPEN"}`,
			[]string{"ship_to.region: .receiver.address.state"}, nil},
		{"a name that is there in two parts is put together", `{"shipping_address": {"firstname": "Lena", "lastname": "Vogel", "city": "Dresden"}}`,
			[]string{`ship_to.name: '[.shipping_address.firstname, .shipping_address.lastname] | map(values) | join(" ")'`}, nil},
		{"the number of anything is no driver's, and a part of town no zone of a time", `{"number": "77", "zone": "East"}`,
			nil, []string{"driver.id:", "tz_source: {from"}},
		{"an error tells nothing about the order", `{"error": {"order_no": "1"}, "orderNumber": "2"}`,
			[]string{"order_no: {from: .orderNumber"}, nil},
	} {
		file, _ := parser.Parse("x.schema.yaml", []byte("schema: order@1\nfields:"+order))
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
