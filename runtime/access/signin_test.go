package access_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crossdock/runtime/access"
)

// provider is an identity provider on this machine.
type provider struct {
	t       *testing.T
	server  *httptest.Server
	rsa     *rsa.PrivateKey
	ec      *ecdsa.PrivateKey
	ed      ed25519.PrivateKey
	asked   atomic.Int64
	down    atomic.Bool
	keys    atomic.Value // string, instead of its own
	strayed atomic.Int64 // requests for anything but its two documents
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t}
	var err error
	if p.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if p.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, p.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	point, err := p.ec.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	own := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"r","use":"sig","n":%q,"e":%q},{"kty":"EC","kid":"e","crv":"P-256","x":%q,"y":%q},
		{"kty":"OKP","kid":"d","crv":"Ed25519","x":%q},{"kty":"oct","kid":"o","k":"c2VjcmV0"},{"kty":"RSA","kid":"enc","use":"enc","n":%q,"e":"AQAB"}]}`,
		b64(p.rsa.N.Bytes()), b64(big.NewInt(int64(p.rsa.E)).Bytes()), b64(point[1:33]), b64(point[33:]), b64(p.ed.Public().(ed25519.PublicKey)), b64(p.rsa.N.Bytes()))
	p.keys.Store(own)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case p.down.Load():
			w.WriteHeader(503)
		case r.URL.Path == "/.well-known/openid-configuration":
			fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q}`, p.server.URL, p.server.URL+"/keys")
		case r.URL.Path == "/keys":
			p.asked.Add(1)
			fmt.Fprint(w, p.keys.Load())
		default:
			p.strayed.Add(1)
		}
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *provider) signIn() *access.SignIn {
	p.t.Helper()
	s, err := access.NewSignIn(access.SignInOptions{Issuer: p.server.URL, Audience: "crossdock"})
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

type claims map[string]any

// claims are those of a good token; changes with a nil value are left out.
func (p *provider) claims(changes claims) claims {
	c := claims{"iss": p.server.URL, "aud": "crossdock", "sub": "u1", "exp": noon.Add(time.Hour).Unix(), "iat": noon.Unix(), "roles": []string{"crossdock-operator"}}
	for k, v := range changes {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return c
}

// sign makes a token with a header and claims.
func (p *provider) sign(header, body claims) string {
	p.t.Helper()
	h, err := json.Marshal(header)
	if err != nil {
		p.t.Fatal(err)
	}
	b, err := json.Marshal(body)
	if err != nil {
		p.t.Fatal(err)
	}
	text := b64(h) + "." + b64(b)
	sum := sha256.Sum256([]byte(text))
	var sig []byte
	switch header["alg"] {
	case "RS256", "rs256":
		sig, err = rsa.SignPKCS1v15(rand.Reader, p.rsa, crypto.SHA256, sum[:])
	case "PS256":
		sig, err = rsa.SignPSS(rand.Reader, p.rsa, crypto.SHA256, sum[:], nil)
	case "ES256":
		r, s, signed := ecdsa.Sign(rand.Reader, p.ec, sum[:])
		sig, err = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...), signed
	case "EdDSA":
		sig = ed25519.Sign(p.ed, []byte(text))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return text + "." + b64(sig)
}

// withSecret makes an HS256 token from any bytes.
func (p *provider) withSecret(secret []byte, body claims) string {
	text := strings.TrimSuffix(p.sign(claims{"alg": "HS256", "kid": "r"}, body), ".")
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(text))
	return text + "." + b64(m.Sum(nil))
}

func TestGoodTokensOfAProvider(t *testing.T) {
	p := newProvider(t)
	s := p.signIn()
	for alg, kid := range map[string]string{"RS256": "r", "ES256": "e", "EdDSA": "d"} {
		for _, header := range []claims{{"alg": alg, "kid": kid}, {"alg": alg, "typ": "JWT"}} {
			who, err := s.Check(t.Context(), p.sign(header, p.claims(nil)), noon)
			if err != nil || who != (access.Identity{Name: "u1", Via: access.ViaSignIn, Role: access.Operator}) {
				t.Errorf("%v: %+v %v", header, who, err)
			}
		}
	}
	for _, c := range []struct {
		change claims
		want   access.Identity
	}{
		{claims{"roles": "crossdock-viewer crossdock-reveal other"}, access.Identity{Name: "u1", Role: access.Viewer, Reveal: true}},
		{claims{"roles": []any{"crossdock-viewer", "crossdock-admin", 7}}, access.Identity{Name: "u1", Role: access.Admin}},
		{claims{"roles": []string{"admin", "crossdock-root", "Crossdock-admin"}}, access.Identity{Name: "u1"}},
		{claims{"roles": nil}, access.Identity{Name: "u1"}},
		{claims{"email": "anna@example.com", "email_verified": true}, access.Identity{Name: "anna@example.com", Role: access.Operator}},
		{claims{"email": "chief@example.com"}, access.Identity{Name: "u1", Role: access.Operator}},
		{claims{"aud": []string{"other", "crossdock"}}, access.Identity{Name: "u1", Role: access.Operator}},
		{claims{"exp": noon.Add(-20 * time.Second).Unix()}, access.Identity{Name: "u1", Role: access.Operator}}, // clocks differ a little
	} {
		c.want.Via = access.ViaSignIn
		who, err := s.Check(t.Context(), p.sign(claims{"alg": "RS256", "kid": "r"}, p.claims(c.change)), noon)
		if err != nil || who != c.want {
			t.Errorf("%v: %+v %v", c.change, who, err)
		}
	}
}

// TestHostileTokens: none is taken, and none makes crossdock ask anybody but
// the provider.
func TestHostileTokens(t *testing.T) {
	p := newProvider(t)
	s := p.signIn()
	good := p.sign(claims{"alg": "RS256", "kid": "r"}, p.claims(nil))
	if _, err := s.Check(t.Context(), good, noon); err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&p.rsa.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	parts := strings.Split(good, ".")
	rs := func(change claims) string { return p.sign(claims{"alg": "RS256", "kid": "r"}, p.claims(change)) }
	header := func(change claims) string {
		h := claims{"alg": "RS256", "kid": "r"}
		for k, v := range change {
			h[k] = v
		}
		return p.sign(h, p.claims(nil))
	}
	hostile := map[string]string{
		"nothing":                     "",
		"dots":                        "..",
		"a megabyte of dots":          strings.Repeat(".", 1<<20),
		"a megabyte of header":        strings.Repeat("A", 1<<20) + ".e30.AA",
		"8 KiB and one":               good + strings.Repeat("A", 8<<10),
		"alg none":                    p.sign(claims{"alg": "none"}, p.claims(nil)),
		"alg None":                    p.sign(claims{"alg": "None"}, p.claims(nil)),
		"alg nOnE with a signature":   b64([]byte(`{"alg":"nOnE","kid":"r"}`)) + "." + parts[1] + "." + parts[2],
		"alg empty":                   p.sign(claims{"alg": ""}, p.claims(nil)),
		"no alg":                      p.sign(claims{"kid": "r"}, p.claims(nil)),
		"alg a list":                  b64([]byte(`{"alg":["RS256"],"kid":"r"}`)) + "." + parts[1] + "." + parts[2],
		"HS256 with the public key":   p.withSecret(public, p.claims(nil)),
		"HS256 with the DER key":      p.withSecret(der, p.claims(nil)),
		"HS256 with the modulus":      p.withSecret(p.rsa.N.Bytes(), p.claims(nil)),
		"HS256 with the shared key":   p.withSecret([]byte("secret"), p.claims(nil)),
		"HS256 with nothing":          p.withSecret(nil, p.claims(nil)),
		"PS256":                       p.sign(claims{"alg": "PS256", "kid": "r"}, p.claims(nil)),
		"rs256":                       header(claims{"alg": "rs256"}),
		"ES256 with the RSA key":      p.sign(claims{"alg": "ES256", "kid": "r"}, p.claims(nil)),
		"a key for encryption":        header(claims{"kid": "enc"}),
		"kid is a path":               header(claims{"kid": "../../../../dev/null"}),
		"kid is an address":           header(claims{"kid": p.server.URL + "/evil"}),
		"kid is SQL":                  header(claims{"kid": "r' UNION SELECT 'secret"}),
		"kid is a list":               header(claims{"kid": []string{"r"}}),
		"kid is a number":             header(claims{"kid": 1}),
		"kid is unknown":              header(claims{"kid": "x"}),
		"kid is long":                 header(claims{"kid": strings.Repeat("r", 4000)}),
		"jku":                         header(claims{"jku": p.server.URL + "/evil"}),
		"x5u":                         header(claims{"x5u": p.server.URL + "/evil"}),
		"jwk":                         header(claims{"jwk": map[string]string{"kty": "RSA"}}),
		"x5c":                         header(claims{"x5c": []string{"AA"}}),
		"crit":                        header(claims{"crit": []string{"exp"}}),
		"zip":                         header(claims{"zip": "DEF"}),
		"no exp":                      rs(claims{"exp": nil}),
		"exp a text":                  rs(claims{"exp": "tomorrow"}),
		"over":                        rs(claims{"exp": noon.Add(-31 * time.Second).Unix()}),
		"not yet":                     rs(claims{"nbf": noon.Add(31 * time.Second).Unix()}),
		"made in the future":          rs(claims{"iat": noon.Add(time.Hour).Unix()}),
		"no aud":                      rs(claims{"aud": nil}),
		"aud empty":                   rs(claims{"aud": ""}),
		"another aud":                 rs(claims{"aud": "crossdock2"}),
		"aud of others":               rs(claims{"aud": []string{"a", "b"}}),
		"no iss":                      rs(claims{"iss": nil}),
		"another iss":                 rs(claims{"iss": "https://evil.example"}),
		"iss with a slash":            rs(claims{"iss": p.server.URL + "/"}),
		"no sub":                      rs(claims{"sub": nil}),
		"a long sub":                  rs(claims{"sub": strings.Repeat("x", 300)}),
		"no signature":                parts[0] + "." + parts[1] + ".",
		"a signature of another body": parts[0] + "." + strings.Split(rs(claims{"sub": "chief"}), ".")[1] + "." + parts[2],
		"padding":                     good + "=",
		"a line end":                  good + "\n",
		"a fourth part":               good + ".AA",
		"not base64":                  "!!!." + parts[1] + "." + parts[2],
		"not JSON":                    b64([]byte(`alg`)) + "." + parts[1] + "." + parts[2],
	}
	for name, text := range hostile {
		began := time.Now()
		who, err := s.Check(t.Context(), text, noon)
		if !errors.Is(err, access.ErrRefused) {
			t.Errorf("%s: %+v %v", name, who, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s took %s", name, took)
		}
	}
	for i := range len(parts[2]) - 1 { // each sign of the signature; the last one may hold bits that mean nothing
		bad := []byte(parts[2])
		if bad[i] = 'A'; parts[2][i] == 'A' {
			bad[i] = 'B'
		}
		if _, err := s.Check(t.Context(), parts[0]+"."+parts[1]+"."+string(bad), noon); !errors.Is(err, access.ErrRefused) {
			t.Errorf("with another sign at %d of the signature: %v", i, err)
		}
	}
	if p.strayed.Load() > 0 {
		t.Errorf("%d requests went where a token said", p.strayed.Load())
	}
	if p.asked.Load() != 1 {
		t.Errorf("the keys were fetched %d times", p.asked.Load())
	}
	t.Logf("%d hostile tokens", len(hostile))
}

func TestKeysOfAProvider(t *testing.T) {
	p := newProvider(t)
	s := p.signIn()
	text := p.sign(claims{"alg": "RS256", "kid": "r"}, p.claims(claims{"exp": noon.Add(100 * time.Hour).Unix()}))
	check := func(now time.Time, want error) {
		t.Helper()
		if _, err := s.Check(t.Context(), text, now); !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("%v, want %v", err, want)
		}
	}
	p.down.Store(true)
	check(noon, access.ErrProvider)
	p.down.Store(false)
	check(noon.Add(30*time.Second), access.ErrProvider) // not asked again at once
	check(noon.Add(time.Minute), nil)
	// While the provider is away its keys are good for a day.
	p.down.Store(true)
	check(noon.Add(20*time.Hour), nil)
	check(noon.Add(25*time.Hour), access.ErrProvider)
	p.down.Store(false)
	check(noon.Add(26*time.Hour), nil)
	// A key that was withdrawn is not good any more.
	p.keys.Store(fmt.Sprintf(`{"keys":[{"kty":"OKP","kid":"d","crv":"Ed25519","x":%q}]}`, b64(p.ed.Public().(ed25519.PublicKey))))
	check(noon.Add(26*time.Hour+15*time.Minute), access.ErrRefused)

	weak := bytes.Repeat([]byte{0xff}, 128) // 1024 bits
	for name, keys := range map[string]string{
		"weak":    fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"r","n":%q,"e":"AQAB"}]}`, b64(weak)),
		"huge":    `{"keys":[` + strings.Repeat(`{"kty":"RSA"},`, 50000) + `{}]}`,
		"many":    `{"keys":[` + strings.Repeat(`{},`, 200) + `{}]}`,
		"no JSON": `<html>`,
		"off":     `{"keys":[{"kty":"EC","kid":"r","crv":"P-256","x":"AA","y":"AA"}]}`,
	} {
		p.keys.Store(keys)
		if _, err := p.signIn().Check(t.Context(), text, noon); !errors.Is(err, access.ErrProvider) {
			t.Errorf("%s keys: %v", name, err)
		}
	}
	for _, issuer := range []string{"", "http://login.example.com", "ftp://x", "https://", "https://u:p@login.example.com", "login.example.com"} {
		if _, err := access.NewSignIn(access.SignInOptions{Issuer: issuer, Audience: "crossdock"}); err == nil {
			t.Errorf("the issuer %q is taken", issuer)
		}
	}
	if _, err := access.NewSignIn(access.SignInOptions{Issuer: p.server.URL}); err == nil {
		t.Error("no audience")
	}
}
