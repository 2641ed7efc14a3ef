package http

import (
	"fmt"
	"net/netip"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"

	"crossdock/connectors"
	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Check implements connectors.Connector.
func (Connector) Check(c connectors.Config) diag.List {
	k := &checker{}
	s, ok := c.Settings.(*Settings)
	if !ok {
		return nil
	}
	k.address(s)
	k.auth(s)
	k.headers(s.Headers, nil)
	if t := s.TLS; t != nil && t.CertFile.Set() != t.KeyFile.Set() {
		k.errorf(spec.CodeUnknown, span(t.Node), "`cert_file` and `key_file` go together")
	}
	for _, a := range s.AllowPrivate {
		if _, err := newGuard([]string{a.Value}); err != nil {
			k.errorf(spec.CodeUnknown, a.Span(), "%s", err)
		}
	}
	for _, op := range c.Operations {
		if own, ok := op.Own.(*Operation); ok {
			k.operation(op, own)
		}
	}
	return k.list.Tidy()
}

// unfilled is a name in braces, as paths of operations have them.
var unfilled = regexp.MustCompile(`(?:^|[^$])(\{\{?\s*\.?([A-Za-z_]\w*)\??\s*\}?\})`)

// shell is a variable as shells write it.
var shell = regexp.MustCompile(`^\$([A-Za-z_]\w*)`)

type checker struct{ list diag.List }

func (k *checker) errorf(code diag.Code, at diag.Span, format string, args ...any) *diag.Diagnostic {
	return k.list.Errorf(code, at, format, args...)
}

func span(n *ast.Node) diag.Span {
	if n == nil {
		return diag.Span{}
	}
	if n.Kind == ast.Map && len(n.Pairs) > 0 {
		return n.Pairs[0].Key.Span
	}
	return n.Span
}

func (k *checker) address(s *Settings) {
	if !s.BaseURL.Set() {
		return
	}
	written := s.BaseURL.Node.Text // without the values of variables
	if m := unfilled.FindStringSubmatchIndex(written); m != nil {
		name := strings.ToLower(written[m[4]:m[5]])
		k.errorf(spec.CodeUnknown, s.BaseURL.Node.Range(m[2], m[3]), "`%s` is sent as it is: nothing fills the braces of base_url", written[m[2]:m[3]]).
			Hint = "write ${var." + name + "} for a value of the environment, in a template ${param." + name + "}; what differs from message to message stands as {" + name + "} in the path of an operation"
		return
	}
	if _, err := parseBase(s.BaseURL.Value); err != nil {
		code := spec.CodeUnknown
		if u, e := url.Parse(s.BaseURL.Value); e == nil && u.User != nil {
			code = spec.CodeSecret
		}
		f := k.errorf(code, s.BaseURL.Span(), "%s", err)
		if m := shell.FindStringSubmatch(s.BaseURL.Value); m != nil {
			f.Hint = "a variable of the environment is written ${var." + strings.ToLower(m[1]) + "}"
		}
		return
	}
	u, err := url.Parse(s.BaseURL.Value)
	if err != nil {
		return
	}
	host := u.Hostname()
	if host == "localhost" {
		host = "127.0.0.1"
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return
	}
	what := privateKind(a)
	if what == "" {
		return
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	entries := make([]string, 0, len(s.AllowPrivate))
	for _, e := range s.AllowPrivate {
		entries = append(entries, e.Value)
	}
	g, err := newGuard(entries)
	if err != nil || g.hosts[strings.ToLower(u.Hostname())+":"+port] || g.check(netip.AddrPortFrom(a, 80).String(), false) == nil {
		return
	}
	k.errorf(spec.CodeUnknown, s.BaseURL.Span(), "%s is %s, and such addresses are not called", u.Hostname(), what).
		Hint = fmt.Sprintf("if it is meant, add `allow_private: [\"%s:%s\"]`", u.Hostname(), port)
}

func (k *checker) auth(s *Settings) {
	a := s.Auth
	if a == nil || a.Node == nil { // or it is no map, which is said
		return
	}
	var set []string
	for _, one := range []struct {
		name string
		is   bool
	}{{"basic", a.Basic != nil}, {"bearer", a.Bearer.Node != nil}, {"api_key", a.APIKey != nil}, {"oauth2", a.OAuth2 != nil}, {"hmac", a.HMAC != nil}} {
		if one.is {
			set = append(set, one.name)
		}
	}
	if len(set) != 1 {
		k.errorf(spec.CodeUnknown, span(a.Node), "`auth` takes exactly one of basic, bearer, api_key, oauth2 and hmac")
		return
	}
	if key := a.APIKey; key != nil && key.Header.Set() == key.Query.Set() {
		k.errorf(spec.CodeUnknown, span(key.Node), "`api_key` needs either `header` or `query`")
	}
	if o := a.OAuth2; o != nil {
		if o.TokenPath.Set() == o.TokenURL.Set() {
			k.errorf(spec.CodeUnknown, span(o.Node), "`oauth2` needs either `token_path` or `token_url`")
		} else if _, err := parseToken(o.TokenURL.Value); o.TokenURL.Set() && err != nil {
			k.errorf(spec.CodeUnknown, o.TokenURL.Span(), "%s", err)
		} else if o.TokenPath.Set() && !strings.HasPrefix(o.TokenPath.Value, "/") {
			f := k.errorf(spec.CodeUnknown, o.TokenPath.Span(), "`token_path` must start with /")
			if strings.Contains(o.TokenPath.Value, "://") {
				f.Hint = "a whole address is written as `token_url: " + o.TokenPath.Value + "`"
			}
		}
	}
	if h := a.HMAC; h != nil {
		if _, err := newAuth(&Settings{Auth: &Auth{HMAC: h}}, &sink{}); err != nil {
			k.errorf(spec.CodeUnknown, h.Signed.Span(), "%s", err)
		} else if strings.Contains(h.Signed.Value, "{timestamp}") && !h.TimestampHeader.Set() {
			k.errorf(spec.CodeUnknown, h.Signed.Span(), "{timestamp} is signed, but no header carries it, so the other side cannot check the signature").
				Hint = "add `timestamp_header:` with the header in which it expects the time, or leave {timestamp} out"
		}
	}
	for _, h := range s.Headers {
		if strings.EqualFold(h.Key.Text, "Authorization") && a.HMAC == nil && a.APIKey == nil {
			k.errorf(spec.CodeUnknown, h.Key.Span, "`Authorization` is already set by `auth`")
		}
	}
}

// reserved are the headers that belong to the transport.
var reserved = map[string]bool{
	"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Keep-Alive": true,
	"Upgrade": true, "Te": true, "Trailer": true, "Proxy-Authorization": true, "Proxy-Connection": true, "Expect": true,
	"Accept-Encoding": true,
}

func (k *checker) headers(all spec.Fields[TextOrSecret], op *Operation) {
	for _, h := range all {
		name := textproto.CanonicalMIMEHeaderKey(h.Key.Text)
		switch {
		case !token(h.Key.Text):
			k.errorf(spec.CodeUnknown, h.Key.Span, "`%s` cannot be the name of a header", h.Key.Text)
			continue
		case reserved[name]:
			k.errorf(spec.CodeUnknown, h.Key.Span, "the header `%s` is set by crossdock itself", name)
			continue
		case name == "Content-Type" && op != nil:
			k.errorf(spec.CodeUnknown, h.Key.Span, "the content type of an operation has a key of its own").Hint = "write `content_type:` beside `body:`"
			continue
		}
		if h.Value.Secret.Set() {
			continue
		}
		t, err := connectors.ParseTemplate(h.Value.Text.Value)
		if err != nil {
			k.errorf(spec.CodeUnknown, h.Value.Text.Span(), "%s", err)
			continue
		}
		_, fixed := t.Constant()
		switch {
		case !fixed && op == nil:
			k.errorf(spec.CodeUnknown, h.Value.Text.Span(), "headers of a connection hold no {name}").Hint = "put it below `headers:` of the operation"
		case !fixed && (name == "Authorization" || name == "Cookie"):
			k.errorf(spec.CodeSecret, h.Value.Text.Span(), "`%s` cannot be filled from a message", name).Hint = "use `auth:` of the connection"
		case fixed && (name == "Authorization" || name == "Cookie"):
			k.errorf(spec.CodeSecret, h.Value.Text.Span(), "a credential is written in this file").Hint = "write ${secret.some_name} and keep the value outside"
		case !validHeaderValue(h.Value.Text.Value):
			k.errorf(spec.CodeUnknown, h.Value.Text.Span(), "a header cannot hold line breaks or control characters")
		}
	}
}

func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// colons are placeholders of other tools in a path, dotted is a path of jq that
// stands where a text does, twice a placeholder of templates.
var (
	colons = regexp.MustCompile(`/(:[A-Za-z_]\w*)(?:/|$)`)
	dotted = regexp.MustCompile(`^\$?\.([A-Za-z_]\w*)$`)
	twice  = regexp.MustCompile(`\{\{\s*\.?([A-Za-z_][\w.-]*)\s*\}\}`)
)

// relative is a path that lacks only the slash in front.
var relative = regexp.MustCompile(`^[\w{][\w{}-]*(/[^:?#]*)?$`)

// doubled reports placeholders as templates of other tools have them: two braces
// stand for one that is sent.
func (k *checker) doubled(t spec.Text) {
	at := twice.FindStringSubmatchIndex(t.Value)
	if at == nil || t.Node == nil || t.Value != t.Node.Text {
		return
	}
	name := t.Value[at[2]:at[3]]
	f := k.errorf(spec.CodeUnknown, t.Node.Range(at[0], at[1]), "`%s` is sent as {%s}: two braces stand for the sign itself", t.Value[at[0]:at[1]], name)
	f.Hint, f.Missing = "a placeholder is written {"+name+"}", diag.MissingPlaceholder+name
}

func (k *checker) operation(op connectors.Operation, own *Operation) {
	methods := own.methods()
	if len(methods) != 1 {
		k.errorf(spec.CodeUnknown, span(own.Node), "operation `%s` needs exactly one of get, post, put, patch, delete and head", op.Name).
			Hint = "such as `post: /shipments`"
		return
	}
	m := methods[0]
	if _, err := parsePath("", m.path.Value); err != nil {
		f := k.errorf(spec.CodeUnknown, m.path.Span(), "%s", err)
		if relative.MatchString(m.path.Value) {
			f.Hint = "write `/" + m.path.Value + "`"
			if n := m.path.Node; n != nil && n.Text == m.path.Value && n.Style == ast.Plain {
				f.Fixes = []diag.Fix{{Title: "replace with `/" + n.Text + "`", Edits: []diag.Edit{{Span: n.Span, Text: "/" + n.Text}}}}
			}
		}
	}
	if at := colons.FindStringSubmatchIndex(m.path.Value); at != nil && m.path.Node != nil {
		name := m.path.Value[at[2]+1 : at[3]]
		f := k.errorf(spec.CodeUnknown, m.path.Node.Range(at[2], at[3]), "`:%s` is sent as it is", name)
		f.Hint, f.Missing = "a placeholder is written {"+name+"}", diag.MissingPlaceholder+name
	}
	k.doubled(m.path)
	if own.Body.Set() && own.Body.Value != "none" && (m.method == "GET" || m.method == "HEAD") {
		k.errorf(spec.CodeUnknown, own.Body.Span(), "%s sends no body", m.method)
	}
	for _, q := range own.Query {
		if _, err := connectors.ParseTemplate(q.Value.Value); err != nil {
			k.errorf(spec.CodeUnknown, q.Value.Span(), "%s", err)
		}
		k.doubled(q.Value)
		if m := dotted.FindStringSubmatch(q.Value.Value); m != nil {
			k.errorf(spec.CodeUnknown, q.Value.Span(), "`%s` is sent as it is: nothing is computed here", q.Value.Value).
				Hint = "write `\"{" + m[1] + "}\"`, and with: {" + m[1] + ": ...} where it is called"
		}
	}
	if op.Header != "" && (!token(op.Header) || reserved[textproto.CanonicalMIMEHeaderKey(op.Header)]) {
		k.errorf(spec.CodeUnknown, span(own.Node), "`%s` cannot carry the idempotency key", op.Header)
	}
	k.headers(own.Headers, own)
}
