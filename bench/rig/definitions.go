package rig

import (
	"fmt"
	"strings"
)

// Workspace is the definitions that all measurements begin with.
func Workspace() map[string]string {
	return map[string]string{
		"crossdock.yaml": `crossdock: 1
name: reach
defaults: {policy: standard}
policies:
  standard: {retry: {attempts: 1000, wait: 100ms, grow: 1.6, max_wait: 2s, on: [timeout, connection, 408, 429, 5xx]}}
  critical: {extends: standard, priority: critical}
  low: {extends: standard, priority: low}
`,
		"effect.mapping.yaml": Mapping(0),
	}
}

// Mapping is the mapping after some edits.
func Mapping(edition int) string {
	return fmt.Sprintf(`mapping: effect
fields:
  n: {from: .n, type: integer, required: true}
  p: {from: .p, type: integer, required: true}
  at: {from: .at, type: integer, required: true}
  k: {from: .k, type: integer, required: true}
  seq: {from: .seq, type: integer, required: true}
  note: .note
  edition: {const: e%d}
`, edition)
}

// BrokenMapping is an edit that must not go live, in one of several ways.
func BrokenMapping(n int) string {
	good := Mapping(900000)
	return []string{
		good + "  broken: {from: .x | }\n",
		good + "  nn: {form: .n}\n",
		"mapping: effect\nfields: [",
		good[:strings.Index(good, "type: integer")], // half a file
	}[n%4]
}

// Connection is an HTTP connection to the target with an operation to the path
// of its own name.
func Connection(name, limits string) (file, text string) {
	return name + ".connection.yaml", fmt.Sprintf(`connection: %s
type: http
base_url: http://TARGET
allow_private: ["127.0.0.0/8"]
limits: {%s}
operations:
  put: {post: /%s, repeat: keyed}
`, name, limits, name)
}

// Pipeline takes messages in at /in/NAME and sends them to a connection.
func Pipeline(name, policy, connection string) (file, text string) {
	return name + ".pipeline.yaml", fmt.Sprintf(`pipeline: %s
trigger: {http: {path: /in/%s, verify: none}}
policy: %s
key: .n
order_by: .k
steps:
  - {send: %s.put, map: effect}
`, name, name, policy, connection)
}
