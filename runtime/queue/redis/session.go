package redis

import (
	"hash/maphash"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// session numbers the apply calls of this process and remembers those whose
// outcome is unknown until Redis has told. Safe for concurrent use.
type session struct {
	mu      sync.Mutex
	last    uint64
	carried uint64          // the highest call that was answered as carried out
	begun   time.Time       // of the last call
	rest    time.Duration   // before it
	trail   []trace         // of the calls carried out lately
	open    map[uint64]bool // in flight or unknown
	settled []uint64        // answered; Redis still remembers the answers
	unknown map[uint64][]*pending
	answers map[signature]answer
	seeds   [2]maphash.Seed
}

// signature stands for the content of a commit, so that the same commit, brought
// again after an error, is known.
type signature [2]uint64

// trace tells when calls up to a number were carried out: one for each second
// in which there were any.
type trace struct {
	from time.Time
	last uint64
}

// A crash or failover may cost the newest writes of a few seconds; the trail is
// a little longer, so that more than that can be told from it.
const (
	crashMayCost = 10 * time.Second
	trailKept    = 3 * crashMayCost
)

type answer struct {
	results []queue.Result
	err     error
	until   time.Time
}

// answersKept is how long a caller may take to bring a commit again.
const answersKept = time.Minute

func newSession() *session {
	return &session{
		open:    map[uint64]bool{},
		unknown: map[uint64][]*pending{},
		answers: map[signature]answer{},
		seeds:   [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
	}
}

// callNumbers are what a call tells Redis about its session.
type callNumbers struct {
	no      uint64 // of this call
	low     uint64 // all calls below are settled
	carried uint64 // the highest call that Redis must know of
	forget  []any  // calls whose answers Redis may forget
}

// next opens a call. An answer is forgotten only below low, for there a late
// arrival is refused by its number alone.
func (s *session) next() callNumbers {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	now := time.Now()
	if !s.begun.IsZero() {
		s.rest = now.Sub(s.begun)
	}
	s.begun = now
	s.open[s.last] = true
	n := callNumbers{no: s.last, carried: s.carried, low: s.last}
	for no := range s.open {
		n.low = min(n.low, no)
	}
	for _, no := range s.settled {
		if no < n.low && len(n.forget) < 500 {
			n.forget = append(n.forget, no)
		}
	}
	return n
}

// rested tells whether no call was made for so long that Redis may have let the
// session go (it lives for a day).
func (s *session) rested() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rest > 12*time.Hour
}

// done closes a call that Redis has answered, or refused.
func (s *session) done(n callNumbers, carried bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.close(n.no, carried)
	if carried && len(n.forget) > 0 {
		gone := make(map[uint64]bool, len(n.forget))
		for _, no := range n.forget {
			gone[no.(uint64)] = true
		}
		s.settled = slices.DeleteFunc(s.settled, func(no uint64) bool { return gone[no] })
	}
}

func (s *session) close(no uint64, carried bool) {
	delete(s.open, no)
	s.settled = append(s.settled, no)
	if carried && no > s.carried {
		s.carried = no
		s.note(no, time.Now())
	}
}

// note adds a call to the trail.
func (s *session) note(no uint64, now time.Time) {
	if n := len(s.trail); n > 0 && now.Sub(s.trail[n-1].from) < time.Second {
		s.trail[n-1].last = no
		return
	}
	s.trail = append(s.trail, trace{now, no})
	// The newest of those that are too old is kept: it tells which calls are
	// older than the trail.
	old := 0
	for old+1 < len(s.trail) && now.Sub(s.trail[old+1].from) > trailKept {
		old++
	}
	s.trail = slices.Delete(s.trail, 0, old)
}

// lostSince tells for how long calls were answered of which a store that knows
// none above known has lost all.
func (s *session) lostSince(known uint64) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.trail {
		if t.last > known {
			return s.trail[len(s.trail)-1].from.Sub(t.from)
		}
	}
	return 0
}

// doubt notes that the outcome of a call is unknown.
func (s *session) doubt(no uint64, commits []*pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unknown[no] = commits
}

// doubtful returns the calls whose outcome is unknown.
func (s *session) doubtful() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unknown) == 0 {
		return nil
	}
	return slices.Sorted(maps.Keys(s.unknown))
}

// settle notes what became of a call in doubt; text is its answer, "void" when
// it was never carried out.
func (s *session) settle(no uint64, now time.Time, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	commits := s.unknown[no]
	if text != "void" {
		if strings.HasPrefix(text, "!") { // told with the answers that did come
			_, text, _ = strings.Cut(text, "\n")
		}
		_, rest, _ := strings.Cut(text, "\n")
		for _, p := range commits {
			var line string
			line, rest, _ = strings.Cut(rest, "\n")
			a, err := parseAnswer(line, p.commit.Jobs)
			if err != nil {
				return err
			}
			a.until = now.Add(answersKept)
			s.answers[s.sign(p.commit)] = a
		}
	}
	delete(s.unknown, no)
	s.close(no, text != "void")
	return nil
}

// recall returns the answer of a commit whose first answer was lost.
func (s *session) recall(c *queue.Commit, now time.Time) (answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.answers) == 0 {
		return answer{}, false
	}
	maps.DeleteFunc(s.answers, func(_ signature, a answer) bool { return now.After(a.until) })
	a, ok := s.answers[s.sign(c)]
	return a, ok
}

// sign reads no body: a job ID or a lease epoch stands for it. A commit with
// neither gets a signature of its own content all the same; the time in its
// history, or the version it expects, tells it from a later one.
func (s *session) sign(c *queue.Commit) signature {
	var sig signature
	for i, seed := range s.seeds {
		var h maphash.Hash
		h.SetSeed(seed)
		signCommit(&h, c)
		sig[i] = h.Sum64()
	}
	return sig
}

func signCommit(h *maphash.Hash, c *queue.Commit) {
	for i := range c.Finish {
		f := &c.Finish[i]
		signText(h, f.Lease.ID, string(f.Body), f.Reason, f.Box)
		maphash.WriteComparable(h, [4]int64{int64(f.Outcome), int64(f.Lease.Epoch), f.At.UnixNano(), int64(f.Attempts)})
	}
	for i := range c.Jobs {
		signText(h, "job", c.Jobs[i].ID, c.Jobs[i].Lane)
	}
	for i := range c.Put {
		p := &c.Put[i]
		signText(h, "put", p.Key, string(p.Value))
		maphash.WriteComparable(h, [3]int64{p.Version, int64(p.TTL), int64(len(p.Value))})
	}
	for _, id := range c.Cancel {
		signText(h, "cancel", id)
	}
	for _, o := range c.Orders {
		signText(h, "order", o.ID, string(o.Body))
		h.WriteByte(byte(o.Do))
	}
	for i := range c.History {
		e := &c.History[i]
		signText(h, string(e.Kind), e.Message, e.Step, e.Detail)
		maphash.WriteComparable(h, e.At.UnixNano())
	}
}

func signText(h *maphash.Hash, texts ...string) {
	for _, t := range texts {
		maphash.WriteComparable(h, len(t))
		h.WriteString(t)
	}
}
