package diag

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Baseline is a list of findings that are known and left for later, so that a
// workspace with many of them can be held to the rules from now on. The zero
// value knows none.
type Baseline struct {
	file  string
	known []knownFinding
}

// BaselineCode is the code of findings about entries of a baseline.
const BaselineCode Code = "XD1004"

// knownFinding is one entry, in a line of its own. Only the fingerprint counts;
// the rest is for people who read a diff.
type knownFinding struct {
	Fingerprint string `json:"fingerprint"`
	Code        Code   `json:"code"`
	File        string `json:"file"`
	Row         string `json:"row,omitempty"`
	Message     string `json:"message"`

	line int
}

const baselineHead = `{"crossdock_baseline": 1, "findings": [`

// WriteBaseline returns the text of a baseline with the findings of list, in
// their order. What makes a file unreadable (XD1002) is left out, as it hides
// what else is wrong with the file, and so are findings about comments that
// ignore others and about a baseline. It returns how many findings went in.
func WriteBaseline(list List) (text []byte, n int) {
	var out bytes.Buffer
	out.WriteString(baselineHead)
	prints := fingerprints(list)
	for i, d := range list {
		if !baselined(d) {
			continue
		}
		var line bytes.Buffer
		enc := json.NewEncoder(&line)
		enc.SetEscapeHTML(false)
		_ = enc.Encode(knownFinding{Fingerprint: prints[i], Code: d.Code, File: d.Span.File, Row: d.Row, Message: oneLine(d.Message)})
		if n > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n  " + strings.TrimSuffix(line.String(), "\n"))
		n++
	}
	out.WriteString("\n]}\n")
	return out.Bytes(), n
}

// baselined reports whether a baseline may hold a finding.
func baselined(d Diagnostic) bool {
	return d.Code != unreadable && d.Code != IgnoreCode && d.Code != BaselineCode
}

// ReadBaseline reads the text of a baseline; file is its name in findings about
// it.
func ReadBaseline(file string, text []byte) (Baseline, error) {
	var doc struct {
		Version  int            `json:"crossdock_baseline"`
		Findings []knownFinding `json:"findings"`
	}
	switch err := json.Unmarshal(text, &doc); {
	case err != nil || doc.Version == 0:
		return Baseline{}, fmt.Errorf("%s is no baseline: write one with `crossdock lint --write-baseline %s`", file, file)
	case doc.Version != 1:
		return Baseline{}, fmt.Errorf("%s is a baseline of version %d, and this crossdock reads version 1", file, doc.Version)
	}
	lines := NewText(text)
	next := 1
	for i := range doc.Findings {
		f := &doc.Findings[i]
		for n := next; n <= lines.Lines(); n++ {
			if strings.Contains(lines.Line(n), `"`+f.Fingerprint+`"`) {
				f.line, next = n, n+1
				break
			}
		}
	}
	return Baseline{file: file, known: doc.Findings}, nil
}

// Known reports how many findings the baseline holds.
func (b Baseline) Known() int { return len(b.known) }

// Apply returns the findings that the baseline does not hold, and a warning for
// every entry that is no longer found: it would hide the mistake if it came
// back.
func (b Baseline) Apply(list List) List {
	prints := fingerprints(list)
	entries := map[string]int{}
	for i, k := range b.known {
		entries[k.Fingerprint] = i
	}
	used := make([]bool, len(b.known))
	var out List
	for i, d := range list {
		if at, there := entries[prints[i]]; there && baselined(d) {
			used[at] = true
			continue
		}
		out.Add(d)
	}
	gone := slices.Index(used, false)
	for ; gone >= 0 && gone < len(used); gone++ {
		if used[gone] {
			continue
		}
		k := b.known[gone]
		span := Span{File: b.file}
		if k.line > 0 {
			span.Start, span.End = Point{k.line, 3}, Point{k.line, 4}
		}
		d := out.Warnf(BaselineCode, span, "this entry of the baseline is no longer found: %s in %s", k.Code, k.File)
		d.Hint = "take it out with `crossdock lint --write-baseline " + b.file + "`, so that the mistake cannot come back unseen"
		d.Source = k.Fingerprint
	}
	return out
}
