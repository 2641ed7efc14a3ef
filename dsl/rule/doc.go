// Package rule compiles and evaluates the yes/no cells of the language, which
// are written in expr.
//
// A rule reads JSON values through the names of its Scope. It never converts
// more of them than it reads, compares numbers exactly, has no access to
// clock, files or network, and is bounded in source, time and memory: a bad
// rule fails one message, never the process.
//
// A missing field is nothing: equal only to nil, in no list, containing and
// matching nothing. An order, arithmetic and most functions on nothing are an
// error, which lint reports beforehand where a schema is known.
//
// Programs are immutable and safe for concurrent use. Only this package knows
// the expr library.
package rule
