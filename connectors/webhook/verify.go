package webhook

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/textproto"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Verifier recognises who calls a webhook. It is safe for concurrent use, and
// takes rotated secrets into use within ten seconds.
type Verifier struct {
	name   string
	scheme scheme
	// what of a request is a credential and is never kept
	headers []string // canonical
	query   string
	basic   bool
}

// scheme checks one request. The error is for logs: the caller of the webhook
// learns nothing from it.
type scheme interface {
	verify(r *nethttp.Request, body []byte, now time.Time) error
}

// Lookup resolves a secret by name.
type Lookup = spec.Finder

// NewVerifier builds the verifier for a `verify` definition. name is what
// $meta.consumer tells. A definition with `none: true` gives nil.
func NewVerifier(name string, v *spec.Verify, lookup Lookup) (*Verifier, error) {
	if found := CheckVerify(v); found.HasErrors() {
		return nil, errors.New(found[0].Message)
	}
	switch {
	case v.StandardWebhooks != nil:
		s, err := newStandard(v.StandardWebhooks, lookup)
		return &Verifier{name: name, scheme: s}, err
	case v.HMAC != nil:
		s, err := newSigned(v.HMAC, lookup)
		return &Verifier{name: name, scheme: s, headers: []string{textproto.CanonicalMIMEHeaderKey(v.HMAC.Header.Value)}}, err
	case v.APIKey != nil:
		s := &shared{header: textproto.CanonicalMIMEHeaderKey(v.APIKey.Header.Value), query: v.APIKey.Query.Value,
			prefix: v.APIKey.Prefix.Value, keys: newKeys(v.APIKey.Keys, lookup, digest)}
		verifier := &Verifier{name: name, scheme: s, query: s.query}
		if s.header != "" {
			verifier.headers = []string{s.header}
		}
		return verifier, nil
	case v.Basic != nil:
		s := &basic{user: sha256.Sum256([]byte(v.Basic.User.Value)), keys: newKeys([]spec.Secret{v.Basic.Password}, lookup, digest)}
		return &Verifier{name: name, scheme: s, basic: true}, nil
	}
	return nil, nil
}

// Verify returns nil where the caller was recognised. The error is for logs.
func (v *Verifier) Verify(r *nethttp.Request, body []byte, now time.Time) error {
	if v == nil {
		return nil
	}
	return v.scheme.verify(r, body, now)
}

// CheckVerify looks at a `verify` definition and reports what is wrong.
func CheckVerify(v *spec.Verify) diag.List {
	var list diag.List
	at := diag.Span{}
	if v.Node != nil {
		at = v.Node.Span
	}
	set := 0
	for _, is := range []bool{v.StandardWebhooks != nil, v.HMAC != nil, v.APIKey != nil, v.Basic != nil, v.None} {
		if is {
			set++
		}
	}
	if set != 1 {
		if v.Node != nil && set > 1 {
			at = v.Node.Pairs[1].Key.Span
		}
		list.Errorf(spec.CodeUnknown, at, "a verification takes exactly one of standard_webhooks, hmac, api_key, basic and none").
			Hint = "write `none: true` where anybody may call"
		return list
	}
	if s := v.StandardWebhooks; s != nil {
		if len(s.Secrets) == 0 {
			list.Errorf(spec.CodeUnknown, at, "`standard_webhooks` needs at least one secret")
		}
		positive(&list, s.Tolerance)
	}
	if k := v.APIKey; k != nil {
		if k.Header.Set() == k.Query.Set() {
			list.Errorf(spec.CodeUnknown, at, "`api_key` needs either `header` or `query`")
		}
		if len(k.Keys) == 0 {
			list.Errorf(spec.CodeUnknown, at, "`api_key` needs at least one key")
		}
	}
	if h := v.HMAC; h != nil {
		checkHMAC(&list, at, h)
	}
	return list
}

func positive(list *diag.List, d spec.Duration) {
	if d.Node != nil && d.D <= 0 {
		list.Errorf(spec.CodeUnknown, d.Node.Span, "`tolerance` must be longer than nothing")
	}
}

func checkHMAC(list *diag.List, at diag.Span, h *spec.HMAC) {
	positive(list, h.Tolerance)
	if len(h.Secrets) == 0 {
		list.Errorf(spec.CodeUnknown, at, "`hmac` needs at least one secret")
	}
	if !h.Header.Set() {
		list.Errorf(spec.CodeUnknown, at, "`hmac` needs the `header` with the signature")
	}
	parts, err := parseSigned(h.Signed.Value)
	if err != nil {
		span := at
		if h.Signed.Node != nil {
			span = h.Signed.Span()
		}
		list.Errorf(spec.CodeUnknown, span, "%s", err)
		return
	}
	body := false
	for _, p := range parts {
		switch {
		case p.kind == signTimestamp && !h.Timestamp.Set():
			list.Errorf(spec.CodeUnknown, h.Signed.Span(), "{timestamp} is signed, but `timestamp` does not say where it stands")
		case p.kind == signID && !h.ID.Set():
			list.Errorf(spec.CodeUnknown, h.Signed.Span(), "{id} is signed, but `id` does not name its header")
		}
		body = body || p.kind == signBody
	}
	if !body {
		list.Errorf(spec.CodeUnknown, h.Signed.Span(), "`signed` lacks {body}, so anybody could change the body")
	}
	if h.Timestamp.Set() && !signs(parts, signTimestamp) {
		list.Errorf(spec.CodeUnknown, h.Timestamp.Span(), "the timestamp is not part of what is signed, so it proves nothing").
			Hint = "add {timestamp} to `signed`, or leave `timestamp` out"
	}
}

func signs(parts []signedPart, kind signedKind) bool {
	for _, p := range parts {
		if p.kind == kind {
			return true
		}
	}
	return false
}

// secretsFor is how long resolved secrets are used before they are looked up
// again.
const secretsFor = 10 * time.Second

// keys are the active secrets of a verifier, made ready by build.
type keys[K any] struct {
	secrets []spec.Secret
	lookup  Lookup
	build   func(text string) (K, error)
	kept    atomic.Pointer[keptKeys[K]]
}

type keptKeys[K any] struct {
	texts []spec.Sealed
	keys  []K
	until time.Time
}

func newKeys[K any](secrets []spec.Secret, lookup Lookup, build func(string) (K, error)) *keys[K] {
	return &keys[K]{secrets: secrets, lookup: lookup, build: build}
}

// get returns the keys that can be resolved. An error means there is none.
func (k *keys[K]) get(now time.Time) ([]K, error) {
	kept := k.kept.Load()
	if kept != nil && now.Before(kept.until) {
		return kept.keys, nil
	}
	next := &keptKeys[K]{until: now.Add(secretsFor)}
	var failed error
	for _, s := range k.secrets {
		text, err := s.Resolve(k.lookup)
		if err == nil && text.Reveal() == "" {
			err = errors.New("it is empty")
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("a secret of this webhook is not available: %w", err))
			continue
		}
		key, err := k.build(text.Reveal())
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		next.texts, next.keys = append(next.texts, text), append(next.keys, key)
	}
	if len(next.keys) == 0 {
		if failed == nil {
			failed = errors.New("this webhook has no secret")
		}
		return nil, failed
	}
	if kept != nil && equal(kept.texts, next.texts) {
		next.keys = kept.keys // their warm state is worth keeping
	}
	k.kept.Store(next)
	return next.keys, nil
}

func equal(a, b []spec.Sealed) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func digest(text string) ([sha256.Size]byte, error) { return sha256.Sum256([]byte(text)), nil }

// matches compares in constant time, whatever the lengths.
func matches(keys [][sha256.Size]byte, given string) bool {
	sum := sha256.Sum256([]byte(given))
	found := 0
	for i := range keys {
		found |= subtle.ConstantTimeCompare(keys[i][:], sum[:])
	}
	return found == 1
}

// shared is a key that both sides know.
type shared struct {
	header, query, prefix string
	keys                  *keys[[sha256.Size]byte]
}

func (s *shared) verify(r *nethttp.Request, _ []byte, now time.Time) error {
	given := r.Header.Get(s.header)
	if s.query != "" {
		values, err := url.ParseQuery(r.URL.RawQuery)
		if err != nil {
			return errors.New("the query cannot be read")
		}
		given = values.Get(s.query)
	} else if s.prefix != "" {
		rest, ok := strings.CutPrefix(given, s.prefix)
		if !ok {
			return fmt.Errorf("the header %s does not start with the agreed prefix", s.header)
		}
		given = strings.TrimPrefix(rest, " ")
	}
	if given == "" {
		return errors.New("there is no key")
	}
	keys, err := s.keys.get(now)
	if err != nil {
		return err
	}
	if !matches(keys, given) {
		return errors.New("the key is wrong")
	}
	return nil
}

// basic is HTTP basic authentication.
type basic struct {
	user [sha256.Size]byte
	keys *keys[[sha256.Size]byte]
}

func (b *basic) verify(r *nethttp.Request, _ []byte, now time.Time) error {
	user, password, ok := r.BasicAuth()
	if !ok {
		return errors.New("there are no basic credentials")
	}
	keys, err := b.keys.get(now)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(user))
	sameUser := subtle.ConstantTimeCompare(sum[:], b.user[:]) == 1
	if !matches(keys, password) || !sameUser {
		return errors.New("user or password is wrong")
	}
	return nil
}
