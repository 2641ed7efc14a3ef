// Package dsl is the door to the language: Load reads a folder of definitions
// and returns one checked revision of it.
package dsl

import (
	"io/fs"
	"maps"
	"time"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
)

// Options says how to load.
type Options struct {
	Catalog     compile.Catalog
	Environment string            // "" = the workspace's default, or the only one
	Vars        map[string]string // win over those of the environment
	Std         fs.FS             // the shipped library; nil for none
	// AnyEnvironment accepts that none was chosen where there are several, as
	// lint does: the first by name is used.
	AnyEnvironment bool
	// Now is the time from which on schedules are looked at; the zero value is
	// the time of loading.
	Now time.Time
	// Strict runs all jq cells in the sandbox, whatever the definitions say.
	Strict bool
	// Cache makes loading the same workspace again cheap; nil for none.
	Cache *Cache
}

// Cache remembers a load, so that the next one compiles and checks only what
// changed, and what depends on that. The result is the same as without. The zero
// value is ready for use; it belongs to one folder, one Catalog, one library and
// one load at a time.
type Cache struct {
	compiled compile.Cache
	judged   lint.Memory
	trials   map[string]*trialCache // by what is tried
}

// Clone returns a Cache that knows what c knows. Each goes its own way: loads
// with one of them may run beside loads with the other. What was loaded with c
// must have been dropped (see compile.Workspace.Drop) before.
func (c *Cache) Clone() *Cache {
	next := *c
	next.trials = maps.Clone(c.trials)
	for text, t := range next.trials {
		one := *t
		next.trials[text] = &one
	}
	return &next
}

// Workspace is one revision; see compile.Workspace.
type Workspace = compile.Workspace

// Load reads, parses and compiles all definitions below fsys and runs every
// lint rule on them. The list holds all findings of all files in reading order.
// A Workspace whose list has errors must not run. The error is for a folder
// that cannot be read at all.
func Load(fsys fs.FS, opt Options) (*Workspace, diag.List, error) {
	how := compile.Options{Catalog: opt.Catalog, Environment: opt.Environment, Vars: opt.Vars, Std: opt.Std, AnyEnvironment: opt.AnyEnvironment, Strict: opt.Strict}
	var memory *lint.Memory
	if opt.Cache != nil {
		how.Cache, memory = &opt.Cache.compiled, &opt.Cache.judged
	}
	ws, list, err := compile.Load(fsys, how)
	if err != nil {
		return nil, nil, err
	}
	list.Add(lint.Run(lint.Input{Workspace: ws, Found: list, Catalog: opt.Catalog, Files: fsys, Now: opt.Now, Memory: memory})...)
	found, err := trials(fsys, opt, how, ws)
	if err != nil {
		return nil, nil, err
	}
	list.Add(found...)
	var ignores []diag.Ignore
	for path, f := range ws.Files {
		if ws.Unused(path) {
			continue // nobody looked at it
		}
		ignores = append(ignores, f.Ignores...)
	}
	return ws, diag.Suppress(agreed(consequences(causes(list.Tidy(), ws, fsys), ws, fsys), ws), ignores).Tidy(), nil
}
