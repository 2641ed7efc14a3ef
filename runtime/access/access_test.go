package access_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"crossdock/runtime/access"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/memory"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func newTokens(t *testing.T) (*access.Tokens, queue.Driver) {
	t.Helper()
	d := memory.Open(memory.Options{})
	t.Cleanup(func() { d.Close() })
	return access.NewTokens(d), d
}

func make1(t *testing.T, s *access.Tokens, g access.Grant) (string, access.Token) {
	t.Helper()
	text, made, err := s.Create(t.Context(), g, "anna", noon)
	if err != nil {
		t.Fatal(err)
	}
	return text, made
}

func TestLifeOfAToken(t *testing.T) {
	s, d := newTokens(t)
	text, made := make1(t, s, access.Grant{Name: "ci", Role: access.Operator})
	if !access.Mine(text) || made.Hash != "" || made.By != "anna" || access.IDOf(text) != made.ID {
		t.Errorf("%q %+v", text, made)
	}
	who, err := s.Check(t.Context(), text, noon)
	if err != nil || who != (access.Identity{Name: "ci", Via: access.ViaToken, Token: made.ID, Role: access.Operator}) {
		t.Errorf("%+v %v", who, err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 1 || list[0].Hash != "" || !list[0].LastUsed.Equal(noon) {
		t.Errorf("%+v %v", list, err)
	}
	// Another process on the same store knows it, and of its end.
	other := access.NewTokens(d)
	if _, err := other.Check(t.Context(), text, noon); err != nil {
		t.Error(err)
	}
	if _, err := other.Revoke(t.Context(), "ci"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(t.Context(), text, noon); !errors.Is(err, access.ErrRefused) {
		t.Errorf("a revoked token: %v", err)
	}
	if _, err := s.Revoke(t.Context(), "ci"); !errors.Is(err, access.ErrUnknown) {
		t.Errorf("revoked twice: %v", err)
	}
}

// TestStoreHoldsNoToken looks at every byte that is kept.
func TestStoreHoldsNoToken(t *testing.T) {
	s, d := newTokens(t)
	text, made := make1(t, s, access.Grant{Name: "ci", Role: access.Admin})
	if _, err := s.Check(t.Context(), text, noon); err != nil {
		t.Fatal(err)
	}
	values, err := d.Get(t.Context(), "access/tokens", "access/used/"+made.ID)
	if err != nil || values[0].Version == 0 || values[1].Version == 0 {
		t.Fatal(err, values)
	}
	for _, v := range values {
		if strings.Contains(string(v.Data), text[len("xd_")+13:]) {
			t.Errorf("%s holds the token: %s", v.Key, v.Data)
		}
	}
}

func TestTwoTokensForRotation(t *testing.T) {
	s, _ := newTokens(t)
	old, first := make1(t, s, access.Grant{Name: "ci", Role: access.Viewer})
	fresh, _ := make1(t, s, access.Grant{Name: "ci", Role: access.Viewer})
	for _, text := range []string{old, fresh} {
		if _, err := s.Check(t.Context(), text, noon); err != nil {
			t.Errorf("both are good while one is replaced: %v", err)
		}
	}
	var fault *access.Fault
	if _, _, err := s.Create(t.Context(), access.Grant{Name: "ci", Role: access.Viewer}, "anna", noon); !errors.As(err, &fault) {
		t.Errorf("a third one: %v", err)
	}
	if _, err := s.Revoke(t.Context(), "ci"); !errors.As(err, &fault) {
		t.Errorf("which one? %v", err)
	}
	if _, err := s.Revoke(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Check(t.Context(), old, noon); !errors.Is(err, access.ErrRefused) {
		t.Errorf("the old one: %v", err)
	}
	if _, err := s.Check(t.Context(), fresh, noon); err != nil {
		t.Errorf("the new one: %v", err)
	}
}

func TestTokensEnd(t *testing.T) {
	s, _ := newTokens(t)
	text, _ := make1(t, s, access.Grant{Name: "guest", Role: access.Viewer, For: time.Hour})
	if _, err := s.Check(t.Context(), text, noon.Add(time.Hour-time.Second)); err != nil {
		t.Error(err)
	}
	if _, err := s.Check(t.Context(), text, noon.Add(time.Hour)); !errors.Is(err, access.ErrRefused) {
		t.Errorf("after its end: %v", err)
	}
}

func TestWrongTokens(t *testing.T) {
	s, _ := newTokens(t)
	text, _ := make1(t, s, access.Grant{Name: "ci", Role: access.Admin})
	for i := range text {
		wrong := []byte(text)
		wrong[i] ^= 1
		if _, err := s.Check(t.Context(), string(wrong), noon); !errors.Is(err, access.ErrRefused) {
			t.Errorf("with another sign at %d: %v", i, err)
		}
	}
	for _, wrong := range []string{"", " ", text + " ", text + "0", text[:len(text)-1], strings.ToUpper(text), text + "\n", "xd_" + text} {
		if _, err := s.Check(t.Context(), wrong, noon); !errors.Is(err, access.ErrRefused) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestManyMakeTokensAtOnce(t *testing.T) {
	s, d := newTokens(t)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			if _, _, err := access.NewTokens(d).Create(context.Background(), access.Grant{Name: fmt.Sprint("n", i), Role: access.Viewer}, "", noon); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if list, err := s.List(t.Context()); err != nil || len(list) != 20 {
		t.Errorf("%d tokens, %v", len(list), err)
	}
}

func TestGuesses(t *testing.T) {
	g := access.NewGuesses()
	a, b := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2")
	for i := range 9 {
		if g.Wrong(a, noon) || g.Locked(a, noon) > 0 {
			t.Fatalf("locked after %d", i+1)
		}
	}
	if !g.Wrong(b, noon) { // the same customer
		t.Error("not locked after ten")
	}
	if g.Locked(a, noon) != time.Minute || g.Locked(a, noon.Add(59*time.Second)) != time.Second || g.Locked(a, noon.Add(time.Minute)) != 0 {
		t.Error("the lock has the wrong length")
	}
	// Slow mistakes are no attack.
	c := netip.MustParseAddr("192.0.2.1")
	for i := range 100 {
		if g.Wrong(c, noon.Add(time.Duration(i)*10*time.Second)) {
			t.Fatal("locked by a mistake every ten seconds")
		}
	}
	// A flood of addresses does not take memory without end.
	for i := range 50000 {
		g.Wrong(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), noon)
	}
	if n := g.Size(); n > 10000 {
		t.Errorf("%d addresses are remembered", n)
	}
}

func TestRoles(t *testing.T) {
	for _, word := range access.Roles() {
		r, err := access.ParseRole(word)
		if err != nil || r.String() != word {
			t.Errorf("%s: %v %v", word, r, err)
		}
	}
	for _, word := range []string{"", "nobody", "Admin", "root", "admin "} {
		if _, err := access.ParseRole(word); err == nil {
			t.Errorf("%q is a role", word)
		}
	}
}
