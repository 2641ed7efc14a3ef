package draft

import (
	"strings"
	"testing"

	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/schema"
)

// TestNumbersAsTheyAreWritten drafts rows for numbers that are written as people
// do, and none for texts that only look like them.
func TestNumbersAsTheyAreWritten(t *testing.T) {
	file, _ := parser.Parse("x.schema.yaml", []byte(`schema: order@1
fields:
  total: {type: decimal(2)}
  freight: {type: number}
  weight: {type: decimal(3)}
  pieces: {type: integer}
  duty: {type: number}
  volume: {type: decimal(3)}
`))
	var list diag.List
	to := schema.Build(schema.Source{Name: "order@1", Fields: file.Root.Get("fields")}, &list)
	if to == nil {
		t.Fatal(list)
	}
	p := profileOf()
	for _, d := range []string{
		`{"Total": "1.234,50", "Freight": "12.50-", "Weight": "1,234", "Pieces": "1.234", "Duty": "1 234.50", "Volume": "552 100 554", "Plain": "0012.50", "Padded": "16.29 ", "Version": "10 115"}`,
		`{"Total": "2,5", "Freight": "3.00", "Weight": "2,500", "Pieces": "12", "Duty": "1", "Volume": "120 027 016", "Plain": "3", "Padded": "7", "Version": "20 095"}`,
	} {
		for _, v := range documents([]byte(d)) {
			p.Add(v)
		}
	}
	text, _, err := Mapping(Request{Name: "m", To: to, Output: "order@1", Profile: p, Zone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	inferred, err := Schema("order@1", p, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`{from: .Total, type: decimal(2), parse: "1.234,56"}`, "the same name; written 1.234,56\n",
		`{from: .Freight, type: number, parse: "1234.56-"}`,
		`{from: .Weight, type: decimal(3), parse: "1.234,56"}`, "written 1.234,56; or is it 1,234.56?",
		`{from: .Pieces, type: integer, parse: "1.234"}`,
		`{from: .Duty, type: number, parse: "1 234.56"}`,
		"# TODO volume",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s is not in\n%s", want, text)
		}
	}
	for _, want := range []string{
		`a number: parse: "1.234,56" in a row`, `a number: parse: "1.234,56", or "1,234.56" in a row`, `a number: parse: "1234.56-" in a row`,
	} {
		if !strings.Contains(string(inferred), want) {
			t.Errorf("%s is not in\n%s", want, inferred)
		}
	}
	for _, name := range []string{"Volume", "Plain", "Padded", "Version"} {
		for l := range strings.Lines(string(inferred)) {
			if strings.Contains(l, name) && strings.Contains(l, "parse:") {
				t.Errorf("a number is seen in %s", l)
			}
		}
	}
}

// TestNumbersOfOneSender takes what some numbers show for all of them.
func TestNumbersOfOneSender(t *testing.T) {
	file, _ := parser.Parse("x.schema.yaml", []byte("schema: order@1\nfields: {total: {type: decimal(2)}, pieces: {type: integer}, weight: {type: number}, plain: {type: integer}}"))
	var list diag.List
	to := schema.Build(schema.Source{Name: "order@1", Fields: file.Root.Get("fields")}, &list)
	for _, c := range []struct{ doc, want, not string }{
		{`{"Total": "12,50", "Pieces": "1.000", "Weight": "1,250", "Plain": "12"}`, `pieces: {from: .Pieces, type: integer, parse: "1.234,56"} # guess`, "or is it"},
		{`{"Total": "12,50", "Pieces": "1.000", "Weight": "1,250", "Plain": "12"}`, `weight: {from: .Weight, type: number, parse: "1.234,56"} # guess`, `.Plain, type: integer, parse`},
		{`{"Total": "1,250.00", "Pieces": "1.000", "Weight": "1,250", "Plain": "12"}`, `weight: {from: .Weight, type: number, parse: "1,234.56"} # guess`, `.Pieces, type: integer, parse`},
		{`{"Total": "12.50", "Pieces": "1.000", "Weight": "1.250", "Plain": "12"}`, `pieces: {from: .Pieces, type: integer} # guess`, `parse`},
		{`{"Total": "12,50", "Pieces": "1.000", "Weight": "12'345.50", "Plain": "12"}`, `pieces: {from: .Pieces, type: integer} # guess`, ``},
	} {
		p := profileOf()
		for _, v := range documents([]byte(c.doc)) {
			p.Add(v)
		}
		out, _, err := Mapping(Request{Name: "m", To: to, Output: "order@1", Profile: p, Zone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		text := strings.ReplaceAll(string(out), "   #", " #")
		if !strings.Contains(text, c.want) || c.not != "" && strings.Contains(text, c.not) {
			t.Errorf("%s gives\n%s\nwant %s and not %s", c.doc, out, c.want, c.not)
		}
	}
}
