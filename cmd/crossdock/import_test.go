package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/dsl/sheet"
)

// TestImportWorkbook imports a crosswalk and a mapping sheet of one workbook, and
// is told of the cell that is wrong.
func TestImportWorkbook(t *testing.T) {
	dir := t.TempDir()
	book := filepath.Join(dir, "Onboarding Bolt.xlsx")
	var b bytes.Buffer
	err := sheet.WriteXLSX(&b, []sheet.Sheet{
		{Name: "Codes", Rows: [][]string{{"Code", "Event"}, {"010", "out"}, {"=1+1", "x"}}},
		{Name: "Orders", Rows: [][]string{{"Target", "Source"}, {"reference", "PO"}, {"lines[].sku", "items[].sku"}}},
		{Name: "Bad", Rows: [][]string{{"Code", "Event"}, {"1", "#REF!"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(book, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		a := &app{Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Getenv: func(string) string { return "" }}
		if code := a.main(context.Background(), args); code != want {
			t.Fatalf("%v ended with %d: %s", args, code, &out)
		}
		return out.String()
	}
	// What looks like a formula in a cell of text would be computed elsewhere.
	if got := run(exitFindings, "import", "xlsx", book, "--as", "lookup", "--out", "-"); !strings.Contains(got, "cell Codes!A3 holds a formula") {
		t.Error(got)
	}
	if got := run(exitOK, "import", "xlsx", book, "--sheet", "orders", "--as", "mapping", "--out", "-"); !strings.Contains(got, "mapping: onboarding-bolt") || !strings.Contains(got, "each: .items") {
		t.Error(got)
	}
	if got := run(exitFindings, "import", "xlsx", book, "--sheet", "Bad", "--as", "lookup", "--out", "-"); !strings.Contains(got, "cell Bad!B2 shows #REF!") {
		t.Error(got)
	}
	if got := run(exitUsage, "import", "xlsx", book, "--sheet", "Order", "--as", "mapping", "--out", "-"); !strings.Contains(got, "did you mean `Orders`") {
		t.Error(got)
	}
}

// TestImportHidden: rows that people do not see are counted, and left out when
// asked for.
func TestImportHidden(t *testing.T) {
	a := &app{}
	for _, c := range []struct {
		leave bool
		want  string
		said  string
	}{
		{false, "b", "1 hidden row is taken, too, from row 2 on; --visible leaves them out\n"},
		{true, "", "1 hidden row is left out, from row 2 on\n"},
	} {
		var out bytes.Buffer
		a.Stderr = &out
		s := sheet.Sheet{Rows: [][]string{{"a"}, {"b"}, {" "}}, Unseen: []int{1, 2, 7}}
		a.unseen(s, c.leave)
		if got := strings.Join(s.Rows[1], ""); got != c.want || out.String() != c.said {
			t.Errorf("%q %q", got, &out)
		}
	}
}

func TestPickSheet(t *testing.T) {
	sheets := []sheet.Sheet{{Name: "Old", Hidden: true}, {Name: "Now"}}
	for name, want := range map[string]string{"": "Now", "old": "Old", "NOW": "Now"} {
		if got, err := pick(sheets, name); err != nil || got.Name != want {
			t.Errorf("%q: %q %v", name, got.Name, err)
		}
	}
	if _, err := pick(sheets[:1], ""); err == nil || !strings.Contains(err.Error(), "name one with --sheet: there are Old") {
		t.Error(err)
	}
}
