// Package plan says what a change of definitions would do before it is made:
// what differs in the words of the definitions, and what real messages, samples
// and the inputs of tests would then send, emit and end as. Both sets of
// definitions run on the same pure flow with every effect captured; nothing
// leaves the process.
package plan

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/runtime/reload"
)

// Side is one of the two sets of definitions that are compared.
type Side struct {
	Name    string // as people call it: r42, git:main, ./definitions
	WS      *compile.Workspace
	FS, Std fs.FS // where its samples are read; nil: they are left out
}

// Reveal says how much of a payload is shown.
type Reveal int

// The ways to show what differs in real messages. Samples and tests are files of
// the definitions: of them, only what a schema marks as personal is hidden.
const (
	Masked Reveal = iota // values, but for personal data
	Shown                // everything
	Hidden               // that a field differs, not its values
)

// Input is what a plan is made from.
type Input struct {
	Old, New Side
	// Messages are real ones. What the definitions name as samples and tests
	// is added to them.
	Messages []Message
	Waivers  []Waiver
	// Waiting is how many messages wait, by pipeline of Old; nil: not known.
	Waiting map[string]int
	// Preview renders what leaves; nil: the payload and the values for
	// placeholders are compared instead.
	Preview func(*compile.Connection) func(connectors.Request) (connectors.Preview, error)
	Reveal  Reveal
	Now     time.Time // from which the next runs of schedules are told; zero: now
}

// Waiver lets a change pass that would otherwise block.
type Waiver struct {
	Field  string `json:"field"` // as Blocker.Waive says
	Reason string `json:"reason"`
	Used   bool   `json:"used"` // something was blocked by it
}

// Plan is what a change would do. It holds no payloads but the values that
// differ, hidden as was asked for.
type Plan struct {
	Hash    string `json:"hash"` // see Fingerprint
	Old     End    `json:"old"`
	New     End    `json:"new"`
	Same    bool   `json:"same"`    // nothing differs in meaning
	Blocked bool   `json:"blocked"` // a test fails, or a blocker is not waived

	Moves       []Move       `json:"moves,omitempty"` // of clients to another version of their template
	Definitions []Definition `json:"definitions,omitempty"`
	Facts       []Fact       `json:"facts,omitempty"`
	Compared    Compared     `json:"compared"`
	Clients     []Client     `json:"clients,omitempty"` // of Compared, by code
	Differences []Difference `json:"differences,omitempty"`
	Blockers    []Blocker    `json:"blockers,omitempty"`
	Tests       Tests        `json:"tests"`
	Waivers     []Waiver     `json:"waivers,omitempty"`
	Messages    int          `json:"messages"`        // real ones of each pipeline that were asked for
	Notes       []string     `json:"notes,omitempty"` // what could not be looked at, and why
}

// End is one side of a plan.
type End struct {
	Name     string `json:"name"`
	Revision string `json:"revision"`
}

// Compared counts what was run through both sides.
type Compared struct {
	Real    int `json:"real"`    // messages of the running crossdock
	Samples int `json:"samples"` // that definitions name
	Tests   int `json:"tests"`   // inputs of test cases
	Differ  int `json:"differ"`  // of all, those that come to something else
}

// add counts one more of an origin.
func (c *Compared) add(o Origin) {
	switch o {
	case Real:
		c.Real++
	case Sample:
		c.Samples++
	default:
		c.Tests++
	}
}

// Move is a client that is on another version of its template afterwards.
type Move struct {
	Client string `json:"client"`
	Before string `json:"before"` // client@2
	After  string `json:"after"`
}

// Client is what was run for one client.
type Client struct {
	Code     string   `json:"client"`
	Compared Compared `json:"compared"`
}

// All is how many were compared.
func (c Compared) All() int { return c.Real + c.Samples + c.Tests }

// Fact is a consequence of a change that is not a difference of a message.
type Fact struct {
	What string `json:"what"` // restart, reopen, removed, waiting, secret, uses, contract, schedule
	Of   string `json:"of"`   // kind and name
	Text string `json:"text"`
	Loud bool   `json:"loud,omitempty"` // a person must read it
}

// Blocker is something that must not go live unless somebody says so.
type Blocker struct {
	Waive  string `json:"waive"` // what to give as the field of a waiver
	Text   string `json:"text"`
	Reason string `json:"reason,omitempty"` // of its waiver
	Waived bool   `json:"waived"`
}

// Make compares two sets of definitions. It is pure but for reading samples from
// the file systems of the sides. The error is for a context that ended.
func Make(ctx context.Context, in Input) (*Plan, error) {
	if in.Now.IsZero() {
		in.Now = time.Now()
	}
	p := &Plan{Old: End{in.Old.Name, in.Old.WS.Revision}, New: End{in.New.Name, in.New.WS.Revision}, Waivers: in.Waivers}
	p.Moves = moves(in.Old.WS, in.New.WS)
	p.Definitions = definitions(in.Old.WS, in.New.WS)
	p.Facts = facts(&in, reload.Diff(in.Old.WS, in.New.WS))
	named, notes := gather(&in)
	p.Notes = notes
	c := newComparison(&in)
	for _, m := range append(named, in.Messages...) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("compare messages: %w", err)
		}
		c.message(ctx, m)
	}
	p.Compared, p.Clients, p.Differences = c.compared, c.byClient(), c.list()
	tests, err := c.tests(ctx)
	if err != nil {
		return nil, err
	}
	p.Tests = tests
	p.judge()
	p.Same = len(p.Definitions)+len(p.Differences) == 0
	p.Hash = p.Fingerprint()
	return p, nil
}
