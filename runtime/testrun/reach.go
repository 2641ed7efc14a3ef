package testrun

import (
	"crossdock/dsl/compile"
	"crossdock/dsl/jq"
	"crossdock/dsl/lookup"
	"crossdock/dsl/mapping"
	"crossdock/dsl/rule"
)

// Reach is everything a test runs through: *compile.Pipeline, *compile.Operation,
// *mapping.Mapping and *lookup.Table.
func Reach(ws *compile.Workspace, t *compile.Test) map[any]bool {
	out := reached{ws: ws, all: map[any]bool{}, client: t.Owner()}
	switch {
	case t.Mapping != nil:
		out.mapping(t.Mapping.Mapping)
	case t.Pipeline != nil:
		out.pipeline(t.Pipeline)
	}
	return out.all
}

// Consulted are the tables that a mapping, a pipeline or an operation looks into.
// What stands in others, such as a list of codes that is kept for somebody else, no
// test of the workspace can notice.
func Consulted(ws *compile.Workspace) map[*lookup.Table]bool {
	all := reached{ws: ws, all: map[any]bool{}}
	for _, m := range ws.Mappings {
		if m != nil {
			all.client = m.Client
			all.mapping(m.Mapping)
		}
	}
	for _, p := range ws.Pipelines {
		if p != nil {
			all.client = p.Client
			all.pipeline(p)
		}
	}
	for _, c := range ws.Connections {
		if c == nil {
			continue
		}
		all.client = c.Client
		for _, op := range c.Operations {
			if op != nil {
				all.operation(op.Ref())
			}
		}
	}
	out := map[*lookup.Table]bool{}
	for x := range all.all {
		if t, ok := x.(*lookup.Table); ok {
			out[t] = true
		}
	}
	return out
}

type reached struct {
	ws     *compile.Workspace
	all    map[any]bool
	client string // whose names cells write short
}

func (r reached) pipeline(p *compile.Pipeline) {
	r.all[p] = true
	r.rule(p.When)
	r.cell(p.Split)
	for _, s := range p.ByID {
		r.mapping(s.Map)
		r.mapping(s.With)
		r.rule(s.When)
		r.cell(s.Split)
		if s.Route != nil {
			for _, x := range s.Route.Rules {
				r.rule(x.When)
			}
		}
		r.operation(s.Target)
	}
	if p.Trigger.Poll != nil {
		r.operation(p.Trigger.Poll.Call.Value)
	}
}

func (r reached) operation(ref string) {
	op := r.ws.Operation(ref)
	if op == nil || r.all[op] {
		return
	}
	r.all[op] = true
	r.rule(op.SuccessWhen)
	if op.Check != nil {
		r.mapping(op.Check.With)
		r.rule(op.Check.FoundWhen)
		r.operation(op.Check.Operation)
	}
}

func (r reached) mapping(m *mapping.Mapping) {
	if m == nil || r.all[m] {
		return
	}
	r.all[m] = true
	if own := r.ws.Mappings[m.Name]; own != nil && own.Mapping == m {
		r.client = own.Client
	}
	r.cell(m.Program)
	for i := range m.Lets {
		r.row(&m.Lets[i])
	}
	r.object(&m.Object)
}

func (r reached) object(o *mapping.Object) {
	if o == nil {
		return
	}
	for i := range o.Fields {
		if f := &o.Fields[i]; f.Nested != nil {
			r.object(f.Nested)
		} else {
			r.row(f.Row)
		}
	}
}

func (r reached) row(row *mapping.Row) {
	r.table(row.Lookup)
	r.rule(row.When)
	r.cell(row.From)
	r.cell(row.Each)
	r.object(row.Fields)
}

func (r reached) table(t *lookup.Table) {
	if t != nil {
		r.all[t] = true
	}
}

func (r reached) cell(p *jq.Program) {
	if p == nil {
		return
	}
	for _, u := range p.Uses() {
		if u.Kind == jq.UseLookup {
			r.table(r.ws.Table(r.client, u.Text))
		}
	}
}

func (r reached) rule(p *rule.Program) {
	if p == nil {
		return
	}
	for _, t := range p.Tables() {
		r.table(r.ws.Table(r.client, t.Name))
	}
}
