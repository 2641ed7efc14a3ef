package plan

import (
	"fmt"
	"strings"

	"crossdock/runtime/mask"
	"crossdock/runtime/message"
)

// nothing stands for a value that is not there.
const nothing = "(nothing)"

// Said is the difference in one sentence, with the values of its first example.
func (d *Difference) Said() string {
	var before, after string
	if len(d.Examples) > 0 {
		before, after = d.Examples[0].values(d.What)
	}
	n, one := messages(d.Count, d.Of), d.Count == 1
	verb := func(single, many string) string {
		if one {
			return single
		}
		return many
	}
	switch d.What {
	case InField:
		what := d.label()
		word := verb("sends", "send")
		switch {
		case strings.HasPrefix(d.Target, "mapping "):
			word = verb("gives", "give")
		case strings.HasPrefix(d.Target, "event "):
			word = verb("emits", "emit")
		}
		if before == after {
			return fmt.Sprintf("%s now %s another %s, %s", n, word, what, after)
		}
		return fmt.Sprintf("%s now %s %s %s instead of %s", n, word, what, after, before)
	case CallGone, CallNew:
		word := verb("calls it", "call it")
		if strings.HasPrefix(d.Target, "event ") {
			word = verb("emits it", "emit it")
		}
		if d.What == CallGone {
			return fmt.Sprintf("%s no longer %s", n, word)
		}
		return fmt.Sprintf("%s now %s", n, word)
	case InRoute:
		return fmt.Sprintf("%s now %s %s instead of %s", n, verb("takes the route", "take the route"), orNone(after), orNone(before))
	case InKey:
		return fmt.Sprintf("%s %s another key, %s instead of %s: when it comes again it is done a second time", n, verb("has", "have"), after, before)
	case InOrder:
		return fmt.Sprintf("%s %s behind others than before: order_by is %s instead of %s", n, verb("waits", "wait"), after, before)
	case InEffect:
		return fmt.Sprintf("%s %s it with another idempotency key, because the step is named otherwise: a replay of what was sent before is sent a second time",
			n, verb("reaches", "reach"))
	}
	return fmt.Sprintf("%s now %s %s instead of %s", n, verb("ends", "end"), after, before)
}

func orNone(s string) string {
	if s == "" {
		return nothing
	}
	return s
}

func messages(n, of int) string {
	if of == 1 {
		return "the only message"
	}
	return fmt.Sprintf("%d of %d messages", n, of)
}

// values writes both values of an example: values of payloads as JSON, so that
// the text "5" and the number 5 differ, others as they are.
func (x *Example) values(what What) (before, after string) {
	if what == InField {
		return shown(x.Before, x.Gained), shown(x.After, x.Lost)
	}
	return fmt.Sprint(x.Before), fmt.Sprint(x.After)
}

func shown(v any, missing bool) string {
	if missing {
		return nothing
	}
	if s, ok := v.(string); ok && (s == concealed || s == mask.Hidden) {
		return s
	}
	text := string(message.Marshal(v))
	if r := []rune(text); len(r) > 120 {
		text = string(r[:117]) + "..."
	}
	return text
}

// Name is how an example is called: by a business number, with the ID.
func (x *Example) Name() string {
	switch x.Origin {
	case Sample:
		return "sample " + base(x.Message)
	case Case:
		return "test \"" + x.Message + "\""
	}
	if len(x.Refs) == 0 {
		return x.Message
	}
	return x.Refs[0].Type + " " + x.Refs[0].Value + " (" + x.Message + ")"
}

// Where is the pipeline or mapping that a difference is about.
func (d *Difference) Where() string {
	if d.Pipeline != "" {
		return "pipeline " + d.Pipeline
	}
	return d.Target
}

// Verdict says in one line what follows.
func (p *Plan) Verdict() string {
	switch {
	case p.Blocked:
		var why []string
		if n := len(p.Tests.Failing); n > 0 {
			why = append(why, count(n, "test fails", "tests fail"))
		}
		n := 0
		for _, b := range p.Blockers {
			if !b.Waived {
				n++
			}
		}
		if n > 0 {
			why = append(why, count(n, "protected change", "protected changes")+" without a waiver")
		}
		return "blocked: " + strings.Join(why, ", ")
	case p.Same && p.Old.Revision == p.New.Revision:
		return "nothing changes"
	case p.Same && len(p.Moves) == 1:
		return fmt.Sprintf("nothing changes but the version: what client %s does stays as it is", p.Moves[0].Client)
	case p.Same && len(p.Moves) > 1:
		return fmt.Sprintf("nothing changes but the version: what %d clients do stays as it is", len(p.Moves))
	case p.Same:
		return "nothing changes in what messages come to: what differs are tests, or definitions that are not at work"
	case p.Compared.Differ == 0:
		return "allowed: no message comes to something else"
	}
	return "allowed"
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// String tells what was compared.
func (c Compared) String() string {
	if c.All() == 0 {
		return "no message, sample or test could be compared"
	}
	var from []string
	for _, x := range []struct {
		n         int
		one, many string
	}{{c.Real, "real message", "real messages"}, {c.Samples, "sample", "samples"}, {c.Tests, "input of a test", "inputs of tests"}} {
		if x.n > 0 {
			from = append(from, count(x.n, x.one, x.many))
		}
	}
	word := "come"
	if c.Differ == 1 {
		word = "comes"
	}
	return fmt.Sprintf("%s compared: %d %s to something else", strings.Join(from, ", "), c.Differ, word)
}
