package runtime_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// dress makes a request what its sender would make of it, from the
// descriptions of the schemes alone.
func dress(r *http.Request, scheme, body, secret string) {
	sum := func(key []byte, text string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		return mac.Sum(nil)
	}
	switch scheme {
	case "standard":
		key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		r.Header.Set("webhook-id", "msg_1")
		r.Header.Set("webhook-timestamp", stamp)
		r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(sum(key, "msg_1."+stamp+"."+body)))
	case "hmac":
		r.Header.Set("X-Sign", "sha256="+hex.EncodeToString(sum([]byte(secret), body)))
	case "key":
		r.Header.Set("X-Key", secret)
	case "basic":
		r.SetBasicAuth("carrier", secret)
	}
}

// TestVerifySchemesEndToEnd sends through every scheme: signed, unsigned,
// with a flipped bit.
func TestVerifySchemesEndToEnd(t *testing.T) {
	s := newSite(t)
	secret := "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	s.opt.Secret = func(string) (string, error) { return secret, nil }
	schemes := map[string]string{
		"standard": `{standard_webhooks: {secrets: ["${secret.a}"]}}`,
		"hmac":     `{hmac: {header: X-Sign, prefix: "sha256=", secrets: ["${secret.a}"]}}`,
		"key":      `{api_key: {header: X-Key, keys: ["${secret.a}"]}}`,
		"basic":    `{basic: {user: carrier, password: "${secret.a}"}}`,
	}
	for name, scheme := range schemes {
		s.write(name+".pipeline.yaml", "pipeline: "+name+"\ntrigger: {http: {path: /"+name+", verify: "+scheme+"}}\nkey: [.k, .seq]\ntrace_by: {k: .k}\nsteps:\n  - {send: target.put, map: out}\n")
	}
	s.start()
	call := func(name, body string, dress func(*http.Request)) int {
		req, err := http.NewRequest(http.MethodPost, s.url("/"+name), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		dress(req)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	body := `{"k":"a","seq":1}`
	for name := range schemes {
		good := func(r *http.Request) { dress(r, name, body, secret) }
		if got := call(name, body, good); got != 202 {
			t.Errorf("%s: the right caller is answered %d", name, got)
		}
		if got := call(name, body, func(*http.Request) {}); got != 401 {
			t.Errorf("%s: nobody is answered %d", name, got)
		}
		if got := call(name, body, func(r *http.Request) { dress(r, name, body, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD") }); got != 401 {
			t.Errorf("%s: another secret is answered %d", name, got)
		}
		if name == "standard" || name == "hmac" {
			if got := call(name, strings.Replace(body, "1", "2", 1), good); got != 401 {
				t.Errorf("%s: another body is answered %d", name, got)
			}
		}
	}
	if b := s.settled(); b.Delivered != int64(len(schemes)) {
		t.Errorf("balance %+v", b)
	}
}
