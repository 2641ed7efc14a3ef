// Package coverage tells what the tests of a workspace never reach: rows that
// never run, defaults that are never needed, conditions that are always answered
// in the same way, rules that never match, codes of lookups nobody looks for.
package coverage

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/rule"
	"crossdock/dsl/spec"
	"crossdock/runtime/testrun"
)

// Item is one thing that a test can reach.
type Item struct {
	Kind, Name string // of the definition
	Row        string // row, rule, step or code
	What       string // what never happens, in words: "never runs"
	Span       diag.Span
	Reached    bool
}

// Report is what came out.
type Report struct {
	Items   []Item   // in the order of the definitions
	Failing []string // cases that fail
	Unread  []Unread // what nothing here looks into; its codes are no items
}

// Unread is a lookup that no mapping and no pipeline of the workspace looks into.
type Unread struct {
	Name string
	Span diag.Span
}

// Reached returns how many items were reached.
func (r *Report) Reached() int {
	n := 0
	for _, i := range r.Items {
		if i.Reached {
			n++
		}
	}
	return n
}

// Percent is the share of the items that were reached; 100 where there are none.
func (r *Report) Percent() float64 {
	if len(r.Items) == 0 {
		return 100
	}
	return 100 * float64(r.Reached()) / float64(len(r.Items))
}

// watch notes what happens. It is safe for concurrent use.
type watch struct {
	mu    sync.Mutex
	rows  map[diag.Span]bool
	deflt map[diag.Span]bool
	rules map[*rule.Program][2]bool // answered no, answered yes
	codes map[string]map[string]bool
}

// unknown stands for every code that a table does not have.
const unknown = "\x00unknown"

// Row implements cell.Watch.
func (w *watch) Row(at diag.Span, defaulted bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if defaulted {
		w.deflt[at] = true
		return
	}
	w.rows[at] = true
}

// Rule implements cell.Watch.
func (w *watch) Rule(p *rule.Program, yes bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.rules[p]
	if yes {
		seen[1] = true
	} else {
		seen[0] = true
	}
	w.rules[p] = seen
}

func (w *watch) code(table, code string, known bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !known {
		code = unknown
	}
	if w.codes[table] == nil {
		w.codes[table] = map[string]bool{}
	}
	w.codes[table][code] = true
}

// Run runs every test of a workspace that nobody else uses meanwhile.
func Run(ctx context.Context, r *testrun.Runner) *Report {
	w := &watch{rows: map[diag.Span]bool{}, deflt: map[diag.Span]bool{}, rules: map[*rule.Program][2]bool{}, codes: map[string]map[string]bool{}}
	r.WS.Watch = w
	for name, l := range r.WS.Lookups {
		l.Table.Seen = func(code string, known bool) { w.code(name, code, known) }
	}
	c := &collector{w: w}
	r.All(ctx, nil, func(res testrun.Result) {
		if !res.Passed() {
			c.out.Failing = append(c.out.Failing, fmt.Sprintf("%s %s: %s", res.Span, res.Of, res.Case))
		}
	})
	r.WS.Watch = nil
	for _, l := range r.WS.Lookups {
		l.Table.Seen = nil
	}
	c.workspace(r.WS)
	return &c.out
}

// collector lists what can be reached.
type collector struct {
	w    *watch
	out  Report
	kind string
	name string
}

func (c *collector) add(row, what string, at diag.Span, reached bool) {
	c.out.Items = append(c.out.Items, Item{c.kind, c.name, row, what, at, reached})
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (c *collector) workspace(ws *compile.Workspace) {
	for _, name := range sorted(ws.Mappings) {
		if m := ws.Mappings[name]; !m.Std && m.Mapping != nil {
			c.kind, c.name = "mapping", name
			for i := range m.Mapping.Lets {
				c.row(&m.Mapping.Lets[i], m.Mapping.Lets[i].Target)
			}
			c.object(&m.Mapping.Object, "")
		}
	}
	for _, name := range sorted(ws.Pipelines) {
		if p := ws.Pipelines[name]; !p.Std && p.Spec != nil {
			c.kind, c.name = "pipeline", name
			c.pipeline(p)
		}
	}
	read := testrun.Consulted(ws)
	for _, name := range sorted(ws.Lookups) {
		switch l := ws.Lookups[name]; {
		case l.Std:
		case !read[l.Table]:
			c.out.Unread = append(c.out.Unread, Unread{name, l.Spec.Name.Span()})
		default:
			c.kind, c.name = "lookup", name
			c.lookup(l)
		}
	}
}

func (c *collector) object(o *mapping.Object, prefix string) {
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Nested != nil {
			c.object(f.Nested, prefix)
		} else {
			c.row(f.Row, prefix+f.Row.Target)
		}
	}
}

func (c *collector) row(r *mapping.Row, name string) {
	c.add(name, "never runs", r.Span, c.w.rows[r.Span])
	if r.HasDefault {
		c.add(name, "its default is never needed", r.Span, c.w.deflt[r.Span])
	}
	if r.When != nil {
		c.add(name, "its `when` is never false", r.Span, c.w.rules[r.When][0])
	}
	if r.Fields != nil {
		below := "."
		if r.Each != nil {
			below = "[]."
		}
		c.object(r.Fields, name+below)
	}
}

func (c *collector) pipeline(p *compile.Pipeline) {
	gate := func(name string, r *rule.Program, at diag.Span) {
		if r != nil {
			c.add(name, "is never true", at, c.w.rules[r][1])
			c.add(name, "is never false", at, c.w.rules[r][0])
		}
	}
	gate("when", p.When, cellSpan(p.Spec.When))
	for _, id := range sorted(p.ByID) {
		s := p.ByID[id]
		gate(id, s.When, cellSpan(s.Spec.When))
		if s.With != nil {
			c.object(&s.With.Object, "with ")
		}
		if s.Route == nil {
			continue
		}
		for i, r := range s.Route.Rules {
			if i < len(s.Spec.Route.Rules) {
				c.add("rule "+r.Name, "never matches", s.Spec.Route.Rules[i].Name.Span(), c.w.rules[r.When][1])
			}
		}
	}
}

func cellSpan(cell spec.Cell) diag.Span {
	if cell.Node == nil {
		return diag.Span{}
	}
	return cell.Node.Span
}

func (c *collector) lookup(l *compile.Lookup) {
	seen := c.w.codes[l.Name]
	for _, code := range l.Table.Codes() {
		at := l.Spec.File.Span()
		if pair := l.Spec.Rows.Pair(code); pair != nil {
			at = pair.Key.Span
		}
		c.add(strings.TrimSpace(code), "is never looked for", at, seen[l.Table.Fold(code)])
	}
	c.add("on_miss", "no unknown code is ever looked for", l.Spec.OnMiss.Span(), seen[unknown])
}
