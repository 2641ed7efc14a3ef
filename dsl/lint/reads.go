package lint

import (
	"crossdock/dsl/cell"
	"crossdock/dsl/jq"
	"crossdock/dsl/rule"
	"crossdock/dsl/value"
)

// read is something that a cell reads.
type read struct {
	name     string // what it starts from, without $; "" is the payload
	step     string // whose answer it is
	start    place
	segments []segment // without those that belong to the start
	optional bool      // the cell minds that it may not be there
}

// reads returns what a cell reads, in both languages alike.
func (p *pass) reads(c *cell.Cell) []read {
	var out []read
	if c.JQ != nil {
		for _, path := range c.JQ.Paths() {
			out = append(out, p.jqRead(c, path))
		}
		return out
	}
	for _, path := range c.Rule.Paths() {
		out = append(out, p.ruleRead(c, path))
	}
	return out
}

func (p *pass) jqRead(c *cell.Cell, path jq.Path) read {
	r := read{name: path.Var, segments: jqSegments(path), optional: path.Optional}
	if s, ok := surroundings[path.Var]; ok {
		r.start = place{shape: s, label: "$" + path.Var, written: "$" + path.Var}
		return r
	}
	if path.Var == "steps" && len(path.Segments) > 0 {
		r.step = path.Segments[0].Name
	}
	from, rest := c.Start(path)
	written := "."
	if path.Var != "" {
		written = "$" + path.Var
	}
	r.segments = jqSegments(rest)
	r.start = p.start(from, written)
	return r
}

func (p *pass) ruleRead(c *cell.Cell, path rule.Path) read {
	r := read{name: path.Root, segments: ruleSegments(path)}
	for _, s := range path.Segments {
		r.optional = r.optional || s.Optional
	}
	if s, ok := surroundings[path.Root]; ok {
		r.start = place{shape: s, label: path.Root, written: path.Root}
		return r
	}
	var from cell.Shape
	written := path.Root
	switch path.Root {
	case "data":
		r.name, from = "", c.Shape
	case "original":
		from = c.VarShapes["original"]
	case "params":
		from = c.VarShapes["params"]
	case "steps":
		if len(r.segments) > 0 {
			r.step = r.segments[0].name
			from = c.VarShapes["steps."+r.step]
			written += "." + r.segments[0].name
			r.segments = r.segments[1:]
		}
	case "response":
		if len(r.segments) == 0 || r.segments[0].name != "body" {
			r.start = place{shape: answer, label: "response", written: "response"}
			return r
		}
		from, written = c.VarShapes["response.body"], "response.body"
		r.segments = r.segments[1:]
	}
	r.start = p.start(from, written)
	return r
}

// surroundings are the names whose fields are always the same.
var surroundings = map[string]*value.Shape{
	"meta": with(object("source", "received_at", "headers", "path", "query", "consumer", "content_type", "file", "event"),
		map[string]*value.Shape{"file": object("name", "size", "sha256", "record"), "event": object("id", "name")}),
	"run": object("id", "now", "pipeline", "attempt", "revision", "client", "trace_id"),
}

// answer is `response` outside of its body.
var answer = object("status", "headers", "body")

// with is s with more known of some fields.
func with(s *value.Shape, fields map[string]*value.Shape) *value.Shape {
	for name, f := range fields {
		s.Fields[name] = f
	}
	return s
}

func object(names ...string) *value.Shape {
	s := &value.Shape{Type: value.Type{Base: value.Object}, Closed: true, Order: names, Fields: map[string]*value.Shape{}}
	for _, n := range names {
		s.Fields[n] = &value.Shape{}
	}
	return s
}
