package testrun

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/spec"
)

// causes are the errors that explain a failed case; they are shown first.
func (r *Rehearsal) causes(c *spec.Case) []string {
	var out []string
	for i, rej := range r.Rejections {
		text := fmt.Sprintf("refused with %d: %s", rej.Status, rej.Error())
		if i >= len(r.Rejections)-r.untold {
			text = fmt.Sprintf("dead letter at the door (%d): %s", rej.Status, rej.Error())
		}
		out = append(out, text)
	}
	for _, d := range r.Dead {
		text := fmt.Sprintf("dead letter at %s (%s): %s", d.Step, d.Code, d.Message)
		if d.Hint != "" {
			text += "; " + d.Hint
		}
		out = append(out, text)
	}
	for _, p := range r.Parked {
		out = append(out, "parked: "+p)
	}
	return out
}

// compare checks a case's expectations.
func (r *Rehearsal) compare(c *spec.Case) []string {
	var failures []string
	fail := func(format string, args ...any) { failures = append(failures, fmt.Sprintf(format, args...)) }
	if c.ExpectError != nil {
		failures = append(failures, r.expectError(c.ExpectError)...)
	}
	unexpected := len(r.Dead) > 0 || len(r.Rejections) > 0 || len(r.Parked) > 0
	if c.Expect != nil {
		for _, p := range c.Expect.Pairs {
			switch p.Key.Text {
			case "routes":
				r.routes(p.Value, fail)
			case "attempts":
				for _, op := range p.Value.Pairs {
					if n := r.Attempts(op.Key.Text); fmt.Sprint(n) != op.Value.Text {
						fail("attempts of %s: %d, expected %s", op.Key.Text, n, op.Value.Text)
					}
				}
			case "sent":
				for _, op := range p.Value.Pairs {
					r.sent(op.Key.Text, spec.Plain(op.Value), fail)
				}
			case "emitted":
				for _, ev := range p.Value.Pairs {
					r.emitted(ev.Key.Text, spec.Plain(ev.Value), fail)
				}
			case "duplicates":
				if fmt.Sprint(r.Duplicates) != p.Value.Text {
					fail("duplicates: %d, expected %s", r.Duplicates, p.Value.Text)
				}
			case "outcome":
				unexpected = unexpected && p.Value.Text != "dead" && p.Value.Text != "rejected" && p.Value.Text != "held"
				r.outcome(p.Value.Text, fail)
			case "rejected":
				unexpected = len(r.Dead) > 0 || len(r.Parked) > 0
				r.rejected(p.Value, fail)
			case "absent":
				for _, name := range p.Value.Pairs {
					r.absent(name.Key.Text, name.Value, fail)
				}
			default:
				fail("`%s` cannot be expected of a pipeline; you can use: %s", p.Key.Text, strings.Join(compile.Expectations, ", "))
			}
		}
	}
	if unexpected && c.ExpectError == nil {
		fail("the run did not end well; if that is meant, say `expect: {%s}` or `expect_error:`", r.endedAs())
	}
	return failures
}

func (r *Rehearsal) routes(want *ast.Node, fail func(string, ...any)) {
	var names []string
	if want.Kind == ast.Scalar && !want.Empty {
		names = []string{want.Text}
	}
	for _, n := range want.Items {
		names = append(names, n.Text)
	}
	if strings.Join(names, "\x00") != strings.Join(r.Routes, "\x00") {
		fail("routes: [%s], expected [%s]", strings.Join(r.Routes, ", "), strings.Join(names, ", "))
	}
}

// Attempts is how often an operation was called.
func (r *Rehearsal) Attempts(op string) int {
	n := 0
	for _, c := range r.Calls {
		if r.isOperation(c.Operation, op) {
			n++
		}
	}
	return n
}

// sent compares what an operation was told with what was expected: one value
// must fit one of the calls that were made for it, a list all of them.
func (r *Rehearsal) sent(op string, want any, fail func(string, ...any)) {
	match(op, "sent to", want, r.Told(op), fail)
}

// Told is what an operation was told, each effect once.
func (r *Rehearsal) Told(op string) []any {
	var got []any
	seen := map[string]bool{}
	for _, c := range r.Calls {
		if !r.isOperation(c.Operation, op) || c.Key != "" && seen[c.Key] {
			continue // a repeated attempt sends the same
		}
		seen[c.Key] = true
		got = append(got, c.Whole())
	}
	return got
}

// Whole is the body with what filled placeholders.
func (c *Call) Whole() any {
	body, ok := c.Body.(map[string]any)
	if !ok && c.Body != nil {
		return c.Body
	}
	out := make(map[string]any, len(body)+len(c.With))
	for k, v := range c.With {
		out[k] = v
	}
	for k, v := range body {
		out[k] = v
	}
	return out
}

func (r *Rehearsal) emitted(name string, want any, fail func(string, ...any)) {
	match(name, "emitted as", want, r.Heard(name), fail)
}

// Heard are the events of a name or schema.
func (r *Rehearsal) Heard(name string) []any {
	var got []any
	for _, e := range r.Emitted {
		if e.Schema == name || e.Schema == "std/"+name || r.client != "" && e.Schema == r.client+"/"+name || compile.EventName(e.Name) == compile.EventName(name) {
			got = append(got, e.Body)
		}
	}
	return got
}

func match(name, word string, want any, got []any, fail func(string, ...any)) {
	if len(got) == 0 {
		fail("nothing was %s %s", word, name)
		return
	}
	if list, ok := want.([]any); ok {
		for _, d := range subset("", list, any(got)) {
			fail("%s %s: %s", word, name, strings.TrimSpace(d.path+" "+d.text))
		}
		return
	}
	var first []difference
	for i, g := range got {
		diff := subset("", want, g)
		if len(diff) == 0 {
			return
		}
		if i == 0 {
			first = diff
		}
	}
	for _, d := range first {
		fail("%s %s: %s", word, name, strings.TrimSpace(d.path+" "+d.text))
	}
}

// endedAs is what a case would expect of a run that did not end well.
func (r *Rehearsal) endedAs() string {
	switch {
	case len(r.Dead) > 0 || r.untold > 0:
		return "outcome: dead"
	case len(r.Parked) > 0:
		return "outcome: held"
	}
	return "rejected: " + r.statuses()
}

// statuses are those of the refusals, as a case expects them.
func (r *Rehearsal) statuses() string {
	var all []string
	for _, rej := range r.Rejections {
		all = append(all, fmt.Sprint(rej.Status))
	}
	if len(all) == 1 {
		return all[0]
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// rejected compares the refusals: one status must be that of all of them, a list
// names each, in order.
func (r *Rehearsal) rejected(want *ast.Node, fail func(string, ...any)) {
	var statuses []string
	for _, item := range want.Items {
		statuses = append(statuses, item.Text)
	}
	if want.Kind == ast.Scalar {
		statuses = slices.Repeat([]string{want.Text}, max(1, len(r.Rejections)))
	}
	fits := len(statuses) == len(r.Rejections)
	for i := 0; fits && i < len(statuses); i++ {
		fits = fmt.Sprint(r.Rejections[i].Status) == statuses[i]
	}
	switch {
	case fits:
	case len(r.Rejections) == 0:
		fail("rejected: nothing was refused, expected %s", OneLine(spec.Plain(want)))
	default:
		fail("rejected: %s, expected %s", r.statuses(), OneLine(spec.Plain(want)))
	}
}

// absent looks for fields that must be in nothing that an operation was sent, or
// that an event held.
func (r *Rehearsal) absent(name string, paths *ast.Node, fail func(string, ...any)) {
	word, got := "sent to", r.Told(name)
	if len(got) == 0 {
		word, got = "emitted as", r.Heard(name)
	}
	if len(got) == 0 {
		fail("nothing was sent or emitted: %s", name)
	}
	for _, p := range paths.Items {
		for _, g := range got {
			if v, there := Find(g, p.Text); there {
				fail("%s %s: %s is %s, expected nothing", word, name, p.Text, show(v))
				break
			}
		}
	}
}

// outcomes are the ways in which the runs ended, those included that ended at
// the door.
func (r *Rehearsal) outcomes() []string {
	all := slices.Clone(r.Outcomes)
	for i := range r.Rejections {
		if i >= len(r.Rejections)-r.untold {
			all = append(all, "dead")
		} else {
			all = append(all, "rejected")
		}
	}
	for range r.Parked {
		all = append(all, "held")
	}
	return all
}

func (r *Rehearsal) outcome(want string, fail func(string, ...any)) {
	all := r.outcomes()
	if slices.Contains(all, want) {
		return
	}
	text := ""
	if want == "rejected" && r.untold > 0 {
		text = ": files, polls, schedules and events have nobody who could be told, so what is refused is a dead letter"
	}
	fail("outcome: %s, expected %s%s", strings.Join(all, ", "), want, text)
}

// expectError looks for a dead letter or refusal that fits.
func (r *Rehearsal) expectError(want *spec.ExpectError) []string {
	fits := func(step, field, code, text string) bool {
		// A step may be named without its result: send:tms.book for send:tms.book@slot.
		plain, _, _ := strings.Cut(step, "@")
		named := func(s string) bool { return s == want.Step.Value || strings.HasSuffix(s, "/"+want.Step.Value) }
		return (!want.Step.Set() || named(step) || named(plain)) &&
			(!want.Field.Set() || fieldFits(want.Field.Value, field)) &&
			(!want.Code.Set() || code == want.Code.Value) &&
			(!want.Text.Set() || strings.Contains(text, want.Text.Value))
	}
	for _, d := range r.Dead {
		if fits(d.Step, d.Field, d.Code, d.Message) {
			return nil
		}
	}
	for _, rej := range r.Rejections {
		if len(rej.Problems) == 0 && fits("intake", "", fmt.Sprint(rej.Status), rej.Message) {
			return nil
		}
		for _, p := range rej.Problems {
			if fits("intake", p.Field, fmt.Sprint(rej.Status), rej.Message+": "+p.Message) {
				return nil
			}
		}
	}
	var came []string
	for _, d := range r.Dead {
		came = append(came, fmt.Sprintf("a dead letter at %s, field=%s code=%s", d.Step, d.Field, d.Code))
	}
	for _, rej := range r.Rejections {
		came = append(came, fmt.Sprintf("a refusal, step=intake code=%d", rej.Status))
	}
	if len(came) == 0 {
		came = []string{"the run ended: " + strings.Join(r.Outcomes, ", ")}
	}
	return []string{"expected an error" + describeError(want) + ", but " + strings.Join(came, "; ")}
}

// positions are those of items in the name of a field: lines[1].sku.
var positions = regexp.MustCompile(`\[\d+\]`)

// fieldFits compares the field of an error with the one that a test names, where
// lines[].sku stands for any item.
func fieldFits(want, got string) bool {
	return got == want || strings.Contains(want, "[]") && positions.ReplaceAllString(got, "[]") == want
}

// isOperation reports whether a call went to the operation a test names;
// those of shipped connections need no std/.
func (r *Rehearsal) isOperation(called, name string) bool {
	return called == name || called == "std/"+name || r.client != "" && called == r.client+"/"+name
}
