package embedded

import (
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/schedule"
)

// request is a Commit on its way through the committer. The goroutine of the
// caller encodes it, so that the one committer only has to put bytes together.
type request struct {
	c    queue.Commit
	now  time.Time
	seen uint64 // number of batches that were visible when it was looked up

	jobs    []preparedJob
	puts    []value // what is there now, per Put
	history []line
	own     bool     // made by Sweep
	wipe    []string // idempotency keys that Sweep wants to forget
	timed   []string // state keys that Sweep wants to forget
	crashed []crash  // leases that Sweep saw run out

	results []queue.Result
	err     error
	done    chan struct{}
}

type crash struct {
	slot    schedule.Slot
	seq     uint64
	crashes int
}

type preparedJob struct {
	idHash, keyHash uint64
	header          []byte
	body            sealed // not set when it is inline
	known           known  // what is known under Dedupe; id "" = nothing
	fresh           []line
}

// line is an encoded history entry.
type line struct {
	pipeline string
	kind     queue.Kind
	root     uint64
	refs     []uint64
	bytes    []byte
}

func newLine(e *queue.Entry, now time.Time) line {
	if e.At.IsZero() {
		e.At = now
	}
	l := line{pipeline: e.Pipeline, kind: e.Kind, root: hash(queue.Root(e.Message))}
	for _, r := range e.Refs {
		l.refs = append(l.refs, hash(r.Value))
	}
	size := 64 + len(e.Message) + len(e.Detail) + len(e.Data) + 32*len(e.Refs)
	l.bytes = appendEntry(make([]byte, 0, size), e)
	return l
}

func newLines(es []queue.Entry, now time.Time) []line {
	if len(es) == 0 {
		return nil
	}
	out := make([]line, len(es))
	for i, e := range es {
		out[i] = newLine(&e, now)
	}
	return out
}

// prepare encodes a Commit and looks up what it depends on.
func (s *store) prepare(c queue.Commit, now time.Time) (*request, error) {
	r := &request{c: c, now: now, seen: s.visible.Load(), done: make(chan struct{})}
	if len(c.Jobs) > 0 {
		r.jobs = make([]preparedJob, len(c.Jobs))
		r.results = make([]queue.Result, len(c.Jobs))
	}
	for i := range c.Jobs {
		j := &c.Jobs[i]
		p := &r.jobs[i]
		p.idHash = s.x.Hash(j.ID)
		if j.Key != "" {
			p.keyHash = s.x.Hash(j.Key)
		}
		p.header = appendHeader(make([]byte, 0, 64+len(j.ID)+len(j.Lane)+len(j.Key)+min(len(j.Body), inline)), j, now)
		if len(j.Body) > inline {
			p.body = sealBody(j.Body)
		}
		if j.Dedupe != "" {
			k, err := s.lookup(j.Dedupe)
			if err != nil {
				return nil, err
			}
			p.known = k
		}
		p.fresh = newLines(j.Fresh, now)
	}
	if len(c.Put) > 0 {
		r.puts = make([]value, len(c.Put))
	}
	for i, p := range c.Put {
		v, err := s.value(p.Key)
		if err != nil {
			return nil, err
		}
		r.puts[i] = v
	}
	r.history = newLines(c.History, now)
	return r, nil
}

// lookup reads an idempotency key; id "" is none.
func (s *store) lookup(dedupe string) (known, error) {
	if s.sieve.lacks(dedupe) {
		return known{}, nil
	}
	raw, err := s.kv.get(textKey(keyDedupe, dedupe))
	if err != nil || raw == nil {
		return known{}, s.reading(err)
	}
	k, err := readKnown(raw)
	return k, s.damaged(err, "idempotency key "+dedupe)
}

// value reads a state value; version 0 is none.
func (s *store) value(key string) (value, error) {
	raw, err := s.kv.get(textKey(keyValue, key))
	if err != nil || raw == nil {
		return value{}, s.reading(err)
	}
	v, err := readValue(raw)
	return v, s.damaged(err, "state "+key)
}
