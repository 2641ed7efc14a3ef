package dsl

import (
	"bufio"
	"bytes"
	"io/fs"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// causes drops findings that would go away with another one: what stands inside
// something that YAML read in another way, keys missing from a file of which it
// left something out, and names of definitions whose file cannot be read. One
// mistake is one finding.
func causes(list diag.List, ws *compile.Workspace, fsys fs.FS) diag.List {
	gone := unreadable(list, ws, fsys)
	eaten := map[string][]diag.Diagnostic{} // by file: what YAML did not give as it was written
	for _, d := range list {
		if d.Code == spec.CodeEaten && d.Severity == diag.Error {
			eaten[d.Span.File] = append(eaten[d.Span.File], d)
		}
	}
	return slices.DeleteFunc(list, func(d diag.Diagnostic) bool {
		of := eaten[d.Span.File]
		return d.Missing == diag.MissingKey && len(of) > 0 || covered(d, of) || missed(d, gone)
	})
}

// covered reports whether d is about a part of what one of eaten, of the same
// file, says was read in another way than it was written.
func covered(d diag.Diagnostic, eaten []diag.Diagnostic) bool {
	return d.Code != spec.CodeEaten && slices.ContainsFunc(eaten, func(e diag.Diagnostic) bool {
		return e.Span.Start.Line > 0 && e.Span.Contains(d.Span)
	})
}

// unreadable returns kind and name of every definition that did not come to be.
func unreadable(list diag.List, ws *compile.Workspace, fsys fs.FS) map[string][]string {
	made := map[string]bool{}
	note := func(d compile.Definition) {
		if d.File != nil {
			made[d.File.Path] = true
		}
	}
	for _, p := range ws.Pipelines {
		note(p.Definition)
	}
	for _, c := range ws.Connections {
		note(c.Definition)
	}
	for _, m := range ws.Mappings {
		note(m.Definition)
	}
	for _, l := range ws.Lookups {
		note(l.Definition)
	}
	for _, s := range ws.Schemas {
		note(s.Definition)
	}
	gone := map[string][]string{}
	for code, c := range ws.Clients {
		if len(c.Definitions) == 0 {
			gone["client"] = append(gone["client"], code)
		}
	}
	for _, d := range list {
		kind, ok := spec.KindOfFile(d.Span.File)
		if !ok || d.Severity != diag.Error {
			continue
		}
		switch {
		case strings.HasPrefix(d.Missing, "environment "):
			gone["environment"] = append(gone["environment"], "")
		case kind.Name == "crossdock" && d.Code == spec.CodeEaten:
			gone["workspace"] = append(gone["workspace"], "")
		case kind.Name == "environment" && d.Code == spec.CodeEaten:
			gone["environment"] = append(gone["environment"], "")
		case !made[d.Span.File] || d.Span.Start.Line == 1:
			gone[kind.Name] = append(gone[kind.Name], nameIn(fsys, d.Span.File))
		}
	}
	return gone
}

// nameIn is what stands behind the kind in the first line of a file.
func nameIn(fsys fs.FS, path string) string {
	raw, err := fs.ReadFile(fsys, path)
	if err != nil {
		return ""
	}
	lines := bufio.NewScanner(bytes.NewReader(raw))
	for lines.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || strings.HasPrefix(line, "#") || line == "---" {
			continue
		}
		_, name, _ := strings.Cut(line, ":")
		name, _, _ = strings.Cut(name, " #")
		return strings.Trim(strings.TrimSpace(name), `"'`)
	}
	return ""
}

// missed reports whether d misses something that is there, in a file that
// cannot be read.
func missed(d diag.Diagnostic, gone map[string][]string) bool {
	kind, name, _ := strings.Cut(d.Missing, " ")
	if d.Missing == "" {
		return false
	}
	if code, _, ok := strings.Cut(name, "/"); ok && (slices.Contains(gone["client"], code) || slices.Contains(gone["instance"], code)) {
		return true
	}
	if len(gone["workspace"]) > 0 && slices.Contains([]string{"verification", "policy", "alert"}, kind) {
		return true
	}
	names := gone[kind]
	if name == "" {
		return len(names) > 0
	}
	return slices.ContainsFunc(names, func(n string) bool {
		return n != "" && (n == name || strings.HasPrefix(name, n+".") || strings.HasPrefix(name, n+"@"))
	})
}
