package embedded

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"crossdock/runtime/queue"
)

// The first byte of a key says what stands under it. DESIGN.md has the table.
const (
	keyJob     = 'j' // seq -> header of a job
	keyBody    = 'b' // seq -> body, where it is not in the header
	keyState   = 's' // seq -> standing, where it is not that of a new job
	keyOther   = 'o' // seq -> body that replaced the first one
	keyCrashes = 'k' // seq -> number of crashes
	keyDedupe  = 'd' // idempotency key -> known
	keyEnding  = 'e' // second, number -> idempotency keys that end then
	keyValue   = 'v' // state key -> value
	keyTimed   = 't' // second, state key -> nothing
	keyHistory = 'h' // number -> entries of one batch
	keyFamily  = 'f' // hash of a root, number -> nothing
	keyRef     = 'x' // hash of a value, number -> nothing
	keyCount   = 'c' // pipeline, 0, kind -> number
	keyLane    = 'n' // lane -> nothing
	keyMeta    = 'm' // name -> number
)

// version begins every record with a value.
const version = 1

// inline is up to which size a body stands in the header of its job.
const inline = 256

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged is a record whose checksum does not fit.
var errDamaged = errors.New("the record is damaged")

func seal(buf []byte) []byte {
	return binary.LittleEndian.AppendUint32(buf, crc32.Checksum(buf, castagnoli))
}

// unseal checks a record and returns what is between version and checksum.
func unseal(v []byte) ([]byte, error) {
	if len(v) < 5 {
		return nil, fmt.Errorf("%w: it has %d bytes", errDamaged, len(v))
	}
	body, sum := v[:len(v)-4], binary.LittleEndian.Uint32(v[len(v)-4:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return nil, fmt.Errorf("%w: checksum %08x, expected %08x", errDamaged, got, sum)
	}
	if body[0] != version {
		return nil, fmt.Errorf("the record has version %d, this program reads version %d", body[0], version)
	}
	return body[1:], nil
}

func numKey(kind byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{kind}, n)
}

func twoKey(kind byte, a, b uint64) []byte {
	k := make([]byte, 1, 17)
	k[0] = kind
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(k, a), b)
}

func textKey(kind byte, s string) []byte { return append([]byte{kind}, s...) }

// after is the smallest key behind all keys that begin with prefix.
func after(prefix []byte) []byte {
	out := append([]byte(nil), prefix...)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]++; out[i] != 0 {
			return out[:i+1]
		}
	}
	return nil
}

// hash is FNV-1a: the same in every process.
func hash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(b, 0)
	}
	return binary.AppendVarint(b, t.UnixNano())
}

// reader takes a record apart. The first mistake sticks.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) time() time.Time {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return time.Time{}
	}
	r.b = r.b[size:]
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

func (r *reader) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.bad = true
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) err() error {
	if r.bad {
		return fmt.Errorf("%w: it ends too early", errDamaged)
	}
	return nil
}

// header is what never changes about a job.
type header struct {
	job      queue.Job // Body only where it is inline
	enqueued time.Time
	inline   bool
}

func appendHeader(b []byte, j *queue.Job, enqueued time.Time) []byte {
	b = append(b, version, byte(j.Priority))
	in := len(j.Body) <= inline
	if in {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = appendText(b, j.ID)
	b = appendText(b, j.Lane)
	b = appendText(b, j.Key)
	b = appendTime(b, enqueued)
	b = appendTime(b, j.NotBefore)
	if in {
		b = append(b, j.Body...)
	}
	return seal(b)
}

func readHeader(v []byte) (header, error) {
	var h header
	b, err := unseal(v)
	if err != nil {
		return h, err
	}
	r := reader{b: b}
	h.job.Priority = queue.Priority(r.byte())
	h.inline = r.byte() == 1
	h.job.ID, h.job.Lane, h.job.Key = r.text(), r.text(), r.text()
	h.enqueued, h.job.NotBefore = r.time(), r.time()
	if h.inline {
		h.job.Body = append([]byte{}, r.b...)
	}
	return h, r.err()
}

// sealed is the record of a body that was not put together yet.
type sealed struct {
	body []byte
	sum  uint32
}

// sealBody computes the checksum of the record of a body.
func sealBody(body []byte) sealed {
	return sealed{body, crc32.Update(sumOfVersion, castagnoli, body)}
}

var sumOfVersion = crc32.Checksum([]byte{version}, castagnoli)

// standing is where a job stands when it is not new.
type standing struct {
	state    byte
	attempts int
	due      time.Time // Delayed, Parked: when; Dead: since when
	reason   string
	box      string
	group    string
}

// The states on disk. A lease is not on disk: it ends with the process.
const (
	diskReady byte = iota
	diskDelayed
	diskParked
	diskDead
)

func appendStanding(b []byte, s standing) []byte {
	b = append(b, version, s.state)
	b = binary.AppendUvarint(b, uint64(s.attempts))
	b = appendTime(b, s.due)
	return seal(appendText(appendText(appendText(b, s.reason), s.box), s.group))
}

func readStanding(v []byte) (standing, error) {
	b, err := unseal(v)
	if err != nil {
		return standing{}, err
	}
	r := reader{b: b}
	s := standing{state: r.byte(), attempts: int(r.uint()), due: r.time(), reason: r.text(), box: r.text(), group: r.text()}
	return s, r.err()
}

// known is an idempotency key that the store remembers.
type known struct {
	id      string
	digest  string
	expires time.Time // zero = never
}

func (k known) alive(now time.Time) bool { return k.expires.IsZero() || k.expires.After(now) }

func appendKnown(b []byte, k known) []byte {
	return seal(appendTime(appendText(appendText(append(b, version), k.id), k.digest), k.expires))
}

func readKnown(v []byte) (known, error) {
	b, err := unseal(v)
	if err != nil {
		return known{}, err
	}
	r := reader{b: b}
	k := known{id: r.text(), digest: r.text(), expires: r.time()}
	return k, r.err()
}

// value is one state value; version 0 is none.
type value struct {
	version int64
	expires time.Time
	data    []byte
}

func (v value) alive(now time.Time) bool {
	return v.version != 0 && (v.expires.IsZero() || v.expires.After(now))
}

func appendValue(b []byte, v value) []byte {
	b = binary.AppendUvarint(append(b, version), uint64(v.version))
	return seal(append(appendTime(b, v.expires), v.data...))
}

func readValue(raw []byte) (value, error) {
	b, err := unseal(raw)
	if err != nil {
		return value{}, err
	}
	r := reader{b: b}
	v := value{version: int64(r.uint()), expires: r.time()}
	v.data = append([]byte{}, r.b...)
	return v, r.err()
}

func appendNumber(b []byte, n uint64) []byte {
	return seal(binary.AppendUvarint(append(b, version), n))
}

func readNumber(v []byte) (uint64, error) {
	b, err := unseal(v)
	if err != nil {
		return 0, err
	}
	r := reader{b: b}
	n := r.uint()
	return n, r.err()
}

func appendEntry(b []byte, e *queue.Entry) []byte {
	b = appendText(b, e.Message)
	b = appendTime(b, e.At)
	b = appendText(b, string(e.Kind))
	for _, s := range [...]string{e.Pipeline, e.Revision, e.Step, e.Target, e.Detail, e.Parent} {
		b = appendText(b, s)
	}
	b = binary.AppendUvarint(b, uint64(e.Attempt))
	b = binary.AppendUvarint(b, uint64(len(e.Refs)))
	for _, r := range e.Refs {
		b = appendText(appendText(b, r.Type), r.Value)
	}
	b = binary.AppendUvarint(b, uint64(len(e.Data)))
	return append(b, e.Data...)
}

func (r *reader) entry() queue.Entry {
	e := queue.Entry{Message: r.text(), At: r.time(), Kind: queue.Kind(r.text())}
	for _, s := range [...]*string{&e.Pipeline, &e.Revision, &e.Step, &e.Target, &e.Detail, &e.Parent} {
		*s = r.text()
	}
	e.Attempt = int(r.uint())
	n := r.uint()
	for i := uint64(0); i < n && !r.bad; i++ {
		e.Refs = append(e.Refs, queue.Ref{Type: r.text(), Value: r.text()})
	}
	if data := r.bytes(); len(data) > 0 {
		e.Data = append([]byte(nil), data...)
	}
	return e
}
