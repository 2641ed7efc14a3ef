package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"time"
)

// The bounds of what a provider is asked.
const (
	fetchTime   = 5 * time.Second
	maxDocument = 256 << 10
	maxKeys     = 100
	freshFor    = 15 * time.Minute // then keys are asked for again
	goodFor     = 24 * time.Hour   // while the provider does not answer
	askAgain    = time.Minute      // at most, whatever unknown key is named
)

// keySet is the keys of one provider. They are looked up by name and never
// fetched from where a token says.
type keySet struct {
	issuer string
	client *http.Client

	mu    sync.Mutex
	keys  []namedKey
	at    time.Time // when keys were fetched
	asked time.Time // when that was last tried
}

type namedKey struct {
	id, alg string
	key     any
}

// find returns the key with a name that makes signatures of an algorithm.
// Where a token names none, there must be exactly one.
func (s *keySet) find(ctx context.Context, id, alg string, now time.Time) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, err := s.lookup(id, alg)
	stale := now.Sub(s.at) >= freshFor
	if (err != nil || stale) && now.Sub(s.asked) >= askAgain {
		s.asked = now
		if keys, fetched := s.load(ctx); fetched == nil {
			s.keys, s.at = keys, now
			key, err = s.lookup(id, alg)
		} else if len(s.keys) == 0 || now.Sub(s.at) >= goodFor {
			return nil, fmt.Errorf("%w: %w", ErrProvider, fetched)
		}
	}
	if len(s.keys) == 0 || now.Sub(s.at) >= goodFor {
		return nil, ErrProvider
	}
	return key, err
}

var errNoKey = errors.New("the provider has no such key")

func (s *keySet) lookup(id, alg string) (any, error) {
	var found []any
	for _, k := range s.keys {
		if k.alg == alg && (id == "" || k.id == id) {
			found = append(found, k.key)
		}
	}
	if len(found) != 1 {
		return nil, errNoKey
	}
	return found[0], nil
}

// load asks the provider where its keys are, and for them.
func (s *keySet) load(ctx context.Context) ([]namedKey, error) {
	var about struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := fetch(ctx, s.client, strings.TrimSuffix(s.issuer, "/")+"/.well-known/openid-configuration", &about); err != nil {
		return nil, fmt.Errorf("ask the identity provider: %w", err)
	}
	if about.Issuer != s.issuer {
		return nil, errors.New("ask the identity provider: it calls itself otherwise")
	}
	if err := checkAddress(about.Keys); err != nil {
		return nil, fmt.Errorf("the keys of the identity provider: %w", err)
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := fetch(ctx, s.client, about.Keys, &set); err != nil {
		return nil, fmt.Errorf("fetch the keys of the identity provider: %w", err)
	}
	if len(set.Keys) > maxKeys {
		return nil, fmt.Errorf("the identity provider has %d keys; %d are taken", len(set.Keys), maxKeys)
	}
	var out []namedKey
	for _, k := range set.Keys {
		key, alg := k.public()
		if key == nil || k.Use != "" && k.Use != "sig" || k.Alg != "" && k.Alg != alg {
			continue // for something else
		}
		out = append(out, namedKey{k.ID, alg, key})
	}
	if len(out) == 0 {
		return nil, errors.New("the identity provider has no key for " + strings.Join(methods, ", "))
	}
	return out, nil
}

// jwk is a key as RFC 7517 writes it.
type jwk struct {
	Type  string `json:"kty"`
	ID    string `json:"kid"`
	Use   string `json:"use"`
	Alg   string `json:"alg"`
	Curve string `json:"crv"`
	N     string `json:"n"`
	E     string `json:"e"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

// public returns the key and the algorithm it is for, nil where it is of
// another kind or too weak.
func (k *jwk) public() (any, string) {
	switch {
	case k.Type == "RSA":
		n, e := number(k.N), number(k.E)
		if n == nil || e == nil || n.BitLen() < 2048 || n.BitLen() > 8192 || !e.IsInt64() || e.Int64() < 3 || e.Int64() > 1<<31-1 {
			return nil, ""
		}
		return &rsa.PublicKey{N: n, E: int(e.Int64())}, "RS256"
	case k.Type == "EC" && k.Curve == "P-256":
		x, errX := base64.RawURLEncoding.DecodeString(k.X)
		y, errY := base64.RawURLEncoding.DecodeString(k.Y)
		if errX != nil || errY != nil || len(x) != 32 || len(y) != 32 {
			return nil, ""
		}
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, x...), y...))
		if err != nil {
			return nil, ""
		}
		return key, "ES256"
	case k.Type == "OKP" && k.Curve == "Ed25519":
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, ""
		}
		return ed25519.PublicKey(x), "EdDSA"
	}
	return nil, ""
}

func number(text string) *big.Int {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) == 0 || len(raw) > 1024 {
		return nil
	}
	return new(big.Int).SetBytes(raw)
}
