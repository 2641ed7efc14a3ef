// Package dsl is the door to the language: Load reads a folder of definitions
// and returns one checked revision of it.
package dsl

import (
	"io/fs"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
)

// Options says how to load; see compile.Options.
type Options = compile.Options

// Workspace is one revision; see compile.Workspace.
type Workspace = compile.Workspace

// Load reads, parses and compiles all definitions below fsys and runs every
// lint rule on them. The list holds all findings of all files in reading order.
// A Workspace whose list has errors must not run. The error is for a folder
// that cannot be read at all.
func Load(fsys fs.FS, opt Options) (*Workspace, diag.List, error) {
	ws, list, err := compile.Load(fsys, opt)
	if err != nil {
		return nil, nil, err
	}
	list.Add(lint.Run(lint.Input{Workspace: ws, Found: list, Catalog: opt.Catalog, Files: fsys, Now: opt.Now})...)
	var ignores []diag.Ignore
	for _, f := range ws.Files {
		if f != nil {
			ignores = append(ignores, f.Ignores...)
		}
	}
	return ws, diag.Suppress(causes(list.Tidy(), ws, fsys), ignores).Tidy(), nil
}
