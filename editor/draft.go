package editor

import (
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/spec"
)

// marker stands for the word at the cursor while a text is mended.
const marker = "xd0cursor0xd"

// draft is a text on which somebody is working, mended so far that the place of
// the cursor can be told.
type draft struct {
	text   string // with the marker in place of the word at the cursor
	root   *ast.Node
	node   *ast.Node // the scalar that holds the marker
	form   *spec.Form
	key    bool        // the marker is in a key
	trail  []*ast.Node // maps and lists around it, outermost first
	keys   []string    // the keys that lead to it
	word   diag.Span   // what stands there now
	prefix string      // of the word, up to the cursor
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// nameByte may stand in the middle of names outside of cells.
func nameByte(c byte) bool { return wordByte(c) || c == '-' || c == '/' || c == '@' || c == '.' }

// draftAt mends the text of a file around a cursor. wide takes whole names such
// as connection.operation as one word.
func (s *State) draftAt(path string, p diag.Point, wide bool) *draft {
	t := s.Text(path)
	kind, ok := spec.KindOfFile(path)
	if !ok || kind.Form() == nil {
		return nil
	}
	src := string(t.Bytes())
	at := t.Offset(p)
	is := wordByte
	if wide {
		is = nameByte
	}
	from, to := at, at
	for from > 0 && is(src[from-1]) {
		from--
	}
	for to < len(src) && is(src[to]) {
		to++
	}
	base := draft{word: diag.Span{File: path, Start: t.Point(from), End: t.Point(to)}, prefix: src[from:at]}
	for _, text := range mended(src, from, to) {
		d := base
		d.text = text
		if d.find(path, kind, s) {
			return &d
		}
	}
	return nil
}

// mended gives the text with the marker in it, first as it is, then with what a
// half-written line lacks, then without everything that is not needed to tell
// where the cursor is.
func mended(src string, from, to int) []string {
	line := strings.LastIndexByte(src[:from], '\n') + 1
	end := strings.IndexByte(src[to:], '\n')
	if end < 0 {
		end = len(src)
	} else {
		end += to
	}
	before, after := src[line:from], strings.TrimSuffix(src[to:end], "\r")
	open := closers(src, line, from)
	var lines []string
	bare := strings.TrimLeft(strings.ReplaceAll(before, "- ", "  "), " ") == ""
	if bare && !strings.Contains(after, ":") {
		lines = append(lines, before+marker+": "+after)
	}
	lines = append(lines, before+marker+after)
	if open != "" {
		lines = append(lines, before+marker+after+open, before+marker+open)
	}
	lines = append(lines, before+marker, before+"\""+marker+"\"")
	var out []string
	for _, l := range lines {
		out = append(out, src[:line]+l+src[end:])
	}
	for _, l := range lines {
		out = append(out, around(src[:line], l))
	}
	return out
}

// closers is what would close the quotes and brackets that are open at a place.
// Only the value that the line belongs to is looked at.
func closers(src string, line, at int) string {
	start := line
	indent := len(src[line:at]) - len(strings.TrimLeft(src[line:at], " "))
	for start > 0 { // a value with brackets may begin above
		up := strings.LastIndexByte(src[:start-1], '\n') + 1
		text := src[up : start-1]
		if strings.TrimSpace(text) == "" {
			break
		}
		if in := len(text) - len(strings.TrimLeft(text, " ")); in < indent {
			if strings.ContainsAny(text, "{[") {
				start = up
			}
			break
		}
		start = up
	}
	var open []byte
	quote := byte(0)
	for i := start; i < at; i++ {
		c := src[i]
		switch {
		case quote == '"' && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '#' && i > start && (src[i-1] == ' ' || src[i-1] == '\n'):
			for i < at && src[i] != '\n' {
				i++
			}
		case c == '"' || c == '\'':
			if i == start || strings.IndexByte(" ,:[{(|\n", src[i-1]) >= 0 {
				quote = c
			}
		case c == '{':
			open = append(open, '}')
		case c == '[':
			open = append(open, ']')
		case (c == '}' || c == ']') && len(open) > 0:
			open = open[:len(open)-1]
		}
	}
	out := ""
	if quote != 0 {
		out = string(quote)
	}
	for i := len(open) - 1; i >= 0; i-- {
		out += string(open[i])
	}
	return out
}

// around keeps of the lines above only those that a line is nested in.
func around(above, line string) string {
	depth := func(l string) int { return len(l) - len(strings.TrimLeft(l, " ")) }
	var keep []string
	want := depth(line)
	if strings.TrimSpace(line) == "" {
		want++
	}
	lines := strings.Split(strings.TrimSuffix(above, "\n"), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		l := strings.TrimSuffix(lines[i], "\r")
		text := strings.TrimSpace(l)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		in := depth(l)
		dash := strings.HasPrefix(text, "- ")
		if in < want || in == want && dash && !strings.HasPrefix(strings.TrimSpace(line), "-") {
			keep = append(keep, l)
			want = in
			if dash {
				want = in + 1 // what follows is what the list belongs to
				if in > 0 || !strings.HasPrefix(text, "- ") {
					want = in
				}
			}
		}
		if want == 0 {
			break
		}
	}
	// The first line says kind and name; a list may stand as deep as its key.
	var head string
	for _, l := range lines {
		if t := strings.TrimSpace(l); t != "" && !strings.HasPrefix(t, "#") && t != "---" {
			head = strings.TrimSuffix(l, "\r")
			break
		}
	}
	var b strings.Builder
	if len(keep) == 0 || keep[len(keep)-1] != head {
		b.WriteString(head + "\n")
	}
	for i := len(keep) - 1; i >= 0; i-- {
		b.WriteString(keep[i] + "\n")
	}
	return b.String() + line + "\n"
}

// find parses the text and looks for the marker.
func (d *draft) find(path string, kind spec.Kind, s *State) bool {
	file, _ := parser.Parse(path, []byte(d.text))
	if file.Root == nil || file.Root.Kind != ast.Map {
		return false
	}
	d.root = file.Root
	return d.walk(file.Root, s.form(kind, file.Root))
}

func (d *draft) walk(n *ast.Node, f *spec.Form) bool {
	d.trail = append(d.trail, n)
	for _, p := range n.Pairs {
		if strings.Contains(p.Key.Text, marker) {
			d.node, d.form, d.key = p.Key, f, true
			return true
		}
		below := f.Below(p.Key.Text)
		d.keys = append(d.keys, p.Key.Text)
		if d.into(p.Value, below) {
			return true
		}
		d.keys = d.keys[:len(d.keys)-1]
	}
	for _, item := range n.Items {
		var below *spec.Form
		if f != nil {
			below = f.Items
		}
		if d.into(item, below) {
			return true
		}
	}
	d.trail = d.trail[:len(d.trail)-1]
	return false
}

func (d *draft) into(n *ast.Node, f *spec.Form) bool {
	if n.Kind != ast.Scalar {
		return d.walk(n, f)
	}
	if strings.Contains(n.Text, marker) {
		d.node, d.form = n, f
		return true
	}
	return false
}

// compiled loads the workspace with the draft in place of the file, and returns
// the cell with the marker.
func (d *draft) compiled(s *State, path string) (*compile.Workspace, *cell.Cell) {
	f := s.folder
	had, was := f.files.texts[path]
	f.files.set(path, []byte(d.text))
	defer func() {
		if was {
			f.files.set(path, had)
		} else {
			f.files.remove(path)
		}
	}()
	how := compile.Options{Catalog: f.opt.Catalog, Std: f.opt.Std, Environment: f.opt.Environment, AnyEnvironment: true, Cache: &f.draft}
	if h, ok := s.homes()[path]; ok && h.ws.Trial != nil {
		how.Trial, how.Cache = h.ws.Trial, &f.trial
	}
	ws, _, err := compile.Load(f.files, how)
	if err != nil {
		return nil, nil
	}
	for _, c := range ws.Cells {
		if c.Node.Span.File == path && strings.Contains(c.Node.Text, marker) {
			return ws, c
		}
	}
	return ws, nil
}
