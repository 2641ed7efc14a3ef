// Package lsptest is a small client of the Language Server Protocol for tests.
// It keeps the server to the protocol: framing, one answer per request, and
// findings with the version of the text that they are about.
package lsptest

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/textproto"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// patience is how long a test waits for anything.
const patience = 60 * time.Second

// Client is one session with a server.
type Client struct {
	t    testing.TB
	out  io.Writer
	Root string // folder that was opened
	// Reply answers what the server asks; nil answers null.
	Reply func(method string, params json.RawMessage) any

	writing   sync.Mutex
	mu        sync.Mutex
	changed   *sync.Cond
	answers   map[string]Answer
	published map[string]Published
	tells     bool     // the server has told a version
	asked     []string // methods the server asked for
	ended     bool
	next      int
	versions  map[string]int
}

// Answer is what a request came to.
type Answer struct {
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

// Published are the findings of one file.
type Published struct {
	Version     int
	Diagnostics json.RawMessage
	Times       int // how often they were published
}

// Connect begins to read what the server says.
func Connect(t testing.TB, in io.Reader, out io.Writer, root string) *Client {
	c := &Client{t: t, out: out, Root: root, answers: map[string]Answer{}, published: map[string]Published{}, versions: map[string]int{}}
	c.changed = sync.NewCond(&c.mu)
	go c.read(bufio.NewReader(in)) // ends with the stream
	return c
}

func (c *Client) read(in *bufio.Reader) {
	defer func() {
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
		c.changed.Broadcast()
	}()
	for {
		head, err := textproto.NewReader(in).ReadMIMEHeader()
		if err != nil {
			return
		}
		n, _ := strconv.Atoi(head.Get("Content-Length"))
		body := make([]byte, n)
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		var m struct {
			ID     json.RawMessage
			Method string
			Params json.RawMessage
			Answer
		}
		if err := json.Unmarshal(body, &m); err != nil {
			c.t.Errorf("the server does not speak JSON: %s", body)
			return
		}
		c.mu.Lock()
		switch {
		case m.Method == "textDocument/publishDiagnostics":
			var p struct {
				URI         string
				Version     int
				Diagnostics json.RawMessage
			}
			_ = json.Unmarshal(m.Params, &p)
			c.published[p.URI] = Published{p.Version, p.Diagnostics, c.published[p.URI].Times + 1}
			c.tells = c.tells || p.Version > 0
		case m.Method != "":
			c.asked = append(c.asked, m.Method)
			if len(m.ID) > 0 {
				c.reply(m.ID, m.Method, m.Params)
			}
		default:
			c.answers[string(m.ID)] = m.Answer
		}
		c.mu.Unlock()
		c.changed.Broadcast()
	}
}

// reply answers a request of the server.
func (c *Client) reply(id json.RawMessage, method string, params json.RawMessage) {
	var result any
	if c.Reply != nil {
		result = c.Reply(method, params)
	}
	go c.Send(map[string]any{"jsonrpc": "2.0", "id": id, "result": result}) // reading must not wait for writing
}

// wait waits until ok says so, with the lock held.
func (c *Client) wait(what string, ok func() bool) bool {
	timer := time.AfterFunc(patience, c.changed.Broadcast)
	defer timer.Stop()
	until := time.Now().Add(patience)
	c.mu.Lock()
	defer c.mu.Unlock()
	for !ok() {
		if c.ended || time.Now().After(until) {
			if what != "" {
				c.t.Errorf("the server never came to %s", what)
			}
			return false
		}
		c.changed.Wait()
	}
	return true
}

// Raw sends bytes as they are.
func (c *Client) Raw(text string) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := io.WriteString(c.out, text); err != nil {
		c.t.Logf("write: %v", err)
	}
}

// Send sends a message with its header.
func (c *Client) Send(v any) {
	raw, err := json.Marshal(v)
	if err != nil {
		c.t.Error(err)
		return
	}
	c.Raw(fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(raw), raw))
}

// Notify sends a notification.
func (c *Client) Notify(method string, params any) {
	c.Send(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
}

// Ask sends a request and returns its id.
func (c *Client) Ask(method string, params any) int {
	c.next++
	c.Send(map[string]any{"jsonrpc": "2.0", "id": c.next, "method": method, "params": params})
	return c.next
}

// Answer waits for the answer to a request.
func (c *Client) Answer(id int) Answer {
	c.t.Helper()
	var a Answer
	c.wait(fmt.Sprint("an answer to request ", id), func() (ok bool) {
		a, ok = c.answers[strconv.Itoa(id)]
		return ok
	})
	return a
}

// Call asks and decodes the result into result, which may be nil. It fails the
// test where the answer is an error.
func (c *Client) Call(method string, params, result any) {
	c.t.Helper()
	a := c.Answer(c.Ask(method, params))
	if a.Error != nil {
		c.t.Errorf("%s: %d %s", method, a.Error.Code, a.Error.Message)
		return
	}
	if result == nil || len(a.Result) == 0 {
		return
	}
	if err := json.Unmarshal(a.Result, result); err != nil {
		c.t.Errorf("%s: %v: %s", method, err, a.Result)
	}
}

// Initialize begins a session with the folder of the client; capabilities may be
// nil.
func (c *Client) Initialize(capabilities map[string]any, result any) {
	c.t.Helper()
	if capabilities == nil {
		capabilities = map[string]any{}
	}
	c.Call("initialize", map[string]any{"rootUri": c.URI(""), "capabilities": capabilities,
		"workspaceFolders": []any{map[string]any{"uri": c.URI(""), "name": "test"}}}, result)
	c.Notify("initialized", map[string]any{})
}

// URI is the address of a file of the folder.
func (c *Client) URI(path string) string {
	return "file://" + filepath.ToSlash(filepath.Join(c.Root, path))
}

// Open opens a file with a text.
func (c *Client) Open(path, text string) {
	c.versions[path]++ // never the same again, so that findings are not mistaken for older ones
	c.Notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{
		"uri": c.URI(path), "languageId": "yaml", "version": c.versions[path], "text": text}})
}

// Change replaces the whole text of an open file.
func (c *Client) Change(path, text string) {
	c.Edit(path, map[string]any{"text": text})
}

// Edit changes a part of an open file.
func (c *Client) Edit(path string, changes ...map[string]any) {
	c.versions[path]++
	c.Notify("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": c.URI(path), "version": c.versions[path]},
		"contentChanges": changes})
}

// Close closes a file.
func (c *Client) Close(path string) {
	c.Notify("textDocument/didClose", map[string]any{"textDocument": map[string]any{"uri": c.URI(path)}})
}

// Diagnostics waits for the findings about the text of an open file as it is now
// and decodes them.
func (c *Client) Diagnostics(path string, into any) {
	c.t.Helper()
	uri, version := c.URI(path), c.versions[path]
	var p Published
	c.wait("the findings of "+path, func() bool {
		p = c.published[uri]
		// A server that never tells versions is believed. For one that does, findings
		// without a version are of the time when the file was closed.
		return p.Times > 0 && (p.Version >= version || !c.tells)
	})
	if len(p.Diagnostics) == 0 {
		return
	}
	if err := json.Unmarshal(p.Diagnostics, into); err != nil {
		c.t.Errorf("%s: %v", path, err)
	}
}

// Published returns the last findings of a file, open or not, without waiting.
func (c *Client) Published(path string) Published {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.published[c.URI(path)]
}

// Asked reports whether the server asked the client for a method, and waits for
// it.
func (c *Client) Asked(method string) bool {
	return c.wait("asking for "+method, func() bool {
		for _, m := range c.asked {
			if m == method {
				return true
			}
		}
		return false
	})
}

// Ended waits until the server has closed its stream.
func (c *Client) Ended() bool {
	return c.wait("", func() bool { return c.ended }) || c.ended
}

// Exit ends the session in order.
func (c *Client) Exit() {
	c.t.Helper()
	c.Call("shutdown", nil, nil)
	c.Notify("exit", nil)
}
