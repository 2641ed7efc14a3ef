package lsp

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// TestFrames reads headers as clients write them, and as nobody should.
func TestFrames(t *testing.T) {
	ok := `{"jsonrpc":"2.0","id":1,"method":"x"}`
	n := len(ok)
	for _, tt := range []struct {
		name, text string
		broken     bool // nothing more can be read
		one        bool // this message makes no sense, the next may
	}{
		{"plain", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", n, ok), false, false},
		{"small letters, no blank, another header", fmt.Sprintf("content-length:%d\r\nContent-Type: application/vscode-jsonrpc; charset=utf-8\r\n\r\n%s", n, ok), false, false},
		{"line feeds alone", fmt.Sprintf("Content-Length: %d\n\n%s", n, ok), false, false},
		{"the same length twice", fmt.Sprintf("Content-Length: %d\r\nContent-Length: %d\r\n\r\n%s", n, n, ok), false, false},
		{"two lengths", fmt.Sprintf("Content-Length: %d\r\nContent-Length: 2\r\n\r\n%s", n, ok), true, false},
		{"no length", "Content-Type: x\r\n\r\n{}", true, false},
		{"nothing before the blank line", "\r\n\r\n{}", true, false},
		{"less than nothing", "Content-Length: -1\r\n\r\n{}", true, false},
		{"with a sign", "Content-Length: +2\r\n\r\n{}", true, false},
		{"in hexadecimal", "Content-Length: 0x2\r\n\r\n{}", true, false},
		{"with a fraction", "Content-Length: 2.0\r\n\r\n{}", true, false},
		{"more than there is memory", "Content-Length: 99999999999999999999\r\n\r\n{}", true, false},
		{"more than is taken", fmt.Sprintf("Content-Length: %d\r\n\r\n{}", maxMessage+1), true, false},
		{"a line without end", "Content-Length: 2" + strings.Repeat(" ", 1<<16), true, false},
		{"lines without end", strings.Repeat("X: y\r\n", 1<<12) + "Content-Length: 2\r\n\r\n{}", true, false},
		{"no header at all", ok + "\r\n\r\n", true, false},
		{"nothing", "Content-Length: 0\r\n\r\n", false, true},
		{"no JSON", "Content-Length: 9\r\n\r\nnot json!", false, true},
		{"a list", "Content-Length: 2\r\n\r\n[]", false, true},
		{"deep", fmt.Sprintf("Content-Length: %d\r\n\r\n%s", 200000, strings.Repeat("[", 200000)), false, true},
		{"less than was said", "Content-Length: 100\r\n\r\n{}", true, false},
	} {
		_, err := newConn(strings.NewReader(tt.text), io.Discard).read()
		var one *Error
		if isOne := errors.As(err, &one); isOne != tt.one || (err != nil && !isOne) != tt.broken {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestAnnouncedIsNotHeld announces what never comes: memory is taken for what
// comes.
func TestAnnouncedIsNotHeld(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 50 {
		if _, err := newConn(strings.NewReader(fmt.Sprintf("Content-Length: %d\r\n\r\n{}", maxMessage)), io.Discard).read(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > maxMessage {
		t.Errorf("%d MiB were taken for 50 messages that never came", took>>20)
	}
}

// FuzzFrames feeds the framing anything: it never panics, ends, and reads back
// what it writes itself.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("Content-Length: 2\r\n\r\n{}Content-Length: 9\r\n\r\nnot json!"), "m")
	f.Add([]byte("content-length:2\nX: y\n\n[]\r\n\r\nContent-Length: -1\r\n\r\n"), "größer 😀")
	f.Add([]byte("Content-Length: 99999999999\r\n\r\n"), "\r\n\r\n")
	f.Fuzz(func(t *testing.T, raw []byte, method string) {
		c := newConn(bytes.NewReader(raw), io.Discard)
		for n := 0; ; n++ {
			_, err := c.read()
			var one *Error
			if err != nil && !errors.As(err, &one) {
				break
			}
			if n > len(raw) {
				t.Fatal("more messages than bytes")
			}
		}
		var wire bytes.Buffer
		c = newConn(&wire, &wire)
		if err := c.notify(method, map[string]any{"text": string(raw)}); err != nil {
			t.Fatal(err)
		}
		m, err := c.read()
		if method == "" {
			return // no message of JSON-RPC
		}
		if err != nil || m.Method != strings.ToValidUTF8(method, "\ufffd") && len(m.Params) == 0 {
			t.Fatalf("%q came back as %+v, %v", method, m, err)
		}
		if wire.Len() > 0 {
			t.Fatalf("%d bytes are left", wire.Len())
		}
	})
}
