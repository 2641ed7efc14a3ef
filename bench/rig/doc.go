// Package rig is what all measurements of reach share: crossdock processes on
// given definitions, a load at a rate, a target, and a ledger of every message
// that tells what was lost, doubled or overtaken, and how long things took.
package rig
