package http

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"mime/multipart"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"crossdock/connectors"
	"crossdock/runtime/message"
)

// encodeBody returns the bytes of a request and their content type; nil bytes
// where there is no body.
func encodeBody(kind, mime string, r connectors.Request) ([]byte, string, error) {
	if kind == "none" || r.Body == nil && r.Encoded == nil {
		return nil, "", nil
	}
	switch kind {
	case "json":
		if r.Encoded != nil {
			return r.Encoded, mime, nil
		}
		return message.Marshal(r.Body), mime, nil
	case "raw":
		text, ok := connectors.ScalarText(r.Body)
		if !ok {
			return nil, "", errors.New("`body: raw` needs a text, but the payload is no text")
		}
		return []byte(text), mime, nil
	case "form":
		raw, err := encodeForm(r.Body)
		return raw, mime, err
	case "multipart":
		return encodeMultipart(r.Body, r.Key)
	}
	return nil, "", fmt.Errorf("`body: %s` is not known", kind)
}

func encodeForm(body any) ([]byte, error) {
	m, ok := body.(map[string]any)
	if !ok {
		return nil, errors.New("`body: form` needs an object with one value per field")
	}
	form := url.Values{}
	for name, v := range m {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, item := range list {
			if item == nil {
				continue
			}
			text, ok := connectors.ScalarText(item)
			if !ok {
				return nil, fmt.Errorf("`body: form` takes single values, but `%s` is nested", name)
			}
			form.Add(name, text)
		}
	}
	return []byte(form.Encode()), nil
}

// encodeMultipart writes each member of the payload as one part. A member with
// `filename` is a file: its bytes are the text under `content`, or under
// `base64`.
func encodeMultipart(body any, key string) ([]byte, string, error) {
	m, ok := body.(map[string]any)
	if !ok {
		return nil, "", errors.New("`body: multipart` needs an object with one member per part")
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	if key != "" {
		// The same bytes on every attempt, so that a target that compares
		// bodies sees one and the same request.
		if err := w.SetBoundary("crossdock-" + safeBoundary(key)); err != nil {
			return nil, "", fmt.Errorf("write multipart: %w", err)
		}
	}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		list, isList := m[name].([]any)
		if !isList {
			list = []any{m[name]}
		}
		for _, item := range list {
			if err := addPart(w, name, item); err != nil {
				return nil, "", err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, "", fmt.Errorf("write multipart: %w", err)
	}
	return b.Bytes(), w.FormDataContentType(), nil
}

func safeBoundary(key string) string {
	safe := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' {
			return r
		}
		return -1
	}, key)
	return safe[:min(len(safe), 48)]
}

var quoteEscaper = strings.NewReplacer("\\", "\\\\", `"`, "%22", "\r", "%0D", "\n", "%0A")

func addPart(w *multipart.Writer, name string, v any) error {
	if v == nil {
		return nil
	}
	h := textproto.MIMEHeader{}
	disposition := `form-data; name="` + quoteEscaper.Replace(name) + `"`
	var data []byte
	if m, ok := v.(map[string]any); ok {
		if filename, isFile := m["filename"].(string); isFile {
			disposition += `; filename="` + quoteEscaper.Replace(filename) + `"`
			mime, _ := m["content_type"].(string)
			if mime == "" {
				mime = "application/octet-stream"
			}
			if !validHeaderValue(mime) {
				return fmt.Errorf("part `%s`: content_type holds a control character", name)
			}
			h.Set("Content-Type", mime)
			if encoded, ok := m["base64"].(string); ok {
				raw, err := base64.StdEncoding.DecodeString(encoded)
				if err != nil {
					return fmt.Errorf("part `%s`: `base64` cannot be decoded", name)
				}
				data = raw
			} else {
				text, ok := connectors.ScalarText(m["content"])
				if !ok {
					return fmt.Errorf("part `%s`: a file needs `content` or `base64`", name)
				}
				data = []byte(text)
			}
		}
	}
	if data == nil {
		if text, ok := connectors.ScalarText(v); ok {
			data = []byte(text)
		} else {
			data = message.Marshal(v)
			h.Set("Content-Type", "application/json")
		}
	}
	h.Set("Content-Disposition", disposition)
	part, err := w.CreatePart(h)
	if err == nil {
		_, err = part.Write(data)
	}
	if err != nil {
		return fmt.Errorf("write part %s: %w", name, err)
	}
	return nil
}
