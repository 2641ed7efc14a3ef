package queue

import (
	"strings"
	"time"

	"crossdock/runtime/message"
)

// Ref is a business reference under which people look for a message, such as
// {order SO-4711}. Type is a short lower-case word chosen in the definitions.
type Ref = message.Ref

// Root returns the ID of the message that id descends from: the part before the
// first dot.
func Root(id string) string {
	root, _, _ := strings.Cut(id, ".")
	return root
}

// Kind is a word of the ledger. For every entry the store also counts one on
// (Pipeline, Kind), in the same atomic write; the counters outlive the entries.
type Kind string

// The words of the ledger. Every message accepted ends in exactly one of the
// final ones, or is open.
const (
	Accepted   Kind = "accepted"  // durable; the sender was told so
	Duplicated Kind = "duplicate" // a known idempotency key again: nothing was done
	Conflicted Kind = "conflict"  // a known idempotency key with another content: refused
	Rejected   Kind = "rejected"  // refused at the door and kept for inspection
	Routed     Kind = "routed"    // a rule was chosen
	Branched   Kind = "branched"  // one more item of work came out of a message (split, fan-out)
	Fanned     Kind = "fanned"    // final for this item: it goes on as several, each counted as branched
	Sent       Kind = "sent"      // an effect succeeded, the run goes on
	Failed     Kind = "failed"    // an attempt failed and will be repeated
	ParkedKind Kind = "parked"    // waits for something with a reason
	Delivered  Kind = "delivered" // final: all effects succeeded
	Filtered   Kind = "filtered"  // final: the definitions say there is nothing to do
	DeadKind   Kind = "dead"      // a dead letter; open to replay
	Discarded  Kind = "discarded" // final: by a named person with a reason
	Replayed   Kind = "replayed"  // a dead letter went back to work
	Edited     Kind = "edited"    // a dead letter was changed by a named person
	Uncertain  Kind = "uncertain" // the outcome at the target is unknown and may not be repeated
	Noted      Kind = "noted"     // anything else worth telling
)

// Entry is one line of a message's history, written in the same Commit as the
// change it tells about.
type Entry struct {
	Message  string    `json:"message"` // id of the message
	At       time.Time `json:"at"`
	Kind     Kind      `json:"kind"`
	Pipeline string    `json:"pipeline,omitempty"`
	Revision string    `json:"revision,omitempty"`
	Step     string    `json:"step,omitempty"`
	Target   string    `json:"target,omitempty"`
	Attempt  int       `json:"attempt,omitempty"`
	Detail   string    `json:"detail,omitempty"`
	Parent   string    `json:"parent,omitempty"` // the message it came from
	Refs     []Ref     `json:"refs,omitempty"`   // makes the message findable
	Data     []byte    `json:"data,omitempty"`   // raw bytes of a rejected message
}

// View names what Browse reads.
type View uint8

// The views of a store.
const (
	Lanes    View = iota // one LaneStat per lane that ever held a job
	Jobs                 // jobs of Lane in State, oldest first
	ByID                 // the one job ID
	ByRef                // history of the families of all messages with Ref, by time
	ByMsg                // history of the family of message ID, by time
	Recent               // the newest entries, newest first, of Pipeline, Prefix and Kind where set
	Counters             // counts per (pipeline, kind) since the store was made
)

// State is where a job stands.
type State string

// The states of a job in a store.
const (
	Ready   State = "ready" // includes jobs behind the head of their key
	Leased  State = "leased"
	Delayed State = "retry" // waiting for a time, after a failed attempt or before NotBefore
	Parked  State = "parked"
	DeadJob State = "dead"
)

// Query says what to read. Limit 0 means 100; After continues a Page, with the
// rest of the query as it was.
type Query struct {
	View     View
	Lane     string // "" = all
	State    State  // "" = all
	ID       string
	Ref      Ref // Type "" matches every type
	Pipeline string
	Prefix   string // history: only of pipelines whose names begin so
	Kind     Kind
	Box      string // dead letters: "" = all
	Limit    int
	Look     int // Recent: how many entries are looked at for one page, which may end with fewer than Limit then; 0 = as many as it takes
	After    string
	Bodies   bool // fill JobInfo.Body
}

// Page is an answer of Browse.
type Page struct {
	Lanes   []LaneStat
	Jobs    []JobInfo
	Entries []Entry
	Counts  []Count
	Next    string // "" = this was the last page; otherwise there may be more
}

// LaneStat tells how full a lane is.
type LaneStat struct {
	Lane    string         `json:"lane"`
	Ready   int            `json:"ready"`
	Leased  int            `json:"leased"`
	Delayed int            `json:"delayed"`
	Parked  map[string]int `json:"parked"` // by reason
	Dead    int            `json:"dead"`
	Oldest  time.Time      `json:"oldest"` // when the oldest waiting job (ready, delayed or parked) was enqueued
}

// JobInfo is a job as people see it.
type JobInfo struct {
	ID       string
	Lane     string
	Key      string
	State    State
	Priority Priority
	Enqueued time.Time
	Due      time.Time // delayed or parked: when it is looked at next
	Attempts int
	Crashes  int
	Reason   string
	Box      string
	Group    string
	DeadAt   time.Time
	Body     []byte
}

// Count is one durable counter.
type Count struct {
	Pipeline string `json:"pipeline"`
	Kind     Kind   `json:"kind"`
	N        int64  `json:"n"`
}
