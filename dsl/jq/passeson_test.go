package jq_test

import (
	"testing"

	"crossdock/dsl/jq"
)

// TestPassesOn: a path selects, everything else makes something new.
func TestPassesOn(t *testing.T) {
	for src, want := range map[string]bool{
		".": true, ".a.b": true, ".a[].b": true, ".a | .b": true, "(.a)": true, "$x.a": true, ".a?": true,
		".a + .b": false, "[.a[]]": false, "first(.a[])": false, `"\(.a)"`: false, ".a[] | select(.b)": false,
		".[1:]": false, ".a[1:3]": false, ".a | .[1:3]": false, "$x[1:3]": false, ".a[1:].b": false, ".a[1]": true,
	} {
		p, problems := jq.Compile(src, jq.Options{Vars: []string{"x"}})
		if len(problems) > 0 {
			t.Fatalf("%s: %v", src, problems)
		}
		if got := p.PassesOn(); got != want {
			t.Errorf("%s passes on: %v", src, got)
		}
	}
}

// TestMakesObject: one object of its own, whatever the input is.
func TestMakesObject(t *testing.T) {
	for src, want := range map[string]bool{
		"{a: .b}": true, `{type: "order", value: (.a // .b)}`: true,
		"{a: .b[]}": false, "{a: .b}, {a: .c}": false, "{a: .b} | .a": false, "{a: .b}.a": false, ".a": false, "[{a: .b}]": false,
		"{a: .b} | select(.a)": false,
	} {
		p, problems := jq.Compile(src, jq.Options{})
		if len(problems) > 0 {
			t.Fatalf("%s: %v", src, problems)
		}
		if got := p.MakesObject(); got != want {
			t.Errorf("%s makes one object: %v", src, got)
		}
	}
}
