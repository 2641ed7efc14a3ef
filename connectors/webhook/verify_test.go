package webhook_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	nethttp "net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"crossdock/connectors"
	"crossdock/connectors/webhook"
	"crossdock/dsl/diag"
	"crossdock/dsl/parser"
	"crossdock/dsl/spec"
)

var secrets = map[string]string{
	"new": "n3w-secret", "old": "0ld-secret", "hex": "6e33772d736563726574", "b64": "bjN3LXNlY3JldA==",
	"std": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "std2": "whsec_" + base64.StdEncoding.EncodeToString([]byte("another-secret-of-24-bytes")),
	"blank": "",
}

func lookup(name string) (string, error) {
	if v, ok := secrets[name]; ok {
		return v, nil
	}
	return "", fmt.Errorf("there is no secret `%s`", name)
}

func decode(t testing.TB, text string) (*spec.Verify, diag.List) {
	t.Helper()
	file, found := parser.Parse("v.yaml", []byte(text))
	v := &spec.Verify{}
	(&spec.Decoder{Diags: &found}).Decode(file.Root, v)
	if found.HasErrors() {
		t.Fatalf("%s: %v", text, found)
	}
	v.Node = file.Root
	return v, webhook.CheckVerify(v)
}

func verifier(t testing.TB, text string) *webhook.Verifier {
	t.Helper()
	v, found := decode(t, text)
	if len(found) > 0 {
		t.Fatalf("%s: %v", text, found)
	}
	out, err := webhook.NewVerifier("partner", v, spec.Sealing(lookup))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func mac(h func() hash.Hash, secret string, parts ...string) []byte {
	m := hmac.New(h, []byte(secret))
	for _, p := range parts {
		m.Write([]byte(p))
	}
	return m.Sum(nil)
}

var now = time.Unix(1_800_000_000, 0)

func request(body string, headers ...string) *nethttp.Request {
	r := httptest.NewRequest("POST", "https://hooks.example.com/hooks/a%20b?x=1", strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// TestVendors has one row per way in which real vendors sign.
func TestVendors(t *testing.T) {
	const body = `{"order":"SO-1","note":"é"}`
	stamp, milli := strconv.FormatInt(now.Unix(), 10), strconv.FormatInt(now.UnixMilli(), 10)
	iso := now.UTC().Format(time.RFC3339)
	h256 := func(parts ...string) string { return hex.EncodeToString(mac(sha256.New, "n3w-secret", parts...)) }
	b256 := func(parts ...string) string {
		return base64.StdEncoding.EncodeToString(mac(sha256.New, "n3w-secret", parts...))
	}
	tests := []struct {
		name, conf string
		headers    []string
	}{
		{"prefix sha256=", `hmac: {header: X-Hub-Signature-256, prefix: "sha256=", secrets: ["${secret.new}"]}`,
			[]string{"X-Hub-Signature-256", "sha256=" + h256(body)}},
		{"upper-case hex", `hmac: {header: x-sig, secrets: ["${secret.new}"]}`, []string{"X-Sig", strings.ToUpper(h256(body))}},
		{"base64", `hmac: {header: aftership-hmac-sha256, encoding: base64, secrets: ["${secret.new}"]}`, []string{"aftership-hmac-sha256", b256(body)}},
		{"base64 url", `hmac: {header: X-Sig, encoding: base64, secrets: ["${secret.new}"]}`,
			[]string{"X-Sig", base64.RawURLEncoding.EncodeToString(mac(sha256.New, "n3w-secret", body))}},
		{"sha1", `hmac: {header: X-Sig, algorithm: sha1, prefix: "sha1=", secrets: ["${secret.new}"]}`,
			[]string{"X-Sig", "sha1=" + hex.EncodeToString(mac(sha1.New, "n3w-secret", body))}},
		{"sha512", `hmac: {header: X-Onfleet-Signature, algorithm: sha512, secret_encoding: hex, secrets: ["${secret.hex}"]}`,
			[]string{"X-Onfleet-Signature", hex.EncodeToString(mac(sha512.New, "n3w-secret", body))}},
		{"base64 secret", `hmac: {header: X-Sig, secret_encoding: base64, secrets: ["${secret.b64}"]}`, []string{"X-Sig", h256(body)}},
		{"t and v1 in one header", `hmac: {header: Stripe-Signature, field: v1, timestamp: t, signed: "{timestamp}.{body}", secrets: ["${secret.new}"]}`,
			[]string{"Stripe-Signature", "t=" + stamp + ", v0=bad, v1=" + h256("other") + ",v1=" + h256(stamp, ".", body)}},
		{"timestamp header, milliseconds", `hmac: {header: X-Sig, timestamp: X-Time, signed: "{timestamp}{body}", secrets: ["${secret.new}"]}`,
			[]string{"X-Sig", h256(milli, body), "X-Time", milli}},
		{"timestamp RFC 3339", `hmac: {header: X-Sig, timestamp: X-Time, signed: "v0:{timestamp}:{body}", prefix: "v0=", secrets: ["${secret.new}"]}`,
			[]string{"X-Sig", "v0=" + h256("v0:", iso, ":", body), "X-Time", iso}},
		{"id, path and url", `hmac: {header: X-Sig, id: X-Id, signed: "{id}|{path}|{url}|{body}", secrets: ["${secret.new}"]}`,
			[]string{"X-Sig", h256("7|/hooks/a%20b|https://hooks.example.com/hooks/a%20b?x=1|", body), "X-Id", "7"}},
		{"old secret while rotating", `hmac: {header: X-Sig, secrets: ["${secret.new}", "${secret.old}"]}`,
			[]string{"X-Sig", hex.EncodeToString(mac(sha256.New, "0ld-secret", body))}},
		{"one secret not yet there", `hmac: {header: X-Sig, secrets: ["${secret.missing}", "${secret.new}"]}`, []string{"X-Sig", h256(body)}},
		{"two header lines", `hmac: {header: X-Sig, secrets: ["${secret.new}"]}`, []string{"X-Sig", h256("no"), "X-Sig", h256(body)}},
		{"prefix with a space", `hmac: {header: Authorization, prefix: "HMAC-SHA256 ", secrets: ["${secret.new}"]}`, []string{"Authorization", "HMAC-SHA256 " + h256(body)}},
		{"api key header", `api_key: {header: X-Api-Key, keys: ["${secret.old}", "${secret.new}"]}`, []string{"X-Api-Key", "n3w-secret"}},
		{"api key bearer", `api_key: {header: Authorization, prefix: Bearer, keys: ["${secret.new}"]}`, []string{"Authorization", "Bearer n3w-secret"}},
		{"basic", `basic: {user: fourkites, password: "${secret.new}"}`, []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("fourkites:n3w-secret"))}},
		{"standard", `standard_webhooks: {secrets: ["${secret.std2}", "${secret.std}"]}`, standardHeaders(t, "std", "msg_1", now, body)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := verifier(t, tt.conf)
			if err := v.Verify(request(body, tt.headers...), []byte(body), now); err != nil {
				t.Fatalf("refused: %v", err)
			}
			keyed := strings.Contains(tt.conf, "api_key") || strings.Contains(tt.conf, "basic")
			for i := range len(body) {
				changed := []byte(body)
				changed[i] ^= 1
				if v.Verify(request(body, tt.headers...), changed, now) == nil && !keyed {
					t.Fatalf("taken with byte %d of the body changed", i)
				}
			}
			for h := 0; h < len(tt.headers); h += 2 {
				for i := range len(tt.headers[h+1]) {
					bad := append([]string(nil), tt.headers...)
					b := []byte(bad[h+1])
					b[i] ^= 1
					bad[h+1] = string(b)
					if err := v.Verify(request(body, bad...), []byte(body), now); err == nil && matters(tt.name, bad[h+1], i) {
						t.Fatalf("taken with byte %d of %s changed: %s", i, bad[h], bad[h+1])
					}
				}
			}
			if v.Verify(request(body), []byte(body), now) == nil {
				t.Error("taken without any header")
			}
			if strings.Contains(tt.conf, "timestamp") || tt.name == "standard" {
				for _, off := range []time.Duration{-301 * time.Second, 301 * time.Second} {
					err := v.Verify(request(body, tt.headers...), []byte(body), now.Add(off))
					if err == nil || !strings.Contains(err.Error(), "5m1s away") {
						t.Errorf("%s off: %v", off, err)
					}
				}
				for _, off := range []time.Duration{-299 * time.Second, 299 * time.Second} {
					if err := v.Verify(request(body, tt.headers...), []byte(body), now.Add(off)); err != nil {
						t.Errorf("%s off: %v", off, err)
					}
				}
			}
		})
	}
}

// matters tells whether a changed byte changes the credential: decoys in the
// rows with several signatures, the case of hex digits and the unused bits at
// the end of base64 do not.
func matters(row, value string, i int) bool {
	switch row {
	case "t and v1 in one header", "two header lines":
		return false
	case "basic":
		return i > len("Basic ") && i < len(value)-2
	case "base64", "base64 url", "standard":
		return i < len(value)-3
	}
	return true
}

func standardHeaders(t testing.TB, secret, id string, at time.Time, body string) []string {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(secrets[secret])
	if err != nil {
		t.Fatal(err)
	}
	sig, err := wh.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return []string{"webhook-id", id, "webhook-timestamp", strconv.FormatInt(at.Unix(), 10), "webhook-signature", sig}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name, conf string
		headers    []string
		why        string
	}{
		{"wrong prefix", `hmac: {header: X-Sig, prefix: "sha256=", secrets: ["${secret.new}"]}`, []string{"X-Sig", "sha1=" + strings.Repeat("0", 64)}, "no signature"},
		{"empty", `hmac: {header: X-Sig, secrets: ["${secret.new}"]}`, []string{"X-Sig", ""}, "no signature"},
		{"not hex", `hmac: {header: X-Sig, secrets: ["${secret.new}"]}`, []string{"X-Sig", strings.Repeat("z", 64)}, "no signature"},
		{"no timestamp", `hmac: {header: X-Sig, timestamp: X-T, signed: "{timestamp}{body}", secrets: ["${secret.new}"]}`, []string{"X-Sig", "00"}, "no timestamp"},
		{"garbled timestamp", `hmac: {header: X-Sig, timestamp: X-T, signed: "{timestamp}{body}", secrets: ["${secret.new}"]}`, []string{"X-Sig", "00", "X-T", "noon"}, "cannot be read"},
		{"huge timestamp", `hmac: {header: X-Sig, timestamp: X-T, signed: "{timestamp}{body}", secrets: ["${secret.new}"]}`, []string{"X-Sig", "00", "X-T", "99999999999999999999"}, "cannot be read"},
		{"empty secret", `hmac: {header: X-Sig, secrets: ["${secret.blank}"]}`, []string{"X-Sig", hex.EncodeToString(mac(sha256.New, "", "{}"))}, "not available"},
		{"no secret", `hmac: {header: X-Sig, secrets: ["${secret.missing}"]}`, []string{"X-Sig", "00"}, "missing"},
		{"empty key", `api_key: {header: X-Key, keys: ["${secret.blank}"]}`, []string{"X-Key", ""}, "no key"},
		{"no bearer", `api_key: {header: Authorization, prefix: Bearer, keys: ["${secret.new}"]}`, []string{"Authorization", "n3w-secret"}, "prefix"},
		{"basic, wrong user", `basic: {user: a, password: "${secret.new}"}`, []string{"Authorization", "Basic " + base64.StdEncoding.EncodeToString([]byte("b:n3w-secret"))}, "wrong"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := verifier(t, tt.conf).Verify(request("{}", tt.headers...), []byte("{}"), now)
			if err == nil || !strings.Contains(err.Error(), tt.why) {
				t.Errorf("got %v, want %q", err, tt.why)
			}
		})
	}
}

func TestUnauthorisedAnswersAreTheSame(t *testing.T) {
	ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
	v := verifier(t, `hmac: {header: X-Sig, secrets: ["${secret.new}"]}`)
	h := table(t, webhook.Route{Name: "p", Path: "/x", Channel: ch, Verifier: v})
	body := packed(t, "{}")
	good := hex.EncodeToString(mac(sha256.New, "n3w-secret", "{}"))
	var answers []string
	for _, headers := range [][]string{nil, {"X-Sig", ""}, {"X-Sig", "zz"}, {"X-Sig", strings.Repeat("0", 64)}, {"X-Sig", good + "00"},
		{"Content-Type", "text/xml"}, {"Content-Encoding", "br"}, {"Content-Encoding", "gzip"}} {
		w := call(h, "POST", "/x", "{}", headers...)
		if w.Code != 401 {
			t.Errorf("%v: %d", headers, w.Code)
		}
		answers = append(answers, w.Body.String()+fmt.Sprint(w.Header()))
	}
	for _, a := range answers {
		if a != answers[0] {
			t.Errorf("answers differ: %s\n%s", answers[0], a)
		}
	}
	if len(ch.got) > 0 {
		t.Error("an unverified body reached the channel")
	}
	for name, sig := range map[string]string{"before packing": good, "after packing": hex.EncodeToString(mac(sha256.New, "n3w-secret", body))} {
		if w := call(h, "POST", "/x", body, "X-Sig", sig, "Content-Encoding", "gzip"); w.Code != 202 {
			t.Errorf("signed %s: %d", name, w.Code)
		}
	}
	m := ch.last()
	if m.Meta.Consumer != "partner" || string(m.Raw) != "{}" {
		t.Errorf("message %+v", m)
	}
}

func TestQueryKeyIsNotKept(t *testing.T) {
	ch := &channel{receipts: []connectors.Receipt{{IDs: []string{"x"}}}}
	h := table(t, webhook.Route{Name: "p", Path: "/x", Channel: ch, Verifier: verifier(t, `api_key: {query: key, keys: ["${secret.new}"]}`)})
	if w := call(h, "POST", "/x?key=n3w-secret&a=1", "{}"); w.Code != 202 {
		t.Fatal(w.Code)
	}
	if q := ch.last().Meta.Query; len(q) != 1 || q["a"] != "1" {
		t.Errorf("query %v", q)
	}
	if w := call(h, "POST", "/x?key=wrong", "{}"); w.Code != 401 {
		t.Error(w.Code)
	}
}

func TestStandardVectors(t *testing.T) {
	raw, err := os.ReadFile("../../../shared/samples/events/standard-webhooks/vectors.json")
	if err != nil {
		t.Skip("the sample collection is not beside this repository")
	}
	var vectors []struct {
		Secret, ID, Payload, Signature string
		Timestamp                      int64
	}
	if err := json.Unmarshal(raw, &vectors); err != nil || len(vectors) == 0 {
		t.Fatalf("vectors: %v", err)
	}
	for _, vec := range vectors {
		conf, _ := decode(t, `standard_webhooks: {secrets: ["${secret.x}"]}`)
		v, err := webhook.NewVerifier("x", conf, func(string) (spec.Sealed, error) { return spec.Seal(vec.Secret), nil })
		if err != nil {
			t.Fatal(err)
		}
		headers := []string{"webhook-id", vec.ID, "webhook-timestamp", strconv.FormatInt(vec.Timestamp, 10), "webhook-signature", vec.Signature}
		if err := v.Verify(request("", headers...), []byte(vec.Payload), time.Unix(vec.Timestamp, 0)); err != nil {
			t.Errorf("%s: %v", vec.ID, err)
		}
		for i, name := range []string{"Svix-Id", "Svix-Timestamp", "Svix-Signature"} {
			headers[2*i] = name
		}
		if err := v.Verify(request("", headers...), []byte(vec.Payload), time.Unix(vec.Timestamp, 0)); err != nil {
			t.Errorf("%s with the older names: %v", vec.ID, err)
		}
	}
}

// TestStandardOracle compares with the scheme's own library.
func TestStandardOracle(t *testing.T) {
	v := verifier(t, `standard_webhooks: {secrets: ["${secret.std}"]}`)
	wh, err := standardwebhooks.NewWebhook(secrets["std"])
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		body := rapid.String().Draw(rt, "body")
		at := time.Now()
		headers := standardHeaders(t, "std", rapid.StringMatching(`msg_[a-z0-9]{1,20}`).Draw(rt, "id"), at, body)
		for i := rapid.IntRange(0, 3).Draw(rt, "changes"); i > 0; i-- {
			n := 2*rapid.IntRange(0, 2).Draw(rt, "header") + 1
			at := rapid.IntRange(0, len(headers[n])-1).Draw(rt, "at")
			headers[n] = headers[n][:at] + rapid.StringMatching(`[a-z0-9=, +/]{0,3}`).Draw(rt, "text") + headers[n][at+1:]
		}
		if rapid.Bool().Draw(rt, "second signature") {
			headers[5] = "v1,AAAA " + headers[5]
		}
		r := request(body, headers...)
		ours, theirs := v.Verify(r, []byte(body), at), wh.Verify([]byte(body), r.Header)
		// Both must agree, but for base64 that lacks its padding, which we take.
		if (ours == nil) != (theirs == nil) && !(ours == nil && padded(headers[5], wh, r, body)) {
			rt.Fatalf("ours %v, theirs %v, headers %v", ours, theirs, headers)
		}
	})
}

func padded(signature string, wh *standardwebhooks.Webhook, r *nethttp.Request, body string) bool {
	var parts []string
	for _, p := range strings.Split(signature, " ") {
		parts = append(parts, strings.TrimRight(p, "=")+"=")
	}
	r.Header.Set("webhook-signature", strings.Join(parts, " "))
	return wh.Verify([]byte(body), r.Header) == nil
}

func TestCheckVerify(t *testing.T) {
	tests := []struct{ conf, want string }{
		{`{none: true}`, ""},
		{`{none: true, basic: {user: a, password: "${secret.x}"}}`, "exactly one"},
		{`{none: false}`, "exactly one"},
		{`api_key: {keys: ["${secret.x}"]}`, "either `header` or `query`"},
		{`hmac: {header: X, signed: "{timestamp}", timestamp: T, secrets: ["${secret.x}"]}`, "lacks {body}"},
		{`hmac: {header: X, signed: "{timestamp}{body}", secrets: ["${secret.x}"]}`, "where it stands"},
		{`hmac: {header: X, timestamp: T, secrets: ["${secret.x}"]}`, "proves nothing"},
		{`hmac: {header: X, signed: "{id}{body}", secrets: ["${secret.x}"]}`, "does not name its header"},
		{`hmac: {header: X, signed: "{bdy}", secrets: ["${secret.x}"]}`, "{bdy} cannot be signed"},
		{`hmac: {header: X, tolerance: 0s, timestamp: T, signed: "{timestamp}{body}", secrets: ["${secret.x}"]}`, "longer than nothing"},
	}
	for _, tt := range tests {
		_, found := decode(t, tt.conf)
		if tt.want == "" && len(found) == 0 {
			continue
		}
		if len(found) == 0 || !strings.Contains(found[0].Message, tt.want) {
			t.Errorf("%s: %v, want %q", tt.conf, found, tt.want)
		}
	}
}

func TestRotation(t *testing.T) {
	conf, _ := decode(t, `hmac: {header: X-Sig, secrets: ["${secret.x}"]}`)
	secret := "first"
	v, err := webhook.NewVerifier("x", conf, func(string) (spec.Sealed, error) { return spec.Seal(secret), nil })
	if err != nil {
		t.Fatal(err)
	}
	signed := func(with string) *nethttp.Request {
		return request("{}", "X-Sig", hex.EncodeToString(mac(sha256.New, with, "{}")))
	}
	if err := v.Verify(signed("first"), []byte("{}"), now); err != nil {
		t.Fatal(err)
	}
	secret = "second"
	if err := v.Verify(signed("second"), []byte("{}"), now.Add(11*time.Second)); err != nil {
		t.Errorf("the new secret is not in use after eleven seconds: %v", err)
	}
	if v.Verify(signed("first"), []byte("{}"), now.Add(12*time.Second)) == nil {
		t.Error("the old secret is still in use")
	}
}

func FuzzVerify(f *testing.F) {
	f.Add("t=1800000000,v1=aa", "1800000000", "{}")
	f.Add("sha256=zz, sha256=00", "2026-01-01T00:00:00Z", "")
	v := verifier(f, `hmac: {header: X-Sig, field: v1, timestamp: t, signed: "{timestamp}.{body}", secrets: ["${secret.new}"]}`)
	std := verifier(f, `standard_webhooks: {secrets: ["${secret.std}"]}`)
	f.Fuzz(func(t *testing.T, header, stamp, body string) {
		r := request("")
		r.Header = nethttp.Header{"X-Sig": {header}, "T": {stamp}, "Webhook-Id": {header}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {header}}
		if v.Verify(r, []byte(body), now) == nil || std.Verify(r, []byte(body), now) == nil {
			t.Errorf("forged: %q %q %q", header, stamp, body)
		}
	})
}
