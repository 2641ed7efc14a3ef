package redis

import (
	"strings"
	"testing"
)

// TestMutantsHaveTheirText holds planted mistakes to the scripts: one that
// changes nothing would be found by nobody.
func TestMutantsHaveTheirText(t *testing.T) {
	texts := map[string]string{"apply": applyText, "drain": applyText, "lease": leaseText}
	for _, p := range planted {
		for _, name := range p.scripts {
			if n := strings.Count(texts[name], p.old); n != 1 {
				t.Errorf("%s: the text it changes occurs %d times in %s.lua", p.id, n, name)
			}
			if mutated(name, texts[name]) != texts[name] {
				t.Errorf("%s is planted in a build without the tag", name)
			}
		}
	}
}
