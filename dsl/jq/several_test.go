package jq

import "testing"

func TestLists(t *testing.T) {
	for src, want := range map[string]string{
		`.a, .b`: ".b", `(.a, "x") | tostring`: "", `.x | (.a, .b)`: ".b", `.a, $root, .c`: ".c", `(.a, .b) | {n: .}`: ".b",
		`.a, empty`: "", `.a?, .b`: "", `[.a, .b]`: "", `first(.a, .b)`: "", `.a[], .b`: "", `{a: (.a, .b)}`: "", `.a // (.b, .c)`: "", `.a`: "",
	} {
		p, problems := Compile(src, testOptions("root"))
		if p == nil {
			t.Fatalf("%s: %v", src, problems)
		}
		at, ok := p.Lists()
		if got := src[at.From:at.To]; got != want || ok != (want != "") {
			t.Errorf("%s: %q, want %q", src, got, want)
		}
	}
}
