// Package lsp speaks the Language Server Protocol, version 3.17, over a pair of
// streams: framing, life cycle, texts as they are typed, places in the units of
// the client. What there is to say comes from package editor.
//
// Messages are worked on one after the other, in the order in which they came; a
// request that is cancelled before its turn is not worked on. Findings are
// published when nothing else is waiting, so that typing is never held up.
package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"

	"crossdock/editor"
)

// Server serves one client.
type Server struct {
	// Options say how workspaces are loaded.
	Options editor.Options
	// Version is told to the client.
	Version string
	// Log receives what a person looking for a fault wants to know; nil for none.
	Log *slog.Logger

	conn     *conn
	queue    *queue
	units    encoding
	client   capabilities
	life     stage
	docs     map[string]*document // by address
	roots    []string             // folders the client opened
	folders  map[string]*folder   // by path on disk
	requests int                  // of ours to the client
}

// stage is how far the life of a session has come.
type stage uint8

const (
	before   stage = iota // initialize has not come
	serving               // everything is answered
	stopping              // shutdown has come
)

// errExit ends a session.
var errExit = errors.New("exit")

// Serve answers one client until it says exit, or its stream ends. It returns
// nil where the client said shutdown before.
func (s *Server) Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.conn, s.queue, s.units = newConn(in, out), newQueue(), utf16Units
	s.docs, s.folders = map[string]*document{}, map[string]*folder{}
	go s.queue.fill(s.conn) // ends with the stream, or when exit has come
	defer context.AfterFunc(ctx, s.queue.stop)()
	for {
		m, ok := s.queue.take(func() bool { return !s.settled() })
		if !ok { // nothing is waiting
			if err := s.calm(); err != nil {
				return err
			}
			continue
		}
		if m.err != nil {
			if err := s.broken(m.err); err != nil {
				return err
			}
			continue
		}
		switch err := s.handle(ctx, m); {
		case errors.Is(err, errExit) && s.life == stopping:
			return nil
		case errors.Is(err, errExit):
			return errors.New("the client said exit without shutdown")
		case err != nil:
			return err
		}
	}
}

// calm publishes what there is to say. A fault of ours costs the findings of one
// text, not the session.
func (s *Server) calm() (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.Log.Error("findings could not be made", "cause", r, "stack", string(debug.Stack()))
			err = nil
		}
	}()
	return s.settle()
}

// broken answers what was no message, or ends the session.
func (s *Server) broken(err error) error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return s.conn.answer(nil, nil, e)
	case errors.Is(err, io.EOF) && s.life == stopping:
		return errExit
	case errors.Is(err, io.EOF):
		return errors.New("the client went away")
	}
	_ = s.conn.answer(nil, nil, &Error{codeParse, err.Error()})
	return err
}

// handle works on one message. An error ends the session.
func (s *Server) handle(ctx context.Context, m incoming) error {
	request := len(m.ID) > 0
	switch {
	case m.Method == "": // an answer to a request of ours
		return nil
	case m.Method == "exit":
		return errExit
	case m.cancelled:
		return s.conn.answer(m.ID, nil, &Error{codeCancelled, "cancelled"})
	case s.life == before && m.Method != "initialize":
		if request {
			return s.conn.answer(m.ID, nil, &Error{codeNotInitialized, "initialize has to come first"})
		}
		return nil
	case s.life == stopping || s.life == serving && m.Method == "initialize":
		if request {
			return s.conn.answer(m.ID, nil, &Error{codeInvalid, m.Method + " cannot come now"})
		}
		return nil
	}
	result, err := s.call(ctx, m)
	if !request {
		if err != nil {
			s.Log.Warn("a notification was not understood", "method", m.Method, "error", err)
		}
		return nil
	}
	return s.conn.answer(m.ID, result, err)
}

// call finds the method. A fault of ours is an answer, never the end.
func (s *Server) call(ctx context.Context, m incoming) (result any, err error) {
	defer func() {
		if r := recover(); r != nil {
			s.Log.Error("a request failed", "method", m.Method, "cause", r, "stack", string(debug.Stack()))
			result, err = nil, &Error{codeInternal, "crossdock could not answer " + m.Method}
		}
	}()
	f, ok := s.methods()[m.Method]
	if !ok {
		return nil, &Error{codeNoMethod, "there is no method " + m.Method}
	}
	return f(ctx, m.Params)
}

type method func(ctx context.Context, params json.RawMessage) (any, error)

// with makes a method of a function that takes its own parameters.
func with[P any](f func(P) (any, error)) method {
	return func(_ context.Context, raw json.RawMessage) (any, error) {
		var p P
		if len(raw) > 0 {
			if err := json.Unmarshal(raw, &p); err != nil {
				return nil, &Error{codeParams, fmt.Sprintf("the parameters are not understood: %s", err)}
			}
		}
		return f(p)
	}
}

// methods are all that a client may ask.
func (s *Server) methods() map[string]method {
	return map[string]method{
		"initialize":                          with(s.initialize),
		"initialized":                         with(s.initialized),
		"shutdown":                            with(s.shutdown),
		"$/setTrace":                          with(ignore),
		"$/cancelRequest":                     with(ignore), // seen when it came
		"textDocument/didOpen":                with(s.didOpen),
		"textDocument/didChange":              with(s.didChange),
		"textDocument/didSave":                with(s.didSave),
		"textDocument/didClose":               with(s.didClose),
		"workspace/didChangeWatchedFiles":     with(s.filesChanged),
		"workspace/didChangeWorkspaceFolders": with(s.foldersChanged),
		"workspace/didChangeConfiguration":    with(ignore),
		"textDocument/completion":             with(s.completion),
		"textDocument/hover":                  s.hover,
		"textDocument/definition":             with(s.definition),
		"textDocument/references":             with(s.references),
		"textDocument/prepareRename":          with(s.prepareRename),
		"textDocument/rename":                 with(s.rename),
		"textDocument/codeAction":             with(s.codeAction),
		"textDocument/formatting":             with(s.formatting),
		"textDocument/documentSymbol":         with(s.documentSymbol),
		"workspace/symbol":                    with(s.workspaceSymbol),
	}
}

func ignore(struct{}) (any, error) { return nil, nil }

func (s *Server) shutdown(struct{}) (any, error) {
	s.life = stopping
	return nil, nil
}
