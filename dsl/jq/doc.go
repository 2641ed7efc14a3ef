// Package jq compiles and runs the jq cells of definitions.
//
// Compile reports every problem of a cell at once with exact byte offsets, and
// refuses what a running system must not do: read the clock or the environment,
// load modules, or loop without a bound. A Program is immutable and safe for
// concurrent use; a Frame belongs to one message at a time and carries its
// variables and its limits. Numbers pass through as they were written: "1.10"
// stays 1.10 and a 20-digit identifier keeps its digits.
//
// A run ends in values or in an error; it never panics, and it ends within the
// limits of its Frame. Results may share memory with the input, so neither may
// be changed afterwards.
package jq
