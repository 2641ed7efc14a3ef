package editor

import (
	"path"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/schema"
	"crossdock/dsl/value"
)

// resolve returns the full name of what a reference in a file means; "" where
// there is no such thing. A definition of a template has the name that it has
// for all clients.
func (x *index) resolve(file, kind, name string) string {
	if h, ok := x.state.homes()[file]; ok && h.template.Has(kind, name) {
		return ofTemplate(h.template, name)
	}
	in, full := x.state.resolveIn(file, kind, name)
	return own(in.Workspace, kind, full)
}

// tail is how many bytes of a name, as it is written, are the name itself: the
// code of a client or a folder of the library may stand in front.
func tail(full, written string) int {
	if n := short(full); n != full && strings.HasSuffix(written, "/"+n) {
		return len(n)
	}
	return len(written)
}

// defined returns the full name of a definition of a workspace; "" where there
// is none.
func defined(ws *compile.Workspace, kind, name string) string {
	for _, full := range []string{name, "std/" + name} {
		var there bool
		switch kind {
		case "mapping":
			_, there = ws.Mappings[full]
		case "lookup":
			_, there = ws.Lookups[full]
		case "schema":
			_, there = ws.Schemas[full]
		case "connection":
			_, there = ws.Connections[full]
		case "pipeline":
			_, there = ws.Pipelines[full]
		case "policy":
			_, there = ws.Policies[full]
		case "verify":
			_, there = ws.Verify[full]
		case "alert":
			_, there = ws.Alerts[full]
		case "template":
			_, there = ws.Templates[full]
		default:
			there = true
		}
		if there {
			return full
		}
	}
	return ""
}

// hears returns the schemas whose events are heard under a name.
func (s *State) hears(file, event string) []string {
	var out []string
	normal := compile.EventName(event)
	h, at := s.homes()[file]
	in := s.Workspace
	if at {
		in = h.ws
	}
	for name, sc := range in.Schemas {
		if sc == nil {
			continue
		}
		names, known := sc.EventNames()
		if known && slices.Contains(names, normal) {
			if c := in.Clients[sc.Client]; at && c != nil && c.Of != nil && c.Of.Name != h.template.Name {
				continue // of another client
			}
			if name = own(in, "schema", name); !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// beside is the path of a file that a definition names.
func beside(from, name string) string { return path.Join(path.Dir(from), name) }

// segment is one part of a dotted name.
type segment struct {
	name     string
	from, to int
	list     bool // [] or [3] stands behind it
}

// dotted cuts a path such as lines[0].sku into its names.
func dotted(text string) []segment {
	var out []segment
	from := 0
	for _, part := range strings.Split(text, ".") {
		name, _, list := strings.Cut(part, "[")
		if name != "" {
			out = append(out, segment{name, from, from + len(name), list})
		}
		from += len(part) + 1
	}
	return out
}

// joinPath is a path with one more name, as a schema writes it.
func joinPath(above, name string, list bool) string {
	if above != "" {
		name = above + "." + name
	}
	if list {
		name += value.Items
	}
	return name
}

func schemaOf(s *compile.Schema) *schema.Schema {
	if s == nil {
		return nil
	}
	return s.Schema
}
