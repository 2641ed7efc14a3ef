// Package flow interprets the steps of a pipeline until something outside is
// needed: no I/O, no clock, no randomness. Running, testing, trying, planning
// and replaying all go through Advance, so they cannot disagree.
package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"crossdock/runtime/message"
)

// End is the step of a run that has nothing left to do.
const End = "."

// Run is one message on its way through one pipeline: what has to be known to
// go on at Step, on any replica and after any crash.
type Run struct {
	ID       string // of the message; descendants of it begin with it and a dot
	Pipeline string
	Revision string // the one that last worked on it
	Key      string // identity of the work, the same for a repeat of the message
	OrderKey string
	Step     string    // the next step; "" = the first one, End = none
	Now      time.Time // $run.now: when the message was accepted
	Occurred time.Time // when it happened at the sender; zero where nobody knows
	Priority int
	Trace    []message.Ref
	Meta     message.Meta

	Original any    // payload as received, before map
	Raw      []byte // Original as received, where it came as bytes
	Body     any    // current payload; Mapped tells whether it differs from Original
	Mapped   bool
	Steps    map[string]any // results by name

	Effects   int    // effects that have succeeded so far
	Ambiguous bool   // the last attempt of the effect at Step may have had its effect
	Alone     int    // times that work on it began while no other suspect of ending the process was worked on, 0 to 3
	Held      *Held  // the effect at Step waits for another system; nil otherwise
	Kept      bool   // the message is kept when it is done, and so are the answers it gets
	Drift     bool   // it did not fit the contract of its pipeline, and Fault says why
	Fault     string // the message could not even be identified: why
	Cause     *Cause // of a dead letter
}

// Held tells why the next effect waits in the store.
type Held struct {
	Since  time.Time // when the other system first was not available; zero: it was
	Reason string
}

// Cause says why a run became a dead letter.
type Cause struct {
	Code    string    `json:"code"` // map, rule, status, timeout, connection, response, schema, dead_letter, definition, uncertain ...
	Message string    `json:"message"`
	Hint    string    `json:"hint,omitempty"`
	Step    string    `json:"step,omitempty"`
	Target  string    `json:"target,omitempty"`
	Field   string    `json:"field,omitempty"`
	Place   string    `json:"place,omitempty"` // file:line:col of the row or rule
	Status  int       `json:"status,omitempty"`
	At      time.Time `json:"at"`
}

// Error returns the message, so that a Cause can travel as an error.
func (c *Cause) Error() string { return c.Message }

// Group is a fingerprint of the cause: dead letters with the same one failed
// for the same reason. What another system refuses is one reason for each
// status; that it is out of order is one, whichever 5xx it says so with.
func (c *Cause) Group(pipeline string) string {
	status := c.Status
	if status >= 500 {
		status = 500
	}
	h := sha256.New()
	for _, s := range []string{pipeline, c.Code, c.Step, c.Target, c.Field, strconv.Itoa(status)} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}

// IdempotencyKey names one effect of the run: the same over every attempt,
// replica, revision and replay.
func (r *Run) IdempotencyKey(step string) string {
	text := make([]byte, 0, 256)
	for _, s := range [...]string{r.Pipeline, r.Key, step} {
		text = append(append(text, s...), 0)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// branch is a copy of the run that goes on by itself at step.
func (r *Run) branch(suffix, step string) Run {
	b := *r
	b.ID += "." + suffix
	b.Step = step
	b.Effects = 0
	steps := make(map[string]any, len(r.Steps))
	for k, v := range r.Steps {
		steps[k] = v
	}
	b.Steps = steps
	return b
}
