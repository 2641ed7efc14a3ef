package dsl

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
	"crossdock/dsl/template"
)

// trialCache is what is remembered of one trial.
type trialCache struct {
	compiled compile.Cache
	judged   lint.Memory
}

// trials looks at the files of templates that no client gets: a new version, or
// what only other values of the parameters bring in. They are compiled and
// checked as those of a client would be, in a workspace with that client alone.
// What it finds anywhere else, or where a value was invented, is left out.
func trials(fsys fs.FS, opt Options, how compile.Options, ws *Workspace) (diag.List, error) {
	untaken := ws.Untaken()
	var out diag.List
	var kept map[string]*trialCache
	for _, name := range slices.Sorted(maps.Keys(ws.Templates)) {
		t := ws.Templates[name]
		for _, trial := range t.Trials(alike(ws, t), untaken) {
			var memory *lint.Memory
			if how.Cache = nil; opt.Cache != nil {
				c := opt.Cache.trials[string(trial.Text)]
				if c == nil {
					c = &trialCache{}
				}
				if kept == nil {
					kept = map[string]*trialCache{}
				}
				kept[string(trial.Text)], how.Cache, memory = c, &c.compiled, &c.judged
			}
			how.Trial = &trial
			tried, found, err := compile.Load(fsys, how)
			if err != nil {
				return nil, err
			}
			found.Add(lint.Run(lint.Input{Workspace: tried, Found: found, Catalog: opt.Catalog, Files: fsys, Now: opt.Now, Memory: memory})...)
			for _, d := range found {
				if slices.Contains(trial.Gets, d.Span.File) && !invents(tried, d.Span, trial.Invented) {
					d.Clients = nil
					out.Add(d)
				}
			}
			ws.Trials = append(ws.Trials, tried)
		}
	}
	if opt.Cache != nil {
		opt.Cache.trials = kept
	}
	return out, nil
}

// alike are the clients of the template and of other versions of it, its own
// first: their values say more than invented ones.
func alike(ws *Workspace, t *template.Template) []*template.Instance {
	var own, others []*template.Instance
	for _, code := range slices.Sorted(maps.Keys(ws.Clients)) {
		c := ws.Clients[code]
		switch base, _, _ := strings.Cut(c.Spec.Of.Value, "@"); {
		case c.Spec.Of.Value == t.Name:
			own = append(own, c.Instance)
		case base == t.Base:
			others = append(others, c.Instance)
		}
	}
	return append(own, others...)
}

// invents reports whether a place holds a value that was invented.
func invents(ws *Workspace, at diag.Span, invented []string) bool {
	f := ws.Files[at.File]
	if f == nil || len(invented) == 0 {
		return false
	}
	lines := bytes.Split(f.Source, []byte("\n"))
	for line := max(at.Start.Line, 1); line <= min(at.End.Line, len(lines)); line++ {
		if template.Invents(string(lines[line-1]), invented) {
			return true
		}
	}
	return false
}
