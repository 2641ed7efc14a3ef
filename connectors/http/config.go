package http

import (
	"strings"

	"crossdock/connectors"
	"crossdock/dsl/ast"
	"crossdock/dsl/spec"
)

// Settings are the keys of an http connection.
type Settings struct {
	BaseURL      spec.Text                 `yaml:"base_url" doc:"Address that the paths of all operations follow, such as https://tms.example.com/api." validate:"required"`
	Auth         *Auth                     `yaml:"auth" doc:"How crossdock proves who it is."`
	Headers      spec.Fields[TextOrSecret] `yaml:"headers" doc:"Headers of every request; values may hold ${secret.x}."`
	TLS          *TLS                      `yaml:"tls" doc:"Certificates, where the usual ones are not enough."`
	AllowPrivate []spec.Text               `yaml:"allow_private" doc:"Private addresses that may be called: networks such as 10.1.0.0/16, or host:port."`
	Proxy        spec.Text                 `yaml:"proxy" doc:"none: proxies of the environment are never used." validate:"omitempty,oneof=none"`
}

// Auth is how crossdock proves who it is. Exactly one key is set.
type Auth struct {
	Node   *ast.Node   `yaml:"-"`
	Basic  *Basic      `yaml:"basic" doc:"HTTP basic authentication."`
	Bearer spec.Secret `yaml:"bearer" doc:"A fixed token in the Authorization header."`
	APIKey *APIKey     `yaml:"api_key" doc:"A key in a header or query parameter."`
	OAuth2 *OAuth2     `yaml:"oauth2" doc:"Client credentials of OAuth 2, or what grant_type of params says."`
	HMAC   *HMAC       `yaml:"hmac" doc:"A signature over each request."`
}

// Basic is HTTP basic authentication.
type Basic struct {
	User     TextOrSecret `yaml:"user" doc:"User name." validate:"required"`
	Password spec.Secret  `yaml:"password" doc:"Password." validate:"required"`
}

// APIKey is a key in a header or query parameter.
type APIKey struct {
	Node   *ast.Node   `yaml:"-"`
	Header spec.Text   `yaml:"header" doc:"Header that carries the key."`
	Query  spec.Text   `yaml:"query" doc:"Query parameter that carries the key."`
	Value  spec.Secret `yaml:"value" doc:"The key." validate:"required"`
	Prefix spec.Text   `yaml:"prefix" doc:"Text before the key in the header, such as Token."`
}

// OAuth2 fetches access tokens with client credentials.
type OAuth2 struct {
	Node         *ast.Node                 `yaml:"-"`
	TokenPath    spec.Text                 `yaml:"token_path" doc:"Path of the token endpoint below base_url."`
	TokenURL     spec.Text                 `yaml:"token_url" doc:"Address of the token endpoint, where it is another host."`
	ClientID     TextOrSecret              `yaml:"client_id" doc:"Client ID." validate:"required"`
	ClientSecret spec.Secret               `yaml:"client_secret" doc:"Client secret." validate:"required"`
	Scopes       []string                  `yaml:"scopes" doc:"Scopes to ask for."`
	Audience     spec.Text                 `yaml:"audience" doc:"Audience to ask for."`
	Params       spec.Fields[TextOrSecret] `yaml:"params" doc:"More parameters of the token request, such as grant_type: refresh_token and refresh_token."`
	Send         spec.Text                 `yaml:"send" doc:"How the client proves itself: basic (default) or body." validate:"omitempty,oneof=basic body"`
}

// HMAC signs each request.
type HMAC struct {
	Header          spec.Text   `yaml:"header" doc:"Header that carries the signature." validate:"required"`
	Algorithm       spec.Text   `yaml:"algorithm" doc:"sha256 (default), sha1 or sha512." validate:"omitempty,oneof=sha256 sha1 sha512"`
	Encoding        spec.Text   `yaml:"encoding" doc:"hex (default) or base64." validate:"omitempty,oneof=hex base64"`
	Prefix          spec.Text   `yaml:"prefix" doc:"Text before the signature, such as sha256=."`
	Secret          spec.Secret `yaml:"secret" doc:"Signing secret." validate:"required"`
	Signed          spec.Text   `yaml:"signed" doc:"What is signed: {body} (default), also with {timestamp}, {method}, {path}, {key}."`
	TimestampHeader spec.Text   `yaml:"timestamp_header" doc:"Header that carries the time of signing, in seconds since 1970."`
}

// TLS says which certificates are used.
type TLS struct {
	Node       *ast.Node `yaml:"-"`
	CAFile     spec.Text `yaml:"ca_file" doc:"File with the certificates that are trusted instead of the system's."`
	CertFile   spec.Text `yaml:"cert_file" doc:"File with the certificate crossdock shows; it is read again when it changes."`
	KeyFile    spec.Text `yaml:"key_file" doc:"File with the key of that certificate."`
	ServerName spec.Text `yaml:"server_name" doc:"Name the certificate must be for, where it is not the host of base_url."`
	MinVersion spec.Text `yaml:"min_version" doc:"Lowest TLS version: 1.2 (default) or 1.3." validate:"omitempty,oneof=1.2 1.3"`
}

// Operation are the keys of one operation of an http connection. Exactly one
// of the method keys is set.
type Operation struct {
	Node        *ast.Node                 `yaml:"-"`
	Get         spec.Text                 `yaml:"get" doc:"Path asked with GET; {name} is filled from with."`
	Post        spec.Text                 `yaml:"post" doc:"Path called with POST; {name} is filled from with."`
	Put         spec.Text                 `yaml:"put" doc:"Path called with PUT; {name} is filled from with."`
	Patch       spec.Text                 `yaml:"patch" doc:"Path called with PATCH; {name} is filled from with."`
	Delete      spec.Text                 `yaml:"delete" doc:"Path called with DELETE; {name} is filled from with."`
	Head        spec.Text                 `yaml:"head" doc:"Path asked with HEAD; {name} is filled from with."`
	Query       spec.Fields[spec.Text]    `yaml:"query" doc:"Query parameters; a parameter with {name?} is left out where there is no value."`
	Headers     spec.Fields[TextOrSecret] `yaml:"headers" doc:"Headers of this operation; values may hold {name} or ${secret.x}."`
	Body        spec.Text                 `yaml:"body" doc:"json (default; none for GET, HEAD and DELETE), form, multipart, raw (text as it is) or none." validate:"omitempty,oneof=json form multipart raw none"`
	ContentType spec.Text                 `yaml:"content_type" doc:"Content type of the body, where it is not the usual one."`
}

// methods are the method keys with their values, in the order of the doc.
func (o *Operation) methods() []methodPath {
	all := []methodPath{
		{"GET", o.Get}, {"POST", o.Post}, {"PUT", o.Put},
		{"PATCH", o.Patch}, {"DELETE", o.Delete}, {"HEAD", o.Head},
	}
	set := all[:0]
	for _, m := range all {
		if m.path.Node != nil {
			set = append(set, m)
		}
	}
	return set
}

// ReadOnly reports whether the operation only reads: GET and HEAD promise to.
func (o *Operation) ReadOnly() bool {
	m := o.methods()
	return len(m) == 1 && (m[0].method == "GET" || m[0].method == "HEAD")
}

// SendsBody reports whether a request of the operation has a body.
func (o *Operation) SendsBody() bool {
	if o.Body.Set() {
		return o.Body.Value != "none"
	}
	for _, m := range o.methods() {
		switch m.method {
		case "GET", "HEAD", "DELETE":
			return false
		}
	}
	return true
}

type methodPath struct {
	method string
	path   spec.Text
}

// Placeholders returns the names of all placeholders of the operation, and
// those that may be absent. Broken templates count as having none: Check
// reports them.
func (o *Operation) Placeholders() (names, optional []string) {
	add := func(text string) {
		if t, err := connectors.ParseTemplate(text); err == nil {
			n, opt := t.Placeholders()
			names, optional = append(names, n...), append(optional, opt...)
		}
	}
	for _, m := range o.methods() {
		add(m.path.Value)
	}
	for _, q := range o.Query {
		add(q.Value.Value)
	}
	for _, h := range o.Headers {
		if !h.Value.Secret.Set() {
			add(h.Value.Text.Value)
		}
	}
	return names, optional
}

// TextOrSecret is a text that may be secret: with ${secret.x} in it, it is
// resolved when it is used and never printed.
type TextOrSecret struct {
	Text   spec.Text
	Secret spec.Secret
}

// Form tells what is written for one.
func (t TextOrSecret) Form() spec.Form { return spec.Form{Scalar: &spec.Scalar{}, Empty: true} }

// DecodeNode implements spec.Custom.
func (t *TextOrSecret) DecodeNode(n *ast.Node, d *spec.Decoder) {
	if n.Kind == ast.Scalar && strings.Contains(n.Text, "${secret.") {
		t.Secret.DecodeNode(n, d)
		t.Text.Node = n
		return
	}
	t.Text.DecodeNode(n, d)
}
