package mapping

import (
	"errors"
	"strconv"
	"strings"

	"crossdock/dsl/jq"
	"crossdock/dsl/value"
)

// place is one level of the output: a target, and which item of its list.
type place struct {
	target string
	item   int
}

// noItem stands in a place whose target is no list.
const noItem = -1

func (r *run) fail(row *Row, code, message, hint string) {
	if len(r.errs) >= maxRowErrors {
		return
	}
	var field, written strings.Builder
	for i, p := range r.path {
		if i > 0 {
			field.WriteByte('.')
			written.WriteByte('.')
		}
		field.WriteString(p.target)
		written.WriteString(p.target)
		if p.item != noItem {
			field.WriteString("[" + strconv.Itoa(p.item) + "]")
		}
	}
	if !r.whole {
		if len(r.path) > 0 {
			field.WriteByte('.')
			written.WriteByte('.')
		}
		field.WriteString(row.Target)
		written.WriteString(row.Target)
	}
	r.errs = append(r.errs, RowError{Field: field.String(), Row: written.String(), Code: code, Message: message, Hint: hint, Span: row.Span})
}

func (r *run) failJQ(row *Row, err error) {
	var several *jq.SeveralError
	var limit *jq.LimitError
	switch {
	case errors.As(err, &several):
		r.fail(row, "several", several.Error(), several.Hint())
	case errors.As(err, &limit):
		r.fail(row, "limit", limit.Error(), "make the expression simpler, or split the message first")
	default:
		r.fail(row, "jq", err.Error(), "")
	}
}

func (r *run) failConvert(row *Row, err error) {
	var bad *value.Error
	if errors.As(err, &bad) {
		r.fail(row, string(bad.Code), bad.Message, bad.Hint)
		return
	}
	r.fail(row, "type", err.Error(), "")
}

func programError(m *Mapping, err error) RowError {
	e := RowError{Field: "program", Row: "program", Code: "jq", Message: err.Error(), Span: m.Span}
	var several *jq.SeveralError
	var limit *jq.LimitError
	switch {
	case errors.As(err, &several):
		e.Code, e.Hint = "several", several.Hint()
	case errors.As(err, &limit):
		e.Code = "limit"
	}
	return e
}
