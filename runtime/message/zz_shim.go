package message

// A first codec over encoding/json, to be replaced by the exact one (delete
// this file then).

import (
	"bytes"
	"encoding/json"
	"io"
	"errors"
)

type Limits struct{ Depth int }

var Unlimited = Limits{Depth: 10000}

func Decode(raw []byte, _ Limits) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more data behind the JSON value")
	}
	return v, nil
}

func Marshal(v any) []byte {
	b := &bytes.Buffer{}
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}
