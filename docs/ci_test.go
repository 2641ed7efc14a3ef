package docs

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestSnippets looks at what the page about CI does not run: shell scripts must
// be such, and every command must know the flags that it is given.
func TestSnippets(t *testing.T) {
	cli, err := os.ReadFile("cli.md")
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, b := range blocks(t, "ci.md") {
		if b.lang == "bash" {
			cmd := exec.Command("bash", "-n")
			cmd.Stdin = strings.NewReader(b.text)
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%s: %s", b.place(), out)
			}
		}
		for _, m := range call.FindAllStringSubmatch(b.text, -1) {
			commands++
			_, help, found := strings.Cut(string(cli), "\n## "+m[1]+"\n")
			if !found {
				t.Errorf("%s: there is no command %s", b.place(), m[1])
				continue
			}
			help, _, _ = strings.Cut(help, "\n## ")
			for _, flag := range flags.FindAllString(m[2], -1) {
				if !strings.Contains(help, flag+" ") {
					t.Errorf("%s: %s has no flag %s", b.place(), m[1], flag)
				}
			}
		}
	}
	if commands < 20 {
		t.Errorf("only %d commands", commands)
	}
}

var (
	call  = regexp.MustCompile(`(?m)crossdock (lint|fmt|test|plan|init)\b([^>'\n,]*)`)
	flags = regexp.MustCompile(`--[a-z-]+`)
)
