package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/dsl/format"
	"crossdock/editor"
)

// where is a place in an open or closed file.
type where struct {
	TextDocument textDocument `json:"textDocument"`
	Position     Position     `json:"position"`
}

var errElsewhere = &Error{codeParams, "the file belongs to no workspace that is open"}

// at returns the workspace and the path of a file.
func (s *Server) at(uri string) (*folder, *editor.State, string, error) {
	var f *folder
	var path string
	if d := s.docs[uri]; d != nil {
		f, path = d.folder, d.path
	} else {
		file, ok := fileOf(uri)
		if !ok {
			return nil, nil, "", errElsewhere
		}
		f = s.folderOf(file)
		if path, ok = f.Path(file); !ok {
			return nil, nil, "", errElsewhere
		}
	}
	state, err := f.State()
	if err != nil {
		return nil, nil, "", err
	}
	return f, state, path, nil
}

func (s *Server) place(p where) (f *folder, state *editor.State, path string, at diag.Point, err error) {
	f, state, path, err = s.at(p.TextDocument.URI)
	if err == nil {
		at = s.units.point(state.Text(path), p.Position)
	}
	return f, state, path, at, err
}

func (s *Server) completion(p where) (any, error) {
	_, state, path, at, err := s.place(p)
	if err != nil {
		return nil, err
	}
	items := []any{}
	for _, i := range state.Complete(path, at) {
		insert := i.Insert
		if insert == "" {
			insert = i.Label
		}
		item := map[string]any{"label": i.Label, "kind": itemKinds[i.Kind],
			"textEdit": map[string]any{"range": s.units.span(state.Text(path), i.Replace), "newText": insert}}
		if i.Snippet {
			if s.client.TextDocument.Completion.CompletionItem.SnippetSupport {
				item["insertTextFormat"] = 2
			} else {
				item["textEdit"].(map[string]any)["newText"] = i.Label
			}
		}
		if i.Detail != "" {
			item["detail"] = i.Detail
		}
		if i.Doc != "" {
			item["documentation"] = map[string]any{"kind": "markdown", "value": i.Doc}
		}
		items = append(items, item)
	}
	return map[string]any{"isIncomplete": false, "items": items}, nil
}

// itemKinds are the kinds of the protocol for ours.
var itemKinds = map[string]int{"key": 10, "value": 12, "field": 5, "function": 3, "variable": 6, "file": 17,
	"mapping": 7, "schema": 8, "lookup": 13, "operation": 2, "connection": 9, "pipeline": 23, "policy": 21, "event": 23, "step": 6}

func (s *Server) hover(ctx context.Context, raw json.RawMessage) (any, error) {
	var p where
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, &Error{codeParams, "the parameters are not understood"}
	}
	_, state, path, at, err := s.place(p)
	if err != nil {
		return nil, err
	}
	h, ok := state.Hover(ctx, path, at)
	if !ok {
		return nil, nil
	}
	return map[string]any{"contents": map[string]any{"kind": "markdown", "value": h.Text}, "range": s.units.span(state.Text(path), h.Span)}, nil
}

func (s *Server) definition(p where) (any, error) {
	f, state, path, at, err := s.place(p)
	if err != nil {
		return nil, err
	}
	return s.locations(f, state, state.Definition(path, at)), nil
}

func (s *Server) references(p struct {
	where
	Context struct {
		IncludeDeclaration bool `json:"includeDeclaration"`
	} `json:"context"`
}) (any, error) {
	f, state, path, at, err := s.place(p.where)
	if err != nil {
		return nil, err
	}
	return s.locations(f, state, state.References(path, at, p.Context.IncludeDeclaration)), nil
}

// locations are spans as addresses. What stands in the shipped library is written
// beside the workspace, so that the client can open it.
func (s *Server) locations(f *folder, state *editor.State, spans []diag.Span) []Location {
	out := []Location{}
	for _, span := range spans {
		if strings.HasPrefix(span.File, "std/") {
			file, err := state.Materialise(span.File, ".crossdock")
			if err != nil {
				if !errors.Is(err, fs.ErrNotExist) {
					s.Log.Warn("a shipped definition cannot be shown", "file", span.File, "error", err)
				}
				continue
			}
			out = append(out, Location{uriOf(file), s.units.span(state.Text(span.File), span)})
			continue
		}
		out = append(out, s.location(f, state, span))
	}
	return out
}

func (s *Server) prepareRename(p where) (any, error) {
	_, state, path, at, err := s.place(p)
	if err != nil {
		return nil, err
	}
	span, name, err := state.CanRename(path, at)
	if err != nil {
		return nil, err
	}
	return map[string]any{"range": s.units.span(state.Text(path), span), "placeholder": name}, nil
}

func (s *Server) rename(p struct {
	where
	NewName string `json:"newName"`
}) (any, error) {
	f, state, path, at, err := s.place(p.where)
	if err != nil {
		return nil, err
	}
	change, err := state.Rename(path, at, p.NewName)
	if err != nil {
		return nil, err
	}
	return s.workspaceEdit(f, state, change), nil
}

type textEdit struct {
	Range   Range  `json:"range"`
	NewText string `json:"newText"`
}

// edits are changes of texts by address.
func (s *Server) edits(f *folder, state *editor.State, list []diag.Edit) map[string][]textEdit {
	out := map[string][]textEdit{}
	for _, e := range list {
		uri := s.uri(f, e.Span.File)
		out[uri] = append(out[uri], textEdit{s.units.span(state.Text(e.Span.File), e.Span), e.Text})
	}
	return out
}

// workspaceEdit is a change over many files. Files get new names only where the
// client can do that.
func (s *Server) workspaceEdit(f *folder, state *editor.State, c editor.Change) any {
	edits := s.edits(f, state, c.Edits)
	if !s.client.Workspace.WorkspaceEdit.DocumentChanges {
		return map[string]any{"changes": edits}
	}
	changes := []any{}
	for uri, list := range edits {
		document := map[string]any{"uri": uri, "version": nil}
		if d := s.docs[uri]; d != nil {
			document["version"] = d.version
		}
		changes = append(changes, map[string]any{"textDocument": document, "edits": list})
	}
	for _, op := range s.client.Workspace.WorkspaceEdit.ResourceOperations {
		if op != "rename" {
			continue
		}
		for from, to := range c.Files {
			changes = append(changes, map[string]any{"kind": "rename", "oldUri": s.uri(f, from), "newUri": uriOf(filepath.Join(f.Dir, filepath.FromSlash(to)))})
		}
	}
	return map[string]any{"documentChanges": changes}
}

func (s *Server) codeAction(p struct {
	TextDocument textDocument `json:"textDocument"`
	Range        Range        `json:"range"`
	Context      struct {
		Only []string `json:"only"`
	} `json:"context"`
}) (any, error) {
	f, state, path, err := s.at(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	wanted := func(kind string) bool {
		for _, o := range p.Context.Only {
			if o == kind || strings.HasPrefix(kind, o+".") {
				return true
			}
		}
		return len(p.Context.Only) == 0
	}
	t := state.Text(path)
	from, to := s.units.point(t, p.Range.Start), s.units.point(t, p.Range.End)
	out := []any{}
	var mine diag.List
	for _, d := range state.Findings {
		if d.Span.File != path || len(d.Fixes) == 0 {
			continue
		}
		mine = append(mine, d)
		if !wanted("quickfix") || d.Span.End.Less(from) || to.Less(d.Span.Start) {
			continue
		}
		for i, fix := range d.Fixes {
			out = append(out, map[string]any{"title": fix.Title, "kind": "quickfix", "isPreferred": i == 0,
				"diagnostics": []Diagnostic{s.diagnostic(f, state, d)}, "edit": map[string]any{"changes": s.edits(f, state, fix.Edits)}})
		}
	}
	if len(mine) > 0 && wanted("source.fixAll.crossdock") && len(p.Context.Only) > 0 {
		if text, n := diag.ApplyFixes(path, t.Bytes(), mine); n > 0 {
			out = append(out, map[string]any{"title": "Make all changes that findings offer", "kind": "source.fixAll.crossdock",
				"edit": map[string]any{"changes": map[string]any{p.TextDocument.URI: []textEdit{s.whole(t, text)}}}})
		}
	}
	return out, nil
}

// whole replaces a whole text.
func (s *Server) whole(t *diag.Text, text []byte) textEdit {
	end := s.units.position(t, t.Point(len(t.Bytes())))
	return textEdit{Range{Position{}, end}, string(text)}
}

func (s *Server) formatting(p struct {
	TextDocument textDocument `json:"textDocument"`
}) (any, error) {
	_, state, path, err := s.at(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	t := state.Text(path)
	out, findings := format.Format(t.Bytes())
	if findings.HasErrors() || string(out) == string(t.Bytes()) {
		return []textEdit{}, nil
	}
	return []textEdit{s.whole(t, out)}, nil
}

func (s *Server) documentSymbol(p struct {
	TextDocument textDocument `json:"textDocument"`
}) (any, error) {
	_, state, path, err := s.at(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	return s.outline(state, path, state.Outline(path)), nil
}

func (s *Server) outline(state *editor.State, path string, list []editor.Outline) []any {
	out := []any{}
	t := state.Text(path)
	for _, o := range list {
		if o.Name == "" {
			continue
		}
		kind := symbolKinds[o.Kind]
		if kind == 0 {
			kind = 20 // a key
		}
		out = append(out, map[string]any{"name": o.Name, "detail": o.Detail, "kind": kind,
			"range": s.units.span(t, o.Span), "selectionRange": s.units.span(t, o.At), "children": s.outline(state, path, o.Children)})
	}
	return out
}

var symbolKinds = map[string]int{"mapping": 5, "pipeline": 12, "schema": 11, "lookup": 18, "connection": 2, "operation": 6, "field": 8, "policy": 14,
	"test": 24, "environment": 3, "crossdock": 3, "let": 13, "step": 13, "var": 14, "template": 5, "instance": 19, "verify": 14, "alert": 24}

func (s *Server) workspaceSymbol(p struct {
	Query string `json:"query"`
}) (any, error) {
	out := []any{}
	for _, f := range s.folders {
		state, err := f.State()
		if err != nil {
			continue
		}
		for _, found := range state.Search(p.Query) {
			name, inside := found.Symbol.Name, ""
			if above, part, ok := strings.Cut(name, "#"); ok {
				name, inside = part, above
			}
			kind := symbolKinds[found.Symbol.Kind]
			if kind == 0 {
				kind = 20
			}
			out = append(out, map[string]any{"name": name, "containerName": inside, "kind": kind, "location": s.location(f, state, found.Span)})
		}
	}
	return out, nil
}
