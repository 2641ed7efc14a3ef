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
}

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
	return t
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
	end := len(t.src)
	if n < len(t.starts) {
		end = t.starts[n] - 1
	}
	return strings.TrimSuffix(string(t.src[min(t.starts[n-1], end):end]), "\r")
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
	off := t.starts[p.Line-1]
	for col := 1; col < p.Col && off < len(t.src); col++ {
		if c := t.src[off]; c == '\n' || c == '\r' && off+1 < len(t.src) && t.src[off+1] == '\n' {
			break
		}
		_, size := utf8.DecodeRune(t.src[off:])
		off += size
	}
	return off
}

// Point returns the place of the byte at off. Offsets behind the end give the
// end of the file.
func (t *Text) Point(off int) Point {
	off = max(t.starts[0], min(off, len(t.src)))
	line := sort.Search(len(t.starts), func(i int) bool { return t.starts[i] > off })
	return Point{Line: line, Col: utf8.RuneCount(t.src[t.starts[line-1]:off]) + 1}
}

// Slice returns the text that s covers.
func (t *Text) Slice(s Span) string {
	from, to := t.Offset(s.Start), t.Offset(s.End)
	if to < from {
		return ""
	}
	return string(t.src[from:to])
}
