// Package retry decides what follows a failed attempt: arithmetic only, no
// clock, no randomness of its own.
package retry

import (
	"math"
	"strconv"
	"time"
)

// Policy says how often and when a failed delivery is repeated. The zero value
// makes one attempt.
type Policy struct {
	Attempts int           // attempts in all, the first included; below 1 counts as 1
	Wait     time.Duration // before the second attempt
	Grow     float64       // factor from one pause to the next; below 1 counts as 1
	MaxWait  time.Duration // longest pause; 0 = no bound
	Jitter   float64       // share of a pause that is random, 0 to 1
	On       Set           // what is repeated
}

// Default is what applies where definitions say nothing: about half an hour of
// patience, and only for failures that time can cure.
var Default = Policy{
	Attempts: 8, Wait: 5 * time.Second, Grow: 2, MaxWait: 10 * time.Minute, Jitter: 0.2,
	On: Set{Timeout: true, Connection: true, ServerErrors: true, Status: map[int]bool{408: true, 425: true, 429: true}},
}

// Set is the set of failures worth repeating.
type Set struct {
	Timeout      bool // no complete answer in time, or the connection broke after sending
	Connection   bool // nothing was sent: name lookup, refused, TLS
	ServerErrors bool // every 5xx
	Status       map[int]bool
}

// ParseSet reads one word of `on:`.
func (s *Set) ParseSet(word string) bool {
	switch word {
	case "timeout":
		s.Timeout, s.Connection = true, true
		return true
	case "connection":
		s.Connection = true
		return true
	case "5xx":
		s.ServerErrors = true
		return true
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < 400 || n > 599 {
		return false
	}
	if s.Status == nil {
		s.Status = map[int]bool{}
	}
	s.Status[n] = true
	return true
}

// Failure is what an attempt came to. Exactly one of the fields is set.
type Failure struct {
	Status     int  // an answer with this status that is not a success
	Ambiguous  bool // no complete answer; the effect may have happened
	NotSent    bool // certainly nothing happened
	Permanent  bool // repeating cannot help
	Unfinished bool // the answer had a good status but was not accepted as a success
}

// Repeats reports whether the policy repeats after f at all.
func (p Policy) Repeats(f Failure) bool {
	switch {
	case f.Permanent, f.Unfinished:
		return false
	case f.NotSent:
		return p.On.Connection || p.On.Timeout
	case f.Ambiguous:
		return p.On.Timeout
	case f.Status >= 500 && p.On.ServerErrors:
		return true
	}
	return p.On.Status[f.Status]
}

// Pause returns how long to wait before the attempt that follows attempt
// number done (from 1). random is in [0,1) and spreads the jitter downwards,
// so that MaxWait is never exceeded.
func (p Policy) Pause(done int, random float64) time.Duration {
	if p.Wait <= 0 {
		return 0
	}
	wait := float64(p.Wait) * math.Pow(max(p.Grow, 1), float64(max(done, 1)-1))
	if p.MaxWait > 0 && (wait > float64(p.MaxWait)) {
		wait = float64(p.MaxWait)
	}
	wait = min(wait, float64(365*24*time.Hour))
	return time.Duration(wait * (1 - p.Jitter*random))
}

// Longest returns the time from the first attempt to the last at most.
func (p Policy) Longest() time.Duration {
	var total time.Duration
	for i := 1; i < p.Attempts; i++ {
		pause := p.Pause(i, 0)
		if p.Grow <= 1 || pause == p.MaxWait {
			return total + time.Duration(p.Attempts-i)*pause // so are all that follow
		}
		total += pause
	}
	return total
}

// MaxRetryAfter bounds what another system may ask us to wait.
const MaxRetryAfter = time.Hour

// Clamp makes the pause another system asks for safe: never below the policy's
// own pause, never above MaxRetryAfter.
func Clamp(asked, own time.Duration) time.Duration {
	return max(min(asked, MaxRetryAfter), own)
}

// After reads a Retry-After header: seconds or an HTTP date. It returns false
// for garbage and for times that have passed.
func After(header string, now time.Time) (time.Duration, bool) {
	if header == "" {
		return 0, false
	}
	if n, err := strconv.ParseInt(header, 10, 64); err == nil {
		if n < 0 {
			return 0, false
		}
		if n > int64(MaxRetryAfter/time.Second) {
			return MaxRetryAfter, true
		}
		return time.Duration(n) * time.Second, true
	}
	for _, layout := range []string{time.RFC1123, time.RFC850, time.ANSIC, "Mon, 02 Jan 2006 15:04:05 GMT"} {
		if t, err := time.Parse(layout, header); err == nil {
			if d := t.Sub(now); d > 0 {
				return min(d, MaxRetryAfter), true
			}
			return 0, false
		}
	}
	return 0, false
}
