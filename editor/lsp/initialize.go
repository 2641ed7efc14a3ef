package lsp

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"crossdock/editor"
)

// errStopped ends a session from outside.
var errStopped = errors.New("stopped")

// capabilities are what we ask of a client's.
type capabilities struct {
	General struct {
		PositionEncodings []string `json:"positionEncodings"`
	} `json:"general"`
	Workspace struct {
		DidChangeWatchedFiles struct {
			DynamicRegistration bool `json:"dynamicRegistration"`
		} `json:"didChangeWatchedFiles"`
		WorkspaceEdit struct {
			DocumentChanges    bool     `json:"documentChanges"`
			ResourceOperations []string `json:"resourceOperations"`
		} `json:"workspaceEdit"`
	} `json:"workspace"`
	TextDocument struct {
		Completion struct {
			CompletionItem struct {
				SnippetSupport bool `json:"snippetSupport"`
			} `json:"completionItem"`
		} `json:"completion"`
	} `json:"textDocument"`
}

type workspaceFolder struct {
	URI  string `json:"uri"`
	Name string `json:"name"`
}

type initializeParams struct {
	RootURI               string            `json:"rootUri"`
	RootPath              string            `json:"rootPath"`
	WorkspaceFolders      []workspaceFolder `json:"workspaceFolders"`
	Capabilities          capabilities      `json:"capabilities"`
	InitializationOptions struct {
		Environment string `json:"environment"`
	} `json:"initializationOptions"`
}

func (s *Server) initialize(p initializeParams) (any, error) {
	s.life, s.client = serving, p.Capabilities
	s.units = choose(p.Capabilities.General.PositionEncodings)
	if p.InitializationOptions.Environment != "" {
		s.Options.Environment = p.InitializationOptions.Environment
	}
	folders := p.WorkspaceFolders
	switch {
	case len(folders) > 0:
	case p.RootURI != "":
		folders = []workspaceFolder{{URI: p.RootURI}}
	case p.RootPath != "":
		folders = []workspaceFolder{{URI: uriOf(p.RootPath)}}
	}
	for _, f := range folders {
		s.addRoot(f.URI)
	}
	return map[string]any{
		"capabilities": s.offers(),
		"serverInfo":   map[string]any{"name": "crossdock", "version": s.Version},
	}, nil
}

// offers are our capabilities.
func (s *Server) offers() map[string]any {
	return map[string]any{
		"positionEncoding":           s.units,
		"textDocumentSync":           map[string]any{"openClose": true, "change": 2, "save": map[string]any{"includeText": false}},
		"completionProvider":         map[string]any{"triggerCharacters": []string{".", "$", ":", " ", "\"", "{", "["}},
		"hoverProvider":              true,
		"definitionProvider":         true,
		"referencesProvider":         true,
		"renameProvider":             map[string]any{"prepareProvider": true},
		"codeActionProvider":         map[string]any{"codeActionKinds": []string{"quickfix", "source.fixAll.crossdock"}},
		"documentFormattingProvider": true,
		"documentSymbolProvider":     true,
		"workspaceSymbolProvider":    true,
		"workspace": map[string]any{
			"workspaceFolders": map[string]any{"supported": true, "changeNotifications": true},
		},
	}
}

// watched are the files whose changes matter: definitions, and what lies beside
// them.
const watched = "**/*.{yaml,yml,json,ndjson,jsonl,csv,jq,txt}"

func (s *Server) initialized(struct{}) (any, error) {
	if !s.client.Workspace.DidChangeWatchedFiles.DynamicRegistration {
		return nil, nil
	}
	return nil, s.ask("client/registerCapability", map[string]any{"registrations": []any{map[string]any{
		"id": "watch", "method": "workspace/didChangeWatchedFiles",
		"registerOptions": map[string]any{"watchers": []any{map[string]any{"globPattern": watched}}},
	}}})
}

// ask sends a request whose answer changes nothing.
func (s *Server) ask(method string, params any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return err
	}
	s.requests++
	id, err := json.Marshal(s.requests)
	if err != nil {
		return err
	}
	return s.conn.write(message{ID: id, Method: method, Params: raw})
}

// folder is one workspace and what was published about it.
type folder struct {
	*editor.Folder
	published map[string]bool // addresses with findings
	told      bool            // its findings are those of now
}

// addRoot opens the workspaces below a folder of the client: those with a
// crossdock.yaml, or the folder itself.
func (s *Server) addRoot(uri string) {
	dir, ok := fileOf(uri)
	if !ok {
		return
	}
	dir = filepath.Clean(dir)
	s.roots = append(s.roots, dir)
	for _, w := range workspacesIn(dir) {
		s.open(w)
	}
}

func (s *Server) open(dir string) *folder {
	if f := s.folders[dir]; f != nil {
		return f
	}
	f := &folder{Folder: editor.Open(dir, s.Options), published: map[string]bool{}}
	s.folders[dir] = f
	return f
}

// The search for workspaces in a folder goes so deep and finds so many.
const (
	deepest  = 5
	mostOpen = 100
)

// workspacesIn finds the folders with a crossdock.yaml; dir itself where it has
// one, or where there is none at all.
func workspacesIn(dir string) []string {
	if _, err := os.Stat(filepath.Join(dir, "crossdock.yaml")); err == nil {
		return []string{dir}
	}
	var found []string
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && d != nil && d.IsDir():
			return fs.SkipDir
		case err != nil:
			return nil
		case d.IsDir() && p != dir && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || strings.Count(p[len(dir):], string(filepath.Separator)) > deepest):
			return fs.SkipDir
		case !d.IsDir() && d.Name() == "crossdock.yaml" && len(found) < mostOpen:
			found = append(found, filepath.Dir(p))
		}
		return nil
	})
	if len(found) == 0 {
		return []string{dir}
	}
	return found
}

// folderOf returns the workspace that a file belongs to: the nearest folder
// above it with a crossdock.yaml, else the folder that the client opened, else
// the one it lies in.
func (s *Server) folderOf(file string) *folder {
	root := ""
	for _, r := range s.roots {
		if within(r, file) && len(r) > len(root) {
			root = r
		}
	}
	for dir := filepath.Dir(file); ; dir = filepath.Dir(dir) {
		if f := s.folders[dir]; f != nil && dir != root {
			return f
		}
		if _, err := os.Stat(filepath.Join(dir, "crossdock.yaml")); err == nil {
			return s.open(dir)
		}
		if dir == root || dir == filepath.Dir(dir) {
			break
		}
	}
	if root == "" {
		root = filepath.Dir(file)
	}
	return s.open(root)
}

func within(dir, file string) bool {
	rel, err := filepath.Rel(dir, file)
	return err == nil && filepath.IsLocal(rel)
}

func (s *Server) foldersChanged(p struct {
	Event struct {
		Added   []workspaceFolder `json:"added"`
		Removed []workspaceFolder `json:"removed"`
	} `json:"event"`
}) (any, error) {
	for _, f := range p.Event.Removed {
		dir, ok := fileOf(f.URI)
		if !ok {
			continue
		}
		s.roots = slices.DeleteFunc(s.roots, func(r string) bool { return r == filepath.Clean(dir) })
		for path, open := range s.folders {
			if within(filepath.Clean(dir), path) {
				s.forget(open)
				delete(s.folders, path)
			}
		}
	}
	for _, f := range p.Event.Added {
		s.addRoot(f.URI)
	}
	return nil, nil
}
