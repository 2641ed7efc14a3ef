package message_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"crossdock/runtime/message"

	"github.com/itchyny/gojq"
	"pgregory.net/rapid"
)

func TestEncodeAgreesWithJQ(t *testing.T) {
	huge, _ := new(big.Int).SetString("-123456789012345678901234567890", 10)
	for _, v := range []any{
		nil, true, false, 0, -17, math.MaxInt, math.MinInt, huge,
		0.0, math.Copysign(0, -1), 0.1, 1.0, 1.10, 1e20, 1e21, -1e21, 1e-6, 9.99e-7, 1e-7, 5e-324, 1e100,
		math.MaxFloat64, math.NaN(), math.Inf(1), math.Inf(-1), 3.3000000000000003,
		json.Number("1.10"), json.Number("1e400"),
		"", "plain", "äöü €😀", "<a href='x'>&amp;</a>", "\u2028\u2029", "\x7f", "\x00\x01\x1f\b\f\n\r\t\"\\/",
		"bad \xff\xc3 bytes", "\xed\xa0\x80", "\ufffd", "eight by\"te", "exactly8", "ninechars",
		[]any{}, map[string]any{}, []any{nil, []any{1}, map[string]any{"b": 1, "a": map[string]any{"z": "", "": 2.5}}},
	} {
		want, err := gojq.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := message.Marshal(v); string(got) != string(want) {
			t.Errorf("Marshal(%#v) = %s, jq writes %s", v, got, want)
		}
		if got := message.Encode([]byte("x="), v); string(got) != "x="+string(want) {
			t.Errorf("Encode(x=, %#v) = %s", v, got)
		}
		if got := message.Size(v); got != len(want) {
			t.Errorf("Size(%#v) = %d, want %d", v, got, len(want))
		}
	}
}

func TestEncodeManyKeys(t *testing.T) {
	v := map[string]any{}
	for i := range 200 {
		v[string(rune('a'+i%26))+string(rune('A'+i/26))] = map[string]any{"n": i, "m": []any{map[string]any{}}}
	}
	want, err := gojq.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if got := message.Marshal(v); string(got) != string(want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestEncodeRefusesForeignTypes(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a struct was accepted")
		}
	}()
	message.Marshal(struct{}{})
}

// values draws anything that a jq program may answer.
func values(depth int) *rapid.Generator[any] {
	scalars := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int().AsAny(), rapid.Float64().AsAny(), rapid.String().AsAny(),
		rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) any { return string(b) }),
		rapid.Map(rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,3})?`),
			func(s string) any { return json.Number(s) }),
		rapid.Map(rapid.Uint64(), func(n uint64) any { return new(big.Int).Mul(new(big.Int).SetUint64(n), big.NewInt(math.MaxInt64)) }),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return values(depth - 1) })
	return rapid.OneOf(append(scalars,
		rapid.SliceOfN(inner, 0, 6).AsAny(),
		rapid.MapOfN(rapid.String(), inner, 0, 40).AsAny())...)
}

func TestEncodeAgreesWithJQOnAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := values(3).Draw(t, "v")
		want, err := gojq.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if got := message.Marshal(v); string(got) != string(want) {
			t.Fatalf("got %s\njq  %s", got, want)
		}
	})
}

// What was written reads back as the same value and is written the same again.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := message.Marshal(values(3).Draw(t, "v"))
		v, err := message.Decode(first, message.Limits{})
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		// The escape U+FFFD for bytes that are not UTF-8 reads as the character.
		repaired := strings.ReplaceAll(string(first), `\ufffd`, "\ufffd")
		if second := message.Marshal(v); string(second) != repaired {
			t.Fatalf("first %s\nthen  %s", first, second)
		}
		if !message.Equal(v, v) {
			t.Fatal("a value differs from itself")
		}
	})
}

func TestEqual(t *testing.T) {
	n := func(s string) any { return json.Number(s) }
	for _, c := range []struct {
		a, b any
		want bool
	}{
		{n("1"), n("1.0"), true}, {n("1"), n("10e-1"), true}, {n("100"), n("1E+2"), true}, {n("0.001"), n("1e-3"), true},
		{n("0"), n("-0.00e5"), true}, {n("1"), n("-1"), false}, {n("0.1"), n("0.10000000000000001"), false},
		{n("9007199254740993"), n("9007199254740992"), false}, {n("1e400"), n("10e399"), true}, {n("1e400"), n("1e401"), false},
		{n("1e99999999999999999999"), n("10e99999999999999999998"), true},
		{n("12"), 12, true}, {n("12.50"), 12.5, true}, {12, 12.0, true}, {n("36893488147419103232"), new(big.Int).Lsh(big.NewInt(1), 65), true},
		{n("x"), n("y"), false}, {n("1"), "1", false}, {"1", n("1"), false}, {nil, nil, true}, {nil, false, false}, {false, nil, false},
		{true, true, true}, {"a", "a", true}, {"a", "b", false},
		{[]any{n("1"), "x"}, []any{1, "x"}, true}, {[]any{1, 2}, []any{2, 1}, false}, {[]any{}, []any{nil}, false}, {[]any{}, map[string]any{}, false},
		{map[string]any{"a": n("1"), "b": nil}, map[string]any{"b": nil, "a": 1}, true},
		{map[string]any{"a": nil}, map[string]any{"b": nil}, false}, {map[string]any{}, nil, false},
	} {
		if got := message.Equal(c.a, c.b); got != c.want {
			t.Errorf("Equal(%v, %v) = %v", c.a, c.b, got)
		}
		if got := message.Equal(c.b, c.a); got != c.want {
			t.Errorf("Equal(%v, %v) = %v", c.b, c.a, got)
		}
	}
}

// Equal agrees with arithmetic on rationals wherever those can be computed.
func TestEqualIsExact(t *testing.T) {
	literal := rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,4})?([eE][+-]?[0-4])?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := literal.Draw(t, "a"), literal.Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		if got := message.Equal(json.Number(a), json.Number(b)); got != (x.Cmp(y) == 0) {
			t.Fatalf("Equal(%s, %s) = %v", a, b, got)
		}
	})
}

func TestDigest(t *testing.T) {
	const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if got := message.Digest(nil); got != empty {
		t.Errorf("Digest(nil) = %s", got)
	}
	if message.Digest([]byte("a")) == message.Digest([]byte("b")) {
		t.Error("different bytes, same digest")
	}
}
