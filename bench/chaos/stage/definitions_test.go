package stage

import (
	"strings"
	"testing"

	"crossdock/bench/chaos/plan"
	"crossdock/bench/defstest"
)

// TestDefinitions holds the definitions to the language: good ones are good, and
// no faulty edit is one that may go live.
func TestDefinitions(t *testing.T) {
	fill := strings.NewReplacer("TARGET", "127.0.0.1:1", "SHARED", t.TempDir(), "LIMITS", limits(plan.Plan{Concurrent: 4, Breaker: true, Quota: 300}))
	files := map[string]string{}
	for name, text := range definitions {
		files[name] = fill.Replace(text)
	}
	defstest.Hold(t, files, BrokenMapping)
}
