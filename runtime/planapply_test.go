package runtime_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"crossdock/runtime"
	"crossdock/runtime/plan"
	"crossdock/runtime/publication"
)

// house is a small workspace as a person edits it, one number or word at a time.
type house struct {
	source    string   // const of a row
	name      string   // path of a row
	levels    []string // values of the codes X and S
	optional  []string // rows that are deleted and come back
	heavy     int      // condition of a rule
	places    int      // limits of the connection
	attempts  int      // of the policy
	minute    int      // of the schedule
	unmatched string   // default of the lookup
}

// samples are what the definitions name, and what the plan therefore compares.
var samples = []map[string]any{
	{"no": "SO-1", "weight": 12, "name": "Ada", "company": "Anlage 7", "contact": "Gate", "level": "X", "phone": "0481 1", "note": "ring", "floor": "2"},
	{"no": "SO-2", "weight": 48, "name": "Bo", "company": "Depot", "contact": "Ramp", "level": "S", "phone": "0481 2", "note": "wait", "floor": "3"},
	{"no": "SO-3", "weight": 85, "name": "Cy", "company": "Hub", "contact": "Desk", "level": "?", "phone": "0481 3", "note": "call", "floor": "4"},
}

// files are the definitions of the house.
func (h *house) files() map[string]string {
	rows := ""
	for _, r := range h.optional {
		rows += fmt.Sprintf("  %s: .%s\n", r, r)
	}
	return map[string]string{
		"crossdock.yaml": fmt.Sprintf("crossdock: 1\ndefaults: {policy: quick}\npolicies:\n  quick: {retry: {attempts: %d, wait: 20ms, on: [5xx]}}\n", h.attempts),
		"orders.pipeline.yaml": fmt.Sprintf(`pipeline: orders
trigger: {http: {path: /orders, verify: none}}
key: [.no]
samples: [one.json, two.json, three.json]
steps:
  - route:
      pick: first
      rules:
        - {name: heavy, when: data.weight > %d, to: ignore}
      otherwise: {to: [{send: tms.create, map: out}]}
`, h.heavy),
		"nightly.pipeline.yaml": fmt.Sprintf("pipeline: nightly\ntrigger: {schedule: {cron: \"%d 6 * * *\", zone: Europe/Berlin}}\nkey: [$meta.received_at]\nsteps:\n  - {send: tms.tick}\n", h.minute),
		"out.mapping.yaml":      fmt.Sprintf("mapping: out\nfields:\n  no: .no\n  source: {const: %s}\n  name: .%s\n  level: {from: .level, lookup: levels}\n%s", h.source, h.name, rows),
		"levels.lookup.yaml":    fmt.Sprintf("lookup: levels\non_miss: default\ndefault: %s\nrows: {X: %s, S: %s}\n", h.unmatched, h.levels[0], h.levels[1]),
		"tms.connection.yaml":   fmt.Sprintf("connection: tms\ntype: file\ndir: out\nlimits: {concurrency: %d}\noperations:\n  create: {append: all.ndjson, repeat: safe}\n  tick: {append: ticks.ndjson, repeat: safe}\n", h.places),
	}
}

// sent is what becomes of a sample; nil where it is too heavy.
func (h *house) sent(sample map[string]any) map[string]any {
	if sample["weight"].(int) > h.heavy {
		return nil
	}
	out := map[string]any{"no": sample["no"], "source": h.source, "name": sample[h.name]}
	switch sample["level"] {
	case "X":
		out["level"] = h.levels[0]
	case "S":
		out["level"] = h.levels[1]
	default:
		out["level"] = h.unmatched
	}
	for _, r := range h.optional {
		out[r] = sample[r]
	}
	return out
}

// effects are the differences between two houses, as a plan must name them.
func effects(a, b *house) []string {
	found := map[string]bool{}
	for _, sample := range samples {
		before, after := a.sent(sample), b.sent(sample)
		switch {
		case before == nil && after == nil:
			continue
		case before == nil:
			found["route orders "], found["outcome orders "], found["new tms.create "] = true, true, true
			continue
		case after == nil:
			found["route orders "], found["outcome orders "], found["gone tms.create "] = true, true, true
			continue
		}
		names := maps.Clone(before)
		maps.Copy(names, after)
		for f := range names {
			if before[f] != after[f] {
				found["field tms.create "+f] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// edits is how many kinds of edits there are.
const edits = 9

// edit changes one thing for another one and says which definition it is in.
func (h *house) edit(kind int, r *rand.Rand) (definition string) {
	other := func(from int, choices ...int) int {
		return choices[(slices.Index(choices, from)+1+r.IntN(len(choices)-1))%len(choices)]
	}
	word := func(from string, choices ...string) string {
		return choices[(slices.Index(choices, from)+1+r.IntN(len(choices)-1))%len(choices)]
	}
	switch kind {
	case 0:
		h.source = word(h.source, "crossdock", "erp", "shop", "hub")
	case 1:
		h.name = word(h.name, "name", "company", "contact")
	case 2:
		i := r.IntN(2)
		h.levels[i] = word(h.levels[i], "EXPRESS", "GROUND", "STANDARD")
		return "lookup levels"
	case 3:
		h.unmatched = word(h.unmatched, "OTHER", "NONE")
		return "lookup levels"
	case 4:
		row := []string{"phone", "note", "floor"}[r.IntN(3)]
		if i := slices.Index(h.optional, row); i >= 0 {
			h.optional = slices.Delete(slices.Clone(h.optional), i, i+1)
		} else {
			h.optional = append(slices.Clone(h.optional), row)
		}
	case 5:
		h.heavy = other(h.heavy, 10, 40, 60, 80, 100)
		return "pipeline orders"
	case 6:
		h.places = other(h.places, 2, 4, 8)
		return "connection tms"
	case 7:
		h.attempts = other(h.attempts, 2, 5, 8)
		return "crossdock crossdock.yaml"
	case 8:
		h.minute = other(h.minute, 0, 15, 30, 45)
		return "pipeline nightly"
	}
	return "mapping out"
}

// builder edits the workspace of a site.
type builder struct {
	*site
	folder bool // the folder is reloaded, nothing is published
}

func (b *builder) save(h *house) {
	for name, text := range h.files() {
		b.write(name, text)
	}
}

func (b *builder) plan() *plan.Plan {
	b.t.Helper()
	p, err := b.engine.Plan(context.Background(), runtime.Planning{Pack: packed(b.t, b.site), Name: "the workspace", Messages: 10})
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

func (b *builder) apply(p *plan.Plan) error {
	b.t.Helper()
	_, report, err := b.engine.Apply(context.Background(), runtime.Planning{Pack: packed(b.t, b.site), Name: "the workspace", Messages: 10}, p, publication.Entry{Who: "ana", Plan: p.Hash}, b.folder)
	if err == nil && (report.Result == "failed" || report.Error != "") {
		b.t.Fatalf("applied, but %+v", report)
	}
	return err
}

// calm is a plan of what runs already.
func (b *builder) calm(when string) {
	b.t.Helper()
	if p := b.plan(); !p.Same || p.Blocked || p.Verdict() != "nothing changes" || len(p.Definitions)+len(p.Differences)+len(p.Facts)+len(p.Blockers) != 0 || p.Compared.Differ != 0 {
		b.t.Fatalf("%s the plan says %s: %+v", when, p.Verdict(), p)
	}
}

// moved is a plan that does not stand any more.
func (b *builder) moved(p *plan.Plan, what string) {
	b.t.Helper()
	before := b.status().Revision
	var moved *runtime.ErrMoved
	if err := b.apply(p); !errors.As(err, &moved) {
		b.t.Fatalf("%s was applied: %v", what, err)
	}
	if now := b.status().Revision; now != before {
		b.t.Fatalf("%s: %s runs, not %s", what, now, before)
	}
}

// Whatever somebody edits, the plan names the definition that was edited and no
// other one, and the fields that leave otherwise and no other ones; what was
// planned is what runs afterwards, and nothing else can be applied with it.
func TestPlanAndApply(t *testing.T) {
	for _, folder := range []bool{true, false} {
		t.Run(map[bool]string{true: "folder", false: "published"}[folder], func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 11))
			b := &builder{site: newSite(t), folder: folder}
			for _, name := range []string{"in.pipeline.yaml", "target.connection.yaml"} {
				b.remove(name)
			}
			for i, name := range []string{"one.json", "two.json", "three.json"} {
				raw, err := json.Marshal(samples[i])
				if err != nil {
					t.Fatal(err)
				}
				b.write(name, string(raw))
			}
			now := &house{source: "crossdock", name: "name", levels: []string{"EXPRESS", "GROUND"}, optional: []string{"phone", "note", "floor"},
				heavy: 60, places: 4, attempts: 5, minute: 30, unmatched: "OTHER"}
			b.save(now)
			b.start()
			b.calm("at the start")
			for step := range 2 * edits {
				next := *now
				next.levels = slices.Clone(now.levels)
				definition := next.edit(step%edits, r)
				b.save(&next)
				p := b.plan()
				at := fmt.Sprintf("edit %d, of %s", step, definition)
				if p.Same || p.Blocked || p.Old.Revision == p.New.Revision {
					t.Fatalf("%s: %s", at, p.Verdict())
				}
				var named, differ []string
				for _, d := range p.Definitions {
					named = append(named, d.Kind+" "+d.Name)
					if d.What != "changed" || len(d.Details) != 1 {
						t.Errorf("%s: one thing was edited, the plan says %+v", at, d)
					}
				}
				if len(named) != 1 || named[0] != definition {
					t.Errorf("%s: the plan names %v", at, named)
				}
				for _, d := range p.Differences {
					subject := d.Target
					if d.Target == "" {
						subject = d.Pipeline
					}
					differ = append(differ, string(d.What)+" "+subject+" "+d.Field)
				}
				slices.Sort(differ)
				want := effects(now, &next)
				if !slices.Equal(differ, want) {
					t.Errorf("%s: the plan tells of %q, want %q", at, differ, want)
				}
				// Somebody edits once more before it is applied.
				later := next
				later.source += "-2"
				b.save(&later)
				b.moved(p, at+": what was edited after the plan")
				b.save(&next)
				if err := b.apply(p); err != nil {
					t.Fatalf("%s: %v", at, err)
				}
				b.calm("after " + at)
				b.moved(p, at+": a plan that was applied")
				now = &next
			}
			b.write("out.mapping.yaml", now.files()["out.mapping.yaml"]+"# a comment\n")
			b.calm("after a comment")
		})
	}
}
