// Package message is one business document or event on its way through
// crossdock, and the exact JSON it carries.
//
// A Body holds JSON values only: nil, bool, string, json.Number, []any and
// map[string]any. Numbers keep the literal they arrived with. A Body that was
// handed over is never changed in place; whoever needs another one builds it.
package message

import "time"

// Ref is a business reference under which people look for a message.
type Ref struct {
	Type  string `json:"type"`
	Value string `json:"value"`
}

// Message is one document or event. Raw are the bytes as received and are kept
// until the message has ended.
type Message struct {
	ID       string
	Key      string // idempotency key of the work, "" until intake has computed it
	OrderKey string // messages of one OrderKey are worked on in order; "" = no order
	Trace    []Ref
	// OccurredAt is when it happened at the sender; zero where nobody knows.
	OccurredAt time.Time
	Meta       Meta
	Body       any
	Raw        []byte
}

// Meta is what crossdock knows about a message beside its content: `$meta` in
// jq, `meta` in expr.
type Meta struct {
	Source     string            `json:"source"` // http, schedule, files, poll or event
	ReceivedAt time.Time         `json:"received_at"`
	Headers    map[string]string `json:"headers,omitempty"` // lower-case names, without credentials
	Path       string            `json:"path,omitempty"`
	Query      map[string]string `json:"query,omitempty"`
	Consumer   string            `json:"consumer,omitempty"` // who was recognised by `verify`
	Type       string            `json:"content_type,omitempty"`
	File       *File             `json:"file,omitempty"`
	Event      *Event            `json:"event,omitempty"`
}

// File names the file a message was read from.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Record int    `json:"record,omitempty"` // 1-based position inside the file
}

// Event names the event that started a run.
type Event struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Value returns the meta data as a JSON value for jq and expr.
func (m *Meta) Value() map[string]any {
	v := map[string]any{"source": m.Source, "received_at": m.ReceivedAt.UTC().Format(time.RFC3339Nano)}
	if m.Headers != nil {
		v["headers"] = texts(m.Headers)
	}
	if m.Path != "" {
		v["path"] = m.Path
	}
	if m.Query != nil {
		v["query"] = texts(m.Query)
	}
	if m.Consumer != "" {
		v["consumer"] = m.Consumer
	}
	if m.Type != "" {
		v["content_type"] = m.Type
	}
	if m.File != nil {
		v["file"] = map[string]any{"name": m.File.Name, "size": int(m.File.Size), "sha256": m.File.SHA256, "record": m.File.Record}
	}
	if m.Event != nil {
		v["event"] = map[string]any{"id": m.Event.ID, "name": m.Event.Name}
	}
	return v
}

func texts(in map[string]string) map[string]any {
	out := make(map[string]any, len(in))
	for k, v := range in {
		out[k] = v
	}
	return out
}
