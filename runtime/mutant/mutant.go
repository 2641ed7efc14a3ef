// Package mutant names mistakes that could be made in crossdock and places
// where a process could die, so that the search for faults (bench/chaos) can be
// tested itself (make chaos-mutants): a search that does not find a planted
// mistake finds no real one.
//
// Nothing of this is in a binary that people install: without the build tag
// `mutant` On is a constant false and Crash is empty, and the compiler removes
// what hangs on them. With the tag one mutant is chosen by the variable
// CROSSDOCK_MUTANT (M1) and one place of death by CROSSDOCK_CRASH_AT
// (after-effect:37, the 37th time; after-effect:37:3s, or anywhere after three
// seconds).
package mutant

// ID names a mutant.
type ID string

// The mutants. Those that cannot exist in this design stand for the nearest
// mistake that can; docs/promises.md says which, and how each was found.
const (
	M1  ID = "M1"  // a sender is told 2xx before the message is durable
	M2  ID = "M2"  // a message is done before its effect
	M3  ID = "M3"  // an idempotency key is written before, and not with, its message
	M4  ID = "M4"  // the epoch of a lease is not checked
	M5  ID = "M5"  // every attempt has an idempotency key of its own
	M6  ID = "M6"  // two workers on the messages of one order_by
	M7  ID = "M7"  // a failed message goes to the tail of its line
	M8  ID = "M8"  // a store that syncs later than it promises: settings, no code
	M9  ID = "M9"  // WAIT is sent on another connection than the write
	M10 ID = "M10" // a dead letter is taken out of its line first and put into its box later
	M11 ID = "M11" // what waits is trimmed to a length
	M12 ID = "M12" // webhooks are gone while a reload builds the new ones
	M13 ID = "M13" // idempotency keys are forgotten before the last repeat
	M14 ID = "M14" // the time until the next attempt passes in memory only
	M15 ID = "M15" // a lease is not noted where those that ran out are looked for
	M16 ID = "M16" // a failure repeats the effects before it, which had succeeded
	M17 ID = "M17" // the delivery repeats a request by itself, unseen by the attempts
)

// Deaf is a mutant that the search does not look for: a call that was not needed
// breaks no promise. TestReplicasShareAPause in cmd/crossdock finds it.
const Deaf ID = "deaf" // a replica hears of no pause that another one was asked for

// All lists the mutants of the search in order.
func All() []ID {
	return []ID{M1, M2, M3, M4, M5, M6, M7, M8, M9, M10, M11, M12, M13, M14, M15, M16, M17}
}

// Place names a point in the life of a message at which a process may die.
type Place string

// The places, in the order in which a message passes them.
const (
	BeforeAccept Place = "before-accept" // nothing is stored yet
	AfterAccept  Place = "after-accept"  // stored, the sender does not know yet
	AfterLease   Place = "after-lease"   // leased, nothing begun
	BeforeEffect Place = "before-effect" // about to call the target
	AfterEffect  Place = "after-effect"  // the target has answered, nothing is written
	AfterKeep    Place = "after-keep"    // between two effects of one message
	BeforeEnd    Place = "before-end"    // about to write how it ended
	AfterEnd     Place = "after-end"     // written
	BeforeRetry  Place = "before-retry"  // about to write that an attempt failed
)

// Places lists all of them.
func Places() []Place {
	return []Place{BeforeAccept, AfterAccept, AfterLease, BeforeEffect, AfterEffect, AfterKeep, BeforeEnd, AfterEnd, BeforeRetry}
}
