package draft

import (
	"strings"
	"testing"

	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
)

// TestShapes drafts from the shapes that documents of shops and ERP systems have:
// names of their own for the number and the day of an order, references with a number
// and a name, pairs, lists of lines of a street, rows of a sheet, names that are data.
func TestShapes(t *testing.T) {
	file, _ := parser.Parse("x.schema.yaml", []byte(`schema: shipment@1
fields:
  reference: {type: string, required: true}
  order_date: {type: date, required: true}
  event: {type: choice, options: [picked_up, in_transit, out_for_delivery, delivered, returned]}
  currency: {type: string}
  consignee.name: {type: string, required: true}
  consignee.street: {type: string, required: true}
  consignee.street2: {type: string}
  consignee.city: {type: string, required: true}
  consignee.country: {type: string}
  lines[]: {required: true}
  lines[].line_no: {type: string}
  lines[].sku: {type: string, required: true}
  lines[].description: {type: string}
  lines[].quantity: {type: decimal(3), required: true}
  lines[].unit: {type: string}
  lines[].weight_kg: {type: decimal(3)}
`))
	var list diag.List
	to := schema.Build(schema.Source{Name: "shipment@1", Fields: file.Root.Get("fields")}, &list)
	if to == nil {
		t.Fatal(list)
	}
	for _, c := range []struct {
		name string
		docs []string
		want []string
		not  []string
	}{
		{"an order with a number of its own", []string{`{"AmazonOrderId": "902-31", "PurchaseDate": "2026-03-01T19:46:46Z", "otherRef": "PO-1", "OrderItems": [{"SellerSKU": "A", "QuantityOrdered": 1, "Title": "Lamp"}]}`},
			[]string{"reference: {from: .AmazonOrderId,", "order_date: {from: .PurchaseDate,", "description: .Title"}, []string{".otherRef"}},
		{"the number and not the key", []string{`{"id": "b6f4017a-b749-ee11-ad0b-a1422c0f7f1f", "number": "101005", "externalDocumentNumber": "PO-5", "createdDate": "2026-03-01", "lines": [{"sku": "A", "qty": 1}]}`},
			[]string{"reference: {from: .number,", "order_date: {from: .createdDate,"}, nil},
		{"two numbers that are as good", []string{`{"tranId": "SO1", "bookId": "B1", "lines": [{"sku": "A", "qty": 1}]}`}, []string{"# TODO reference"}, nil},
		{"references", []string{`{"currency": {"links": [], "id": "4", "refName": "EUR"}, "shippingAddress": {"addressee": "Ada Berg", "city": "Leipzig", "addr1": "Ringstr. 7", "country": {"id": "DE", "refName": "Germany"}}, "items": [{"line": 1, "sku": "A", "quantity": 2, "unit": {"id": "1", "refName": "EA"}}]}`},
			[]string{"currency: .currency.refName", "consignee.country: .shippingAddress.country.id", "consignee.name: {from: .shippingAddress.addressee,", "unit: .unit.refName", "line_no: {from: .line,"}, nil},
		{"persons are no references", []string{`{"customer": {"id": 7, "name": "Ada"}, "lines": [{"sku": "A", "qty": 1}]}`}, nil, []string{"what the reference is called"}},
		{"pairs", []string{`{"currency_id": [1, "EUR"], "order_line": [{"product_uom": [1, "Units"], "product_uom_qty": 2, "product_id": [33, "Lamp"]}]}`},
			[]string{"currency: 'first(.currency_id[]? | strings)'", "quantity: {from: .product_uom_qty,"}, []string{"sku: {from: .product_uom_qty"}},
		{"lines of a street", []string{`{"parts": [{"shipping": {"address": {"city": "Dresden", "firstname": "Lena", "lastname": "Vogel", "street": ["Postplatz 1", "Hinterhaus"]}}}], "items": [{"sku": "A", "qty": 1, "weight": 2.5}]}`},
			[]string{"consignee.street: {from: 'first(.parts[]?.shipping.address.street[0])'", "consignee.street2: 'first(.parts[]?.shipping.address.street[1])'", "weight_kg: {from: .weight,"}, nil},
		{"values that are options", []string{`{"event": "status_changed", "payload": {"status": "out_for_delivery"}}`}, []string{"event: .payload.status"}, nil},
		{"rows of a sheet", []string{`{"Auftragsnr": "0004711", "Artikel": "A-100", "Menge": "2,00", "Customer Name": "Ada", "City": "Leeds", "Address Line 1": "1 High St"}`, `{"Auftragsnr": "0004712", "Artikel": "A-101", "Menge": "1.250,50", "Customer Name": "Bob", "City": "York", "Address Line 1": "2 Low St"}`},
			[]string{"reference: {from: .Auftragsnr,", "    each: .\n", "sku: {from: .Artikel,", "a row is one line", `consignee.name: {from: '."Customer Name"'`, `consignee.street: {from: '."Address Line 1"'`}, nil},
		{"a document without lines is no row", []string{`{"orderNo": "1", "sku": "A", "qty": 2, "shipTo": {"city": "Leeds"}}`}, []string{"# TODO lines"}, nil},
		{"names that are data", []string{`{"meta": {"status": 200}, "result": {"4210610508756": {"status": "Delivered"}, "4210610508757": {"status": "Gone"}}}`},
			[]string{"# The names below .result are data", "--split '.result | to_entries[]'"}, nil},
	} {
		p := profileOf()
		for _, d := range c.docs {
			for _, v := range documents([]byte(d)) {
				p.Add(v)
			}
		}
		text, _, err := Mapping(Request{Name: "m", To: to, Output: "shipment@1", Profile: p, Zone: "UTC"})
		if err != nil {
			t.Fatal(c.name, err)
		}
		for _, want := range c.want {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: %q is not in\n%s", c.name, want, text)
			}
		}
		for _, not := range c.not {
			if strings.Contains(string(text), not) {
				t.Errorf("%s: %q is in\n%s", c.name, not, text)
			}
		}
	}
}
