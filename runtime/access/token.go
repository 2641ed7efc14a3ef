package access

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

// Token is what is kept of a token: never the token itself.
type Token struct {
	ID       string    `json:"id"` // public, the first part of the token
	Name     string    `json:"name"`
	Role     Role      `json:"role"`
	Reveal   bool      `json:"reveal,omitempty"`
	Created  time.Time `json:"created"`
	By       string    `json:"by,omitempty"`
	Expires  time.Time `json:"expires,omitzero"`
	LastUsed time.Time `json:"last_used,omitzero"` // to the minute
	Hash     string    `json:"hash,omitempty"`     // SHA-256 of the whole token; never leaves the store
}

const (
	tokensKey  = "access/tokens"
	usedPrefix = "access/used/"
	perName    = 2 // the one in use and the one that replaces it
	maxTokens  = 200
	usedEvery  = time.Minute
	idBytes    = 6
	keyBytes   = 24 // 192 bits
)

// Tokens keeps the tokens of one store; all replicas on it share them.
type Tokens struct {
	driver queue.Driver

	mu   sync.Mutex
	used map[string]time.Time // when the last use was written
}

// NewTokens returns the tokens kept in d.
func NewTokens(d queue.Driver) *Tokens {
	return &Tokens{driver: d, used: map[string]time.Time{}}
}

var (
	tokenForm = regexp.MustCompile(`^xd_[0-9a-f]{12}_[0-9a-f]{48}$`)
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)
)

// Mine reports whether text has the form of a named token.
func Mine(text string) bool { return tokenForm.MatchString(text) }

// IDOf returns the public part of a text that has the form of a token.
func IDOf(text string) string { return text[len("xd_") : len("xd_")+2*idBytes] }

// Grant is what a new token may do.
type Grant struct {
	Name   string        `json:"name"`
	Role   Role          `json:"role"`
	Reveal bool          `json:"reveal,omitempty"`
	For    time.Duration `json:"for,omitempty"` // how long it is good; 0 = until revoked
}

// Create makes a token and returns it. It is shown this one time. A name may
// have two, so that one can be replaced while the other is in use.
func (t *Tokens) Create(ctx context.Context, g Grant, by string, now time.Time) (string, Token, error) {
	if !nameForm.MatchString(g.Name) {
		return "", Token{}, faultf("the name of a token has letters, digits and . _ @ -, 64 at most")
	}
	if g.Role < Viewer || g.Role > Admin {
		return "", Token{}, faultf("say what the token may do: %s", strings.Join(Roles(), ", "))
	}
	if g.For < 0 {
		return "", Token{}, faultf("a token cannot end before it begins")
	}
	var raw [idBytes + keyBytes]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return "", Token{}, fmt.Errorf("make a token: %w", err)
	}
	text := "xd_" + hex.EncodeToString(raw[:idBytes]) + "_" + hex.EncodeToString(raw[idBytes:])
	made := Token{ID: IDOf(text), Name: g.Name, Role: g.Role, Reveal: g.Reveal, Created: now.UTC().Truncate(time.Second), By: by, Hash: digest(text)}
	if g.For > 0 {
		made.Expires = now.UTC().Add(g.For).Truncate(time.Second)
	}
	err := t.change(ctx, func(list []Token) ([]Token, error) {
		list = slices.DeleteFunc(list, func(o Token) bool { return o.over(now) })
		same := 0
		for _, o := range list {
			if o.Name == g.Name {
				same++
			}
		}
		switch {
		case same >= perName:
			return nil, faultf("%s has two tokens already: revoke one of them first", g.Name)
		case len(list) >= maxTokens:
			return nil, faultf("there are %d tokens already: revoke some first", maxTokens)
		}
		return append(list, made), nil
	})
	if err != nil {
		return "", Token{}, err
	}
	made.Hash = ""
	return text, made, nil
}

// Revoke ends the token with an ID, or the only one with a name.
func (t *Tokens) Revoke(ctx context.Context, what string) (Token, error) {
	var gone Token
	err := t.change(ctx, func(list []Token) ([]Token, error) {
		found := -1
		for i, o := range list {
			switch {
			case o.ID == what:
				found = i
			case o.Name == what && found >= 0:
				return nil, faultf("%s has two tokens, %s and %s: revoke one by its ID", what, list[found].ID, o.ID)
			case o.Name == what:
				found = i
			default:
				continue
			}
			if o.ID == what {
				break
			}
		}
		if found < 0 {
			return nil, ErrUnknown
		}
		gone = list[found]
		return slices.Delete(list, found, found+1), nil
	})
	if err != nil {
		return Token{}, err
	}
	t.mu.Lock()
	delete(t.used, gone.ID)
	t.mu.Unlock()
	_, err = t.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: usedPrefix + gone.ID, Version: queue.AnyVersion}}})
	gone.Hash = ""
	return gone, err
}

// List returns all tokens, without their hashes.
func (t *Tokens) List(ctx context.Context) ([]Token, error) {
	list, _, err := t.read(ctx)
	if err != nil || len(list) == 0 {
		return []Token{}, err
	}
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = usedPrefix + list[i].ID
	}
	values, err := t.driver.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	for i := range list {
		list[i].Hash = ""
		if values[i].Version == 0 {
			continue
		}
		if err := list[i].LastUsed.UnmarshalText(values[i].Data); err != nil {
			return nil, fmt.Errorf("read when the token %s was used: %w", list[i].ID, err)
		}
	}
	return list, nil
}

// Holder returns who holds the token with an ID now, ErrUnknown where it was
// revoked or is over.
func (t *Tokens) Holder(ctx context.Context, id string, now time.Time) (Identity, error) {
	list, _, err := t.read(ctx)
	if err != nil {
		return Identity{}, err
	}
	for _, o := range list {
		if o.ID == id && !o.over(now) {
			return Identity{Name: o.Name, Via: ViaToken, Token: o.ID, Role: o.Role, Reveal: o.Reveal}, nil
		}
	}
	return Identity{}, ErrUnknown
}

// Check recognises a token. It returns ErrRefused for one that is not known or
// is over; other errors mean that the store could not be asked.
func (t *Tokens) Check(ctx context.Context, text string, now time.Time) (Identity, error) {
	if !Mine(text) {
		return Identity{}, ErrRefused
	}
	list, _, err := t.read(ctx)
	if err != nil {
		return Identity{}, err
	}
	given := digest(text)
	var found *Token
	for i := range list {
		if subtle.ConstantTimeCompare([]byte(list[i].Hash), []byte(given)) == 1 {
			found = &list[i]
		}
	}
	if found == nil || found.over(now) {
		return Identity{}, ErrRefused
	}
	if err := t.touch(ctx, found.ID, now); err != nil {
		return Identity{}, err
	}
	return Identity{Name: found.Name, Via: ViaToken, Token: found.ID, Role: found.Role, Reveal: found.Reveal}, nil
}

func (o *Token) over(now time.Time) bool { return !o.Expires.IsZero() && !now.Before(o.Expires) }

// touch writes when a token was used, at most once a minute.
func (t *Tokens) touch(ctx context.Context, id string, now time.Time) error {
	t.mu.Lock()
	due := now.Sub(t.used[id]) >= usedEvery
	if due {
		t.used[id] = now
	}
	t.mu.Unlock()
	if !due {
		return nil
	}
	at, err := now.UTC().Truncate(usedEvery).MarshalText()
	if err != nil {
		return err
	}
	_, err = t.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: usedPrefix + id, Version: queue.AnyVersion, Value: at}}})
	return err
}

func (t *Tokens) read(ctx context.Context) ([]Token, int64, error) {
	values, err := t.driver.Get(ctx, tokensKey)
	if err != nil {
		return nil, 0, err
	}
	if values[0].Version == 0 {
		return nil, 0, nil
	}
	var list []Token
	if err := json.Unmarshal(values[0].Data, &list); err != nil {
		return nil, 0, fmt.Errorf("the tokens in the store cannot be read: %w", err)
	}
	return list, values[0].Version, nil
}

// change rewrites the list. Another process may have changed it meanwhile: then
// it is done again on what that one left.
func (t *Tokens) change(ctx context.Context, edit func([]Token) ([]Token, error)) error {
	for {
		list, version, err := t.read(ctx)
		if err != nil {
			return err
		}
		if list, err = edit(list); err != nil {
			return err
		}
		raw, err := json.Marshal(list)
		if err != nil {
			return err
		}
		_, err = t.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: tokensKey, Version: version, Value: raw}}})
		if !errors.Is(err, queue.ErrVersion) {
			return err
		}
	}
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
