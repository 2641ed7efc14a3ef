package spec

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"crossdock/dsl/ast"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "500ms": 500 * time.Millisecond, "5s": 5 * time.Second, "1h30m": 90 * time.Minute, "30d": 720 * time.Hour,
		"2w": 336 * time.Hour, "1d12h": 36 * time.Hour, "1.5h": 90 * time.Minute, "36500d": longest,
	} {
		if got, ok := ParseDuration(text); !ok || got != want {
			t.Errorf("%q: %s %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "5", "-5s", "5 s", "1y", "s", "1d2w", "36501d", "5300w", "36500w", "99999999999d", "36500d1s", "9999999999h", "2500000h", "1e3s", "٣s"} {
		if got, ok := ParseDuration(text); ok {
			t.Errorf("%q was taken for %s", text, got)
		}
	}
}

func TestParseDurationNeverNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([0-9]{1,7}w)?([0-9]{1,7}d)?([0-9]{1,8}h)?`).Draw(t, "text")
		if d, ok := ParseDuration(text); ok && (d < 0 || d > longest) {
			t.Fatalf("%q is %d", text, d)
		}
	})
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": 1, "64KB": 64000, "10MB": 10e6, "1GiB": 1 << 30, "5 KiB": 5120} {
		if got, ok := ParseSize(text); !ok || got != want {
			t.Errorf("%q: %d %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "x", "1kb", "1TB", "-1", "1.5MB", "99999999999GiB"} {
		if got, ok := ParseSize(text); ok {
			t.Errorf("%q was taken for %d", text, got)
		}
	}
}

func TestPlain(t *testing.T) {
	for text, want := range map[string]any{
		"1.10": json.Number("1.10"), "12345678901234567890": json.Number("12345678901234567890"), "-0": json.Number("-0"), "1e2": json.Number("1e2"),
		"0123": "0123", ".5": ".5", "+1": "+1", "1_000": "1_000", "0x1F": "0x1F", "2026-05-16": "2026-05-16", "12:30": "12:30",
		"yes": "yes", "No": "No", "True": "True", "true": true, "false": false, "null": nil, "~": nil, "": nil, "NaN": "NaN", ".inf": ".inf",
	} {
		if got := Plain(&ast.Node{Text: text}); fmt.Sprintf("%T %v", got, got) != fmt.Sprintf("%T %v", want, want) {
			t.Errorf("%q is %T %v, not %T %v", text, got, got, want, want)
		}
		if got := Plain(&ast.Node{Text: text, Style: ast.DoubleQuoted}); got != text {
			t.Errorf("%q in quotes is %v", text, got)
		}
	}
}
