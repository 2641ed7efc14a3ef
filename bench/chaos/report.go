package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	goruntime "runtime"
	"slices"
	"strings"
	"time"

	"crossdock/bench/chaos/judge"
)

// tell writes the outcome of a run: one line, and what is wrong below it.
func tell(w io.Writer, v *judge.Verdict) {
	p := v.Plan
	setup := fmt.Sprintf("%s %s x%d %s", p.Store, p.Sync, p.Replicas, p.Disk)
	if p.Followers > 0 {
		setup += " replicated"
	}
	faults := 0
	var kinds []string
	for k, n := range v.Fired {
		faults += n
		kinds = append(kinds, fmt.Sprintf("%s %d", k, n))
	}
	slices.Sort(kinds)
	var broken []string
	for _, word := range judge.Words {
		broken = append(broken, fmt.Sprintf("%s %d", word, v.Counts[word]))
	}
	fmt.Fprintf(w, "seed %d | %s | sent %d ok %d unknown %d repeats %d | delivered %d filtered %d dead %d discarded %d open %d | %s | dup_deliveries %d late_dups %d | faults %d | failed tries %d | recovery %s | edits %d orders %d\n",
		p.Seed, setup, v.Sent, v.OK, v.Unknown, v.Repeats, v.Ledger.Delivered, v.Ledger.Filtered, v.Ledger.Dead, v.Ledger.Discarded, v.Ledger.Open,
		strings.Join(broken, " "), v.DupSeen, v.LateDups, faults, v.Failures, v.Recovery.Round(100*time.Millisecond), v.Editions, v.Orders)
	if v.Bad() || v.Vacuous != "" {
		fmt.Fprintf(w, "  faults that fired: %s\n", strings.Join(kinds, ", "))
	}
	for _, e := range v.Examples {
		fmt.Fprintf(w, "  %s %s: %s\n", e.Word, e.ID, e.What)
	}
	if v.Vacuous != "" {
		fmt.Fprintf(w, "  the run says nothing: %s\n", v.Vacuous)
	}
}

// versions says what is under test, as far as it can be found out.
func versions(root string) string {
	first := func(name string, args ...string) string {
		cmd := exec.Command(name, args...)
		cmd.Dir = root
		out, err := cmd.Output()
		line, _, _ := strings.Cut(string(out), "\n")
		if err != nil || line == "" {
			return name + " unknown"
		}
		return line
	}
	return "crossdock " + first("git", "describe", "--always", "--dirty") + ", " + goruntime.Version() + ", " + first("redis-server", "--version")
}

// writeJSON keeps verdicts in a file.
func writeJSON(path, versions string, verdicts []*judge.Verdict) error {
	raw, err := json.MarshalIndent(struct {
		Versions string           `json:"versions"`
		Verdicts []*judge.Verdict `json:"verdicts"`
	}{versions, verdicts}, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("keep the verdicts: %w", err)
	}
	return nil
}
