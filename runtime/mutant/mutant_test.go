package mutant_test

import (
	"os"
	"os/exec"
	"testing"

	"crossdock/runtime/mutant"
)

func TestNothingIsOnWithoutTheTag(t *testing.T) {
	for _, id := range append(mutant.All(), mutant.Deaf) {
		if mutant.On(id) {
			t.Errorf("%s is on", id)
		}
	}
	for _, p := range mutant.Places() {
		mutant.Crash(p) // would end the test
	}
}

// TestBuildsWithTheTag keeps the other half of the build from rotting.
func TestBuildsWithTheTag(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the command line")
	}
	cmd := exec.Command("go", "build", "-tags", "mutant", "-o", os.DevNull, "crossdock/cmd/crossdock")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0") // as what people install
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
