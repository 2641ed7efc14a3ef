package wire

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"crossdock/dsl/jq"
)

// AppendCall appends a run of a cell.
func AppendCall(dst []byte, c jq.Call) ([]byte, error) {
	dst = AppendText(dst, c.Source)
	dst = append(dst, flag(c.Unsafe), flag(c.One))
	dst = binary.AppendVarint(dst, int64(c.Time))
	dst = binary.AppendVarint(dst, int64(c.Outputs))
	dst = binary.AppendVarint(dst, c.Bytes)
	dst = binary.AppendUvarint(dst, uint64(len(c.Vars)))
	var err error
	for i, name := range c.Vars {
		if dst, err = AppendValue(AppendText(dst, name), c.Values[i]); err != nil {
			return nil, err
		}
	}
	return AppendValue(dst, c.In)
}

// ReadCall reads a run of a cell; its Lookup is nil.
func ReadCall(b []byte) (jq.Call, error) {
	r := NewReader(b)
	c := jq.Call{Source: r.Text(), Unsafe: r.Byte() == 1, One: r.Byte() == 1, Time: time.Duration(r.Int()), Outputs: int(r.Int()), Bytes: r.Int()}
	for range r.Count() {
		c.Vars = append(c.Vars, r.Text())
		c.Values = append(c.Values, r.Value())
	}
	c.In = r.Value()
	return c, r.Err()
}

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

// The endings of a run.
const (
	endValues byte = iota
	endRun
	endRunValue
	endLimit
	endSeveral
)

// limits are what a run can meet, by number on the wire.
var limits = []error{jq.ErrTime, jq.ErrMemory, jq.ErrOutputs, context.Canceled}

// AppendResult appends the values of a run, or its error. Values that cannot be
// written become an error.
func AppendResult(dst []byte, values []any, err error) []byte {
	out, cannot := AppendExact(dst, values, err)
	switch {
	case cannot == nil:
		return out
	case err == nil:
		return AppendResult(dst, nil, &jq.RunError{Text: "gives what cannot be kept: " + cannot.Error()})
	}
	return AppendText(append(dst, endRun), err.Error())
}

// AppendExact appends the values of a run, or its error, so that they are read as
// they are, or says why that cannot be.
func AppendExact(dst []byte, values []any, err error) ([]byte, error) {
	var run *jq.RunError
	var limit *jq.LimitError
	var several *jq.SeveralError
	switch {
	case err == nil:
		dst = binary.AppendUvarint(append(dst, endValues), uint64(len(values)))
		return appendValues(dst, values...)
	case errors.As(err, &several):
		return appendValues(append(dst, endSeveral), several.First, several.Second)
	case errors.As(err, &limit):
		n := len(limits) - 1
		for i, l := range limits {
			if limit.Limit == l {
				n = i
			}
		}
		return AppendText(append(dst, endLimit, byte(n)), limit.Text), nil
	case errors.As(err, &run) && run.Value != nil:
		return appendValues(AppendText(append(dst, endRunValue), run.Text), run.Value)
	}
	return AppendText(append(dst, endRun), err.Error()), nil
}

func appendValues(dst []byte, values ...any) (_ []byte, err error) {
	for _, v := range values {
		if dst, err = AppendValue(dst, v); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// ReadResult reads the values of a run, or its error.
func ReadResult(b []byte) (values []any, err error) {
	r := NewReader(b)
	switch r.Byte() {
	case endValues:
		n := r.Count()
		for range n {
			if r.err != nil {
				break
			}
			values = append(values, r.Value())
		}
	case endRun:
		err = &jq.RunError{Text: r.Text()}
	case endRunValue:
		err = &jq.RunError{Text: r.Text(), Value: r.Value()}
	case endLimit:
		n := int(r.Byte())
		if n >= len(limits) {
			return nil, ErrBroken
		}
		err = &jq.LimitError{Limit: limits[n], Text: r.Text()}
	case endSeveral:
		err = &jq.SeveralError{First: r.Value(), Second: r.Value()}
	default:
		return nil, ErrBroken
	}
	if broken := r.Err(); broken != nil {
		return nil, broken
	}
	return values, err
}

// Question is what the cell asks a table of its host.
type Question struct{ Table, Key, Column string }

// AppendQuestion appends q.
func AppendQuestion(dst []byte, q Question) []byte {
	return AppendText(AppendText(AppendText(dst, q.Table), q.Key), q.Column)
}

// ReadQuestion reads a question.
func ReadQuestion(b []byte) (Question, error) {
	r := NewReader(b)
	q := Question{r.Text(), r.Text(), r.Text()}
	return q, r.Err()
}
