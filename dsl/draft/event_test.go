package draft

import (
	"strings"
	"testing"

	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
)

// TestEvents drafts from what carriers tell on the way: codes, times and numbers whose
// places nobody named for us.
func TestEvents(t *testing.T) {
	const target = `
  event: {type: choice, required: true, options: [picked_up, in_transit, out_for_delivery, delivery_completed, delivery_failed, status_unmapped]}
  event_id: {type: string, required: true}
  partner: {type: string, required: true}
  subject: {type: string, required: true, note: "order/SO-1, tracking/ups/1Z9"}
  classifier: {type: choice, required: true, options: [planned, estimated, actual, requested]}
  occurred_at: {type: datetime}
  occurred_text: {type: string}
  tz_source: {type: choice, required: true, options: [offset, zone_code, partner_default, unknown]}
  order_no: {type: string}
  tracking_no: {type: string}
  refs[].type: {type: choice, required: true, options: [order, po, bol]}
  refs[].value: {type: string, required: true}
  raw.system: {type: string}
  raw.code: {type: string}
`
	for _, c := range []struct {
		name, mapping, payload string
		want, not              []string
		lookups                []string
	}{
		{"a scan", "hooper-to-event", `{"trackingNumber": "0012", "eventType": "OD", "date": "2026-02-13T07:02:00-07:00"}`,
			[]string{
				"event: {from: .eventType, lookup: hooper-to-event-event, required: true}",
				`event_id: {from: '[.trackingNumber, .eventType, .date] | select(all(. != null)) | map(tostring) | join("/")', required: true}`,
				"partner: {const: hooper}", "raw.system: {const: hooper}", "raw.code: .eventType", "classifier: {const: actual}",
				`subject: {from: '.trackingNumber | values | "tracking/hooper/\(.)"', required: true}`,
				"occurred_at: {from: .date, type: datetime}", "the only time beside eventType", "occurred_text: .date", "tz_source: {const: offset}",
			}, nil, []string{"lookup: hooper-to-event-event\n", "# one of: picked_up, in_transit, out_for_delivery,", "on_miss: error", "  OD:   # seen once\n"}},
		{"codes in words", "hooper", `{"event": "tracking_update", "details": {"status": "OutForDelivery"}, "sub": {"trackingStatus": "x"}}`,
			[]string{"event: {from: .details.status, lookup: hooper-event, required: true}", "raw.code: .details.status"}, nil,
			[]string{"  OutForDelivery: out_for_delivery   # guess; seen once\n"}},
		{"codes that are options need no lookup, and the finest number tells events apart", "hooper", `{"order_no": "SO-1", "tracking_number": "0012", "status": "out_for_delivery", "event_ts": "2026-03-20T15:08:42+01:00"}`,
			[]string{"event: {from: .status, required: true}", `event_id: {from: '[.tracking_number, .status, .event_ts] |`}, []string{"lookup: "}, nil},
		{"the sender's id of the message", "hooper", `{"messageId": "8812-aa", "status": "GONE", "timestamp": "2026-02-13T07:02:00Z", "orderNumber": "SO-1"}`,
			[]string{"event_id: {from: .messageId, required: true} # guess 60%"}, nil, nil},
		{"an id that is of nothing else", "hooper", `{"id": "8812-aa", "status": "GONE", "timestamp": "2026-02-13T07:02:00Z", "orderNumber": "SO-1"}`,
			[]string{"event_id: {from: .id, required: true}", "if each event has one of its own"}, nil, nil},
		{"the number of an order is the same for all its parcels", "hooper", `{"status": "GONE", "timestamp": "2026-02-13T07:02:00Z", "orderNumber": "SO-1", "parcel": {"id": "P-7"}}`,
			[]string{`event_id: {from: '[.orderNumber, .parcel.id, .status, .timestamp] |`}, nil, nil},
		{"an order without parcels", "hooper", `{"status": "GONE", "timestamp": "2026-02-13T07:02:00Z", "orderNumber": "SO-1"}`,
			[]string{`event_id: {from: '[.orderNumber, .status, .timestamp] |`, "an order in two parcels needs their numbers, too"}, nil, nil},
		{"what kind of message it is, is no code", "hooper", `{"type": "event", "trackingNumber": "1"}`, nil, []string{"event: {from"}, nil},
		{"what answers yes or no is no code", "hooper", `{"isStatusException": "False", "date": "2026-02-13"}`, nil, []string{"event: {from"}, nil},
		{"the zone beside a time", "hooper", `{"status": "GONE", "event_time": "2026-02-13 07:02:00", "timezone": "America/New_York"}`,
			[]string{"tz_source: {const: zone_code}", "occurred_text: .event_time"}, nil, nil},
		{"a zone that is assumed", "hooper", `{"status": "GONE", "event_time": "2026-02-13 07:02:00"}`, []string{"zone: UTC", "tz_source: {const: partner_default}"}, nil, nil},
		{"a time in milliseconds has its text", "hooper", `{"status": "GONE", "timestamp": 1781475751000}`,
			[]string{"tz_source: {const: offset}", "occurred_text: {from: .timestamp, type: string}"}, nil, nil},
		{"a sender who says whether it is an estimate", "hooper", `{"status": "GONE", "event_time": "2026-02-13T07:02:00Z", "isEstimate": true}`,
			[]string{`classifier: {from: 'if .isEstimate then "estimated" else "actual" end', required: true}`}, nil, nil},
		{"two times and nothing that tells", "hooper", `{"status": "GONE", "a": "2026-02-13T07:02:00Z", "b": "2026-02-13T08:02:00Z"}`, nil, []string{"occurred_at: {", "classifier: {const"}, nil},
		{"numbers in pairs", "hooper", `{"references": [{"type": "PURCHASE_ORDER", "value": "0045"}, {"type": "ORDER_NUMBER", "value": "SO-1"}]}`,
			[]string{"each: .references", "type: {from: .type, lookup: hooper-refs-type, required: true}", "value: {from: .value, required: true}",
				`order_no: 'first(.references[]? | select(.type == "ORDER_NUMBER") | .value)'`}, nil,
			[]string{"  ORDER_NUMBER: order   # guess; seen once\n  PURCHASE_ORDER: po   # guess; seen once\n"}},
		{"pairs with names of their own", "hooper", `{"IdentifierList": [{"Name": "BOL", "Value": "0088"}, {"Name": "Dock", "Value": "7"}]}`,
			[]string{"each: .IdentifierList", "type: {from: .Name, lookup: hooper-refs-type, required: true}"}, nil,
			[]string{"  BOL: bol   # guess; seen once\n  Dock:   # seen once\n"}},
		{"pairs that are no numbers", "hooper", `{"options": [{"name": "Size", "value": "L"}]}`, nil, []string{"each: .options"}, nil},
		{"a document names nobody", "shipment-event", `{"trackingNumber": "0012"}`, nil, []string{"partner: {const", "subject: {"}, nil},
		{"the place in a list is no order", "hooper", `{"code": "DI1", "order": 530}`, nil, []string{"order_no: "}, nil},
	} {
		file, _ := parser.Parse("x.schema.yaml", []byte("schema: event@1\nfields:"+target))
		var list diag.List
		to := schema.Build(schema.Source{Name: "event@1", Fields: file.Root.Get("fields")}, &list)
		if to == nil {
			t.Fatal(list)
		}
		p := profileOf()
		for _, v := range documents([]byte(c.payload)) {
			p.Add(v)
		}
		text, guesses, err := Mapping(Request{Name: c.mapping, To: to, Output: "event@1", Profile: p, Zone: "UTC", Lookups: true})
		if err != nil {
			t.Fatal(err)
		}
		var rows, lookups strings.Builder
		for line := range strings.Lines(string(text)) {
			if !strings.Contains(line, "# TODO") {
				rows.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
			}
		}
		for _, g := range guesses {
			if g.Lookup != nil {
				lookups.Write(g.Lookup.Text())
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
		for _, want := range c.lookups {
			if !strings.Contains(lookups.String(), want) {
				t.Errorf("%s: %q is not in\n%s", c.name, want, lookups.String())
			}
		}
	}
}

// TestMeaning holds what codes mean: only what is certain.
func TestMeaning(t *testing.T) {
	options := []string{"picked_up", "in_transit", "delivered", "failed", "returned"}
	for code, want := range map[string]string{
		"PICKED_UP": "picked_up", "InTransit": "in_transit", "en-route": "in_transit", "Delivered": "delivered", "shipment_delivered": "delivered",
		"DELIVERED_TO_NEIGHBOUR": "", "NS": "", "completed": "", "": "", "17": "", "In Transit Customs": "",
	} {
		if got := meaning(code, options); got != want {
			t.Errorf("%q means %q, want %q", code, got, want)
		}
	}
}
