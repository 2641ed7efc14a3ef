package draft

import (
	"strings"
	"testing"

	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
)

// TestGuesses drafts mappings from events whose vendors call things their own way.
func TestGuesses(t *testing.T) {
	file, _ := parser.Parse("x.schema.yaml", []byte(`schema: event@1
fields:
  event_id: {type: string, required: true}
  kind: {type: choice, required: true, options: [delivered, failed]}
  partner: {type: string, required: true}
  occurred_at: {type: datetime, required: true}
`))
	var list diag.List
	to := schema.Build(schema.Source{Name: "event@1", Fields: file.Root.Get("fields")}, &list)
	if to == nil {
		t.Fatal(list)
	}
	draft := func(docs ...string) string {
		p := profileOf()
		for _, d := range docs {
			for _, v := range documents([]byte(d)) {
				p.Add(v)
			}
		}
		text, _, err := Mapping(Request{Name: "m", From: "hooper/scan@1", To: to, Output: "event@1", Profile: p, Zone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	got := draft(`{"event_type": "parcel.status.changed", "State": {"Milestone": "Left", "Stamp": "2026-05-16T08:00:00Z"}}`,
		`{"event_type": "parcel.status.changed", "State": {"Milestone": "Gone", "Stamp": "2026-05-17T08:00:00Z"}}`)
	for _, want := range []string{
		"# TODO event_id: required", // the same word in all samples is the number of nothing
		"perhaps .State.Milestone through a lookup: Left, Gone",
		"partner: {const: hooper}   # guess 60%: who sends it, as the name tells",
		"occurred_at: {from: .State.Stamp, type: datetime, required: true}   # guess 45%: the only time there is",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	got = draft(`{"id": "E-1", "x": "2026-05-16T08:00:00Z", "y": "2026-05-16T09:00:00Z"}`, `{"id": "E-2", "x": "2026-05-16T08:00:00Z", "y": "2026-05-16T09:00:00Z"}`)
	if !strings.Contains(got, "# TODO occurred_at") {
		t.Errorf("one of two times was chosen for no reason:\n%s", got)
	}
}

// TestMisleadingNames drafts from payloads in which the most alike name is not
// the right one.
func TestMisleadingNames(t *testing.T) {
	file, _ := parser.Parse("x.schema.yaml", []byte(`schema: event@1
fields:
  event_id: {type: string, required: true}
  event: {type: choice, required: true, options: [delivered, failed]}
  zone_from: {type: choice, required: true, options: [offset, unknown]}
  ship_from.name: {type: string}
  ship_to.name: {type: string}
  ship_to.country: {type: string, note: ISO 3166-1 alpha-2}
  ship_from.country: {type: string, note: ISO 3166-1 alpha-2}
`))
	var list diag.List
	to := schema.Build(schema.Source{Name: "event@1", Fields: file.Root.Get("fields")}, &list)
	if to == nil {
		t.Fatal(list)
	}
	p := profileOf()
	for _, d := range []string{
		`{"name": "#9999", "sent_at": 1729679463, "status": {"id": 11, "message": "Delivered"}, "shipping_address": {"name": "Jo Doe", "country": "Peru", "country_code": "PE"}, "shipper": {"country": "Chile"}}`,
		`{"name": "#9998", "sent_at": 1729679464, "status": {"id": 80, "message": "Not at home"}, "shipping_address": {"name": "Al Roe", "country": "Cuba", "country_code": "CU"}, "shipper": {"country": "Chile"}}`,
	} {
		for _, v := range documents([]byte(d)) {
			p.Add(v)
		}
	}
	text, _, err := Mapping(Request{Name: "m", To: to, Output: "event@1", Profile: p, Zone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"# TODO event_id: required, string\n",                     // the id of a status is that of no event
		"; perhaps .status.id through a lookup: 11, 80\n",         // but a code for what happened
		"# TODO zone_from: required, choice of offset, unknown\n", // and not for anything else
		"# TODO ship_from.name",                                   // #9999 is the name of nobody
		"ship_to.name: .shipping_address.name",
		"ship_to.country: .shipping_address.country_code   # guess",
		"needs a lookup to ISO 3166-1 alpha-2",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}

// TestPersonal finds what speaks of persons by name and place, whatever it looks like.
func TestPersonal(t *testing.T) {
	p := profileOf()
	for _, v := range documents([]byte(`{"shipping_address": {"address1": "1 Hay St", "phone": "555-555-SHIP", "city": "X"}, "depot": {"street": "2 Dock Rd", "phone_type": "desk"}, "email_optin": "Y",
		"postalAddress": {"name": "Joe Doe", "countryName": "United States", "lines": "x"}, "warehouse": {"address": {"street": "Dock 1", "name": "DC 7"}},
		"deliver_to": "John Tan", "received_by": "John", "drop": "63 Ubi Ave", "address": "63 Ubi Ave 1", "mac_address": "00:1B:44:11:3A:B7"}`)) {
		p.Add(v)
	}
	text, err := Schema("x@1", p, []string{"x.json"})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		if strings.Contains(line, "pii: true") {
			name, _, _ := strings.Cut(strings.TrimSpace(line), ":")
			found = append(found, name)
		}
	}
	if got, want := strings.Join(found, " "), "address deliver_to postalAddress.name received_by shipping_address.address1 shipping_address.phone"; got != want {
		t.Errorf("personal are %s, want %s\n%s", got, want, text)
	}
}
