package draft

import (
	"fmt"
	"math/rand"
	"testing"
)

// TestNamesOfAllKinds writes documents whose names are made of everything that
// means something in a path or in YAML.
func TestNamesOfAllKinds(t *testing.T) {
	parts := []string{"a", "b", ".", "[]", "[", "]", `"`, `\`, "'", "#", ":", " ", ",", "{", "}", "&", "*", "!", "|", ">", "%", "@", "`", "-", "?", "~", "\t", "\n", "é", "0", "null", "true", "=", "<<"}
	r := rand.New(rand.NewSource(1))
	name := func() string {
		s := ""
		for range 1 + r.Intn(4) {
			s += parts[r.Intn(len(parts))]
		}
		return s
	}
	var value func(depth int) any
	value = func(depth int) any {
		switch r.Intn(6 - min(depth, 3)) {
		case 5:
			return []any{value(depth + 1)}
		case 3, 4:
			m := map[string]any{}
			for range r.Intn(3) {
				m[name()] = value(depth + 1)
			}
			return m
		case 2:
			return nil
		case 1:
			return "x"
		}
		return fmt.Sprint(r.Intn(9))
	}
	for i := range 3000 {
		doc := map[string]any{}
		for range 1 + r.Intn(3) {
			doc[name()] = value(0)
		}
		agree(t, fmt.Sprintf("document %d: %q", i, doc), doc)
	}
}
