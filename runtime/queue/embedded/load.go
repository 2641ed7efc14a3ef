package embedded

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"crossdock/runtime/queue"
	"crossdock/runtime/queue/schedule"
)

// format is the version of the layout as a whole.
const format = 1

// load builds the index from the directory. crashed are the jobs that were
// leased when the last process ended without closing the store.
func (s *store) load(ctx context.Context, crashed []uint64) error {
	generation, err := s.loadMeta()
	if err != nil {
		return err
	}
	// Leases of this process have epochs above those of all processes before.
	s.x = schedule.New(generation << 40)
	if err := s.loadCounts(); err != nil {
		return err
	}
	if err := s.loadLanes(); err != nil {
		return err
	}
	if err := s.countCrashes(crashed); err != nil {
		return err
	}
	if err := s.loadJobs(ctx); err != nil {
		return err
	}
	return s.cells.reset()
}

func (s *store) meta(name string) (uint64, error) {
	raw, err := s.kv.get(textKey(keyMeta, name))
	if err != nil || raw == nil {
		return 0, err
	}
	n, err := readNumber(raw)
	if err != nil {
		return 0, fmt.Errorf("record %q of the store: %w", name, err)
	}
	return n, nil
}

// loadMeta reads what is true of the whole store and takes a new generation.
func (s *store) loadMeta() (generation uint64, err error) {
	f, err := s.meta("format")
	if err != nil {
		return 0, err
	}
	if f > format {
		return 0, fmt.Errorf("it was written by a newer program: it has format %d, this one knows format %d", f, format)
	}
	if generation, err = s.meta("generation"); err != nil {
		return 0, err
	}
	generation++
	if s.counts.last, err = s.meta("numbers"); err != nil {
		return 0, err
	}
	b := s.kv.batch()
	s.counts.limit = s.counts.last + stretch
	b.set(textKey(keyMeta, "numbers"), appendNumber(nil, s.counts.limit))
	b.set(textKey(keyMeta, "format"), appendNumber(nil, format))
	b.set(textKey(keyMeta, "generation"), appendNumber(nil, generation))
	return generation, s.writeNow(b)
}

func (s *store) writeNow(b batch) error {
	wait, err := s.kv.write(b)
	if err != nil {
		return err
	}
	return wait()
}

func (s *store) loadCounts() error {
	s.counts.n, s.counts.dirty = map[countKey]int64{}, map[countKey]bool{}
	return s.kv.scan([]byte{keyCount}, []byte{keyCount + 1}, false, func(k, v []byte) bool {
		pipeline, kind, _ := bytes.Cut(k[1:], []byte{0})
		n, err := readNumber(v)
		if s.damaged(err, fmt.Sprintf("counter %s of %s", kind, pipeline)) == nil {
			s.counts.n[countKey{string(pipeline), queue.Kind(kind)}] = int64(n)
		}
		return true
	})
}

func (s *store) loadLanes() error {
	s.x.Lock()
	defer s.x.Unlock()
	return s.kv.scan([]byte{keyLane}, []byte{keyLane + 1}, false, func(k, _ []byte) bool {
		s.x.Touch(string(k[1:]))
		return true
	})
}

// countCrashes adds one to the crashes of each job that was leased when the
// last process ended.
func (s *store) countCrashes(seqs []uint64) error {
	b := s.kv.batch()
	for _, seq := range seqs {
		raw, err := s.kv.get(numKey(keyJob, seq))
		if err != nil {
			return err
		}
		if raw == nil {
			continue // it was finished
		}
		n := uint64(0)
		if raw, err = s.kv.get(numKey(keyCrashes, seq)); err != nil {
			return err
		}
		if raw != nil {
			n, err = readNumber(raw)
			if s.damaged(err, fmt.Sprintf("number of crashes of job number %d", seq)) != nil {
				n = 0
			}
		}
		b.set(numKey(keyCrashes, seq), appendNumber(nil, n+1))
	}
	return s.writeNow(b)
}

// slice is how many jobs are loaded at once.
const slice = 4096

// loaded is what the disk has of one job.
type loaded struct {
	seq uint64
	h   header
	sd  standing
	schedule.Arrival
}

func (s *store) loadJobs(ctx context.Context) error {
	from := []byte{keyJob}
	now := time.Now()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var jobs []loaded
		err := s.kv.scan(from, []byte{keyJob + 1}, false, func(k, v []byte) bool {
			seq := binary.BigEndian.Uint64(k[1:])
			h, err := readHeader(v)
			if s.damaged(err, fmt.Sprintf("job number %d", seq)) == nil {
				h.job.Body = nil
				jobs = append(jobs, loaded{seq: seq, h: h})
			}
			from = numKey(keyJob, seq+1)
			return len(jobs) < slice
		})
		if err != nil {
			return err
		}
		if len(jobs) == 0 {
			return nil
		}
		if err := s.loadRest(jobs); err != nil {
			return err
		}
		s.x.Lock()
		for i := range jobs {
			s.arrive(&jobs[i], now)
		}
		s.x.Unlock()
	}
}

// loadRest reads what else there is about a run of jobs.
func (s *store) loadRest(jobs []loaded) error {
	first, last := jobs[0].seq, jobs[len(jobs)-1].seq
	each := func(kind byte, f func(l *loaded, v []byte)) error {
		i := 0
		return s.kv.scan(numKey(kind, first), numKey(kind, last+1), false, func(k, v []byte) bool {
			seq := binary.BigEndian.Uint64(k[1:])
			for i < len(jobs) && jobs[i].seq < seq {
				i++
			}
			if i < len(jobs) && jobs[i].seq == seq {
				f(&jobs[i], v)
			}
			return true
		})
	}
	err := each(keyState, func(l *loaded, v []byte) {
		l.Marks |= markState
		var err error
		if l.sd, err = readStanding(v); s.damaged(err, "state of job "+l.h.job.ID) != nil {
			// Nobody knows any more whether it may be worked on: a person decides.
			l.sd = standing{state: diskParked, reason: err.Error()}
		}
	})
	if err != nil {
		return err
	}
	err = each(keyOther, func(l *loaded, _ []byte) { l.Marks |= markOther })
	if err != nil {
		return err
	}
	return each(keyCrashes, func(l *loaded, v []byte) {
		l.Marks |= markCrashes
		n, err := readNumber(v)
		if s.damaged(err, "number of crashes of job "+l.h.job.ID) == nil {
			l.Crashes = int(n)
		}
	})
}

// arrive puts a loaded job into the index.
func (s *store) arrive(l *loaded, now time.Time) {
	j := &l.h.job
	a := &l.Arrival
	a.Seq, a.Hash, a.Lane, a.Key, a.KeyHash, a.Priority = l.seq, s.x.Hash(j.ID), j.Lane, j.Key, s.x.Hash(j.Key), j.Priority
	a.Attempts = l.sd.attempts
	if !l.h.inline {
		a.Marks |= markBody
	}
	a.State = queue.Ready
	switch {
	case l.Marks&markState == 0:
		if j.NotBefore.After(now) {
			a.State, a.Due = queue.Delayed, j.NotBefore
		}
	case l.sd.state == diskDelayed:
		if l.sd.due.After(now) {
			a.State, a.Due = queue.Delayed, l.sd.due
		}
	case l.sd.state == diskParked:
		a.State, a.Due, a.Note = queue.Parked, l.sd.due, l.sd.reason
	case l.sd.state == diskDead:
		a.State, a.Due, a.Note = queue.DeadJob, l.sd.due, l.sd.box
	}
	s.x.Admit(s.x.Add(*a))
}
