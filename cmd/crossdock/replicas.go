package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/publication"
)

// replicas shows every process on the store with what it runs.
func (a *app) replicas(s runtime.Status) {
	if len(s.Replicas) == 0 {
		return
	}
	rows := [][]string{{"REPLICA", "VERSION", "REVISION", "GEN.", "UP FOR", "FIRES", ""}}
	for _, r := range s.Replicas {
		name, note := fmt.Sprintf("%s %d", short(r.Host, 16), r.PID), ""
		if r.Here {
			name += " *"
		}
		if !r.Ready {
			note = "NOT READY"
		}
		rows = append(rows, []string{name, r.Version, revisionOf(r.Revision, r.Published), strconv.Itoa(r.Generation),
			time.Since(r.Since).Round(time.Second).String(), short(strings.Join(r.Sources, ", "), 24), note})
	}
	a.table(rows)
	for _, r := range s.Replicas {
		if r.Problem != "" {
			fmt.Fprintf(a.Stdout, "%s %d does not run what it should: %s\n", r.Host, r.PID, r.Problem)
		}
	}
}

// revisionOf names what runs: the number of its publication, and its digest.
func revisionOf(revision string, published int) string {
	if published == 0 {
		return revision
	}
	return publication.Name(published) + " " + revision
}
