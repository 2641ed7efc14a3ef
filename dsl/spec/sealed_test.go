package spec

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestSealed: no way of printing gives the text of a secret, whatever it is in.
func TestSealed(t *testing.T) {
	const text = "canary-9f3c"
	s := Seal(text)
	type hidden struct {
		open   Sealed
		inner  *Sealed
		in     []Sealed
		by     map[string]Sealed
		nested struct{ deep Sealed }
		any    any
	}
	h := hidden{s, &s, []Sealed{s}, map[string]Sealed{"a": s}, struct{ deep Sealed }{s}, s}
	var out bytes.Buffer
	for _, v := range []any{s, &s, h, &h, h.in, h.by, struct{ S Sealed }{s}, errors.Join(fmt.Errorf("with %v", s)), []any{s, h}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T %v", "%10.3s", "%c", "%t", "%p", "%w"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		fmt.Fprintln(&out, v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
		if b, err := xml.Marshal(v); err == nil {
			out.Write(b)
		}
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
	}
	json.NewEncoder(&out).Encode(map[Sealed]int{s: 1})
	func() {
		defer func() { fmt.Fprint(&out, recover()) }()
		panic(h)
	}()
	for _, form := range []string{text, fmt.Sprintf("%x", text), fmt.Sprintf("%X", text)} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%q came out:\n%s", form, out.String())
		}
	}
	if s.Reveal() != text || (Sealed{}).Reveal() != "" {
		t.Error("the text is not what was sealed")
	}
}
