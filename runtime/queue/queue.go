// Package queue is the contract between the engine and a durable store:
// Guaranteed Delivery, Idempotent Receiver, Dead Letter Channel and Message
// Store of Hohpe & Woolf's Enterprise Integration Patterns, in few verbs.
//
// The model: a lane holds keys, a key holds a FIFO of jobs, and only the head
// of a key can be leased. Order is therefore a property of the data structure,
// and different keys run in parallel. DESIGN.md draws the states of a job.
//
// Promises every driver keeps (queuetest.Exercise holds them to it):
//
//   - Apply is all or nothing, and durable at the store's level when it returns
//     nil. When it returns an error other than the sentinels of this package,
//     the outcome is unknown, and applying the same Commit again is harmless:
//     a Job whose ID is known, in whatever state, is answered Enqueued again
//     and changes nothing.
//   - At most one lease per (Lane, Key) is alive; heads are leased in the order
//     in which their Commits were applied. A lease that ran out is refused by
//     its epoch ever after.
//   - Nothing vanishes: a job leaves the store only by a Done finish, a Cancel
//     or a Discard order, each written by the engine beside its history.
//
// All methods may be called concurrently. After Close they return ErrClosed.
package queue

import (
	"context"
	"errors"
	"time"
)

// Driver is one durable store. See the package comment for the promises.
type Driver interface {
	// Apply writes c atomically and returns one Result per c.Jobs. It blocks
	// until the write is durable. It returns ErrLeaseLost when a lease of
	// c.Finish is no longer held, ErrVersion when a Put expected another
	// version, ErrNotFound when an Order names no dead or parked job; in all
	// three cases nothing was written.
	Apply(ctx context.Context, c Commit) ([]Result, error)
	// Lease returns up to w.Max heads of ready keys of w.Lane, highest priority
	// first, oldest first within a priority. Where more are ready than w.Max,
	// the priorities take turns (see Turn), so that low work goes on beside
	// urgent work. It blocks up to w.Wait for the first one and returns an empty
	// slice when there was none, or when ctx ended. A lease that was granted is
	// always returned, never dropped.
	Lease(ctx context.Context, w Want) ([]Lease, error)
	// Extend moves the deadline of leases to now+ttl, or returns ErrLeaseLost
	// when one of them is not held any more (the others are extended).
	Extend(ctx context.Context, ls []Lease, ttl time.Duration) error
	// Sweep makes due jobs ready, returns jobs of expired leases to the head of
	// their key, and forgets what outlived its time (dedupe keys, state with a
	// TTL, history past its keep). The engine calls it a few times a second.
	Sweep(ctx context.Context, now time.Time) (Swept, error)
	// Get returns state, one Value per key in order; a missing one has Version 0.
	Get(ctx context.Context, keys ...string) ([]Value, error)
	// Browse reads what the store holds, for people. It never changes anything.
	Browse(ctx context.Context, q Query) (Page, error)
	// Watch signals after a Put of the state key by any process. The channel
	// holds at most one signal and is closed when ctx ends.
	Watch(ctx context.Context, key string) (<-chan struct{}, error)
	// Check tells whether the store is set up so that its promises hold.
	Check(ctx context.Context) ([]Finding, error)
	// Close waits for writes under way and releases the store. A second Close
	// does nothing.
	Close() error
}

// Errors a caller may branch on.
var (
	ErrInUse     = errors.New("another process has it open")
	ErrClosed    = errors.New("the store is closed")
	ErrLeaseLost = errors.New("the lease is no longer held")
	ErrVersion   = errors.New("the state was changed by someone else")
	ErrNotFound  = errors.New("no such job in that state")
	ErrFull      = errors.New("the store is full")         // nothing was written; retry later
	ErrAway      = errors.New("the store does not answer") // for now; whether it wrote anything is not known
	ErrFailed    = errors.New("the store has failed")      // permanent for this process: a write or fsync failed
)

// Commit is what one step of the engine changes, in one atomic write.
type Commit struct {
	Finish  []Finish
	Jobs    []Job
	Put     []Put
	Cancel  []string // IDs of jobs that are not leased; one that is gone or leased is left alone
	Orders  []Order
	History []Entry
}

// Priority orders ready keys of a lane by the priority of their head.
type Priority uint8

// The four priorities of the language.
const (
	Critical Priority = iota
	High
	Normal
	Low
)

// Job is one unit of work in a lane.
type Job struct {
	// ID is unique for all time and made by the caller (a repeat of a Commit
	// repeats its IDs). The ID of a descendant (an item of a split, a branch, an
	// emitted event) begins with its ancestor's ID and a dot, so Root finds the
	// family of a message.
	ID       string
	Lane     string
	Key      string // jobs of one Key in one Lane run one at a time in order; "" = no order
	Priority Priority

	NotBefore time.Time // zero: at once. A job that is not due holds up its key.

	Dedupe    string        // idempotency key, "" = none; unique over the whole store
	DedupeTTL time.Duration // how long the store remembers it, counted from the first
	Digest    string        // of the content: the same Dedupe with another Digest is a Conflict

	Body []byte // opaque to the store
	// Hint is a decoded form of Body. A driver in the same process may hand it
	// back with the lease to spare decoding, and may drop it at any time.
	Hint any

	Fresh []Entry // written to history with the job
	Again []Entry // written instead when the job is a Duplicate or a Conflict; Kind is set by the driver
}

// Status says what became of a Job of a Commit.
type Status uint8

// Enqueued jobs are stored; the others changed nothing.
const (
	Enqueued  Status = iota
	Duplicate        // the idempotency key is known, with the same digest
	Conflict         // the idempotency key is known, with another digest
)

// Result is the answer for one Job.
type Result struct {
	Status Status
	ID     string // of the job; for Duplicate and Conflict of the original
}

// Outcome says how a lease ends.
type Outcome uint8

// The ways a lease ends. Only Keep leaves it alive.
const (
	Done    Outcome = iota // the job is gone; its key moves on
	Keep                   // Body and Attempts are replaced, the lease goes on
	Retry                  // waits at the head of its key until At
	Park                   // waits at the head of its key for At, or for an Unpark order where At is zero, with a Reason
	Dead                   // moves to the dead letters with Box, Reason and Group; its key moves on
	Release                // as if it had never been leased
)

// Finish ends or renews a lease.
type Finish struct {
	Lease    Lease // only Job.ID, Job.Lane, Job.Key, Slot and Epoch are read
	Outcome  Outcome
	At       time.Time
	Attempts int    // the new number of attempts; not read by Done and Release
	Body     []byte // replaces the body, nil keeps it; not read by Done and Release
	Reason   string // Park, Dead: why, for people
	Box      string // Dead: name of the dead-letter box
	Group    string // Dead: fingerprint of the cause
	Hint     any    // Keep, Retry: replaces the hint
}

// Do is what an operator orders.
type Do uint8

// Orders act on dead letters and on parked jobs only.
const (
	Revive  Do = iota // dead -> ready at the tail of its key, attempts 0
	Discard           // dead or parked -> gone
	Edit              // dead: Body replaced, stays dead
	Unpark            // parked or retrying -> ready, attempts kept
)

// Order is an operator's command on one job.
type Order struct {
	ID   string
	Do   Do
	Body []byte // Edit; Revive where not nil
}

// Put writes one state value if its version is still Version (0: it must not
// exist; AnyVersion: whatever it is). A nil Value deletes.
type Put struct {
	Key     string
	Version int64
	Value   []byte
	TTL     time.Duration // 0 = for ever
}

// AnyVersion makes a Put unconditional.
const AnyVersion int64 = -1

// Value is one state value. Versions count from 1; 0 means there is none.
type Value struct {
	Key     string
	Version int64
	Data    []byte
	// Left is how long the value is kept from now on, by the clock of the store,
	// to the millisecond; 0 = for ever.
	Left time.Duration
}

// Want asks for leases of one lane.
type Want struct {
	Lane string
	Max  int
	TTL  time.Duration // how long the lease lives unless extended
	Wait time.Duration
}

// Lease is the right to work on one job until Until.
type Lease struct {
	Job
	Slot     uint64 // the driver's own
	Epoch    uint64 // fencing token: grows with every lease of the same key
	Until    time.Time
	Attempts int       // as the last Finish said
	Crashes  int       // leases of this job that ran out without a Finish
	Enqueued time.Time // when the job was first applied
}

// Swept counts what a Sweep did.
type Swept struct {
	Due     int
	Expired int
	Next    time.Time // when something will be due or expire next; zero = nothing known
}

// Finding is one fact about how the store is set up.
type Finding struct {
	Fatal   bool   `json:"fatal"`   // a promise does not hold: refuse to start unless told "unsafe"
	Message string `json:"message"` // what is the case
	Hint    string `json:"hint"`    // what to change
}
