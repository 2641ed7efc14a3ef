// Package catalogue describes a workspace for people who never open its files:
// every mapping as a sheet with one line per field, the tables of codes, and the
// pipelines, connections, events and schemas with diagrams.
//
// It writes pages from what was compiled, so a page says what runs. The same
// workspace gives the same bytes. Secrets and personal data are never shown.
package catalogue

import (
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/lineage"
)

// Options say where a catalogue reads examples.
type Options struct {
	Files fs.FS // of the workspace, for samples; nil for none
	Std   fs.FS // the shipped library; nil for none
	// Apply runs a mapping on a sample. Without it there are no examples.
	Apply func(m *compile.Mapping, in any) (any, error)
}

// Catalogue is a described workspace.
type Catalogue struct {
	ws    *compile.Workspace
	opt   Options
	graph *lineage.Graph

	mappings    []*compile.Mapping
	lookups     []*compile.Lookup
	schemas     []*compile.Schema
	pipelines   []*compile.Pipeline
	connections []*compile.Connection
}

// Of describes the definitions of a workspace that was loaded without errors, and
// those of the shipped library which they use.
func Of(ws *compile.Workspace, opt Options) *Catalogue {
	c := &Catalogue{ws: ws, opt: opt, graph: lineage.Of(ws)}
	used := c.used()
	c.mappings = pick(ws.Mappings, func(m *compile.Mapping) bool { return !m.Std || used["mapping "+m.Name] })
	c.lookups = pick(ws.Lookups, func(l *compile.Lookup) bool { return !l.Std || used["lookup "+l.Name] })
	c.schemas = pick(ws.Schemas, func(s *compile.Schema) bool { return !s.Std || used["schema "+s.Name] })
	c.pipelines = pick(ws.Pipelines, func(p *compile.Pipeline) bool { return (!p.Std || c.runs(p)) && !strings.HasPrefix(p.Name, "alerts/") })
	c.connections = pick(ws.Connections, func(n *compile.Connection) bool { return !n.Std || used["connection "+n.Name] })
	return c
}

// runs reports whether a shipped flow was asked for.
func (c *Catalogue) runs(p *compile.Pipeline) bool {
	if c.ws.Spec == nil {
		return false
	}
	for _, u := range c.ws.Spec.Use {
		if u.Value == p.Name || "std/"+u.Value == p.Name {
			return true
		}
	}
	return false
}

// used finds the shipped definitions that the workspace's own ones use.
func (c *Catalogue) used() map[string]bool {
	used := map[string]bool{}
	schema := func(s *compile.Schema) {
		if s != nil {
			used["schema "+s.Name] = true
		}
	}
	for _, p := range c.ws.Pipelines {
		if p.Std && !c.runs(p) {
			continue
		}
		schema(p.Accept)
		for _, id := range slices.Sorted(maps.Keys(p.ByID)) {
			s := p.ByID[id]
			if m := c.mapping(s); m != nil {
				used["mapping "+m.Name] = true
			}
			schema(s.Event)
			if conn, _, ok := strings.Cut(s.Target, "."); ok {
				used["connection "+conn] = true
				used["connection std/"+conn] = true
			}
		}
	}
	for _, m := range c.ws.Mappings {
		if m.Std && !used["mapping "+m.Name] {
			continue
		}
		schema(m.Input)
		schema(m.Output)
		for _, name := range c.tables(m) {
			used["lookup "+name] = true
		}
	}
	return used
}

// mapping is the mapping of a step, nil where it has none.
func (c *Catalogue) mapping(s *compile.Step) *compile.Mapping {
	if s.Map == nil {
		return nil
	}
	return c.ws.Mappings[s.Map.Name]
}

func pick[T any](all map[string]*T, keep func(*T) bool) []*T {
	var out []*T
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if keep(all[name]) {
			out = append(out, all[name])
		}
	}
	return out
}

var notInFiles = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// fileName turns the name of a definition into that of its pages.
func fileName(name string) string { return notInFiles.ReplaceAllString(name, "-") }

// plainName is the name that people use for a definition of the library.
func plainName(name string) string { return strings.TrimPrefix(name, "std/") }

var secret = regexp.MustCompile(`\$\{secret\.[^}]*\}`)

// harmless hides where secrets stand in a text.
func harmless(s string) string { return secret.ReplaceAllString(s, "(secret)") }
