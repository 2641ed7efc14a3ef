package access

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// SignInOptions say which identity provider is trusted.
type SignInOptions struct {
	Issuer   string // its address, exactly as it stands in its tokens
	Audience string // the name of crossdock there
	Claim    string // where roles stand, such as roles (the default) or realm_access.roles
	Client   *http.Client
}

// SignIn recognises the tokens of one identity provider (OpenID Connect). A
// role is given by the word crossdock-viewer, crossdock-operator, ... in the
// claim, the right to see personal data by crossdock-reveal.
type SignIn struct {
	opt    SignInOptions
	keys   *keySet
	parser func(now time.Time) *jwt.Parser
}

const (
	maxJWT     = 8 << 10
	leeway     = 30 * time.Second
	rolePrefix = "crossdock-"
	revealWord = "crossdock-reveal"
)

// methods are the signatures that count. A secret shared with the provider is
// none: whoever checks such a token could make one.
var methods = []string{"RS256", "ES256", "EdDSA"}

// NewSignIn returns what checks the tokens of a provider. Its keys are fetched
// when the first token comes.
func NewSignIn(o SignInOptions) (*SignIn, error) {
	if o.Audience == "" {
		return nil, errors.New("say for whom the tokens are meant: the audience is missing")
	}
	if err := checkAddress(o.Issuer); err != nil {
		return nil, fmt.Errorf("the issuer: %w", err)
	}
	if o.Claim == "" {
		o.Claim = "roles"
	}
	if o.Client == nil {
		o.Client = &http.Client{Transport: &http.Transport{TLSHandshakeTimeout: fetchTime, ResponseHeaderTimeout: fetchTime, MaxResponseHeaderBytes: 32 << 10}}
	}
	bounded := *o.Client
	bounded.Timeout = fetchTime
	bounded.CheckRedirect = func(*http.Request, []*http.Request) error { return errors.New("it sends the caller elsewhere") }
	s := &SignIn{opt: o, keys: &keySet{issuer: o.Issuer, client: &bounded}}
	s.parser = func(now time.Time) *jwt.Parser {
		return jwt.NewParser(jwt.WithValidMethods(methods), jwt.WithIssuer(o.Issuer), jwt.WithAudience(o.Audience), jwt.WithExpirationRequired(),
			jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithTimeFunc(func() time.Time { return now }), jwt.WithStrictDecoding())
	}
	return s, nil
}

// checkAddress wants TLS, but on this machine.
func checkAddress(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return fmt.Errorf("`%s` is not an address such as https://login.example.com", text)
	}
	ip, err := netip.ParseAddr(u.Hostname())
	near := u.Hostname() == "localhost" || err == nil && ip.IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && near) {
		return fmt.Errorf("`%s` must begin with https://", text)
	}
	return nil
}

// ErrProvider says that the keys of the provider cannot be had now.
var ErrProvider = errors.New("the identity provider does not answer")

// Check recognises a token. It returns ErrRefused for one that proves nothing,
// and ErrProvider where that cannot be said now.
func (s *SignIn) Check(ctx context.Context, text string, now time.Time) (Identity, error) {
	// Decoders of base64 pass over line ends; one token has one writing.
	if len(text) > maxJWT || strings.Count(text, ".") != 2 || strings.ContainsAny(text, "\r\n") {
		return Identity{}, ErrRefused
	}
	claims := jwt.MapClaims{}
	var provider error
	_, err := s.parser(now).ParseWithClaims(text, claims, func(t *jwt.Token) (any, error) {
		for _, name := range []string{"jku", "jwk", "x5u", "x5c", "crit", "zip"} {
			if _, there := t.Header[name]; there {
				return nil, errors.New("the token brings its own key or rules")
			}
		}
		kid, ok := t.Header["kid"].(string)
		if _, there := t.Header["kid"]; there && !ok || len(kid) > 128 {
			return nil, errors.New("the name of the key is unusable")
		}
		key, err := s.keys.find(ctx, kid, t.Method.Alg(), now)
		if errors.Is(err, ErrProvider) {
			provider = err
		}
		return key, err
	})
	if provider != nil {
		return Identity{}, provider
	}
	if err != nil {
		return Identity{}, ErrRefused
	}
	name, _ := claims["sub"].(string)
	if mail, _ := claims["email"].(string); mail != "" && claims["email_verified"] == true {
		name = mail
	}
	if name == "" || len(name) > 256 {
		return Identity{}, ErrRefused
	}
	who := Identity{Name: name, Via: ViaSignIn}
	for _, word := range words(claims, s.opt.Claim) {
		if word == revealWord {
			who.Reveal = true
			continue
		}
		role, ours := strings.CutPrefix(word, rolePrefix)
		if r, err := ParseRole(role); ours && err == nil {
			who.Role = max(who.Role, r)
		}
	}
	return who, nil
}

// words reads the texts at a dotted path of claims: one text of words, or a
// list of texts.
func words(claims map[string]any, path string) []string {
	var at any = claims
	for name := range strings.SplitSeq(path, ".") {
		var m map[string]any
		switch t := at.(type) {
		case jwt.MapClaims:
			m = t
		case map[string]any:
			m = t
		}
		at = m[name]
	}
	switch t := at.(type) {
	case string:
		return strings.Fields(t)
	case []any:
		var out []string
		for _, v := range t {
			if word, ok := v.(string); ok {
				out = append(out, word)
			}
		}
		return out
	}
	return nil
}

// fetch reads a JSON document of the provider within bounds.
func fetch(ctx context.Context, client *http.Client, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %d", address, resp.StatusCode)
	}
	d := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxDocument))
	return d.Decode(into)
}
