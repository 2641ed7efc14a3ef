package diag

import (
	"bytes"
	"encoding/json"
	"io"
)

// finding is a Diagnostic for programs. The fields and their names are a
// promise to those who read them.
type finding struct {
	Code        Code         `json:"code"`
	Severity    string       `json:"severity"`
	Message     string       `json:"message"`
	File        string       `json:"file"`
	Line        int          `json:"line"`
	Col         int          `json:"col"`
	EndLine     int          `json:"end_line"`
	EndCol      int          `json:"end_col"`
	Kind        string       `json:"kind"`
	Name        string       `json:"name"`
	Row         string       `json:"row"`
	Lang        string       `json:"lang"`
	Source      string       `json:"source"`
	Clients     []string     `json:"clients,omitempty"` // whose definitions it is about, where they come from a template
	Suggestions []suggestion `json:"suggestions"`
	Doc         string       `json:"doc"`
	Fingerprint string       `json:"fingerprint"`
}

// suggestion is a change to accept, or words about it where there are no edits.
type suggestion struct {
	Title string     `json:"title"`
	Edits []jsonEdit `json:"edits"`
}

type jsonEdit struct {
	File    string `json:"file,omitempty"` // only where it is another file
	Line    int    `json:"line"`
	Col     int    `json:"col"`
	EndLine int    `json:"end_line,omitempty"` // only where it is another line
	EndCol  int    `json:"end_col"`
	Text    string `json:"text"`
}

func printJSON(w io.Writer, list List, o Options) error {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	prints := fingerprints(list)
	for i, d := range list {
		_, doc := o.rule(d.Code)
		f := finding{
			Code: d.Code, Severity: d.Severity.String(), Message: d.Message,
			File: d.Span.File, Line: d.Span.Start.Line, Col: d.Span.Start.Col, EndLine: d.Span.End.Line, EndCol: d.Span.End.Col,
			Kind: d.Kind, Name: d.Name, Row: d.Row, Lang: d.Lang, Source: d.Source,
			Clients: d.Clients, Suggestions: suggestions(d), Doc: doc, Fingerprint: prints[i],
		}
		if err := enc.Encode(f); err != nil {
			return err
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}

func suggestions(d Diagnostic) []suggestion {
	out := []suggestion{}
	for _, fix := range d.Fixes {
		s := suggestion{Title: fix.Title, Edits: []jsonEdit{}}
		for _, e := range fix.Edits {
			edit := jsonEdit{Line: e.Span.Start.Line, Col: e.Span.Start.Col, EndCol: e.Span.End.Col, Text: e.Text}
			if e.Span.File != d.Span.File {
				edit.File = e.Span.File
			}
			if e.Span.End.Line != e.Span.Start.Line {
				edit.EndLine = e.Span.End.Line
			}
			s.Edits = append(s.Edits, edit)
		}
		out = append(out, s)
	}
	for _, words := range []string{d.Short, d.Hint} {
		if words != "" {
			out = append(out, suggestion{Title: words, Edits: []jsonEdit{}})
		}
	}
	return out
}
