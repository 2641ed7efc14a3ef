// Package reload finds out what changed: on disk, and between two revisions.
package reload

import (
	"sort"

	"crossdock/dsl/compile"
)

// Change is one definition that differs between two revisions.
type Change struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	What string `json:"what"` // new, changed or removed
}

// Diff lists the definitions whose meaning differs. A changed mapping, lookup
// or schema shows the pipelines that use it as changed too.
func Diff(old, next *compile.Workspace) []Change {
	var out []Change
	out = append(out, compare("connection", digests(old.Connections, connection), digests(next.Connections, connection))...)
	out = append(out, compare("schema", digests(old.Schemas, schema), digests(next.Schemas, schema))...)
	out = append(out, compare("lookup", digests(old.Lookups, lookup), digests(next.Lookups, lookup))...)
	out = append(out, compare("mapping", digests(old.Mappings, mapping), digests(next.Mappings, mapping))...)
	out = append(out, compare("pipeline", digests(old.Pipelines, pipeline), digests(next.Pipelines, pipeline))...)
	return out
}

func connection(c *compile.Connection) string { return c.Digest }
func schema(s *compile.Schema) string         { return s.Digest }
func lookup(l *compile.Lookup) string         { return l.Digest }
func mapping(m *compile.Mapping) string       { return m.Digest }
func pipeline(p *compile.Pipeline) string     { return p.Digest }

func digests[T any](m map[string]T, digest func(T) string) map[string]string {
	out := make(map[string]string, len(m))
	for name, d := range m {
		out[name] = digest(d)
	}
	return out
}

func compare(kind string, old, next map[string]string) []Change {
	var out []Change
	for name, d := range next {
		if o, there := old[name]; !there {
			out = append(out, Change{kind, name, "new"})
		} else if o != d {
			out = append(out, Change{kind, name, "changed"})
		}
	}
	for name := range old {
		if _, there := next[name]; !there {
			out = append(out, Change{kind, name, "removed"})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
