package http

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"unicode/utf8"

	"crossdock/runtime/message"
)

// readBounded reads up to limit bytes; cut says that there were more. length
// is the announced length, -1 where it is not known.
func readBounded(r io.Reader, length, limit int64) (raw []byte, cut bool, err error) {
	if length == 0 {
		return nil, false, nil
	}
	if 0 < length && length <= limit {
		raw = make([]byte, length, length+1)
		if _, err := io.ReadFull(r, raw); err != nil {
			return nil, false, err
		}
		// The end must be seen for the connection to be used again.
		if _, err := r.Read(raw[length : length+1]); err != nil && err != io.EOF {
			return nil, false, err
		}
		return raw, false, nil
	}
	raw, err = io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, false, err
	}
	if int64(len(raw)) > limit {
		return raw[:limit], true, nil
	}
	return raw, false, nil
}

// decodeAnswer returns the JSON value of an answer, its text where it is no
// JSON, and nil where it is empty.
func decodeAnswer(mime string, raw []byte) any {
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil
	}
	if isJSON(mime, raw) {
		if v, err := message.Decode(raw, message.Limits{}); err == nil {
			return v
		}
		// What the other side did cannot be undone by refusing how it writes:
		// repeated keys and the like are read as most readers do.
		d := json.NewDecoder(bytes.NewReader(raw))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err == nil {
			if _, err := d.Token(); err == io.EOF && tame(v, message.DefaultDepth) {
				return v
			}
		}
	}
	if !utf8.Valid(raw) {
		return strings.ToValidUTF8(string(raw), "\uFFFD")
	}
	return string(raw)
}

// tame reports whether v is no deeper and has no longer numbers than a message
// may have. Others stay text: what reads an answer need not stand them.
func tame(v any, depth int) bool {
	switch t := v.(type) {
	case json.Number:
		return len(t) <= message.DefaultNumber
	case []any:
		if depth == 0 {
			return false
		}
		for _, e := range t {
			if !tame(e, depth-1) {
				return false
			}
		}
	case map[string]any:
		if depth == 0 {
			return false
		}
		for _, e := range t {
			if !tame(e, depth-1) {
				return false
			}
		}
	}
	return true
}

// isJSON tells JSON by its content type, and by its first character where the
// type is missing or says nothing.
func isJSON(mime string, raw []byte) bool {
	mime, _, _ = strings.Cut(mime, ";")
	mime = strings.ToLower(strings.TrimSpace(mime))
	switch {
	case mime == "application/json", strings.HasSuffix(mime, "+json"), mime == "text/json":
		return true
	case mime == "", mime == "text/plain", mime == "application/octet-stream":
		first := bytes.TrimLeft(raw, " \t\r\n")
		return len(first) > 0 && (first[0] == '{' || first[0] == '[')
	}
	return false
}

// lowered are the usual header names, so that no text is made for them.
var lowered = map[string]string{
	"Content-Type": "content-type", "Content-Length": "content-length", "Date": "date",
	"Server": "server", "Retry-After": "retry-after", "Etag": "etag", "Location": "location",
	"Cache-Control": "cache-control", "Connection": "connection", "Vary": "vary",
}
