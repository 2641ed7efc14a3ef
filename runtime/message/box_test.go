package message

import (
	"encoding/json"
	"fmt"
	goruntime "runtime"
	"testing"
)

// Boxed values are ordinary interface values that survive collections.
func TestBoxer(t *testing.T) {
	const n = 2000
	b := boxer{next: minBlock}
	texts, numbers := make([]any, n), make([]any, n)
	for i := range n {
		texts[i] = b.text(fmt.Sprintf("text %d", i))
		numbers[i] = b.number(fmt.Sprintf("%d.50", i))
		if i%500 == 0 {
			goruntime.GC()
		}
	}
	b = boxer{}
	goruntime.GC()
	for i := range n {
		if s, ok := texts[i].(string); !ok || s != fmt.Sprintf("text %d", i) {
			t.Fatalf("text %d is %T %v", i, texts[i], texts[i])
		}
		if s, ok := numbers[i].(json.Number); !ok || string(s) != fmt.Sprintf("%d.50", i) {
			t.Fatalf("number %d is %T %v", i, numbers[i], numbers[i])
		}
		if texts[i] == numbers[i] || texts[i] != any(fmt.Sprintf("text %d", i)) {
			t.Fatalf("value %d compares wrongly", i)
		}
	}
}
