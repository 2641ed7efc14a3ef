package dsl

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// consequences drops findings that are told already where their cause stands:
// what tests say about rows, rules and operations that a definition has lost, and
// places that want a definition by the name of its file.
func consequences(list diag.List, ws *compile.Workspace, fsys fs.FS) diag.List {
	list = misnamed(list, ws)
	list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return ofVariable(d, list, ws) })
	spoilt := unversioned(ws)
	undecided := undecided(list, ws)
	broken, told := map[string]bool{}, map[string]bool{}
	for _, d := range list {
		if strings.HasPrefix(d.Missing, compile.MissingSent) && !isTest(d) {
			told[d.Missing] = true
		}
		if d.Severity != diag.Error {
			continue
		}
		if what, _, _ := strings.Cut(d.Missing, " "); structural(d) && what != "alert" && what != "policy" {
			broken[d.Span.File] = true
		}
		if _, _, names := compile.Unbound(d.Missing); strings.HasPrefix(d.Missing, compile.MissingValue) && len(names) == 1 {
			// A value that fills no placeholder is no field that was meant to be sent.
			for line := d.Span.Start.Line; line <= d.Span.Start.Line+5; line++ {
				told[fmt.Sprint("field ", names[0], " ", d.Span.File, line)] = true
			}
		}
		if !isTest(d) && d.Missing != "" {
			told[d.Missing] = true
		}
	}
	strange := map[diag.Span]bool{} // by the place at which the value of an unknown key begins
	var cut []diag.Span             // values that a comma has ended
	for _, d := range list {
		if d.Missing == spec.CutValue && len(d.Fixes) > 0 {
			cut = append(cut, d.Fixes[0].Edits[0].Span)
		}
		if d.Missing == spec.StrangeKey {
			at := d.Span.End
			at.Col += len(": ")
			strange[diag.Span{File: d.Span.File, Start: at}] = true
		}
	}
	anyPipeline := slices.ContainsFunc(keys(broken), func(file string) bool { return kindOf(file) == "pipeline" })
	wrong := map[diag.Span]bool{}
	for _, d := range list {
		wrong[d.Span] = wrong[d.Span] || d.Severity == diag.Error
	}
	grave := map[diag.Span]bool{} // what leaves out files without which others are wrong
	list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool {
		what, name, _ := strings.Cut(d.Missing, " ")
		if d.Severity != diag.Error && d.Code[:3] == "XD2" && wrong[d.Span] {
			return true // first it has to be right at all
		}
		if d.Code == "XD2102" && told[diag.MissingPlaceholder+d.Source] {
			return true // it would be no field if it filled that
		}
		if d.Code == "XD2102" && told[fmt.Sprint("field ", d.Source, " ", d.Span.File, d.Span.Start.Line)] {
			return true
		}
		if d.Missing != spec.CutValue && slices.ContainsFunc(cut, func(s diag.Span) bool { return s.Contains(d.Span) }) {
			return true
		}
		if strange[diag.Span{File: d.Span.File, Start: d.Span.Start}] {
			return true // what it says depends on what the key was meant to be
		}
		base, _, _ := strings.Cut(name, "@")
		if cause, there := undecided[what+" "+base]; there {
			grave[cause] = grave[cause] || d.Severity == diag.Error
			return true
		}
		switch what {
		case "schema", "template":
			return spoilt[what+" "+base]
		case "row", "rule":
			return name != "" && lost(ws, what, name, broken)
		case "sent":
			pipeline, mapping, _ := strings.Cut(name, " ")
			return isTest(d) && told[d.Missing] || lost(ws, "rule", pipeline, broken) || lost(ws, "row", mapping, broken)
		case "operation", "connection":
			if isTest(d) && told[d.Missing] {
				return true
			}
			conn, _, _ := strings.Cut(name, ".")
			c := ws.Connections[conn]
			return what == "operation" && c != nil && c.File != nil && len(c.Operations) == 0 && broken[c.File.Path]
		case "columns":
			l := ws.Lookups[name]
			return l != nil && l.File != nil && broken[l.File.Path]
		case "result":
			before := told[d.Span.File+" "+d.Missing]
			told[d.Span.File+" "+d.Missing] = true
			return before
		case "policy":
			return len(ws.Policies) <= 1 && broken["crossdock.yaml"] && (ws.Spec == nil || len(ws.Spec.Policies) == 0)
		case "alert":
			return broken["crossdock.yaml"] && (ws.Spec == nil || len(ws.Spec.Alerts) == 0)
		case "pipeline":
			return name == "" && d.Severity == diag.Warning && anyPipeline
		}
		return false
	})
	for i := range list {
		if grave[list[i].Span] {
			list[i].Severity = diag.Error
		}
		if name, ok := strings.CutPrefix(list[i].Missing, compile.MissingFile); ok && list[i].Short == "" {
			list[i].Short = nearFile(fsys, list[i].Span.File, name)
		}
	}
	return list
}

// ofVariable reports whether d says of an address that a credential is in it, which
// is told of the variable from which it comes.
func ofVariable(d diag.Diagnostic, list diag.List, ws *compile.Workspace) bool {
	if d.Code != spec.CodeSecret || kindOf(d.Span.File) != "connection" || ws.Files[d.Span.File] == nil {
		return false
	}
	address := ws.Files[d.Span.File].Root.Get("base_url")
	if address == nil || address.Span != d.Span {
		return false
	}
	for file, f := range ws.Files {
		if kindOf(file) != "environment" || f.Root.Get("vars") == nil {
			continue
		}
		for _, v := range f.Root.Get("vars").Pairs {
			if strings.Contains(address.Text, "${var."+v.Key.Text+"}") &&
				slices.ContainsFunc(list, func(o diag.Diagnostic) bool { return o.Code == spec.CodeSecret && o.Span == v.Value.Span }) {
				return true
			}
		}
	}
	return false
}

// undecided returns kind and name, without version, of the definitions that clients
// do not get because something is wrong with the condition in their template, and
// where that is told.
func undecided(list diag.List, ws *compile.Workspace) map[string]diag.Span {
	out := map[string]diag.Span{}
	for _, d := range list {
		if kindOf(d.Span.File) != "template" {
			continue
		}
		for _, t := range ws.Templates {
			if t.Path != d.Span.File {
				continue
			}
			for _, part := range t.Decided(d.Span) {
				base, _, _ := strings.Cut(part.Name, "@")
				out[part.Kind+" "+base] = d.Span
			}
		}
	}
	return out
}

// unversioned returns kind and name, without version, of the definitions whose
// version is none, which is told where they stand.
func unversioned(ws *compile.Workspace) map[string]bool {
	out := map[string]bool{}
	for file, f := range ws.Files {
		kind := kindOf(file)
		if kind != "schema" && kind != "template" || f.Root == nil || f.Root.Pair(kind) == nil {
			continue
		}
		base, version, _ := strings.Cut(f.Root.Pair(kind).Value.Text, "@")
		if n, err := strconv.Atoi(version); err != nil || n <= 0 {
			out[kind+" "+base] = true
		}
	}
	return out
}

// structural reports whether a finding means that a part of the definition is
// not what its author thinks: targets, keys, rules, overrides.
func structural(d diag.Diagnostic) bool {
	return slices.Contains([]diag.Code{spec.CodeUnknown, spec.CodeEaten, "XD1101", "XD2102", "XD2103", "XD2105"}, d.Code)
}

func keys(m map[string]bool) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func kindOf(file string) string {
	k, _ := spec.KindOfFile(file)
	return k.Name
}

func isTest(d diag.Diagnostic) bool { return kindOf(d.Span.File) == "test" }

// lost reports whether the mapping (row) or pipeline (rule) of that name is made
// from a file in which something is broken.
func lost(ws *compile.Workspace, what, name string, broken map[string]bool) bool {
	var of *ast.File
	if m := ws.Mappings[name]; what == "row" && m != nil {
		of = m.File
	}
	if p := ws.Pipelines[name]; what == "rule" && p != nil {
		of = p.File
	}
	if of != nil && broken[of.Path] {
		return true
	}
	code, _, _ := strings.Cut(name, "/")
	c := ws.Clients[code]
	return c != nil && c.File != nil && broken[c.File.Path]
}

// misnamed tells once that a definition has another name than its file, where
// places want it by that of the file, and drops what these places say. Names of
// schemas have folders and versions of their own.
func misnamed(list diag.List, ws *compile.Workspace) diag.List {
	wanted := map[string]int{}
	for _, d := range list {
		if d.Severity == diag.Error && d.Missing != "" && !strings.HasPrefix(d.Missing, compile.MissingFile) {
			wanted[d.Missing]++
		}
	}
	var told diag.List
	for file, f := range ws.Files {
		kind := kindOf(file)
		stem := strings.TrimSuffix(path.Base(file), "."+kind+".yaml")
		n := wanted[kind+" "+stem]
		if n <= 0 || f.Root == nil || kind == "schema" || strings.HasPrefix(file, "std/") {
			continue
		}
		head := f.Root.Pair(kind)
		if head == nil || head.Value.Kind != ast.Scalar || head.Value.Text == stem || len(diag.Nearest(head.Value.Text, []string{stem})) == 0 {
			continue
		}
		d := diag.Diagnostic{Code: spec.CodeUnknown, Span: head.Value.Span, Kind: kind, Name: head.Value.Text, Source: head.Value.Text,
			Message: fmt.Sprintf("there is no %s `%s`, as its file is called and as it is named elsewhere", kind, stem),
			Short:   "did you mean `" + stem + "`?", Hint: "named in " + diag.Plural(n, "place")}
		if head.Value.Style == ast.Plain {
			d.Fixes = []diag.Fix{{Title: "replace with `" + stem + "`", Edits: []diag.Edit{{Span: d.Span, Text: stem}}}}
		}
		told.Add(d)
		wanted[kind+" "+stem] = -1
	}
	if len(told) == 0 {
		return list
	}
	list = slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return wanted[d.Missing] < 0 })
	return append(list, told...).Tidy()
}

// nearFile names a file that was meant where one is not there: one of that name
// in another folder, or one of nearly that name in the same.
func nearFile(fsys fs.FS, from, name string) string {
	if fsys == nil || path.IsAbs(name) {
		return ""
	}
	beside := path.Dir(from)
	var same, around []string
	_ = fs.WalkDir(fsys, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		if e.IsDir() && strings.HasPrefix(e.Name(), ".") && p != "." {
			return fs.SkipDir
		}
		switch {
		case e.IsDir():
		case path.Base(p) == path.Base(name):
			same = append(same, p)
		case path.Dir(p) == path.Join(beside, path.Dir(name)):
			around = append(around, path.Base(p))
		}
		return nil
	})
	meant := ""
	if len(same) == 1 {
		meant = same[0]
	} else if near := diag.Nearest(path.Base(name), around); len(same) == 0 && len(near) > 0 {
		meant = path.Join(beside, path.Dir(name), near[0])
	}
	if meant == "" || meant == path.Join(beside, name) {
		return ""
	}
	return "did you mean `" + relative(beside, meant) + "`?"
}

// relative writes a path of the workspace as it is named in a file of a folder.
func relative(folder, file string) string {
	if folder == "." {
		return file
	}
	up := ""
	for !strings.HasPrefix(file, folder+"/") {
		up += "../"
		if folder = path.Dir(folder); folder == "." {
			return up + file
		}
	}
	return up + strings.TrimPrefix(file, folder+"/")
}
