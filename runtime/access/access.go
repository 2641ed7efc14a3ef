// Package access says who may do what at the control API: roles, the tokens
// that stand for them, and a brake on guessing.
//
// A token is random, shown once, and kept only as its SHA-256. Everything here
// is safe for concurrent use.
package access

import (
	"errors"
	"fmt"
	"strings"
)

// Role is what somebody may do. Each role may do what the lower ones may.
type Role int

// The roles, lowest first.
const (
	Nobody   Role = iota // not recognised
	Viewer               // look at what runs, with personal data masked
	Operator             // pause, resume, replay, discard, maintenance
	Editor               // change definitions and payloads
	Admin                // tokens, the audit log, profiles
)

var roleNames = [...]string{Nobody: "nobody", Viewer: "viewer", Operator: "operator", Editor: "editor", Admin: "admin"}

// String returns the word for the role.
func (r Role) String() string { return roleNames[r] }

// Roles are the words for the roles that can be given.
func Roles() []string { return roleNames[Viewer:] }

// ParseRole reads the word for a role.
func ParseRole(word string) (Role, error) {
	for r := Viewer; r <= Admin; r++ {
		if roleNames[r] == word {
			return r, nil
		}
	}
	return Nobody, fmt.Errorf("there is no role `%s`: use %s", word, strings.Join(Roles(), ", "))
}

// MarshalText implements encoding.TextMarshaler.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Role) UnmarshalText(text []byte) error {
	got, err := ParseRole(string(text))
	*r = got
	return err
}

// Identity is who is asking.
type Identity struct {
	Name   string // of the token or the person
	Via    string // how it was recognised: local, token or sign-in
	Token  string // the ID of the token with a name; "" for others
	Role   Role
	Reveal bool // may see payloads with the personal data in them
}

// The ways in which somebody is recognised.
const (
	ViaLocal  = "local"   // the token in the state folder of this machine
	ViaToken  = "token"   // a token with a name
	ViaSignIn = "sign-in" // a token of an identity provider
)

// Errors a caller may branch on.
var (
	// ErrRefused says that what was given proves nothing. What was wrong with
	// it is for the log, never for the answer.
	ErrRefused = errors.New("the token is not known")
	// ErrUnknown says that no token has that name or ID.
	ErrUnknown = errors.New("there is no such token")
)

// Fault says what is wrong with a wish, in words for the person who has it.
type Fault struct{ text string }

// Error returns the words.
func (f *Fault) Error() string { return f.text }

func faultf(format string, args ...any) error { return &Fault{fmt.Sprintf(format, args...)} }
