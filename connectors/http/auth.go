package http

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	nethttp "net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"time"

	"crossdock/connectors"
)

// auth proves who crossdock is. Its zero value proves nothing.
type auth struct {
	secrets *secrets
	conf    *Auth
	tokens  *tokens
	signed  connectors.Template
	hash    func() hash.Hash
}

func newAuth(settings *Settings, s *sink) (*auth, error) {
	a := &auth{secrets: s.secrets, conf: settings.Auth}
	if a.conf == nil {
		a.conf = &Auth{}
	}
	if a.conf.OAuth2 != nil {
		var err error
		if a.tokens, err = newTokens(a.conf.OAuth2, settings, s); err != nil {
			return nil, err
		}
	}
	if h := a.conf.HMAC; h != nil {
		text := h.Signed.Value
		if text == "" {
			text = "{body}"
		}
		var err error
		if a.signed, err = connectors.ParseTemplate(text); err != nil {
			return nil, fmt.Errorf("auth.hmac.signed: %w", err)
		}
		names, _ := a.signed.Placeholders()
		for _, name := range names {
			if !signable[name] {
				return nil, fmt.Errorf("auth.hmac.signed: {%s} is not known; use {body}, {timestamp}, {method}, {path} or {key}", name)
			}
		}
		a.hash = map[string]func() hash.Hash{"sha1": sha1.New, "sha512": sha512.New}[h.Algorithm.Value]
		if a.hash == nil {
			a.hash = sha256.New
		}
	}
	return a, nil
}

var signable = map[string]bool{"body": true, "timestamp": true, "method": true, "path": true, "key": true}

// fixed adds credentials that are the same for every request to h, and returns
// those that belong to the query.
func (a *auth) fixed(h nethttp.Header) (query string, err error) {
	switch c := a.conf; {
	case c.Basic != nil:
		user, err := a.secrets.text(c.Basic.User)
		if err != nil {
			return "", err
		}
		password, err := a.secrets.value(c.Basic.Password)
		if err != nil {
			return "", err
		}
		h.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(user.Reveal()+":"+password.Reveal())))
	case c.Bearer.Set():
		token, err := a.secrets.value(c.Bearer)
		if err != nil {
			return "", err
		}
		return "", setCredential(h, "Authorization", "Bearer "+token.Reveal())
	case c.APIKey != nil:
		sealed, err := a.secrets.value(c.APIKey.Value)
		if err != nil {
			return "", err
		}
		key := sealed.Reveal()
		if c.APIKey.Query.Set() {
			return escapeQuery(c.APIKey.Query.Value) + "=" + url.QueryEscape(key), nil
		}
		if p := c.APIKey.Prefix.Value; p != "" {
			key = p + " " + key
		}
		return "", setCredential(h, c.APIKey.Header.Value, key)
	}
	return "", nil
}

func setCredential(h nethttp.Header, name, value string) error {
	if !validHeaderValue(value) {
		return badCredential()
	}
	h.Set(name, value)
	return nil
}

func badCredential() error {
	return connectors.Permanent(errors.New("a credential holds a line break or control character; check how the secret is stored"))
}

// dynamic names the headers that sign sets.
func (a *auth) dynamic() []string {
	switch {
	case a.tokens != nil:
		return []string{"Authorization"}
	case a.conf.HMAC != nil:
		return []string{a.conf.HMAC.Header.Value, a.conf.HMAC.TimestampHeader.Value}
	}
	return nil
}

// sign adds credentials that differ between requests.
func (a *auth) sign(ctx context.Context, o *outgoing) error {
	if a.tokens != nil {
		token, err := a.tokens.get(ctx)
		if err != nil {
			return err
		}
		if !validHeaderValue(token) {
			return badCredential()
		}
		o.set("Authorization", "Bearer "+token)
		return nil
	}
	if a.conf.HMAC != nil {
		return a.hmac(o, time.Now())
	}
	return nil
}

// renew reports whether a request refused with 401 is worth sending once more:
// only with an access token that is fetched anew.
func (a *auth) renew(o *outgoing) bool {
	if a.tokens == nil {
		return false
	}
	for _, h := range o.extra {
		if h.name == "Authorization" {
			a.tokens.forget(h.value)
		}
	}
	return true
}

func (a *auth) hmac(o *outgoing, now time.Time) error {
	conf := a.conf.HMAC
	secret, err := a.secrets.value(conf.Secret)
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	path := o.path
	if o.query != "" {
		path += "?" + o.query
	}
	text, _, err := a.signed.Append(nil, map[string]any{
		"body": string(o.body), "timestamp": stamp, "method": o.method, "path": path, "key": o.key,
	}, func(dst []byte, text string, _ connectors.Place) ([]byte, error) { return append(dst, text...), nil })
	if err != nil {
		return connectors.Permanent(err)
	}
	mac := hmac.New(a.hash, []byte(secret.Reveal()))
	mac.Write(text)
	sum := mac.Sum(nil)
	signature := hex.EncodeToString(sum)
	if conf.Encoding.Value == "base64" {
		signature = base64.StdEncoding.EncodeToString(sum)
	}
	o.set(textproto.CanonicalMIMEHeaderKey(conf.Header.Value), conf.Prefix.Value+signature)
	if conf.TimestampHeader.Set() {
		o.set(textproto.CanonicalMIMEHeaderKey(conf.TimestampHeader.Value), stamp)
	}
	return nil
}
