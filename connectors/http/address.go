package http

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"crossdock/connectors"
	"crossdock/dsl/spec"
)

// base is the address that all paths of a connection follow.
type base struct {
	scheme, host string
	path         string // escaped, without a slash at the end
}

func parseBase(text string) (base, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return base{}, errors.New("base_url is not an address such as https://tms.example.com/api")
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.Hostname() == "":
		return base{}, errors.New("base_url must start with https:// or http:// and name a host")
	case strings.IndexFunc(u.Host, func(r rune) bool { return r <= ' ' || r >= 0x7f }) >= 0:
		return base{}, errors.New("base_url names a host with special characters; write it in its ASCII form, which starts with xn--")
	case u.User != nil:
		return base{}, errors.New("base_url holds a user name; credentials belong to `auth:`")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return base{}, errors.New("base_url has a query; put parameters below `query:` of the operations")
	}
	return base{u.Scheme, strings.ToLower(u.Host), strings.TrimRight(u.EscapedPath(), "/")}, nil
}

// parsePath reads the path of an operation. Its literal text is escaped once.
func parsePath(prefix, text string) (connectors.Template, error) {
	if !strings.HasPrefix(text, "/") {
		return connectors.Template{}, fmt.Errorf("the path `%s` must start with /", text)
	}
	t, err := connectors.ParseTemplate(text)
	if err != nil {
		return t, err
	}
	for _, lit := range t.Literals() {
		switch {
		case strings.ContainsAny(lit, "?#"):
			return t, fmt.Errorf("the path `%s` holds a query; put parameters below `query:`", text)
		case badEscape(lit):
			return t, fmt.Errorf("the path `%s` has a %% that is not followed by two hex digits", text)
		}
	}
	if _, optional := t.Placeholders(); len(optional) > 0 {
		return t, fmt.Errorf("{%s?} cannot be left out of a path; write {%s}", optional[0], optional[0])
	}
	if c, ok := t.Constant(); ok && dotSegment(c) {
		return t, fmt.Errorf("the path `%s` has a . or .. segment", text)
	}
	first := true
	return t.MapLiterals(func(lit string) string {
		lit = escapePath(lit)
		if first {
			lit, first = prefix+lit, false
		}
		return lit
	}), nil
}

func badEscape(s string) bool {
	for i := range len(s) {
		if s[i] == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return true
		}
	}
	return false
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

const hexDigits = "0123456789ABCDEF"

// escapePath escapes what a path cannot hold; escapes that are there stay.
func escapePath(s string) string {
	return escape(s, "-._~!$&'()*+,;=:@/%")
}

// escapeQuery escapes literal query text; & + # and what is not ASCII go.
func escapeQuery(s string) string {
	return escape(s, "-._~!$'()*,;:@/?")
}

func escape(s, keep string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(keep, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(hexDigits[c>>4])
		b.WriteByte(hexDigits[c&15])
	}
	return b.String()
}

// appendEscaped appends a value in which everything but unreserved characters
// is escaped, as fits a path segment and a query value alike. Inside quotes of
// an OData key or filter, a quote is doubled first.
func appendEscaped(dst []byte, text string, at connectors.Place) ([]byte, error) {
	for i := range len(text) {
		c := text[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			dst = append(dst, c)
		case c == '\'' && at.Quoted:
			dst = append(dst, "%27%27"...)
		case c < 0x20 || c == 0x7f:
			return dst, fmt.Errorf("the value of {%s} holds a control character", at.Name)
		default:
			dst = append(dst, '%', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst, nil
}

// appendSegment is appendEscaped for paths, where an empty value would address
// something else: DELETE /orders/{id} must not become DELETE /orders/.
func appendSegment(dst []byte, text string, at connectors.Place) ([]byte, error) {
	if text == "" {
		return dst, fmt.Errorf("the value of {%s} is empty, which would call another address", at.Name)
	}
	return appendEscaped(dst, text, at)
}

// dotSegment reports whether an escaped path has a segment . or .. for any
// reader, also one that unescapes first or takes \ for /.
func dotSegment(raw string) bool {
	if !strings.Contains(raw, ".") && !strings.Contains(raw, "%2") {
		return false
	}
	plain, err := url.PathUnescape(raw)
	if err != nil {
		return true
	}
	if again, err := url.PathUnescape(plain); err == nil {
		plain = again // a reader that unescapes twice
	}
	for seg := range strings.FieldsFuncSeq(plain, func(r rune) bool { return r == '/' || r == '\\' }) {
		if seg == "." || seg == ".." || strings.HasPrefix(seg, ".;") || strings.HasPrefix(seg, "..;") {
			return true
		}
	}
	return false
}

// param is one query parameter.
type param struct {
	name  string // escaped
	value connectors.Template
	text  string // escaped constant
	fixed bool
}

func parseQuery(fields spec.Fields[spec.Text]) ([]param, error) {
	var all []param
	for _, f := range fields {
		t, err := connectors.ParseTemplate(f.Value.Value)
		if err != nil {
			return nil, fmt.Errorf("query parameter %s: %w", f.Key.Text, err)
		}
		p := param{name: escapeQuery(f.Key.Text)}
		p.value = t.MapLiterals(escapeQuery)
		p.text, p.fixed = p.value.Constant()
		all = append(all, p)
	}
	return all, nil
}

// appendQuery renders parameters as name=value&...
func appendQuery(dst []byte, params []param, with map[string]any) ([]byte, error) {
	for _, p := range params {
		start := len(dst)
		if start > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p.name...)
		dst = append(dst, '=')
		if p.fixed {
			dst = append(dst, p.text...)
			continue
		}
		out, ok, err := p.value.Append(dst, with, appendEscaped)
		if err != nil {
			return dst, err
		}
		if !ok {
			dst = dst[:start]
			continue
		}
		dst = out
	}
	return dst, nil
}

// page resolves the address of a next page against the one that was asked.
// Only the same scheme and host are allowed.
func (b base) page(at, next string) (path, query string, err error) {
	ref, err := url.Parse(next)
	if err != nil {
		return "", "", errors.New("the address of the next page cannot be read")
	}
	from := &url.URL{Scheme: b.scheme, Host: b.host}
	if from, err = from.Parse(at); err != nil {
		return "", "", fmt.Errorf("read address: %w", err)
	}
	u := from.ResolveReference(ref)
	if u.Scheme != b.scheme || canonical(u) != canonical(&url.URL{Scheme: b.scheme, Host: b.host}) || u.User != nil || u.Opaque != "" {
		return "", "", fmt.Errorf("the next page is on another host (%s://%s), which is not followed", u.Scheme, u.Host)
	}
	if path = u.EscapedPath(); path == "" {
		path = "/"
	}
	return path, u.RawQuery, nil
}

func canonical(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}
