package docs_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// TestSecurityNamesItsTests: every test that a promise names is there.
func TestSecurityNamesItsTests(t *testing.T) {
	page, err := os.ReadFile("security.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("grep", "-rhoE", "--include=*_test.go", `^func Test[A-Za-z0-9]+`, "..").Output()
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, name := range regexp.MustCompile(`Test[A-Za-z0-9]+`).FindAllString(string(out), -1) {
		there[name] = true
	}
	named := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 40 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		if !there[m[1]] {
			t.Errorf("security.md names %s, which is not there", m[1])
		}
	}
}

// TestPromisesNameTheirTests: every test that a fault names is in the folder
// that it names.
func TestPromisesNameTheirTests(t *testing.T) {
	page, err := os.ReadFile("promises.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z/]+):(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(string(page), -1)
	if len(named) < 70 {
		t.Errorf("only %d tests are named", len(named))
	}
	for _, m := range named {
		out, err := exec.Command("sh", "-c", `cat ../"$0"/*_test.go`, m[1]).Output()
		if err != nil || !regexp.MustCompile(`(?m)^func `+m[2]+`\(`).Match(out) {
			t.Errorf("promises.md names %s in %s, where it is not", m[2], m[1])
		}
	}
}
