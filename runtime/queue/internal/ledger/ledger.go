// Package ledger cuts lists of history entries into pages, the same way in
// every driver that lists them itself.
package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"crossdock/runtime/queue"
)

// Line is an entry with its place in the log of its store.
type Line struct {
	Seq uint64
	queue.Entry
}

// Limit is the number of results that q asks for.
func Limit(q queue.Query) int {
	if q.Limit <= 0 {
		return 100
	}
	return q.Limit
}

// After reads the cursor of a query that pages by one number, 0 for none.
func After(q queue.Query) (uint64, error) {
	if q.After == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(q.After, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not the continuation of a page", q.After)
	}
	return n, nil
}

// Cursor is what After reads.
func Cursor(n uint64) string { return strconv.FormatUint(n, 10) }

// ByTime is one page of lines, which it sorts by time.
func ByTime(lines []Line, q queue.Query) (queue.Page, error) {
	if q.Prefix != "" {
		lines = slices.DeleteFunc(slices.Clone(lines), func(l Line) bool { return !strings.HasPrefix(l.Pipeline, q.Prefix) })
	}
	slices.SortFunc(lines, func(a, b Line) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Seq, b.Seq))
	})
	if q.After != "" {
		var at int64
		var seq uint64
		if n, err := fmt.Sscanf(q.After, "%d-%d", &at, &seq); n != 2 || err != nil {
			return queue.Page{}, fmt.Errorf("%q is not the continuation of a page", q.After)
		}
		i, _ := slices.BinarySearchFunc(lines, Line{Seq: seq + 1}, func(l, want Line) int {
			return cmp.Or(cmp.Compare(l.At.UnixNano(), at), cmp.Compare(l.Seq, want.Seq))
		})
		lines = lines[i:]
	}
	var p queue.Page
	for _, l := range lines[:min(len(lines), Limit(q))] {
		p.Entries = append(p.Entries, l.Entry)
	}
	if n := len(p.Entries); n < len(lines) {
		p.Next = fmt.Sprintf("%d-%d", lines[n-1].At.UnixNano(), lines[n-1].Seq)
	}
	return p, nil
}

// Newest is one page of a query for Recent, made of lines as they are looked at.
type Newest struct {
	Page   queue.Page
	q      queue.Query
	looked int
	last   uint64
}

// NewNewest returns the page of q before any line.
func NewNewest(q queue.Query) *Newest { return &Newest{q: q} }

// Look takes the next older line, and reports whether the page goes on.
func (n *Newest) Look(l Line) bool {
	matches := Matches(n.q, l.Kind, l.Pipeline)
	if matches && len(n.Page.Entries) == Limit(n.q) || n.q.Look > 0 && n.looked == n.q.Look {
		n.Page.Next = Cursor(n.last)
		return false
	}
	if matches {
		n.Page.Entries = append(n.Page.Entries, l.Entry)
	}
	n.looked++
	n.last = l.Seq
	return true
}

// Matches tells whether an entry of a kind and pipeline is one that a query for
// Recent asks for.
func Matches(q queue.Query, kind queue.Kind, pipeline string) bool {
	return (q.Pipeline == "" || q.Pipeline == pipeline) && strings.HasPrefix(pipeline, q.Prefix) && (q.Kind == "" || q.Kind == kind)
}

// HasRef tells whether an entry carries the reference that q asks for.
func HasRef(q queue.Query, e queue.Entry) bool {
	return slices.ContainsFunc(e.Refs, func(r queue.Ref) bool {
		return r.Value == q.Ref.Value && (q.Ref.Type == "" || r.Type == q.Ref.Type)
	})
}
