package http

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

// TestDecodeAnswer: an answer that is read leniently is not read without bounds.
func TestDecodeAnswer(t *testing.T) {
	deep := `{"a":1,"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}`
	long := `{"a":1,"a":` + strings.Repeat("9", 100_000) + `}`
	for name, c := range map[string]struct {
		raw  string
		want any
	}{
		"a key twice": {`{"a":1,"a":[1e400]}`, map[string]any{"a": []any{json.Number("1e400")}}},
		"deep":        {deep, deep},
		"long number": {long, long},
		"not closed":  {strings.Repeat("[", 5000), strings.Repeat("[", 5000)},
	} {
		if got := decodeAnswer("application/json", []byte(c.raw)); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %T %.40v", name, got, got)
		}
	}
}
