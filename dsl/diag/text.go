package diag

import (
	"bytes"
	"sort"
	"strings"
	"unicode/utf8"
)

// Text is a file cut into lines, so that Points and byte offsets turn into one
// another. Lines end with "\n" or "\r\n"; a byte order mark at the start takes
// no column. A Text never changes and may be used by many goroutines.
type Text struct {
	src    []byte
	starts []int // byte offset of the first character of each line
	// Lines that are not plain ASCII have the byte offset of every stride-th
	// character here, so that a place in a long line is found quickly.
	wide map[int][]int
}

const stride = 256

var byteOrderMark = []byte("\uFEFF")

// NewText cuts src into lines. It keeps src, which must not change afterwards.
func NewText(src []byte) *Text {
	t := &Text{src: src, starts: []int{0}}
	if bytes.HasPrefix(src, byteOrderMark) {
		t.starts[0] = len(byteOrderMark)
	}
	for i, b := range src {
		if b == '\n' {
			t.starts = append(t.starts, i+1)
		}
	}
	for i, from := range t.starts {
		to := len(src)
		if i+1 < len(t.starts) {
			to = t.starts[i+1]
		}
		t.index(i, from, to)
	}
	return t
}

// index notes where the characters of line i stand, unless each is one byte.
func (t *Text) index(i, from, to int) {
	if utf8.RuneCount(t.src[from:to]) == to-from {
		return
	}
	if t.wide == nil {
		t.wide = map[int][]int{}
	}
	var marks []int
	for n, off := 0, from; off < to; n++ {
		if n%stride == 0 {
			marks = append(marks, off)
		}
		_, size := utf8.DecodeRune(t.src[off:to])
		off += size
	}
	t.wide[i] = marks
}

// Bytes returns the whole file.
func (t *Text) Bytes() []byte { return t.src }

// Lines returns the number of lines; a file that ends with a line break ends
// with an empty line.
func (t *Text) Lines() int { return len(t.starts) }

// Line returns line n, counted from 1, without its line break. A line that
// does not exist is empty.
func (t *Text) Line(n int) string {
	if n < 1 || n > len(t.starts) {
		return ""
	}
	return strings.TrimSuffix(string(t.src[t.starts[n-1]:t.end(n)]), "\r")
}

// Offset returns the byte offset of p. Points behind the end of a line or of
// the file give that end.
func (t *Text) Offset(p Point) int {
	switch {
	case p.Line < 1:
		return 0
	case p.Line > len(t.starts):
		return len(t.src)
	}
	off, end := t.starts[p.Line-1], t.end(p.Line)
	marks, wide := t.wide[p.Line-1]
	if !wide {
		return min(off+max(p.Col-1, 0), end)
	}
	left := max(p.Col-1, 0)
	if i := min(left/stride, len(marks)-1); i > 0 {
		off, left = marks[i], left-i*stride
	}
	for ; left > 0 && off < end; left-- {
		_, size := utf8.DecodeRune(t.src[off:])
		off += size
	}
	return min(off, end)
}

// end returns the byte behind the last character of line n.
func (t *Text) end(n int) int {
	if n == len(t.starts) {
		return len(t.src)
	}
	end := t.starts[n] - 1
	if end > t.starts[n-1] && t.src[end-1] == '\r' {
		end--
	}
	return end
}

// Point returns the place of the byte at off. Offsets behind the end give the
// end of the file.
func (t *Text) Point(off int) Point {
	off = max(t.starts[0], min(off, len(t.src)))
	line := sort.Search(len(t.starts), func(i int) bool { return t.starts[i] > off }) - 1
	marks, wide := t.wide[line]
	if !wide {
		return Point{Line: line + 1, Col: off - t.starts[line] + 1}
	}
	i := sort.Search(len(marks), func(i int) bool { return marks[i] > off }) - 1
	return Point{Line: line + 1, Col: i*stride + utf8.RuneCount(t.src[marks[i]:off]) + 1}
}

// Slice returns the text that s covers.
func (t *Text) Slice(s Span) string {
	from, to := t.Offset(s.Start), t.Offset(s.End)
	if to < from {
		return ""
	}
	return string(t.src[from:to])
}
