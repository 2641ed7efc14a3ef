package flow

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"crossdock/runtime/message"
)

// recordVersion is the first byte of an encoded Run. A reader refuses what it
// does not know instead of guessing.
const recordVersion = 2

// recordHead is the length of what every record begins with: version, flags and
// priority.
const recordHead = 4

const (
	hasRaw = 1 << iota
	hasMapped
	isAmbiguous
	hasSteps
	hasFile
	hasEvent
	hasFault
	hasCause
	isHeld
	isDrift
	hasOccurred
	isKept

	aloneShift = 12 // of two bits with a number
	aloneMost  = 3
)

// Encode appends the record of r to dst. What came as bytes is kept as those
// bytes.
func Encode(dst []byte, r *Run) []byte {
	flags := uint16(0)
	set := func(bit uint16, on bool) {
		if on {
			flags |= bit
		}
	}
	set(hasRaw, r.Raw != nil)
	set(hasMapped, r.Mapped)
	set(isAmbiguous, r.Ambiguous)
	set(hasSteps, len(r.Steps) > 0)
	set(hasFile, r.Meta.File != nil)
	set(hasEvent, r.Meta.Event != nil)
	set(hasFault, r.Fault != "")
	set(hasCause, r.Cause != nil)
	set(isHeld, r.Held != nil)
	set(isDrift, r.Drift)
	set(isKept, r.Kept)
	set(hasOccurred, !r.Occurred.IsZero())
	flags |= uint16(min(r.Alone, aloneMost)) << aloneShift
	dst = append(dst, recordVersion, byte(flags), byte(flags>>8), byte(r.Priority))
	for _, s := range []string{r.ID, r.Pipeline, r.Revision, r.Key, r.OrderKey, r.Step} {
		dst = appendText(dst, s)
	}
	dst = binary.AppendVarint(dst, r.Now.UnixNano())
	if flags&hasOccurred != 0 {
		dst = binary.AppendVarint(dst, r.Occurred.UnixNano())
	}
	dst = binary.AppendUvarint(dst, uint64(r.Effects))
	dst = binary.AppendUvarint(dst, uint64(len(r.Trace)))
	for _, t := range r.Trace {
		dst = appendText(appendText(dst, t.Type), t.Value)
	}
	dst = appendMeta(dst, &r.Meta)
	if flags&hasSteps != 0 {
		dst = appendBytes(dst, message.Marshal(r.Steps))
	}
	if flags&hasFault != 0 {
		dst = appendText(dst, r.Fault)
	}
	if flags&hasCause != 0 {
		cause, _ := json.Marshal(r.Cause) // plain strings and numbers cannot fail
		dst = appendBytes(dst, cause)
	}
	if h := r.Held; h != nil {
		since := int64(0)
		if !h.Since.IsZero() {
			since = h.Since.UnixNano()
		}
		dst = appendText(binary.AppendVarint(dst, since), h.Reason)
	}
	if flags&hasMapped != 0 {
		dst = appendBytes(dst, message.Marshal(r.Body))
	}
	if flags&hasRaw != 0 {
		return appendBytes(dst, r.Raw)
	}
	return appendBytes(dst, message.Marshal(r.Original))
}

func appendMeta(dst []byte, m *message.Meta) []byte {
	for _, s := range []string{m.Source, m.Path, m.Consumer, m.Type} {
		dst = appendText(dst, s)
	}
	dst = binary.AppendVarint(dst, m.ReceivedAt.UnixNano())
	dst = appendTexts(appendTexts(dst, m.Headers), m.Query)
	if f := m.File; f != nil {
		dst = appendText(appendText(dst, f.Name), f.SHA256)
		dst = binary.AppendVarint(binary.AppendVarint(dst, f.Size), int64(f.Record))
	}
	if e := m.Event; e != nil {
		dst = appendText(appendText(dst, e.ID), e.Name)
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func appendTexts(dst []byte, m map[string]string) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(m)))
	for k, v := range m {
		dst = appendText(appendText(dst, k), v)
	}
	return dst
}

// ErrNewer is a message that a newer release stored, as happens while replicas
// are upgraded one after the other. It is that release's to work on.
var ErrNewer = errors.New("the message was stored by a newer crossdock")

var errShort = errors.New("the stored message is cut short")

// Decode reads what Encode wrote. decode turns the kept bytes into a payload;
// where it fails the Run is returned with the error, so that the bytes stay
// visible.
func Decode(b []byte, decode func(raw []byte, m *message.Meta) (any, error)) (Run, error) {
	var r Run
	if len(b) < recordHead {
		return r, errShort
	}
	if b[0] > recordVersion {
		return r, fmt.Errorf("%w: it has format %d, this one reads %d", ErrNewer, b[0], recordVersion)
	}
	if b[0] < recordVersion {
		return r, fmt.Errorf("the stored message has format %d, this version reads %d", b[0], recordVersion)
	}
	flags := uint16(b[1]) | uint16(b[2])<<8
	r.Priority = int(b[3])
	d := reader{b: b[recordHead:]}
	for _, s := range []*string{&r.ID, &r.Pipeline, &r.Revision, &r.Key, &r.OrderKey, &r.Step} {
		*s = d.text()
	}
	r.Now = time.Unix(0, d.varint()).UTC()
	if flags&hasOccurred != 0 {
		r.Occurred = time.Unix(0, d.varint()).UTC()
	}
	r.Effects = int(d.uvarint())
	if n := d.count(2); n > 0 {
		r.Trace = make([]message.Ref, n)
		for i := range r.Trace {
			r.Trace[i] = message.Ref{Type: d.text(), Value: d.text()}
		}
	}
	d.meta(&r.Meta, flags)
	if flags&hasSteps != 0 {
		steps, err := message.Decode(d.bytes(), message.Unlimited)
		if err != nil && d.err == nil {
			return r, fmt.Errorf("read the stored results: %w", err)
		}
		r.Steps, _ = steps.(map[string]any)
	}
	if flags&hasFault != 0 {
		r.Fault = d.text()
	}
	if flags&hasCause != 0 {
		r.Cause = &Cause{}
		if err := json.Unmarshal(d.bytes(), r.Cause); err != nil && d.err == nil {
			return r, fmt.Errorf("read the stored cause: %w", err)
		}
	}
	if flags&isHeld != 0 {
		r.Held = &Held{}
		if since := d.varint(); since != 0 {
			r.Held.Since = time.Unix(0, since).UTC()
		}
		r.Held.Reason = d.text()
	}
	r.Ambiguous = flags&isAmbiguous != 0
	r.Drift = flags&isDrift != 0
	r.Kept = flags&isKept != 0
	r.Alone = int(flags>>aloneShift) & aloneMost
	r.Mapped = flags&hasMapped != 0
	var mapped []byte
	if r.Mapped {
		mapped = d.bytes()
	}
	original := d.bytes()
	if d.err != nil {
		return r, d.err
	}
	return r, r.payloads(flags, mapped, original, decode)
}

// payloads decodes the bodies of a record.
func (r *Run) payloads(flags uint16, mapped, original []byte, decode func([]byte, *message.Meta) (any, error)) error {
	var err error
	if flags&hasRaw != 0 {
		r.Raw = original
		if r.Fault == "" {
			r.Original, err = decode(original, &r.Meta)
		}
	} else {
		r.Original, err = message.Decode(original, message.Unlimited)
	}
	if err != nil {
		return fmt.Errorf("read the stored payload: %w", err)
	}
	r.Body = r.Original
	if r.Mapped {
		if r.Body, err = message.Decode(mapped, message.Unlimited); err != nil {
			return fmt.Errorf("read the stored payload: %w", err)
		}
	}
	return nil
}

// reader takes a record apart and remembers the first error.
type reader struct {
	b   []byte
	err error
}

func (d *reader) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.err, d.b = errShort, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *reader) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.err, d.b = errShort, nil
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads a number of entries of at least size bytes each.
func (d *reader) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.err = errShort
		return 0
	}
	return int(n)
}

func (d *reader) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.err, d.b = errShort, nil
		return nil
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out
}

func (d *reader) text() string { return string(d.bytes()) }

func (d *reader) texts() map[string]string {
	n := d.count(2)
	if n == 0 {
		return nil
	}
	m := make(map[string]string, n)
	for range n {
		k := d.text()
		m[k] = d.text()
	}
	return m
}

func (d *reader) meta(m *message.Meta, flags uint16) {
	for _, s := range []*string{&m.Source, &m.Path, &m.Consumer, &m.Type} {
		*s = d.text()
	}
	m.ReceivedAt = time.Unix(0, d.varint()).UTC()
	m.Headers, m.Query = d.texts(), d.texts()
	if flags&hasFile != 0 {
		m.File = &message.File{Name: d.text(), SHA256: d.text()}
		m.File.Size, m.File.Record = d.varint(), int(d.varint())
	}
	if flags&hasEvent != 0 {
		m.Event = &message.Event{ID: d.text(), Name: d.text()}
	}
}
