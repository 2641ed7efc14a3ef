// Package simulate runs whole replicas of crossdock in a bubble of
// testing/synctest: engine, webhooks, schedules, workers, policies and the http
// connector, on the memory queue behind a store that fails, with senders and
// targets behind a network that fails, by the seed of a plan. The clock is the
// bubble's, so that minutes take milliseconds. A judge compares what senders and
// targets saw, and what the store holds, with what had to happen.
//
// It is a test: go test ./runtime/simulate -seed 7 runs one plan again.
package simulate
