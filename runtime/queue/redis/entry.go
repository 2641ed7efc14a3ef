package redis

import (
	"encoding/binary"
	"strings"
	"time"

	"crossdock/runtime/queue"
)

const entryVersion = 1

// packEntry writes an entry without its kind, which a script puts in front.
func packEntry(e *queue.Entry) []byte {
	b := make([]byte, 0, 64+len(e.Detail)+len(e.Data))
	b = append(b, entryVersion)
	at := e.At
	if at.IsZero() {
		at = time.Now()
	}
	b = binary.AppendVarint(b, at.UnixNano())
	_, rest, _ := strings.Cut(e.Message, ".")
	for _, s := range [...]string{rest, e.Pipeline, e.Revision, e.Step, e.Target, e.Detail, e.Parent} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(max(e.Attempt, 0)))
	b = binary.AppendUvarint(b, uint64(len(e.Refs)))
	for _, r := range e.Refs {
		b = appendText(appendText(b, r.Type), r.Value)
	}
	return append(b, e.Data...)
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// unpackEntry reads what a script stored for the family of root: the kind, NUL,
// and what packEntry wrote.
func unpackEntry(root, stored string) (queue.Entry, error) {
	kind, rest, ok := strings.Cut(stored, "\x00")
	if !ok || rest == "" || rest[0] != entryVersion {
		return queue.Entry{}, errRecord
	}
	d := decoder{b: []byte(rest[1:])}
	e := queue.Entry{Message: root, Kind: queue.Kind(kind)}
	if at := d.varint(); at != 0 {
		e.At = time.Unix(0, at).UTC()
	}
	if sub := d.text(); sub != "" {
		e.Message = root + "." + sub
	}
	for _, s := range [...]*string{&e.Pipeline, &e.Revision, &e.Step, &e.Target, &e.Detail, &e.Parent} {
		*s = d.text()
	}
	e.Attempt = int(d.uvarint())
	n := d.uvarint()
	for range n {
		if d.bad {
			break
		}
		e.Refs = append(e.Refs, queue.Ref{Type: d.text(), Value: d.text()})
	}
	if d.bad {
		return queue.Entry{}, errRecord
	}
	if len(d.b) > 0 {
		e.Data = d.b
	}
	return e, nil
}

// decoder reads what appendText and its like wrote; bad stays set after the
// first thing that cannot be.
type decoder struct {
	b   []byte
	bad bool
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	d.skip(n)
	return v
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	d.skip(n)
	return v
}

func (d *decoder) skip(n int) {
	if n <= 0 {
		d.bad, d.b = true, nil
		return
	}
	d.b = d.b[n:]
}

func (d *decoder) text() string {
	n := d.uvarint()
	if d.bad || n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return ""
	}
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}
