package mapping

import (
	"errors"
	"strconv"
	"strings"

	"crossdock/dsl/jq"
	"crossdock/dsl/value"
)

func position(i int) string { return "[" + strconv.Itoa(i) + "]" }

func (r *run) fail(row *Row, code, message, hint string) {
	if len(r.errs) >= maxRowErrors {
		return
	}
	plain := strings.Builder{}
	for _, part := range r.path {
		if part[0] != '[' {
			plain.WriteString(part)
		}
	}
	field, written := strings.Join(r.path, ""), strings.TrimSuffix(plain.String(), ".")
	if r.whole {
		field = strings.TrimSuffix(field, ".")
	} else {
		field += row.Target
		written = strings.TrimPrefix(written+"."+row.Target, ".")
	}
	e := RowError{Field: field, Row: written, Code: code, Message: message, Hint: hint}
	if row.Node != nil {
		e.Span = row.Node.Span
	}
	r.errs = append(r.errs, e)
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
