package diag

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

const (
	defaultWidth = 98
	tabStop      = 4
)

// textPrinter draws findings with the line of the file and a caret below it.
type textPrinter struct {
	bytes.Buffer
	Options
	files map[string]*Text
}

func printText(w io.Writer, list List, o Options) error {
	p := textPrinter{Options: o, files: map[string]*Text{}}
	if p.Width <= 0 {
		p.Width = defaultWidth
	}
	files := map[string]bool{}
	for _, d := range list {
		p.finding(d)
		p.WriteByte('\n')
		files[d.Span.File] = true
	}
	if len(list) > 0 {
		p.WriteString(Summary(list, len(files)) + "\n")
	}
	_, err := w.Write(p.Bytes())
	return err
}

// Summary counts findings: "2 errors, 1 warning in 3 files".
func Summary(list List, files int) string {
	errors, warnings := list.Count()
	var parts []string
	if errors > 0 {
		parts = append(parts, Plural(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, Plural(warnings, "warning"))
	}
	if len(parts) == 0 {
		return "no findings in " + Plural(files, "file")
	}
	return strings.Join(parts, ", ") + " in " + Plural(files, "file")
}

// Plural counts things: "1 file", "2 files".
func Plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return strconv.Itoa(n) + " " + word + "s"
}

// The few colours in use, as terminal codes.
const (
	red    = "1;31"
	yellow = "1;33"
	blue   = "1;34"
	bold   = "1"
)

func (p *textPrinter) paint(color, s string) string {
	if !p.Color || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (p *textPrinter) finding(d Diagnostic) {
	color := red
	if d.Severity == Warning {
		color = yellow
	}
	fmt.Fprintf(p, "%s%s\n", p.paint(color, d.Severity.String()+" "+string(d.Code)), p.paint(bold, ": "+oneLine(d.Message)))

	gutter := len(strconv.Itoa(d.Span.Start.Line))
	if d.Span.Start.Line == 0 {
		gutter = 1
	}
	pad := strings.Repeat(" ", gutter)
	fmt.Fprintf(p, "%s%s %s", pad, p.paint(blue, "-->"), printable(d.Span.String()))
	if where := place(d); where != "" {
		p.WriteString("   " + printable(where))
	}
	p.WriteByte('\n')
	framed := p.frame(d, pad, color)

	var notes []string
	if d.Short != "" && !framed {
		notes = append(notes, oneLine(d.Short))
	}
	if who := d.ForClients(); who != "" {
		notes = append(notes, printable(who))
	}
	for _, r := range d.Related {
		notes = append(notes, oneLine(r.Message)+": "+printable(r.Span.String()))
	}
	for line := range strings.Lines(d.Hint) {
		notes = append(notes, printable(strings.TrimRight(line, "\r\n")))
	}
	for _, note := range notes {
		fmt.Fprintf(p, "%s %s %s\n", pad, p.paint(blue, "="), note)
	}
	p.last(d, pad)
}

// place names the row and the language of a finding.
func place(d Diagnostic) string {
	var parts []string
	if d.Row != "" {
		parts = append(parts, "row "+d.Row)
	}
	if d.Lang != "" {
		parts = append(parts, d.Lang)
	}
	return strings.Join(parts, ", ")
}

// last writes the fix and where to read more, the latter at the right edge.
func (p *textPrinter) last(d Diagnostic, pad string) {
	more := "more: crossdock explain " + string(d.Code)
	if len(d.Fixes) == 0 {
		fmt.Fprintf(p, "%s %s %s\n", pad, p.paint(blue, "="), more)
		return
	}
	for i, f := range d.Fixes {
		line := "= fix: " + oneLine(f.Title)
		if i == 0 {
			line += "  (crossdock lint --fix)"
		}
		used := len(pad) + 1 + displayWidth(line)
		fmt.Fprintf(p, "%s %s", pad, p.paint(blue, "=")+line[1:])
		if i == len(d.Fixes)-1 {
			p.WriteString(strings.Repeat(" ", max(4, p.Width-used-len(more))) + more)
		}
		p.WriteByte('\n')
	}
}

// frame draws the line of the file and marks the place below it. It reports
// false where the file is not at hand.
func (p *textPrinter) frame(d Diagnostic, pad, color string) bool {
	text := p.file(d.Span.File)
	if text == nil || d.Span.Start.Line < 1 || d.Span.Start.Line > text.Lines() {
		return false
	}
	line := []rune(text.Line(d.Span.Start.Line))
	from := min(max(d.Span.Start.Col-1, 0), len(line))
	to := min(max(d.Span.End.Col-1, from), len(line))
	if d.Span.End.Line > d.Span.Start.Line {
		to = len([]rune(strings.TrimRight(string(line), " \t")))
	}
	cells, from, to := window(line, from, max(to, from), p.Width-len(pad)-3)

	bar := p.paint(blue, "|")
	fmt.Fprintf(p, "%s %s\n", pad, bar)
	fmt.Fprintf(p, "%s %s", p.paint(blue, strconv.Itoa(d.Span.Start.Line)), bar)
	if shown := strings.TrimRight(cells.text(), " "); shown != "" {
		p.WriteString(" " + shown)
	}
	p.WriteByte('\n')
	mark := strings.Repeat("^", max(1, cells.between(from, to)))
	if d.Short != "" {
		mark += " " + oneLine(d.Short)
	}
	fmt.Fprintf(p, "%s %s %s%s\n", pad, bar, strings.Repeat(" ", cells.between(0, from)), p.paint(color, mark))
	fmt.Fprintf(p, "%s %s\n", pad, bar)
	return true
}

func (p *textPrinter) file(path string) *Text {
	if p.Sources == nil || path == "" {
		return nil
	}
	if t, ok := p.files[path]; ok {
		return t
	}
	var t *Text
	if src := p.Sources(path); src != nil {
		t = NewText(src)
	}
	p.files[path] = t
	return t
}

// screen is a line as it is shown: for each character what is written and how
// many columns it takes.
type screen []struct {
	s    string
	cols int
}

func newScreen(line []rune) screen {
	var out screen
	col := 0
	for _, r := range line {
		s, n := string(r), runeWidth(r)
		switch {
		case r == '\t':
			n = tabStop - col%tabStop
			s = strings.Repeat(" ", n)
		case printable(s) != s:
			s, n = "\uFFFD", 1
		}
		out = append(out, struct {
			s    string
			cols int
		}{s, n})
		col += n
	}
	return out
}

func (s screen) text() string {
	var b strings.Builder
	for _, c := range s {
		b.WriteString(c.s)
	}
	return b.String()
}

// between returns the columns that characters [from, to) take.
func (s screen) between(from, to int) int {
	n := 0
	for i := from; i < to && i < len(s); i++ {
		n += s[i].cols
	}
	return n
}

// window cuts a long line down to the part around characters [from, to) and
// returns their place in what is left.
func window(line []rune, from, to, cols int) (screen, int, int) {
	s := newScreen(line)
	cols = max(cols, 20)
	if s.between(0, len(s)) <= cols {
		return s, from, to
	}
	start := 0
	for start < from && s.between(start, to) > cols-4 {
		start++
	}
	// Leave some text in front of the place where there is room for it.
	for start > 0 && s.between(start-1, to) <= cols*2/3 {
		start--
	}
	end := start
	for end < len(s) && s.between(start, end+1) <= cols-4 {
		end++
	}
	dots := screen{{"…", 1}}
	out := append(screen{}, s[start:end]...)
	from, to = from-start, min(to, end)-start
	if start > 0 {
		out = append(dots, out...)
		from, to = from+1, to+1
	}
	if end < len(s) {
		out = append(out, dots...)
	}
	return out, from, max(from, to)
}

func displayWidth(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}

// runeWidth returns the columns a terminal gives to a character.
func runeWidth(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide, width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	}
	return 1
}
