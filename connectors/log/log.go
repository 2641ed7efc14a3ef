// Package log writes one log line per delivery: the simplest target there is,
// for first steps, tests and warnings. It masks nothing, so it is no place for
// personal data.
package log

import (
	"context"
	"fmt"
	"log/slog"
	"unicode/utf8"

	"crossdock/connectors"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/runtime/message"
)

// Connector is the kind of connection named log.
type Connector struct{}

// Settings are the keys of a log connection.
type Settings struct {
	Level   spec.Text `yaml:"level" doc:"debug, info (default), warn or error." validate:"omitempty,oneof=debug info warn error"`
	MaxSize spec.Size `yaml:"max_size" doc:"Longest payload that is written in full; 8KiB unless said otherwise."`
}

// Operation are the keys of one operation of a log connection.
type Operation struct {
	Text  spec.Text `yaml:"text" doc:"Text of the line; {name} is filled from with. The name of the operation unless said otherwise."`
	Level spec.Text `yaml:"level" doc:"debug, info, warn or error, where it is not that of the connection." validate:"omitempty,oneof=debug info warn error"`
}

// Placeholders returns the names in the text, and those that may be absent.
func (o *Operation) Placeholders() (names, optional []string) {
	t, err := connectors.ParseTemplate(o.Text.Value)
	if err != nil {
		return nil, nil
	}
	return t.Placeholders()
}

// Type implements connectors.Connector.
func (Connector) Type() string { return "log" }

// Settings implements connectors.Connector.
func (Connector) Settings() any { return &Settings{} }

// Operation implements connectors.Connector.
func (Connector) Operation() any { return &Operation{} }

// Check implements connectors.Connector.
func (Connector) Check(c connectors.Config) diag.List {
	var list diag.List
	for _, op := range c.Operations {
		own, ok := op.Own.(*Operation)
		if !ok {
			continue
		}
		if _, err := connectors.ParseTemplate(own.Text.Value); err != nil {
			list.Errorf(spec.CodeUnknown, own.Text.Span(), "%s", err)
		}
	}
	return list.Tidy()
}

// Open implements connectors.Connector.
func (Connector) Open(c connectors.Config, env connectors.Env) (connectors.Sink, error) {
	settings, ok := c.Settings.(*Settings)
	if !ok {
		return nil, fmt.Errorf("connection %s has no log settings", c.Name)
	}
	s := &sink{name: c.Name, log: env.Log, max: settings.MaxSize.Or(8 << 10), lines: map[string]line{}}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	for name, op := range c.Operations {
		own, ok := op.Own.(*Operation)
		if !ok {
			return nil, fmt.Errorf("connection %s: operation %s is no log operation", c.Name, name)
		}
		text := own.Text.Value
		if text == "" {
			text = name
		}
		t, err := connectors.ParseTemplate(text)
		if err != nil {
			return nil, fmt.Errorf("connection %s: operation %s: %w", c.Name, name, err)
		}
		word := own.Level.Value
		if word == "" {
			word = settings.Level.Value
		}
		s.lines[name] = line{t, levels[word]}
	}
	return s, nil
}

var levels = map[string]slog.Level{"": slog.LevelInfo, "debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}

type line struct {
	text  connectors.Template
	level slog.Level
}

type sink struct {
	name  string
	log   *slog.Logger
	max   int64
	lines map[string]line
}

// Deliver implements connectors.Sink.
func (s *sink) Deliver(ctx context.Context, r connectors.Request) (connectors.Response, error) {
	l, ok := s.lines[r.Operation]
	if !ok {
		return connectors.Response{}, connectors.Permanent(fmt.Errorf("connection %s has no operation `%s`", s.name, r.Operation))
	}
	text, _, err := l.text.Append(nil, r.With, func(dst []byte, text string, _ connectors.Place) ([]byte, error) { return append(dst, text...), nil })
	if err != nil {
		return connectors.Response{}, connectors.Permanent(err)
	}
	if err := ctx.Err(); err != nil {
		return connectors.Response{}, connectors.NotSent(fmt.Errorf("write log line: %w", err))
	}
	attrs := []slog.Attr{slog.String("operation", r.Operation)}
	if r.MessageID != "" {
		attrs = append(attrs, slog.String("message", r.MessageID))
	}
	if r.Key != "" {
		attrs = append(attrs, slog.String("key", r.Key))
	}
	if body := s.payload(r); body != "" {
		attrs = append(attrs, slog.String("payload", body))
	}
	s.log.LogAttrs(ctx, l.level, string(text), attrs...)
	return connectors.Response{Status: 200}, nil
}

// payload returns the payload as JSON, cut at the limit on a whole character.
func (s *sink) payload(r connectors.Request) string {
	raw := r.Encoded
	if raw == nil {
		if r.Body == nil {
			return ""
		}
		raw = message.Marshal(r.Body)
	}
	if int64(len(raw)) <= s.max {
		return string(raw)
	}
	cut := int(s.max)
	for cut > 0 && !utf8.RuneStart(raw[cut]) {
		cut--
	}
	return fmt.Sprintf("%s... (%d bytes in all)", raw[:cut], len(raw))
}

// Close implements connectors.Sink.
func (s *sink) Close() error { return nil }
