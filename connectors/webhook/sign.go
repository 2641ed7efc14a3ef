package webhook

import (
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
	"strconv"
	"strings"
	"sync"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/spec"
)

// macKey is one signing secret with hash states that are ready for use.
type macKey struct{ pool *sync.Pool }

func newMacKey(algorithm func() hash.Hash, secret []byte) macKey {
	return macKey{&sync.Pool{New: func() any { return hmac.New(algorithm, secret) }}}
}

// sum lets write feed the hash and appends the result to dst.
func (k macKey) sum(dst []byte, write func(hash.Hash)) []byte {
	h := k.pool.Get().(hash.Hash)
	h.Reset()
	write(h)
	dst = h.Sum(dst)
	k.pool.Put(h)
	return dst
}

type signedKind uint8

const (
	signLiteral signedKind = iota
	signBody
	signTimestamp
	signPath
	signURL
	signID
)

type signedPart struct {
	kind    signedKind
	literal string
}

var signedNames = map[string]signedKind{"body": signBody, "timestamp": signTimestamp, "path": signPath, "url": signURL, "id": signID}

// parseSigned reads the text that says what is signed.
func parseSigned(text string) ([]signedPart, error) {
	if text == "" {
		return []signedPart{{kind: signBody}}, nil
	}
	t, err := connectors.ParseTemplate(text)
	if err != nil {
		return nil, err
	}
	var parts []signedPart
	t.Each(func(literal, name string) {
		kind, known := signedNames[name]
		switch {
		case name == "":
			parts = append(parts, signedPart{literal: literal})
		case known:
			parts = append(parts, signedPart{kind: kind})
		case err == nil:
			err = fmt.Errorf("{%s} cannot be signed; use {body}, {timestamp}, {path}, {url} or {id}", name)
		}
	})
	return parts, err
}

// signed checks a signature that a vendor makes in its own way.
type signed struct {
	conf      *spec.HMAC
	header    string // canonical
	timestamp string // canonical, or name of a part
	id        string
	tolerance time.Duration
	parts     []signedPart
	decode    func(dst []byte, text string) ([]byte, bool)
	keys      *keys[macKey]
}

func newSigned(h *spec.HMAC, lookup Lookup) (*signed, error) {
	parts, err := parseSigned(h.Signed.Value)
	if err != nil {
		return nil, err
	}
	algorithm := map[string]func() hash.Hash{"sha1": sha1.New, "sha512": sha512.New}[h.Algorithm.Value]
	if algorithm == nil {
		algorithm = sha256.New
	}
	s := &signed{
		conf: h, header: textproto.CanonicalMIMEHeaderKey(h.Header.Value), timestamp: h.Timestamp.Value,
		id: h.ID.Value, tolerance: h.Tolerance.Or(5 * time.Minute), parts: parts, decode: decodeHex,
	}
	if h.Encoding.Value == "base64" {
		s.decode = decodeBase64
	}
	s.keys = newKeys(h.Secrets, lookup, func(text string) (macKey, error) {
		secret, err := secretBytes(text, h.SecretEnc.Value)
		return newMacKey(algorithm, secret), err
	})
	return s, nil
}

func secretBytes(text, encoding string) ([]byte, error) {
	switch encoding {
	case "hex":
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, errors.New("a secret of this webhook is not written in hex")
		}
		return b, nil
	case "base64":
		b, ok := decodeBase64(nil, text)
		if !ok {
			return nil, errors.New("a secret of this webhook is not written in base64")
		}
		return b, nil
	}
	return []byte(text), nil
}

func (s *signed) verify(r *nethttp.Request, body []byte, now time.Time) error {
	given := r.Header[s.header]
	if len(given) == 0 {
		return fmt.Errorf("there is no header %s", s.header)
	}
	stamp, err := s.stamp(r, given, now)
	if err != nil {
		return err
	}
	keys, err := s.keys.get(now)
	if err != nil {
		return err
	}
	var want [2][sha512.Size]byte // two active secrets need no heap
	sums := make([][]byte, 0, 4)
	for i, k := range keys {
		var dst []byte
		if i < len(want) {
			dst = want[i][:0]
		}
		sums = append(sums, k.sum(dst, func(h hash.Hash) { s.write(h, r, body, stamp) }))
	}
	var buf [sha512.Size]byte
	tried := false
	for _, value := range given {
		for candidate := range s.candidates(value) {
			got, ok := s.decode(buf[:0], candidate)
			if !ok {
				continue
			}
			tried = true
			for _, sum := range sums {
				if hmac.Equal(sum, got) {
					return nil
				}
			}
		}
	}
	if !tried {
		return fmt.Errorf("the header %s holds no signature in the agreed form", s.header)
	}
	return errors.New("the signature does not fit")
}

// write feeds h with what was signed.
func (s *signed) write(h hash.Hash, r *nethttp.Request, body []byte, stamp string) {
	var buf [256]byte
	text := func(t string) { h.Write(append(buf[:0], t...)) }
	for _, p := range s.parts {
		switch p.kind {
		case signBody:
			h.Write(body)
		case signTimestamp:
			text(stamp)
		case signPath:
			text(r.URL.EscapedPath())
		case signURL:
			text(publicURL(r))
		case signID:
			text(r.Header.Get(s.id))
		default:
			text(p.literal)
		}
	}
}

// publicURL is the address as the caller knew it. What a proxy says about the
// scheme can be trusted here: a wrong word only makes the signature not fit.
func publicURL(r *nethttp.Request) string {
	scheme := "http"
	if r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https") {
		scheme = "https"
	}
	return scheme + "://" + r.Host + r.URL.RequestURI()
}

// candidates returns the signatures in one header value: all of them, because
// a sender that rotates its secret sends several.
func (s *signed) candidates(value string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		if !s.conf.Field.Set() { // the prefix itself may hold a separator
			rest, ok := strings.CutPrefix(value, s.conf.Prefix.Value)
			if rest = strings.TrimSpace(rest); ok && rest != "" && !yield(rest) {
				return
			}
		}
		for part := range strings.FieldsFuncSeq(value, separator) {
			if field := s.conf.Field.Value; field != "" {
				name, rest, ok := strings.Cut(part, "=")
				if !ok || strings.TrimSpace(name) != field {
					continue
				}
				part = strings.TrimSpace(rest)
			}
			rest, ok := strings.CutPrefix(part, s.conf.Prefix.Value)
			if ok && rest != "" && !yield(rest) {
				return
			}
		}
	}
}

func separator(r rune) bool { return r == ',' || r == ' ' || r == ';' || r == '\t' }

// stamp finds the timestamp and checks that it is near now.
func (s *signed) stamp(r *nethttp.Request, given []string, now time.Time) (string, error) {
	if s.timestamp == "" {
		return "", nil
	}
	text := ""
	if s.conf.Field.Set() {
		for part := range strings.FieldsFuncSeq(given[0], separator) {
			if name, rest, ok := strings.Cut(part, "="); ok && strings.TrimSpace(name) == s.timestamp {
				text = strings.TrimSpace(rest)
			}
		}
	}
	if text == "" {
		text = r.Header.Get(s.timestamp)
	}
	if text == "" {
		return "", fmt.Errorf("there is no timestamp %s", s.timestamp)
	}
	return text, checkStamp(text, now, s.tolerance)
}

func checkStamp(text string, now time.Time, tolerance time.Duration) error {
	at, ok := parseStamp(text)
	if !ok {
		return errors.New("the timestamp cannot be read")
	}
	if d := now.Sub(at); d > tolerance || d < -tolerance {
		return fmt.Errorf("the timestamp is %s away from this clock, more than %s", d.Abs().Round(time.Second), tolerance)
	}
	return nil
}

// parseStamp reads seconds or milliseconds since 1970, or RFC 3339.
func parseStamp(text string) (time.Time, bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	if n, err := strconv.ParseInt(whole, 10, 64); err == nil && n >= 0 && len(whole) <= 14 && digits(whole) && digits(fraction) {
		if len(whole) >= 12 {
			return time.UnixMilli(n), true
		}
		return time.Unix(n, 0), true
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func decodeHex(dst []byte, text string) ([]byte, bool) {
	if len(text)%2 != 0 || len(text) > 2*sha512.Size {
		return nil, false
	}
	n := len(text) / 2
	if cap(dst) < n {
		dst = make([]byte, 0, n)
	}
	dst = dst[:n]
	for i := range dst {
		hi, ok1 := nibble(text[2*i])
		lo, ok2 := nibble(text[2*i+1])
		if !ok1 || !ok2 {
			return nil, false
		}
		dst[i] = hi<<4 | lo
	}
	return dst, n > 0
}

func nibble(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// decodeBase64 takes the usual and the URL alphabet, padded or not.
func decodeBase64(_ []byte, text string) ([]byte, bool) {
	text = strings.TrimRight(text, "=")
	enc := base64.RawStdEncoding
	if strings.ContainsAny(text, "-_") {
		enc = base64.RawURLEncoding
	}
	b, err := enc.DecodeString(text)
	return b, err == nil && len(b) > 0
}

// standard checks the Standard Webhooks scheme.
type standard struct {
	tolerance time.Duration
	keys      *keys[macKey]
}

func newStandard(c *spec.StandardWebhook, lookup Lookup) (*standard, error) {
	return &standard{
		tolerance: c.Tolerance.Or(5 * time.Minute),
		keys: newKeys(c.Secrets, lookup, func(text string) (macKey, error) {
			secret, ok := decodeBase64(nil, strings.TrimPrefix(text, "whsec_"))
			if !ok {
				return macKey{}, errors.New("a secret of this webhook is not a Standard Webhooks secret (whsec_ and base64)")
			}
			return newMacKey(sha256.New, secret), nil
		}),
	}, nil
}

func (s *standard) verify(r *nethttp.Request, body []byte, now time.Time) error {
	id, stamp, given := first(r.Header, "Webhook-Id"), first(r.Header, "Webhook-Timestamp"), first(r.Header, "Webhook-Signature")
	if given == "" { // the names used before the scheme was a standard
		id, stamp, given = first(r.Header, "Svix-Id"), first(r.Header, "Svix-Timestamp"), first(r.Header, "Svix-Signature")
	}
	if id == "" || stamp == "" || given == "" {
		return errors.New("webhook-id, webhook-timestamp or webhook-signature is missing")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("the timestamp cannot be read")
	}
	if d := now.Sub(time.Unix(seconds, 0)); d > s.tolerance || d < -s.tolerance {
		return fmt.Errorf("the timestamp is %s away from this clock, more than %s", d.Abs().Round(time.Second), s.tolerance)
	}
	keys, err := s.keys.get(now)
	if err != nil {
		return err
	}
	for _, k := range keys {
		var buf [256]byte
		want := k.sum(make([]byte, 0, sha256.Size), func(h hash.Hash) {
			h.Write(append(append(append(append(buf[:0], id...), '.'), stamp...), '.'))
			h.Write(body)
		})
		for part := range strings.SplitSeq(given, " ") {
			version, text, _ := strings.Cut(part, ",")
			if version != "v1" {
				continue
			}
			if got, ok := decodeBase64(nil, text); ok && hmac.Equal(want, got) {
				return nil
			}
		}
	}
	return errors.New("the signature does not fit")
}

func first(h nethttp.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}
