package lsp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// maxMessage bounds one message: no file of a workspace is nearly as large.
const maxMessage = 64 << 20

// maxHeader bounds the lines in front of a message, and maxLine each of them:
// clients send two.
const (
	maxHeader = 32
	maxLine   = 1 << 10
)

// message is a request, a notification, or an answer.
type message struct {
	JSONRPC string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  json.RawMessage `json:"params,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// Error is why a request has no result.
type Error struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *Error) Error() string { return e.Message }

// The codes of JSON-RPC and of the protocol.
const (
	codeParse          = -32700
	codeInvalid        = -32600
	codeNoMethod       = -32601
	codeParams         = -32602
	codeInternal       = -32603
	codeNotInitialized = -32002
	codeFailed         = -32803
	codeCancelled      = -32800
)

// errBroken says that the stream cannot be read any further: where the next
// message begins is not known.
var errBroken = errors.New("the header of a message cannot be read")

// conn frames messages. Reading belongs to one goroutine; writing is safe from
// many.
type conn struct {
	in  *bufio.Reader
	mu  sync.Mutex
	out io.Writer
}

func newConn(in io.Reader, out io.Writer) *conn { return &conn{in: bufio.NewReader(in), out: out} }

// read returns the next message. An *Error is for one message that makes no
// sense; after any other error there is nothing more to read.
func (c *conn) read() (message, error) {
	n, err := c.length()
	if err != nil {
		return message{}, err
	}
	// The buffer grows with what really comes, whatever was announced.
	var buf bytes.Buffer
	if got, err := io.CopyN(&buf, c.in, int64(n)); err != nil || got < int64(n) {
		return message{}, io.EOF
	}
	body := buf.Bytes()
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return m, &Error{codeInvalid, "this is no message of JSON-RPC"}
		}
		return m, &Error{codeParse, "this is not JSON"}
	}
	if m.Method == "" && m.Result == nil && m.Error == nil && m.ID == nil {
		return m, &Error{codeInvalid, "this is no message of JSON-RPC"}
	}
	return m, nil
}

// length reads the header of a message. What is not ASCII, comes without a
// length or with two, is too long or has too many lines, is broken.
func (c *conn) length() (int, error) {
	n := -1
	for range maxHeader {
		line, err := c.in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull), len(line) > maxLine:
			return 0, errBroken
		case err != nil:
			return 0, io.EOF
		}
		text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
		if text == "" {
			if n < 0 {
				return 0, errBroken
			}
			return n, nil
		}
		name, value, ok := strings.Cut(text, ":")
		if !ok || name == "" || strings.TrimSpace(name) != name {
			return 0, errBroken
		}
		if !strings.EqualFold(name, "Content-Length") {
			continue
		}
		got, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
		if err != nil || got > maxMessage || n >= 0 && int(got) != n {
			return 0, errBroken
		}
		n = int(got)
	}
	return 0, errBroken
}

// write sends a message.
func (c *conn) write(m message) error {
	m.JSONRPC = "2.0"
	raw, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := fmt.Fprintf(c.out, "Content-Length: %d\r\n\r\n%s", len(raw), raw); err != nil {
		return fmt.Errorf("write a message: %w", err)
	}
	return nil
}

// notify sends a notification.
func (c *conn) notify(method string, params any) error {
	raw, err := json.Marshal(params)
	if err != nil {
		return fmt.Errorf("encode a notification: %w", err)
	}
	return c.write(message{Method: method, Params: raw})
}

// answer sends the result of a request, or why there is none.
func (c *conn) answer(id json.RawMessage, result any, failed error) error {
	m := message{ID: id}
	if len(id) == 0 {
		m.ID = json.RawMessage("null")
	}
	if failed != nil {
		var e *Error
		if !errors.As(failed, &e) {
			e = &Error{codeFailed, failed.Error()}
		}
		m.Error = e
		return c.write(m)
	}
	raw, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("encode a result: %w", err)
	}
	m.Result = raw
	return c.write(m)
}
