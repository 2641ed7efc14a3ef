package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/journal"
	"crossdock/runtime/publication"
)

func TestReplicasForPeople(t *testing.T) {
	var out bytes.Buffer
	a := &app{Stdout: &out}
	a.replicas(runtime.Status{Replicas: []runtime.Replica{
		{Host: "warehouse-integration-7f9", PID: 123456, Version: "0.1.0", Revision: "r0123456789ab", Published: 12, Generation: 104, Since: time.Now(), Ready: true, HTTP: "0.0.0.0:8080",
			Sources: []string{"orders-from-erp", "stock-from-wms"}, Here: true},
		{Host: "b", PID: 2, Version: "0.1.0", Revision: "rffffffffffff", Since: time.Now(), Problem: "r12 cannot run here: the secret erp_key is not set"},
	}})
	text := out.String()
	for _, want := range []string{"r12 r0123456789ab", "warehouse-int... 123456 *", "NOT READY", "b 2 does not run what it should: r12 cannot run here: the secret erp_key"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for line := range strings.Lines(text) {
		if len(strings.TrimRight(line, "\n")) > 100 {
			t.Errorf("%d columns: %s", len(line)-1, line)
		}
	}
}

func TestHistoryForPeople(t *testing.T) {
	var out bytes.Buffer
	a := &app{Stdout: &out}
	digest := strings.Repeat("ab", 16)
	a.history(publication.Book{Active: 3, Entries: []publication.Entry{
		{Number: 1, Who: "ana", Note: "first", Digest: digest, Files: 4},
		{Number: 2, Who: "ben.the.long.name.of.somebody", Note: strings.Repeat("a long reason ", 9), Digest: digest, Files: 400},
		{Number: 3, Who: "ana", Digest: digest, Files: 4, Again: 1},
	}})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 4 || !strings.Contains(lines[1], "r3") || !strings.HasPrefix(lines[1], "*") || !strings.Contains(lines[1], "r1 again") {
		t.Errorf("history\n%s", out.String())
	}
	for _, line := range lines {
		if len(line) > 100 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// TestRefusalThatIsOver: what was put right is not shown as refused.
func TestRefusalThatIsOver(t *testing.T) {
	at := time.Now()
	failed := runtime.Report{Result: "failed", Error: "the definitions have 2 errors", At: at}
	for _, c := range []struct {
		checked runtime.Report
		refused bool
	}{{failed, true}, {runtime.Report{Result: "unchanged", At: at.Add(time.Second)}, false}} {
		var out bytes.Buffer
		a := &app{Stdout: &out}
		a.status(runtime.Status{Last: failed, Checked: c.checked}, journal.Balance{})
		if got := strings.Contains(out.String(), "refused: the definitions have 2 errors"); got != c.refused {
			t.Errorf("after %s:\n%s", c.checked.Result, out.String())
		}
		if got := strings.Contains(out.String(), "has been taken back"); got == c.refused {
			t.Errorf("after %s:\n%s", c.checked.Result, out.String())
		}
	}
}
