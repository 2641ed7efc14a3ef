package diag_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"crossdock/dsl/diag"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	mapping = "mappings/erp-order-to-shipment.mapping.yaml"
	wide    = "wide.mapping.yaml"
)

var sources = map[string]string{
	mapping: strings.Repeat("#\n", 12) + "  consignee.postal_code: {from: $ship_to.zipCode, type: string}\n",
	wide: "a:\tb\tzipCode\n" +
		"日本: 🚚 é zipCode\n" +
		"x: " + strings.Repeat("abcdefghij ", 12) + "zipCode" + strings.Repeat(" klmnopqrst", 12) + "\n" +
		"y: \x1b[31mred\u202e zipCode\n" +
		"z: e\u0301 zipCode\n" +
		"end:\n",
}

func span(file string, line, col, endLine, endCol int) diag.Span {
	return diag.Span{File: file, Start: diag.Point{Line: line, Col: col}, End: diag.Point{Line: endLine, Col: endCol}}
}

func findings() diag.List {
	zip := diag.Fix{Title: "replace with `zip`", Edits: []diag.Edit{{Span: span(mapping, 13, 42, 13, 49), Text: "zip"}}}
	return diag.List{
		{
			Code: "XD2101", Message: "`zipCode` does not exist in erp/sales-order@1 at partners[]", Span: span(mapping, 13, 42, 13, 49),
			Short: "did you mean `zip`?", Kind: "mapping", Name: "erp-order-to-shipment", Row: "consignee.postal_code", Lang: "jq",
			Hint:   "you can use: city, country, name, role, street, zip     (schema, and seen in samples/so-4711.json)",
			Source: "$ship_to.zipCode", Fixes: []diag.Fix{zip},
		},
		{Code: "XD1102", Severity: diag.Warning, Message: "the tab comes first", Span: span(wide, 1, 6, 1, 13)},
		{Code: "XD1002", Message: "wide characters", Span: span(wide, 2, 9, 2, 16), Lang: "expr", Hint: "one\ntwo"},
		{Code: "XD1002", Message: "a long line", Span: span(wide, 3, 136, 3, 143)},
		{
			Code: "XD1002", Message: "a line that writes\nto the \x1b[31mterminal", Span: span(wide, 4, 14, 4, 21),
			Related: []diag.Related{{Span: span(mapping, 1, 1, 1, 2), Message: "first set here"}},
		},
		{Code: "XD1002", Message: "over two lines", Span: span(wide, 5, 4, 6, 2)},
		{Code: "XD1002", Message: "behind the end: 100%, or so", Span: span(wide, 6, 5, 6, 5), Fixes: []diag.Fix{
			{Title: "do this", Edits: []diag.Edit{{Span: span(wide, 6, 5, 6, 5), Text: " a"}, {Span: span("b,c:%.yaml", 1, 1, 2, 1)}}},
			{Title: "or that"},
		}},
		{Code: "XD1001", Message: "no file at hand", Span: span("gone.yaml", 7, 1, 7, 2), Short: "here"},
		{Code: "XD1001", Message: "no place at all", Span: diag.Span{File: "crossdock.yaml"}},
		{Code: "XD1001", Message: "no place at all", Span: diag.Span{File: "crossdock.yaml"}},
	}
}

func options(f diag.Format) diag.Options {
	return diag.Options{
		Format: f, Version: "1.2.3",
		Sources: func(path string) []byte {
			if s, ok := sources[path]; ok {
				return []byte(s)
			}
			return nil
		},
		Rules: func(c diag.Code) (string, string) {
			if c == "XD2101" {
				return "input field that does not exist", "https://crossdock.example/checks#XD2101"
			}
			return "", "see the manual"
		},
	}
}

func TestPrintGolden(t *testing.T) {
	const path = "testdata/print.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for _, f := range archive.Files {
		want[f.Name] = string(f.Data)
	}
	out := &txtar.Archive{Comment: archive.Comment}
	for _, name := range append(diag.Formats(), "color", "narrow") {
		o := options(diag.Format(name))
		if name == "color" || name == "narrow" {
			o.Format = diag.TextFormat
		}
		o.Color = name == "color"
		if name == "narrow" {
			o.Width = 60
		}
		var got bytes.Buffer
		if err := diag.Print(&got, findings(), o); err != nil {
			t.Fatal(err)
		}
		out.Files = append(out.Files, txtar.File{Name: name, Data: got.Bytes()})
		if diff := cmp.Diff(want[name], got.String()); diff != "" && !*update {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestPicture pins the picture that the language promises, to the character.
func TestPicture(t *testing.T) {
	const want = "error XD2101: `zipCode` does not exist in erp/sales-order@1 at partners[]\n" +
		"  --> mappings/erp-order-to-shipment.mapping.yaml:13:42   row consignee.postal_code, jq\n" +
		"   |\n" +
		"13 |   consignee.postal_code: {from: $ship_to.zipCode, type: string}\n" +
		"   |                                          ^^^^^^^ did you mean `zip`?\n" +
		"   |\n" +
		"   = you can use: city, country, name, role, street, zip     (schema, and seen in samples/so-4711.json)\n" +
		"   = fix: replace with `zip`  (crossdock lint --fix)                more: crossdock explain XD2101\n" +
		"\n1 error in 1 file\n"
	var got strings.Builder
	if err := diag.Print(&got, findings()[:1], options(diag.TextFormat)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestNoEscape holds every format to writing no control characters of a
// definition to the terminal.
func TestNoEscape(t *testing.T) {
	for _, name := range diag.Formats() {
		var got bytes.Buffer
		if err := diag.Print(&got, findings(), options(diag.Format(name))); err != nil {
			t.Fatal(err)
		}
		if bytes.ContainsRune(got.Bytes(), '\x1b') {
			t.Errorf("%s writes an escape code", name)
		}
	}
}

func TestPrintJSONLines(t *testing.T) {
	var got bytes.Buffer
	if err := diag.Print(&got, findings(), options(diag.JSONFormat)); err != nil {
		t.Fatal(err)
	}
	prints := map[string]bool{}
	lines := 0
	for line := range strings.Lines(got.String()) {
		var f struct {
			Fingerprint string
			Suggestions []any
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if f.Fingerprint == "" || prints[f.Fingerprint] || f.Suggestions == nil {
			t.Errorf("fingerprint repeated or suggestions missing: %s", line)
		}
		prints[f.Fingerprint] = true
		lines++
	}
	if lines != len(findings()) {
		t.Errorf("%d lines for %d findings", lines, len(findings()))
	}
}

func TestFingerprint(t *testing.T) {
	base := findings()[0]
	moved := base
	moved.Span = span(mapping, 99, 1, 99, 2)
	moved.Message = "other words"
	if moved.Fingerprint() != base.Fingerprint() {
		t.Error("a finding that moved to another line is another finding")
	}
	for name, change := range map[string]func(*diag.Diagnostic){
		"code": func(d *diag.Diagnostic) { d.Code = "XD1" },
		"name": func(d *diag.Diagnostic) { d.Name = "x" },
		"row":  func(d *diag.Diagnostic) { d.Row = "x" },
		"cell": func(d *diag.Diagnostic) { d.Source = "x" },
	} {
		d := base
		change(&d)
		if d.Fingerprint() == base.Fingerprint() {
			t.Errorf("another %s gives the same fingerprint", name)
		}
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestPrintErrors(t *testing.T) {
	for _, name := range diag.Formats() {
		if err := diag.Print(brokenPipe{}, findings(), options(diag.Format(name))); err == nil {
			t.Errorf("%s: a broken pipe goes unnoticed", name)
		}
	}
	err := diag.Print(&bytes.Buffer{}, nil, diag.Options{Format: "xml"})
	if err == nil || !strings.Contains(err.Error(), "text, json, sarif, github") {
		t.Errorf("an unknown format: %v", err)
	}
}

func TestSummary(t *testing.T) {
	list := diag.List{{}, {}, {Severity: diag.Warning}}
	for _, tt := range []struct {
		list  diag.List
		files int
		want  string
	}{
		{list, 3, "2 errors, 1 warning in 3 files"},
		{list[:1], 1, "1 error in 1 file"},
		{list[2:], 1, "1 warning in 1 file"},
		{nil, 4, "no findings in 4 files"},
	} {
		if got := diag.Summary(tt.list, tt.files); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
