package lsp

import (
	"slices"

	"crossdock/dsl/diag"
)

// document is a text that is open at the client.
type document struct {
	uri     string
	version int
	text    *diag.Text
	folder  *folder
	path    string // in the folder
}

type textDocument struct {
	URI     string `json:"uri"`
	Version int    `json:"version"`
	Text    string `json:"text"`
}

func (s *Server) didOpen(p struct {
	TextDocument textDocument `json:"textDocument"`
}) (any, error) {
	file, ok := fileOf(p.TextDocument.URI)
	if !ok {
		return nil, nil // not on disk: it belongs to no workspace
	}
	f := s.folderOf(file)
	path, ok := f.Path(file)
	if !ok {
		return nil, nil
	}
	d := &document{uri: p.TextDocument.URI, version: p.TextDocument.Version, folder: f, path: path}
	s.docs[d.uri] = d
	s.set(d, []byte(p.TextDocument.Text))
	return nil, nil
}

func (s *Server) set(d *document, text []byte) {
	d.text = diag.NewText(text)
	d.folder.Edit(d.path, text)
	d.folder.told = false
}

type contentChange struct {
	Range *Range `json:"range"`
	Text  string `json:"text"`
}

func (s *Server) didChange(p struct {
	TextDocument   textDocument    `json:"textDocument"`
	ContentChanges []contentChange `json:"contentChanges"`
}) (any, error) {
	d := s.docs[p.TextDocument.URI]
	if d == nil {
		return nil, &Error{codeParams, "the document is not open"}
	}
	d.version = p.TextDocument.Version
	text := d.text
	for _, c := range p.ContentChanges {
		if c.Range == nil {
			text = diag.NewText([]byte(c.Text))
			continue
		}
		from, to := text.Offset(s.units.point(text, c.Range.Start)), text.Offset(s.units.point(text, c.Range.End))
		text = diag.NewText(slices.Concat(text.Bytes()[:from], []byte(c.Text), text.Bytes()[max(from, to):]))
	}
	s.set(d, text.Bytes())
	return nil, nil
}

func (s *Server) didSave(p struct {
	TextDocument textDocument `json:"textDocument"`
}) (any, error) {
	if d := s.docs[p.TextDocument.URI]; d != nil {
		s.stale(d.folder)
	}
	return nil, nil
}

func (s *Server) didClose(p struct {
	TextDocument textDocument `json:"textDocument"`
}) (any, error) {
	if d := s.docs[p.TextDocument.URI]; d != nil {
		delete(s.docs, d.uri)
		d.folder.Close(d.path)
		d.folder.told = false
	}
	return nil, nil
}

func (s *Server) filesChanged(p struct {
	Changes []struct {
		URI string `json:"uri"`
	} `json:"changes"`
}) (any, error) {
	for _, c := range p.Changes {
		if file, ok := fileOf(c.URI); ok {
			s.stale(s.folderOf(file))
		}
	}
	return nil, nil
}

// stale says that a workspace has to be looked at again.
func (s *Server) stale(f *folder) {
	f.Changed()
	f.told = false
}
