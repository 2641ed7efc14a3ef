// Package schema holds the contracts of documents and events: what fields a
// value has, of which types, and whether a value keeps to it.
//
// A schema is written as a list of `fields:` or as a JSON Schema file. Both
// become the same model: a tree of shapes for lint, completion and mapping,
// and a compiled JSON Schema (2020-12) for validation. Schemas never load
// anything over the network. A Schema is immutable and safe for concurrent
// use; numbers are compared exactly.
package schema
