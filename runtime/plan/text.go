package plan

import (
	"fmt"
	"io"
	"strings"
)

// width is what a line of text has at most.
const width = 100

// Text writes a plan for people at a terminal.
func (p *Plan) Text(w io.Writer) error {
	t := &page{}
	t.line(0, "plan %s", p.Hash)
	t.line(2, "from %s", p.Old)
	t.line(2, "to   %s", p.New)
	t.moves(p)
	t.definitions(p)
	t.facts(p)
	t.differences(p)
	t.blockers(p)
	t.tests(p)
	for _, n := range p.Notes {
		t.line(0, "note: %s", n)
	}
	t.line(0, "")
	t.line(0, "%s", p.Verdict())
	_, err := io.WriteString(w, t.b.String())
	return err
}

// String is how an end is called.
func (e End) String() string {
	if e.Revision == "" {
		return e.Name
	}
	return fmt.Sprintf("%s (%s)", e.Name, e.Revision)
}

// page is text with indents, wrapped at width.
type page struct{ b strings.Builder }

func (t *page) line(indent int, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	pad := strings.Repeat(" ", indent)
	first := true
	for {
		room := width - indent
		if !first {
			room -= 2
		}
		head, rest := cut(text, room)
		if !first {
			head = "  " + head
		}
		t.b.WriteString(strings.TrimRight(pad+head, " ") + "\n")
		if rest == "" {
			return
		}
		text, first = rest, false
	}
}

// cut takes up to n characters off a text, at a blank where there is one.
func cut(s string, n int) (head, rest string) {
	r := []rune(s)
	if len(r) <= n {
		return s, ""
	}
	at := n
	for i := n; i > n/2; i-- {
		if r[i] == ' ' {
			at = i
			break
		}
	}
	return string(r[:at]), strings.TrimLeft(string(r[at:]), " ")
}

func (t *page) title(s string) { t.line(0, ""); t.line(0, "%s", s) }

func (t *page) moves(p *Plan) {
	for i, m := range p.Moves {
		if i == 0 {
			t.title("Versions")
		}
		t.line(2, "%s", m)
	}
}

// String says who moves from where to where.
func (m Move) String() string { return fmt.Sprintf("client %s: %s -> %s", m.Client, m.Before, m.After) }

func (t *page) definitions(p *Plan) {
	if len(p.Definitions) == 0 {
		return
	}
	t.title("Definitions")
	for _, d := range p.Definitions {
		t.line(2, "%s %s", d.title(), d.What)
		for _, x := range d.Details {
			t.detail(x)
		}
	}
}

func (d *Definition) title() string {
	if d.Kind == "crossdock" {
		return d.Name
	}
	return d.Kind + " " + d.Name
}

func (t *page) detail(x Detail) {
	switch x.What {
	case "added":
		t.line(4, "+ %s: %s", x.Item, x.After)
	case "removed":
		t.line(4, "- %s: %s", x.Item, x.Before)
	default:
		one := fmt.Sprintf("~ %s: %s -> %s", x.Item, x.Before, x.After)
		if len([]rune(one)) <= width-4 {
			t.line(4, "%s", one)
			return
		}
		t.line(4, "~ %s", x.Item)
		t.line(8, "before: %s", x.Before)
		t.line(8, "after:  %s", x.After)
	}
}

func (t *page) facts(p *Plan) {
	if len(p.Facts) == 0 {
		return
	}
	t.title("What follows for what runs")
	for _, f := range p.Facts {
		mark := " "
		if f.Loud {
			mark = "!"
		}
		t.line(2, "%s %s %s", mark, f.Of, f.Text)
	}
}

func (t *page) differences(p *Plan) {
	t.title(strings.ToUpper(p.Compared.String()[:1]) + p.Compared.String()[1:])
	rest := t.ofClient(2, p.Differences, "")
	if p.Same {
		return // every client would be told to stay as it is
	}
	for _, c := range p.Clients {
		t.line(2, "client %s: %s", c.Code, c.Compared)
		rest = t.ofClient(4, rest, c.Code)
	}
}

// ofClient writes the differences of one client, which come first, and returns
// those of others.
func (t *page) ofClient(indent int, list []Difference, client string) []Difference {
	where, target := "", ""
	for i := range list {
		d := &list[i]
		if d.Client != client {
			return list[i:]
		}
		if d.Where() != where {
			where, target = d.Where(), ""
			t.line(indent, "%s", where)
		}
		if d.Pipeline != "" && d.Target != "" && d.Target != target {
			target = d.Target
			t.line(indent+2, "%s", target)
		}
		if d.Pipeline != "" && d.Target != "" {
			t.difference(indent+4, d)
			continue
		}
		t.difference(indent+2, d)
	}
	return nil
}

func (t *page) difference(indent int, d *Difference) {
	mark := ""
	switch {
	case d.Protected != "":
		mark = "PROTECTED "
	case d.What == InKey:
		mark = "DANGER "
	case d.What == InOrder || d.What == InEffect:
		mark = "WARNING "
	}
	t.line(indent, "%s%s", mark, d.Said())
	if d.Protected != "" {
		t.line(indent+2, "protected: %s", d.Protected)
	}
	for i := range d.Examples {
		x := &d.Examples[i]
		if d.What != InField && d.What != InOutcome {
			t.line(indent+2, "%s", x.Name())
			continue
		}
		before, after := x.values(d.What)
		t.line(indent+2, "%s: %s -> %s", x.Name(), before, after)
	}
	if more := d.Count - len(d.Examples); more > 0 {
		t.line(indent+2, "and %d more", more)
	}
}

func (t *page) tests(p *Plan) {
	for i, f := range p.Tests.Failing {
		if i == 0 {
			t.title(fmt.Sprintf("%s of %s", count(len(p.Tests.Failing), "test fails", "tests fail"), count(p.Tests.Cases, "case", "cases")))
		}
		t.line(2, "BLOCKED: %s", f)
		t.line(4, "at %s; `crossdock test --accept` writes down what is meant", f.Place)
	}
}

func (t *page) blockers(p *Plan) {
	if len(p.Blockers) == 0 {
		return
	}
	t.title("Protected")
	for _, b := range p.Blockers {
		if b.Waived {
			t.line(2, "waived: %s", b.Text)
			t.line(4, "because: %s", b.Reason)
			continue
		}
		t.line(2, "BLOCKED: %s", b.Text)
		t.line(4, "if it is meant: --waive %q --reason \"why\"", b.Waive)
	}
	for _, w := range p.Waivers {
		if !w.Used {
			t.line(2, "the waiver of %q waives nothing", w.Field)
		}
	}
}
