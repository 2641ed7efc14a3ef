package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// page writes Markdown.
type page struct {
	b  strings.Builder
	up string // from the folder of the page to that of the catalogue
}

func newPage(title, up string) *page {
	p := &page{up: up}
	p.line("# %s\n", title)
	return p
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

// prose writes a text of the definitions, if there is one.
func (p *page) prose(s string) {
	if s != "" {
		p.line("%s\n", escape(harmless(s)))
	}
}

func (p *page) section(title string) { p.line("## %s\n", title) }

// table writes a table; columns without any text are left out.
func (p *page) table(head []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	kept := make([]bool, len(head))
	for i := range head {
		kept[i] = slices.ContainsFunc(rows, func(r []string) bool { return i < len(r) && r[i] != "" })
	}
	write := func(cells []string) {
		var out []string
		for i, c := range cells {
			if kept[i] {
				out = append(out, c)
			}
		}
		p.line("| %s |", strings.Join(out, " | "))
	}
	write(head)
	dashes := make([]string, len(head))
	for i := range dashes {
		dashes[i] = "---"
	}
	write(dashes)
	for _, r := range rows {
		write(r)
	}
	p.line("")
}

func (p *page) chart(mermaid string) { p.line("```mermaid\n%s```\n", mermaid) }

func (p *page) bytes() []byte { return []byte(strings.TrimRight(p.b.String(), "\n") + "\n") }

// link leads to the page of a definition.
func (p *page) link(folder, name string) string {
	return fmt.Sprintf("[%s](%s%s/%s.md)", escape(plainName(name)), p.up, folder, fileName(plainName(name)))
}

var markdown = strings.NewReplacer("|", `\|`, "<", "&lt;", ">", "&gt;", "\r\n", "<br>", "\n", "<br>", "*", `\*`, "_", `\_`, "`", "\\`", "[", `\[`, "]", `\]`)

// escape makes a text safe in Markdown, in a table too.
func escape(s string) string { return markdown.Replace(strings.TrimSpace(s)) }

// code shows a text as it is written.
func code(s string) string {
	s = strings.TrimSpace(s)
	if s == "" {
		return ""
	}
	s = strings.ReplaceAll(strings.Join(strings.Fields(s), " "), "|", `\|`)
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

func codes1(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, code(n))
	}
	return strings.Join(out, ", ")
}
