package all_test

import (
	"testing"

	"crossdock/connectors/all"
)

func TestTypesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range all.All() {
		if seen[c.Type()] {
			t.Errorf("two connectors are of type %s", c.Type())
		}
		seen[c.Type()] = true
	}
	for _, typ := range []string{"http", "file", "log"} {
		if !seen[typ] {
			t.Errorf("there is no connector of type %s", typ)
		}
	}
}
