package simulate

import (
	"fmt"
	"os"
	"path/filepath"
)

// The flows of the simulated workspace. Each event has its ID, key and turn in
// the payload; all targets are told the edition of the definitions.
var definitions = map[string]string{
	"crossdock.yaml": `crossdock: 1
defaults: {policy: quick}
policies:
  quick: {retry: {attempts: 1000, wait: 1s, grow: 1, jitter: 0, on: [timeout, connection, 429, 5xx]}, remember: 40d}
  low: {extends: quick, priority: low}
  urgent: {extends: quick, priority: critical}
  latest: {extends: quick, collapse: latest_per_key}
  held: {extends: quick, on_dead_letter: block}
`,
	"thing.schema.yaml": "schema: thing@1\nfields:\n  id: {type: string, required: true}\n  k: {type: string, required: true}\n  turn: {type: integer}\n",
	"t.connection.yaml": `connection: t
type: http
base_url: http://plain.test
limits: {timeout: 4s, concurrency: 16}
operations:
  plain: {post: /keyed/plain, repeat: keyed}
  fan: {post: /keyed/fan, repeat: keyed}
  copy: {post: /naive/copy, repeat: safe}
  items: {post: /keyed/items, repeat: keyed}
  first: {post: /naive/first, repeat: safe, success_when: response.status == 200 and response.body.ok == true}
  second: {post: /keyed/second, repeat: keyed}
  heard: {post: /keyed/heard, repeat: keyed}
  strict: {post: /strict/strict, repeat: keyed}
  fallback: {post: /keyed/fallback, repeat: keyed}
  find: {get: "/find/look/{id}", repeat: safe}
  look: {post: /once/look, repeat: check, check: {call: t.find, with: {id: .id}, found_when: response.status == 200 and response.body.found == true}}
  never: {post: /once/never, repeat: never}
  tick: {post: /keyed/tick, repeat: keyed}
  latest: {post: /keyed/latest, repeat: keyed}
  held: {post: /keyed/held, repeat: keyed}
  polled: {post: /keyed/polled, repeat: keyed}
  changes: {get: /list/changes, query: {since: "{since}"}, items: .items, next: .next, repeat: safe}
`,
	"weak.connection.yaml": `connection: weak
type: http
base_url: http://weak.test
limits: {timeout: 4s, concurrency: 2, rate: 20/s, quota: 100000/day}
breaker: {open_after: 3 in 30s, probe_after: 5s}
maintenance:
  - {name: short break, cron: "*/2 * * * *", lasts: 10s, during: {critical: try, otherwise: hold}, after: {rate: 10/s}}
operations:
  low: {post: /keyed/low, repeat: keyed}
  urgent: {post: /keyed/urgent, repeat: keyed}
`,
	"plain.pipeline.yaml": head("plain", "") + "  - {send: t.plain, map: out}\n",
	"fan.pipeline.yaml": head("fan", "") + `  - {map: out}
  - route:
      pick: every
      rules:
        - {name: fan, when: data.turn >= 0, to: [{send: t.fan}]}
        - {name: copy, when: data.turn >= 0, to: [{send: t.copy}]}
      otherwise: ignore
`,
	"items.pipeline.yaml": head("items", "split: .items\n") + "  - {send: t.items, map: out}\n",
	"chain.pipeline.yaml": head("chain", "") + `  - {call: t.first, map: out, as: a}
  - {send: t.second, map: out}
  - {emit: thing@1, with: {id: .id, k: .k, turn: .turn}}
`,
	"heard.pipeline.yaml":    "pipeline: heard\ntrigger: {event: thing}\nkey: [.id]\norder_by: .k\nsteps:\n  - {send: t.heard, map: out}\n",
	"fallback.pipeline.yaml": head("fallback", "") + "  - {send: t.strict, map: out, on_fail: [{send: t.fallback, map: out}]}\n",
	"look.pipeline.yaml":     head("look", "") + "  - {send: t.look, map: out}\n",
	"never.pipeline.yaml":    head("never", "") + "  - {send: t.never, map: out}\n",
	"low.pipeline.yaml":      head("low", "policy: low\n") + "  - {send: weak.low, map: out}\n",
	"urgent.pipeline.yaml":   head("urgent", "policy: urgent\n") + "  - {send: weak.urgent, map: out}\n",
	"latest.pipeline.yaml":   head("latest", "policy: latest\n") + "  - {send: t.latest, map: out}\n",
	"held.pipeline.yaml":     head("held", "policy: held\n") + "  - {send: t.held, map: out}\n",
	"polled.pipeline.yaml": `pipeline: polled
trigger: {poll: {call: t.changes, every: 5s, cursor: {save: .at, as: since, start: "1999-12-31T00:00:00.000Z", overlap: 5s}}}
key: [.id]
order_by: .k
trace_by: {k: .k}
steps:
  - {send: t.polled, map: out}
`,
	"tick.pipeline.yaml": "pipeline: tick\ntrigger: {schedule: {cron: \"* * * * *\", missed: run_all}}\nsteps:\n  - {send: t.tick, with: {id: .scheduled_at}}\n",
}

func head(name, more string) string {
	return fmt.Sprintf("pipeline: %s\ntrigger: {http: {path: /%s, verify: none}}\nkey: [.id]\norder_by: .k\ntrace_by: {k: .k}\n"+
		"when: data.class != \"filtered\"\n%ssteps:\n", name, name, more)
}

const mappingFile = "out.mapping.yaml"

// mapping is the one that all flows use; edition tells which of them.
func mapping(edition int) string {
	return fmt.Sprintf("mapping: out\nfields:\n  id: {from: .id, required: true}\n  k: .k\n  turn: {from: .turn, type: integer}\n"+
		"  class: .class\n  amount: {from: .amount, type: integer}\n  edition: {const: %d}\n", edition)
}

// writeAll makes the workspace.
func writeAll(dir string) error {
	for name, text := range definitions {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, mappingFile), []byte(mapping(0)), 0o600)
}

// flows that senders call, and the operations at which an event of them has its
// effects.
var flows = []string{"plain", "fan", "items", "chain", "fallback", "look", "never", "low", "urgent", "latest", "held"}

var effects = map[string][]string{
	"plain": {"plain"}, "fan": {"fan", "copy"}, "items": {"items"}, "chain": {"first", "second", "heard"},
	"fallback": {"strict"}, "look": {"look"}, "never": {"never"}, "low": {"low"}, "urgent": {"urgent"},
	"latest": {"latest"}, "held": {"held"}, "polled": {"polled"},
}

// The classes of events.
const (
	normal   = "normal"
	poison   = "poison"   // cannot be mapped
	filtered = "filtered" // nothing is to be done
	refused  = "refused"  // of the flow fallback: the target refuses it for good
)
