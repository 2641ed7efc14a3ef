package plan

import (
	"fmt"
	"io"
	"strings"
)

// mostMarkdown keeps a plan within what GitHub takes as one comment.
const mostMarkdown = 60_000

// Markdown writes a plan as a comment for a pull request.
func (p *Plan) Markdown(w io.Writer) error {
	var b strings.Builder
	mark := "✅"
	switch {
	case p.Blocked:
		mark = "⛔"
	case p.Compared.Differ > 0:
		mark = "⚠️"
	}
	fmt.Fprintf(&b, "### %s crossdock plan: %s\n\n", mark, md(p.Verdict()))
	fmt.Fprintf(&b, "`%s` → `%s` · %s · plan `%s`\n", p.Old, p.New, md(p.Compared.String()), p.Hash)
	p.mdBlockers(&b)
	p.mdTests(&b)
	p.mdMoves(&b)
	p.mdClients(&b)
	p.mdDifferences(&b)
	p.mdFacts(&b)
	p.mdDefinitions(&b)
	for _, n := range p.Notes {
		fmt.Fprintf(&b, "\n_Note: %s_\n", md(n))
	}
	text := b.String()
	if len(text) > mostMarkdown {
		at := strings.LastIndexByte(text[:mostMarkdown], '\n')
		text = text[:at] + "\n\n_… and more: `crossdock plan` shows all of it._\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

func (p *Plan) mdBlockers(b *strings.Builder) {
	for i, x := range p.Blockers {
		if i == 0 {
			b.WriteString("\n#### Protected\n\n")
		}
		if x.Waived {
			fmt.Fprintf(b, "- waived: %s. _%s_\n", md(x.Text), md(x.Reason))
			continue
		}
		fmt.Fprintf(b, "- **blocked:** %s. If it is meant: `--waive %q --reason \"why\"`\n", md(x.Text), x.Waive)
	}
}

func (p *Plan) mdTests(b *strings.Builder) {
	for i, f := range p.Tests.Failing {
		if i == 0 {
			b.WriteString("\n#### Tests that fail\n\n")
		}
		fmt.Fprintf(b, "- %s (`%s`)\n", md(f.String()), f.Place)
	}
}

func (p *Plan) mdMoves(b *strings.Builder) {
	for i, m := range p.Moves {
		if i == 0 {
			b.WriteString("\n#### Versions\n\n")
		}
		fmt.Fprintf(b, "- %s\n", md(m.String()))
	}
}

func (p *Plan) mdClients(b *strings.Builder) {
	if p.Same {
		return
	}
	for i, c := range p.Clients {
		if i == 0 {
			b.WriteString("\n#### Clients\n\n| Client | |\n|---|---|\n")
		}
		fmt.Fprintf(b, "| %s | %s |\n", md(c.Code), md(c.Compared.String()))
	}
}

func (p *Plan) mdDifferences(b *strings.Builder) {
	for i := range p.Differences {
		d := &p.Differences[i]
		if i == 0 {
			b.WriteString("\n#### What would be different\n\n| Where | What | Messages | Before | After | Example |\n|---|---|---|---|---|---|\n")
		}
		where, what := d.Where(), d.Target
		if d.Pipeline == "" || d.Target == "" {
			what = ""
		}
		switch {
		case d.What == InField:
			what += " **" + md(d.label()) + "**"
		default:
			what += " " + kindWords[d.What]
		}
		if d.Protected != "" {
			what += " 🔒"
		}
		var before, after, name string
		if len(d.Examples) > 0 {
			before, after = d.Examples[0].values(d.What)
			name = d.Examples[0].Name()
		}
		if d.What == CallGone || d.What == CallNew || d.What == InEffect {
			before, after = "", ""
		}
		fmt.Fprintf(b, "| %s | %s | %d of %d | %s | %s | %s |\n", md(where), strings.TrimSpace(what), d.Count, d.Of, code(before), code(after), md(name))
	}
}

// label names a field with its place, where that is not the body.
func (d *Difference) label() string {
	if d.Place != "body" && d.Place != "with" && d.Field != d.Place {
		return d.Place + " " + d.Field
	}
	return d.Field
}

var kindWords = map[What]string{CallGone: "**is not made any more**", CallNew: "**is made now**", InRoute: "route", InOutcome: "outcome",
	InKey: "⚠️ **key: a repeat is done a second time**", InOrder: "⚠️ order_by", InEffect: "⚠️ idempotency key: a replay is sent a second time"}

func (p *Plan) mdFacts(b *strings.Builder) {
	for i, f := range p.Facts {
		if i == 0 {
			b.WriteString("\n#### What follows for what runs\n\n")
		}
		mark := ""
		if f.Loud {
			mark = "⚠️ "
		}
		fmt.Fprintf(b, "- %s**%s** %s\n", mark, md(f.Of), md(f.Text))
	}
}

func (p *Plan) mdDefinitions(b *strings.Builder) {
	if len(p.Definitions) == 0 {
		return
	}
	fmt.Fprintf(b, "\n<details><summary>%s</summary>\n\n", count(len(p.Definitions), "definition differs", "definitions differ"))
	for i := range p.Definitions {
		d := &p.Definitions[i]
		fmt.Fprintf(b, "**%s** %s\n\n", md(d.title()), d.What)
		for j, x := range d.Details {
			if j == 0 {
				b.WriteString("| | Before | After |\n|---|---|---|\n")
			}
			fmt.Fprintf(b, "| %s %s | %s | %s |\n", md(x.Item), x.What, code(x.Before), code(x.After))
			if j == len(d.Details)-1 {
				b.WriteString("\n")
			}
		}
	}
	b.WriteString("</details>\n")
}

// md keeps a text from being read as Markdown or HTML, in a table too.
func md(s string) string {
	return strings.NewReplacer("|", "\\|", "<", "&lt;", ">", "&gt;", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[", "]", "\\]", "@", "&#64;", "\n", " ", "\r", " ").Replace(s)
}

// code writes a value as code that a table cell can hold; "" stays empty.
func code(s string) string {
	if s == "" {
		return ""
	}
	if r := []rune(s); len(r) > 200 {
		s = string(r[:197]) + "..."
	}
	s = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "\n", " ", "\r", " ", "`", "&#96;", "*", "&#42;", "_", "&#95;", "@", "&#64;", "[", "&#91;", "~", "&#126;").Replace(s)
	return "<code>" + s + "</code>"
}
