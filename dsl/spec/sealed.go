package spec

import (
	"encoding"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
)

// Sealed is the value of a secret. Whatever prints, logs or writes it gives
// [secret], also where it is deep inside of something else; only Reveal gives
// the text, at the place that sends it. The zero value holds an empty text.
type Sealed struct {
	text *string // behind a pointer: printing a struct around a Sealed does not ask it
}

const sealMark = "[secret]"

// Seal returns text as a secret.
func Seal(text string) Sealed { return Sealed{&text} }

// Reveal returns the text.
func (s Sealed) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// String implements fmt.Stringer.
func (Sealed) String() string { return sealMark }

// GoString implements fmt.GoStringer.
func (Sealed) GoString() string { return sealMark }

// Format implements fmt.Formatter, for every verb.
func (Sealed) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, sealMark) }

// MarshalJSON implements json.Marshaler.
func (Sealed) MarshalJSON() ([]byte, error) { return json.Marshal(sealMark) }

// MarshalText implements encoding.TextMarshaler, which YAML, XML and keys of JSON ask.
func (Sealed) MarshalText() ([]byte, error) { return []byte(sealMark), nil }

// LogValue implements slog.LogValuer.
func (Sealed) LogValue() slog.Value { return slog.StringValue(sealMark) }

var (
	_ encoding.TextMarshaler = Sealed{}
	_ slog.LogValuer         = Sealed{}
	_ fmt.Formatter          = Sealed{}
)

// Finder finds the value of a secret. Errors name the secret, never a value.
type Finder = func(name string) (Sealed, error)

// Sealing turns a look-up of plain texts into one of secrets.
func Sealing(lookup func(name string) (string, error)) Finder {
	return func(name string) (Sealed, error) {
		text, err := lookup(name)
		return Seal(text), err
	}
}
