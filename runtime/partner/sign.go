package partner

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // senders of old schemes are played too
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	nethttp "net/http"
	"strconv"
	"strings"
	"time"

	"crossdock/dsl/spec"
)

// Sign makes a request one that a verification recognises.
func Sign(r *nethttp.Request, body []byte, v *spec.Verify, secret spec.Finder, now time.Time) error {
	if v == nil || v.None {
		return nil
	}
	switch {
	case v.StandardWebhooks != nil:
		return signStandard(r, body, v.StandardWebhooks, secret, now)
	case v.HMAC != nil:
		return signHMAC(r, body, v.HMAC, secret, now)
	case v.APIKey != nil:
		key, err := v.APIKey.Keys[0].Resolve(secret)
		if err != nil {
			return err
		}
		if h := v.APIKey.Header.Value; h != "" {
			prefix := v.APIKey.Prefix.Value
			if prefix != "" && !strings.HasSuffix(prefix, " ") {
				prefix += " "
			}
			r.Header.Set(h, prefix+key.Reveal())
			return nil
		}
		q := r.URL.Query()
		q.Set(v.APIKey.Query.Value, key.Reveal())
		r.URL.RawQuery = q.Encode()
	case v.Basic != nil:
		password, err := v.Basic.Password.Resolve(secret)
		if err != nil {
			return err
		}
		r.SetBasicAuth(v.Basic.User.Value, password.Reveal())
	}
	return nil
}

func signStandard(r *nethttp.Request, body []byte, v *spec.StandardWebhook, secret spec.Finder, now time.Time) error {
	text, err := v.Secrets[0].Resolve(secret)
	if err != nil {
		return err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text.Reveal(), "whsec_"))
	if err != nil {
		return fmt.Errorf("the secret of a standard webhook is not base64")
	}
	id := "msg_" + strconv.FormatInt(now.UnixNano(), 36)
	stamp := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", id, stamp, body)
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", stamp)
	r.Header.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

func signHMAC(r *nethttp.Request, body []byte, v *spec.HMAC, secret spec.Finder, now time.Time) error {
	text, err := v.Secrets[0].Resolve(secret)
	if err != nil {
		return err
	}
	key := []byte(text.Reveal())
	switch v.SecretEnc.Value {
	case "hex":
		key, err = hex.DecodeString(text.Reveal())
	case "base64":
		key, err = base64.StdEncoding.DecodeString(text.Reveal())
	}
	if err != nil {
		return fmt.Errorf("the secret is not %s", v.SecretEnc.Value)
	}
	algorithm := map[string]func() hash.Hash{"": sha256.New, "sha256": sha256.New, "sha1": sha1.New, "sha512": sha512.New}[v.Algorithm.Value]
	stamp := strconv.FormatInt(now.Unix(), 10)
	id := strconv.FormatInt(now.UnixNano(), 36)
	signed := v.Signed.Value
	if signed == "" {
		signed = "{body}"
	}
	mac := hmac.New(algorithm, key)
	_, _ = strings.NewReplacer("{timestamp}", stamp, "{path}", r.URL.Path, "{url}", r.URL.String(), "{id}", id, "{body}", string(body)).WriteString(mac, signed)
	sum := mac.Sum(nil)
	signature := v.Prefix.Value + hex.EncodeToString(sum)
	if v.Encoding.Value == "base64" {
		signature = v.Prefix.Value + base64.StdEncoding.EncodeToString(sum)
	}
	if v.ID.Set() {
		r.Header.Set(v.ID.Value, id)
	}
	if v.Field.Set() {
		stampName := v.Timestamp.Value
		if stampName == "" {
			stampName = "t"
		}
		r.Header.Set(v.Header.Value, stampName+"="+stamp+","+v.Field.Value+"="+signature)
		return nil
	}
	if v.Timestamp.Set() {
		r.Header.Set(v.Timestamp.Value, stamp)
	}
	r.Header.Set(v.Header.Value, signature)
	return nil
}
