package diag_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"crossdock/dsl/diag"
)

func TestBaseline(t *testing.T) {
	old := findings()
	text, n := diag.WriteBaseline(old)
	if n != 5 { // without those that make a file unreadable
		t.Fatalf("%d findings went in:\n%s", n, text)
	}
	base, err := diag.ReadBaseline("lint.json", text)
	if err != nil || base.Known() != n {
		t.Fatalf("%v, %d entries", err, base.Known())
	}
	moved := findings()
	for i := range moved {
		if moved[i].Span.Start.Line > 0 {
			moved[i].Span.Start.Line += 7
			moved[i].Span.End.Line += 7
		}
	}
	for _, d := range base.Apply(moved) {
		if d.Code != "XD1002" {
			t.Errorf("not known any more, but its line moved only: %s %s", d.Code, d.Message)
		}
	}

	// One is mended, one is new.
	fresh := diag.Diagnostic{Code: "XD2101", Message: "new", Span: span(mapping, 3, 1, 3, 2), Name: "m", Row: "r", Source: ".new"}
	left := base.Apply(append(findings()[1:2], fresh))
	var got []string
	for _, d := range left {
		got = append(got, string(d.Code)+" "+d.Span.String()+" "+d.Message)
	}
	want := []string{
		"XD2101 " + mapping + ":3:1 new",
		"XD1004 lint.json:2:3 this entry of the baseline is no longer found: XD2101 in " + mapping,
		"XD1004 lint.json:4:3 this entry of the baseline is no longer found: XD1001 in gone.yaml",
		"XD1004 lint.json:5:3 this entry of the baseline is no longer found: XD1001 in crossdock.yaml",
		"XD1004 lint.json:6:3 this entry of the baseline is no longer found: XD1001 in crossdock.yaml",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s\n%s", diff, text)
	}
}

func TestBaselineUnreadable(t *testing.T) {
	for text, want := range map[string]string{
		"":   "is no baseline: write one with `crossdock lint --write-baseline b.json`",
		"[]": "is no baseline",
		"{}": "is no baseline",
		`{"crossdock_baseline": 2, "findings":[]}`: "of version 2",
	} {
		if _, err := diag.ReadBaseline("b.json", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestBaselineHoldsAll: whatever was found and written is silent afterwards, in
// any order, and a second one of the same kind is not.
func TestBaselineHoldsAll(t *testing.T) {
	one := rapid.Custom(func(t *rapid.T) diag.Diagnostic {
		word := rapid.SampledFrom([]string{"", "a", "b\n", "\"c\"", "<é>"})
		return diag.Diagnostic{
			Code: diag.Code(rapid.SampledFrom([]string{"XD2101", "XD3102"}).Draw(t, "code")), Message: word.Draw(t, "message"),
			Name: word.Draw(t, "name"), Row: word.Draw(t, "row"), Source: word.Draw(t, "source"), Span: span("f.yaml", rapid.IntRange(1, 9).Draw(t, "line"), 1, 9, 9),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		list := diag.List(rapid.SliceOf(one).Draw(t, "list"))
		text, n := diag.WriteBaseline(list)
		base, err := diag.ReadBaseline("b.json", text)
		if err != nil || n != len(list) {
			t.Fatalf("%v\n%s", err, text)
		}
		mixed := rapid.Permutation(list).Draw(t, "mixed")
		if left := base.Apply(mixed); len(left) > 0 {
			t.Fatalf("left %v\n%s", left, text)
		}
		if len(list) > 0 {
			left := base.Apply(append(mixed, mixed[0]))
			if len(left) != 1 || left[0].Code != mixed[0].Code {
				t.Fatalf("the second one of its kind is not told: %v", left)
			}
		}
	})
}
