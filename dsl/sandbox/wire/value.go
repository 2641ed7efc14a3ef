// Package wire is how a cell goes into the sandbox and its values come out: the
// values of jq in bytes, with the kind of each number, so that a cell gives the
// same on both sides.
//
// The side that reads trusts nothing: sizes are held against what is there, and
// nesting is bounded.
package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
)

// MaxDepth is how deep values may nest. The interpreter prints no deeper ones.
const MaxDepth = 10_000

// ErrBroken says that bytes are no value of this package.
var ErrBroken = errors.New("the sandbox and its host do not understand each other")

// ErrDeep says that a value is nested deeper than MaxDepth.
var ErrDeep = fmt.Errorf("is nested deeper than %d", MaxDepth)

const (
	tagNull byte = iota
	tagFalse
	tagTrue
	tagInt
	tagFloat
	tagBig
	tagNumber // as written
	tagText
	tagList
	tagObject
)

// AppendValue appends v, which holds nil, bool, int, float64, *big.Int,
// json.Number, string, []any and map[string]any and nothing else.
func AppendValue(dst []byte, v any) ([]byte, error) { return appendValue(dst, v, 0) }

func appendValue(dst []byte, v any, depth int) ([]byte, error) {
	if depth > MaxDepth {
		return nil, ErrDeep
	}
	var err error
	switch v := v.(type) {
	case nil:
		return append(dst, tagNull), nil
	case bool:
		if v {
			return append(dst, tagTrue), nil
		}
		return append(dst, tagFalse), nil
	case int:
		return binary.AppendVarint(append(dst, tagInt), int64(v)), nil
	case float64:
		return binary.LittleEndian.AppendUint64(append(dst, tagFloat), math.Float64bits(v)), nil
	case *big.Int:
		return AppendText(append(dst, tagBig), v.String()), nil
	case json.Number:
		return AppendText(append(dst, tagNumber), string(v)), nil
	case string:
		return AppendText(append(dst, tagText), v), nil
	case []any:
		dst = binary.AppendUvarint(append(dst, tagList), uint64(len(v)))
		for _, e := range v {
			if dst, err = appendValue(dst, e, depth+1); err != nil {
				return nil, err
			}
		}
		return dst, nil
	case map[string]any:
		dst = binary.AppendUvarint(append(dst, tagObject), uint64(len(v)))
		for k, e := range v {
			if dst, err = appendValue(AppendText(dst, k), e, depth+1); err != nil {
				return nil, err
			}
		}
		return dst, nil
	}
	return nil, fmt.Errorf("a %T is no value of jq", v)
}

// AppendText appends a text with its length.
func AppendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Reader reads what this package has written. After the first error everything
// it reads is empty.
type Reader struct {
	b   []byte
	err error
}

// NewReader reads b, which must not be changed meanwhile.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Err is what was wrong, also where bytes were left; nil where all is well.
func (r *Reader) Err() error {
	if r.err == nil && len(r.b) > 0 {
		return ErrBroken
	}
	return r.err
}

func (r *Reader) fail() { r.err, r.b = ErrBroken, nil }

// Byte reads one byte.
func (r *Reader) Byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	b := r.b[0]
	r.b = r.b[1:]
	return b
}

// Int reads a signed number.
func (r *Reader) Int() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// Count reads how many follow, each of which takes a byte or more.
func (r *Reader) Count() int {
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > uint64(len(r.b)-size) {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return int(n)
}

// Text reads a text.
func (r *Reader) Text() string {
	n := r.Count()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

// Value reads a value.
func (r *Reader) Value() any { return r.value(0) }

func (r *Reader) value(depth int) any {
	if depth > MaxDepth {
		r.fail()
	}
	if r.err != nil {
		return nil
	}
	switch r.Byte() {
	case tagNull:
	case tagFalse:
		return false
	case tagTrue:
		return true
	case tagInt:
		return int(r.Int())
	case tagFloat:
		if len(r.b) < 8 {
			r.fail()
			return nil
		}
		f := math.Float64frombits(binary.LittleEndian.Uint64(r.b))
		r.b = r.b[8:]
		return f
	case tagBig:
		n, ok := new(big.Int).SetString(r.Text(), 10)
		if !ok {
			r.fail()
			return nil
		}
		return n
	case tagNumber:
		return json.Number(r.Text())
	case tagText:
		return r.Text()
	case tagList:
		n := r.Count()
		list := make([]any, 0, min(n, roomAtOnce))
		for range n {
			if r.err != nil {
				return nil
			}
			list = append(list, r.value(depth+1))
		}
		return list
	case tagObject:
		n := r.Count()
		object := make(map[string]any, min(n, roomAtOnce))
		for range n {
			if r.err != nil {
				return nil
			}
			k := r.Text()
			object[k] = r.value(depth + 1)
		}
		return object
	default:
		r.fail()
	}
	return nil
}

// roomAtOnce bounds what is made for a count before its elements are seen.
const roomAtOnce = 1024
