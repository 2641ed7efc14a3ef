package stage

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"crossdock/bench/chaos/plan"
)

// definitions are the workspace under test. TARGET, SHARED and LIMITS are
// filled in; the pipelines are those of event.Flows.
var definitions = map[string]string{
	"crossdock.yaml": `crossdock: 1
name: chaos
defaults: {policy: patient}
policies:
  patient:
    retry: {attempts: 1000, wait: 100ms, grow: 1.6, max_wait: 1s, on: [timeout, connection, 408, 409, 429, 5xx]}
`,
	"target.connection.yaml": `connection: target
type: http
base_url: http://TARGET
allow_private: ["127.0.0.0/8"]
LIMITS
operations:
  keyed: {post: /keyed, repeat: keyed, headers: {X-Attempt: "{attempt}"}}
  naive: {post: /naive, repeat: safe, headers: {X-Attempt: "{attempt}"}}
  first: {post: /first, repeat: safe, headers: {X-Attempt: "{attempt}"}}
  second: {post: /second, repeat: keyed, headers: {X-Attempt: "{attempt}"}}
  left: {post: /left, repeat: keyed, headers: {X-Attempt: "{attempt}"}}
  right: {post: /right, repeat: safe, headers: {X-Attempt: "{attempt}"}}
  heard: {post: /heard, repeat: keyed, headers: {X-Attempt: "{attempt}"}}
  dropped: {post: /dropped, repeat: keyed, headers: {X-Attempt: "{attempt}"}}
`,
	"disk.connection.yaml": `connection: disk
type: file
dir: SHARED
operations:
  write: {write: "out/{name}.json", repeat: safe}
`,
	"effect.mapping.yaml": Mapping(0),
	"placed.schema.yaml": `schema: chaos_placed@1
fields:
  id: {type: string, required: true}
  flow: {type: string, required: true}
  key: {type: string, required: true}
  seq: {type: integer, required: true}
  class: {type: string, required: true}
  qty: {type: any}
  price: {type: string}
  note: {type: string}
`,
	"keyed.pipeline.yaml": pipeline("keyed", `  - {send: target.keyed, map: effect, with: {attempt: $run.attempt}}`),
	"naive.pipeline.yaml": pipeline("naive", `  - {send: target.naive, map: effect, with: {attempt: $run.attempt}}`),
	"chain.pipeline.yaml": pipeline("chain", `  - {call: target.first, map: effect, with: {attempt: $run.attempt}, as: first}
  - {send: target.second, map: effect, with: {attempt: $run.attempt}}`),
	"fan.pipeline.yaml": pipeline("fan", `  - route:
      pick: every
      rules:
        - {name: left, when: data.seq >= 0, to: [{send: target.left, map: effect, with: {attempt: $run.attempt}}]}
        - {name: right, when: data.seq >= 0, to: [{send: target.right, map: effect, with: {attempt: $run.attempt}}]}
      otherwise: {dead_letter: no rule}`),
	"bus.pipeline.yaml": pipeline("bus", `  - {emit: chaos_placed@1}`),
	"heard.pipeline.yaml": `pipeline: heard
trigger: {event: chaos_placed}
key: .id
order_by: .key
trace_by: {event: .id}
steps:
  - {send: target.heard, map: effect, with: {attempt: $run.attempt}}
`,
	"file.pipeline.yaml": pipeline("file", `  - {send: disk.write, map: effect, with: {name: '.id | gsub("/"; "_")'}}`),
	"drop.pipeline.yaml": `pipeline: drop
trigger:
  files: {connection: disk, path: "in/*.ndjson", format: ndjson, every: 500ms, stable_for: 500ms, after: {move_to: done}}
key: .id
order_by: .key
trace_by: {event: .id}
steps:
  - when: data.class != "filtered"
  - {send: target.dropped, map: effect, with: {attempt: $run.attempt}}
`,
}

func pipeline(name, steps string) string {
	return `pipeline: ` + name + `
trigger: {http: {path: /in/` + name + `, verify: none}}
key: .id
order_by: .key
trace_by: {event: .id}
steps:
  - when: data.class != "filtered"
` + steps + "\n"
}

// limits are what a connection says of the target.
func limits(p plan.Plan) string {
	text := fmt.Sprintf("limits: {concurrency: %d, timeout: 1s}", p.Concurrent)
	if p.Quota > 0 {
		text = fmt.Sprintf("limits: {concurrency: %d, timeout: 1s, rate: %d/s}", p.Concurrent, p.Quota)
	}
	if p.Breaker {
		text += "\nbreaker: {open_after: 10 in 5s, probe_after: 1s}"
	}
	return text
}

// Mapping is the mapping after some edits.
func Mapping(edition int) string {
	return fmt.Sprintf(`mapping: effect
fields:
  id: {from: .id, required: true}
  flow: .flow
  k: .key
  seq: {from: .seq, type: integer, required: true}
  qty: {from: .qty, type: integer, required: true}
  amount: {from: .price, type: decimal(2), required: true}
  note: .note
  edition: {const: e%d}
`, edition)
}

// BrokenMapping is an edit that must not go live.
func BrokenMapping(edition int) string {
	return []string{
		Mapping(900000) + "  broken: {from: .x | }\n",
		Mapping(900000) + "  qyt: {form: .qty}\n",
		"mapping: effect\nfields: [",
		Mapping(900000)[:strings.Index(Mapping(900000), "type: integer")], // half a file
	}[edition%4]
}

// write puts a file in place as editors do: beside it, then renamed.
func write(dir, name, text string) error {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
		return fmt.Errorf("write definitions: %w", err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		return fmt.Errorf("write definitions: %w", err)
	}
	return nil
}
