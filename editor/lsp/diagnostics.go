package lsp

import (
	"path/filepath"
	"strings"

	"crossdock/dsl/diag"
	"crossdock/editor"
)

// Diagnostic is a finding as the protocol has it.
type Diagnostic struct {
	Range              Range             `json:"range"`
	Severity           int               `json:"severity"`
	Code               string            `json:"code"`
	Source             string            `json:"source"`
	Message            string            `json:"message"`
	RelatedInformation []relatedLocation `json:"relatedInformation,omitempty"`
	Data               string            `json:"data,omitempty"` // the fingerprint
}

type relatedLocation struct {
	Location Location `json:"location"`
	Message  string   `json:"message"`
}

// Location is a range of a file.
type Location struct {
	URI   string `json:"uri"`
	Range Range  `json:"range"`
}

// settled reports whether everything was published.
func (s *Server) settled() bool {
	if s.life != serving {
		return true
	}
	for _, f := range s.folders {
		if !f.told {
			return false
		}
	}
	return true
}

// settle publishes the findings of one workspace.
func (s *Server) settle() error {
	for _, f := range s.folders {
		if f.told {
			continue
		}
		f.told = true
		return s.publish(f)
	}
	return nil
}

// publish tells the client what is wrong in a workspace, and what is no longer.
func (s *Server) publish(f *folder) error {
	state, err := f.State()
	if err != nil {
		s.Log.Warn("a workspace cannot be read", "folder", f.Dir, "error", err)
		return nil
	}
	byFile := map[string][]Diagnostic{}
	for _, d := range state.Findings {
		if d.Span.File == "" || strings.HasPrefix(d.Span.File, "std/") {
			continue
		}
		uri := s.uri(f, d.Span.File)
		byFile[uri] = append(byFile[uri], s.diagnostic(f, state, d))
	}
	for uri := range f.published {
		if byFile[uri] == nil {
			byFile[uri] = []Diagnostic{}
		}
	}
	for _, d := range s.docs { // a clean file that is open is told so
		if d.folder == f && byFile[d.uri] == nil {
			byFile[d.uri] = []Diagnostic{}
		}
	}
	f.published = map[string]bool{}
	for uri, list := range byFile {
		if len(list) > 0 {
			f.published[uri] = true
		}
		params := map[string]any{"uri": uri, "diagnostics": list}
		if d := s.docs[uri]; d != nil {
			params["version"] = d.version
		}
		if err := s.conn.notify("textDocument/publishDiagnostics", params); err != nil {
			return err
		}
	}
	return nil
}

// forget takes back what was published about a workspace.
func (s *Server) forget(f *folder) {
	for uri := range f.published {
		_ = s.conn.notify("textDocument/publishDiagnostics", map[string]any{"uri": uri, "diagnostics": []Diagnostic{}})
	}
}

// diagnostic is a finding in the words of the protocol.
func (s *Server) diagnostic(f *folder, state *editor.State, d diag.Diagnostic) Diagnostic {
	out := Diagnostic{
		Range: s.units.span(state.Text(d.Span.File), d.Span), Severity: 1, Code: string(d.Code), Source: "crossdock",
		Message: words(d), Data: d.Fingerprint(),
	}
	if d.Severity == diag.Warning {
		out.Severity = 2
	}
	for _, r := range d.Related {
		out.RelatedInformation = append(out.RelatedInformation, relatedLocation{s.location(f, state, r.Span), r.Message})
	}
	return out
}

// words are all that a finding says, as there is only one text.
func words(d diag.Diagnostic) string {
	text := d.Message
	if d.Short != "" {
		text += "\n" + d.Short
	}
	if d.Hint != "" {
		text += "\n" + d.Hint
	}
	return text
}

func (s *Server) location(f *folder, state *editor.State, span diag.Span) Location {
	return Location{s.uri(f, span.File), s.units.span(state.Text(span.File), span)}
}

// uri is the address of a file of a workspace, as the client writes it where it
// has the file open.
func (s *Server) uri(f *folder, path string) string {
	for _, d := range s.docs {
		if d.folder == f && d.path == path {
			return d.uri
		}
	}
	return uriOf(filepath.Join(f.Dir, filepath.FromSlash(path)))
}
