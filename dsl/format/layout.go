package format

import (
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

const step = 2 // spaces of one level

// layout decides for each line of a file how far it is indented and which gaps
// inside it change.
type layout struct {
	text *diag.Text
	src  []byte
	line []line // from 1
}

// line is one line of the file and what becomes of it.
type line struct {
	lead   int      // new indentation, -1 for as it is
	cols   [][2]int // old and new column of each token that starts a block
	inside bool     // belongs to a value that started above: blank lines count
	spaces bool     // blanks at its end may count
	block  bool     // stands below "|" or ">": tabs in front count
	gaps   []gap
}

// gap is a range of bytes that is written anew.
type gap struct {
	from, to int
	text     string
}

func newLayout(f *ast.File) *layout {
	l := &layout{text: diag.NewText(f.Source), src: f.Source}
	l.line = make([]line, l.text.Lines()+1)
	for i := range l.line {
		l.line[i].lead = -1
	}
	l.block(f.Root, 0)
	return l
}

// block lays out a map or list whose tokens start at column col, from 0.
func (l *layout) block(n *ast.Node, col int) {
	if n.Kind == ast.Map {
		pads := l.pads(n)
		for i, p := range n.Pairs {
			l.pair(p, col, pads[i])
		}
		return
	}
	at := l.text.Offset(n.Span.Start)
	for _, item := range n.Items {
		at = l.item(item, l.dash(at), col)
	}
}

// dash returns the byte of the next "-" at or behind off.
func (l *layout) dash(off int) int {
	for off < len(l.src) && l.src[off] != '-' {
		if l.src[off] == '#' {
			for off < len(l.src) && l.src[off] != '\n' {
				off++
			}
			continue
		}
		off++
	}
	return off
}

// item lays out one list item and returns the byte behind it.
func (l *layout) item(n *ast.Node, dash, col int) int {
	at := l.text.Point(dash)
	l.token(at, col)
	end := max(l.text.Offset(n.Span.End), dash+1)
	if n.Empty {
		return end
	}
	start := l.text.Offset(n.Span.Start)
	if n.Span.Start.Line == at.Line {
		l.line[at.Line].gaps = append(l.line[at.Line].gaps, gap{dash + 1, start, " "})
	}
	l.value(n, at, col, col+step)
	return end
}

// pair lays out one entry of a map, with pad blanks behind its colon.
func (l *layout) pair(p ast.Pair, col, pad int) {
	key, value := p.Key, p.Value
	at := key.Span.Start
	l.token(at, col)
	from := l.text.Offset(key.Span.End)
	colon := from
	for colon < len(l.src) && l.src[colon] != ':' {
		colon++
	}
	this := &l.line[at.Line]
	if colon > from {
		this.gaps = append(this.gaps, gap{from, colon, ""})
	}
	if value.Empty {
		return
	}
	if start := l.text.Offset(value.Span.Start); value.Span.Start.Line == at.Line {
		this.gaps = append(this.gaps, gap{colon + 1, start, strings.Repeat(" ", pad)})
	}
	l.value(value, at, col, col+step)
}

// longKey is how long a key may be to count for the column of a table.
const longKey = 32

// pads returns how many blanks stand behind the colon of each entry of a map.
// Where values of neighbours stand below each other on purpose, with more than
// one blank in front, all of them do; else one blank is enough. A blank line ends
// a table.
func (l *layout) pads(n *ast.Node) []int {
	pads := make([]int, len(n.Pairs))
	for i := range pads {
		pads[i] = 1
	}
	for from := 0; from < len(n.Pairs); {
		to := from + 1
		for to < len(n.Pairs) && !l.blankBetween(n.Pairs[to-1].Value.Span.End.Line, n.Pairs[to].Key.Span.Start.Line) {
			to++
		}
		l.table(n.Pairs[from:to], pads[from:to])
		from = to
	}
	return pads
}

// blankBetween reports whether a blank line stands between two lines.
func (l *layout) blankBetween(from, to int) bool {
	for no := from + 1; no < to; no++ {
		if strings.TrimSpace(l.text.Line(no)) == "" {
			return true
		}
	}
	return false
}

// table sets the pads of entries without a gap between them.
func (l *layout) table(pairs []ast.Pair, pads []int) {
	columns, meant := map[int]int{}, map[int]bool{}
	widest := 0
	for _, p := range pairs {
		c, ok := l.valueColumn(p)
		if !ok {
			continue
		}
		width := keyWidth(p.Key)
		columns[c]++
		meant[c] = meant[c] || c > width+2
		if width <= longKey {
			widest = max(widest, width)
		}
	}
	for c, n := range columns {
		if n < 2 || !meant[c] {
			continue
		}
		for i, p := range pairs {
			if _, ok := l.valueColumn(p); ok {
				pads[i] = max(1, widest-keyWidth(p.Key)+1)
			}
		}
		return
	}
}

// keyWidth is how many characters a key takes.
func keyWidth(key *ast.Node) int { return key.Span.End.Col - key.Span.Start.Col }

// valueColumn returns how far behind its key the value of an entry stands,
// without blanks in front of the colon. It reports false where the value is
// not on the line of the key, a text below | or >, or a tab stands between.
func (l *layout) valueColumn(p ast.Pair) (int, bool) {
	key, value := p.Key, p.Value
	if value.Empty || value.Kind == ast.Scalar && value.Style >= ast.Literal || value.Span.Start.Line != key.Span.End.Line || key.Span.Start.Line != key.Span.End.Line {
		return 0, false
	}
	between := string(l.src[l.text.Offset(key.Span.End):l.text.Offset(value.Span.Start)])
	if strings.Contains(between, "\t") {
		return 0, false
	}
	return value.Span.Start.Col - key.Span.Start.Col - strings.IndexByte(between, ':'), true
}

// token notes that a token that starts a line, a map or a list moves to
// column col.
func (l *layout) token(at diag.Point, col int) {
	this := &l.line[at.Line]
	if len(this.cols) == 0 {
		this.lead = col
	}
	this.cols = append(this.cols, [2]int{at.Col - 1, col})
}

// value lays out what stands behind a key or a dash. at is the place of that
// key or dash, outer its new column and inner the column of what is below it.
func (l *layout) value(n *ast.Node, at diag.Point, outer, inner int) {
	if !n.Flow && n.Kind != ast.Scalar {
		l.block(n, inner)
		return
	}
	shift := outer - (at.Col - 1)
	if n.Span.Start.Line != at.Line {
		shift = inner - (n.Span.Start.Col - 1)
		l.token(n.Span.Start, inner)
	}
	if n.Kind == ast.Scalar && n.Style >= ast.Literal {
		l.textBlock(n, at.Col-1, outer, inner)
		return
	}
	for no := n.Span.Start.Line + 1; no <= n.Span.End.Line; no++ {
		this := &l.line[no]
		this.inside = true
		text := l.text.Line(no)
		trimmed := strings.TrimLeft(text, " \t")
		least := inner
		if n.Flow && strings.IndexAny(trimmed, "]}") == 0 {
			least = outer
		}
		this.lead = max(least, len(text)-len(trimmed)+shift)
		if trimmed == "" {
			this.lead = 0
		}
	}
	l.keepSpaces(n)
}

// keepSpaces protects the ends of lines inside double quotes, where "\ " is a
// space that counts.
func (l *layout) keepSpaces(n *ast.Node) {
	for _, p := range n.Pairs {
		l.keepSpaces(p.Key)
		l.keepSpaces(p.Value)
	}
	for _, i := range n.Items {
		l.keepSpaces(i)
	}
	if n.Kind == ast.Scalar && n.Style == ast.DoubleQuoted {
		for no := n.Span.Start.Line; no < n.Span.End.Line; no++ {
			l.line[no].spaces = escapedBlank.MatchString(l.text.Line(no))
		}
	}
}

var escapedBlank = regexp.MustCompile(`\\[ \t]`)

var header = regexp.MustCompile(`^[|>]([-+]?)([1-9]?)([-+]?)`)

// textBlock lays out the lines below "|" or ">". old is the column of the
// block around before the move.
func (l *layout) textBlock(n *ast.Node, old, outer, inner int) {
	start := l.text.Offset(n.Span.Start)
	m := header.FindStringSubmatch(string(l.src[start:min(start+3, len(l.src))]))
	if m == nil {
		return
	}
	last := l.lastLine(n, m[1] == "+" || m[3] == "+")
	if last == l.text.Lines() && n.Text != "" && !strings.HasSuffix(n.Text, "\n") {
		// The file gets a line break at its end, the text must not.
		this := &l.line[n.Span.Start.Line]
		this.gaps = append(this.gaps, gap{start + 1, start + len(m[0]), m[2] + "-"})
	}
	width, below := l.width(n, last), inner
	if m[2] != "" {
		// The header counts from the block around, so the text moves along.
		digit := int(m[2][0] - '0')
		width, below = old+digit, outer+digit
	}
	for no := n.Span.Start.Line + 1; no <= last; no++ {
		this := &l.line[no]
		this.inside, this.spaces, this.block = true, true, true
		text := l.text.Line(no)
		lead := len(text) - len(strings.TrimLeft(text, " "))
		this.lead = max(0, below+lead-width)
		if lead == len(text) && lead <= width {
			this.lead = 0
		}
	}
}

// lastLine returns the last line of a "|" or ">" text. Where the header keeps
// the blank lines below the text, they belong to it.
func (l *layout) lastLine(n *ast.Node, keep bool) int {
	last := n.Span.End.Line
	if !keep {
		return last
	}
	for last < l.text.Lines() && strings.TrimSpace(l.text.Line(last+1)) == "" {
		last++
	}
	if last == l.text.Lines() && l.text.Line(last) == "" {
		last--
	}
	return last
}

// width returns how far the text below a "|" or ">" is indented: as far as its
// first line.
func (l *layout) width(n *ast.Node, last int) int {
	for no := n.Span.Start.Line + 1; no <= last; no++ {
		text := l.text.Line(no)
		if lead := len(text) - len(strings.TrimLeft(text, " ")); lead < len(text) {
			return lead
		}
	}
	return 0
}

// lines writes the file anew.
func (l *layout) lines() []byte {
	l.comments()
	var out []string
	kept := 0 // lines up to the last one that counts
	for no := 1; no <= l.text.Lines(); no++ {
		this := l.line[no]
		text := l.rewrite(no)
		if !this.spaces {
			text = strings.TrimRight(text, " \t")
		}
		blank := text == "" && !this.inside
		if !this.inside && (text == "---" || text == "...") || blank && (len(out) == 0 || out[len(out)-1] == "" && kept < len(out)) {
			continue
		}
		if out = append(out, text); !blank {
			kept = len(out)
		}
	}
	return []byte(strings.Join(out[:kept], "\n") + "\n")
}

// rewrite returns line no with its new gaps.
func (l *layout) rewrite(no int) string {
	this := l.line[no]
	text := l.text.Line(no)
	start := l.text.Offset(diag.Point{Line: no, Col: 1})
	gaps := slices.Clone(this.gaps)
	if this.lead >= 0 {
		lead := len(text) - len(strings.TrimLeft(text, " \t"))
		if this.block {
			lead = len(text) - len(strings.TrimLeft(text, " "))
		}
		gaps = append(gaps, gap{start, start + lead, strings.Repeat(" ", this.lead)})
	}
	slices.SortFunc(gaps, func(a, b gap) int { return a.from - b.from })
	var b strings.Builder
	at := start
	for _, g := range gaps {
		b.Write(l.src[at:g.from])
		b.WriteString(g.text)
		at = g.to
	}
	b.Write(l.src[at : start+len(text)])
	return b.String()
}

// comments indents comment lines like the line they speak of: the next one, or
// the nearest one above that stood in the same column.
func (l *layout) comments() {
	next := make([][][2]int, len(l.line)) // the tokens of the next line with any
	var below [][2]int
	for no := len(l.line) - 1; no > 0; no-- {
		next[no] = below
		if len(l.line[no].cols) > 0 {
			below = l.line[no].cols
		}
	}
	var open [][2]int // the tokens above that the next line may stand below
	for no := 1; no < len(l.line); no++ {
		for _, c := range l.line[no].cols {
			for len(open) > 0 && open[len(open)-1][0] >= c[0] {
				open = open[:len(open)-1]
			}
			open = append(open, c)
		}
		text := l.text.Line(no)
		trimmed := strings.TrimLeft(text, " \t")
		if !l.line[no].inside && strings.HasPrefix(trimmed, "#") {
			l.line[no].lead = commentColumn(len(text)-len(trimmed), next[no], open)
		}
	}
}

// commentColumn returns the new column of a comment that stood in column col.
func commentColumn(col int, below, open [][2]int) int {
	for _, c := range below {
		if c[0] == col {
			return c[1]
		}
	}
	if len(below) > 0 && below[0][0] > col {
		return below[0][1]
	}
	column := 0
	for _, c := range slices.Backward(open) {
		if c[0] <= col {
			column = c[1]
			break
		}
	}
	// Where the lines below move right past the comment, it goes along.
	if len(below) > 0 && below[0][1] > column {
		return below[0][1]
	}
	return column
}
