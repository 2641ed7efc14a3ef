package message

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"sync"
	"unicode/utf8"
)

// Marshal returns the JSON of v; see Encode.
func Marshal(v any) []byte {
	e := encoders.Get().(*encoder)
	e.out = e.append(e.out[:0], v)
	out := append(make([]byte, 0, len(e.out)), e.out...)
	if cap(e.out) > maxOut {
		e.out = nil
	}
	encoders.Put(e)
	return out
}

// maxOut bounds the buffer an encoder keeps for the next value.
const maxOut = 1 << 16

// Encode appends the JSON of v to dst, without white space and with the keys
// of each object in byte order, so that equal values give equal bytes.
//
// v holds nil, bool, string, json.Number, int, float64, *big.Int, []any and
// map[string]any; anything else is a mistake of the caller and panics. The
// bytes are those of jq: a json.Number stands as it is, NaN becomes null,
// infinities become the largest number, and bytes of text that are not UTF-8
// become U+FFFD. Encode is safe for concurrent use as long as nobody changes v.
func Encode(dst []byte, v any) []byte {
	switch v := v.(type) { // which need no encoder
	case string:
		return appendText(dst, v)
	case json.Number:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return appendFloat(dst, v)
	}
	e := encoders.Get().(*encoder)
	dst = e.append(dst, v)
	encoders.Put(e)
	return dst
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

// An encoder holds the members of all open objects while they are sorted.
type encoder struct {
	members []pair
	order   []rank
	out     []byte
}

type pair struct {
	key   string
	value any
}

func (e *encoder) append(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case string:
		return appendText(dst, v)
	case json.Number:
		return append(dst, v...)
	case bool:
		return strconv.AppendBool(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return appendFloat(dst, v)
	case *big.Int:
		return v.Append(dst, 10)
	case []any:
		dst = append(dst, '[')
		for i, item := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = e.append(dst, item)
		}
		return append(dst, ']')
	case map[string]any:
		return e.object(dst, v)
	}
	panic(fmt.Sprintf("message: %T is not a JSON value", v))
}

func (e *encoder) object(dst []byte, v map[string]any) []byte {
	base := len(e.members)
	for key, value := range v {
		e.order = append(e.order, rank{prefix(key), len(e.members)})
		e.members = append(e.members, pair{key, value})
	}
	end := len(e.members)
	e.sort(e.order[base:end])
	dst = append(dst, '{')
	for i := base; i < end; i++ {
		if i > base {
			dst = append(dst, ',')
		}
		// Objects within this one may move the stacks: index them anew.
		m := &e.members[e.order[i].at]
		value := m.value
		dst = appendText(dst, m.key)
		dst = append(dst, ':')
		dst = e.append(dst, value)
	}
	clear(e.members[base:end])
	e.members, e.order = e.members[:base], e.order[:base]
	if base == 0 && cap(e.members) > maxKept {
		e.members, e.order = nil, nil
	}
	return append(dst, '}')
}

// appendFloat writes a number as jq does: the shortest digits that read back
// to f, with an exponent only where the number is very small or large.
func appendFloat(dst []byte, f float64) []byte {
	if math.IsNaN(f) {
		return append(dst, "null"...)
	}
	f = min(max(f, -math.MaxFloat64), math.MaxFloat64)
	if size := math.Abs(f); size == 0 || size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// care marks, by the high bit of each byte of w, what text cannot be copied
// over: control characters, quotes, backslashes, DEL, and bytes beyond ASCII.
// Marks above the lowest one may be false.
func care(w uint64) uint64 {
	del := w ^ ones*0x7f
	return special(w) | (del-ones)&^del&highs | w&highs
}

func appendText(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := len(dst)
	dst = append(dst, s...)
	if i := easy(dst, start); i < len(dst) {
		// Something needs care: take the rest back and write it slowly.
		done := i - start
		dst = appendCareful(dst[:i], s[done:])
	}
	return append(dst, '"')
}

// easy returns the first position from i on that cannot be copied over.
func easy(b []byte, i int) int {
	for i+8 <= len(b) {
		if m := care(binary.LittleEndian.Uint64(b[i:])); m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
		i += 8
	}
	for i < len(b) && b[i] >= ' ' && b[i] <= '~' && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

func appendCareful(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c <= '~' && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(append(dst, s[start:i]...), `\ufffd`...)
				start = i + 1
			}
			i += n
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, '\\', 'b')
		case '\f':
			dst = append(dst, '\\', 'f')
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	return append(dst, s[start:]...)
}
