package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// judge collects what blocks, and what waivers let pass. Nothing waives a test
// that fails: who means the change changes the test.
func (p *Plan) judge() {
	p.Blocked = len(p.Tests.Failing) > 0
	add := func(waive, format string, args ...any) {
		if slices.ContainsFunc(p.Blockers, func(b Blocker) bool { return b.Waive == waive && b.Text == fmt.Sprintf(format, args...) }) {
			return
		}
		p.Blockers = append(p.Blockers, Blocker{Waive: waive, Text: fmt.Sprintf(format, args...)})
	}
	for _, f := range p.Facts {
		if f.What == "contract" && f.Loud {
			add(f.Of, "%s %s", f.Of, f.Text)
		}
	}
	for _, d := range p.Differences {
		switch {
		case d.What == InKey:
			add("pipeline "+d.Pipeline+" key", "the key of %s changes for %d of %d messages: what was done under the old key is done once more when it comes again", d.Pipeline, d.Count, d.Of)
		case d.What == InField && d.Protected != "":
			add(d.Target+" "+d.Field, "%s: %s changes in %d of %d messages (%s)", d.Target, d.Field, d.Count, d.Of, d.Protected)
		}
	}
	for i := range p.Blockers {
		b := &p.Blockers[i]
		for j := range p.Waivers {
			if w := &p.Waivers[j]; w.waives(b.Waive) {
				b.Waived, b.Reason, w.Used = true, w.Reason, true
			}
		}
		p.Blocked = p.Blocked || !b.Waived
	}
}

// waives reports whether a waiver is about a blocker: it is written in full, or
// as the field alone.
func (w *Waiver) waives(what string) bool {
	field := strings.TrimSpace(w.Field)
	if strings.EqualFold(field, what) {
		return true
	}
	_, alone, ok := strings.Cut(what, " ")
	if strings.HasPrefix(what, "event ") || strings.HasPrefix(what, "mapping ") {
		_, alone, ok = strings.Cut(alone, " ")
	}
	return ok && !strings.HasPrefix(what, "pipeline ") && !strings.HasPrefix(what, "schema ") && strings.EqualFold(field, alone)
}

// Signatures name what a plan found, without counts and examples: two plans
// with the same ones say the same.
func (p *Plan) Signatures() []string {
	var out []string
	for _, d := range p.Definitions {
		raw, _ := json.Marshal(d) // plain texts cannot fail
		out = append(out, "definition "+string(raw))
	}
	for _, f := range p.Facts {
		if f.What == "contract" {
			out = append(out, "fact "+f.Of+" "+f.Text)
		}
	}
	for _, d := range p.Differences {
		out = append(out, strings.Join([]string{"difference", string(d.What), d.Pipeline, d.Target, d.Step, d.Place, d.Field, d.Protected}, "\x00"))
	}
	slices.Sort(out)
	return out
}

// Fingerprint is a hash over both revisions, what was found and what is waived.
// How many messages were compared does not count.
func (p *Plan) Fingerprint() string {
	waived := make([]string, 0, len(p.Waivers))
	for _, w := range p.Waivers {
		waived = append(waived, w.Field+"\x00"+w.Reason)
	}
	slices.Sort(waived)
	raw, _ := json.Marshal([]any{"plan 1", p.Old.Revision, p.New.Revision, p.Signatures(), waived}) // plain texts cannot fail
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// Moved says how a plan made now differs from this one so that it does not
// stand any more; "" where it still does. What was found before and is not found
// now, because its messages have left, is no reason.
func (p *Plan) Moved(now *Plan) string {
	switch {
	case p.Fingerprint() != p.Hash:
		return "the plan was changed after it was made"
	case p.Old.Revision != now.Old.Revision:
		return fmt.Sprintf("what runs is revision %s now, the plan was made against %s", now.Old.Revision, p.Old.Revision)
	case p.New.Revision != now.New.Revision:
		return "the definitions were changed after the plan was made"
	}
	known := p.Signatures()
	for _, s := range now.Signatures() {
		if !slices.Contains(known, s) {
			return "there are differences that the plan does not show"
		}
	}
	return ""
}
