package admin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/access"
	"crossdock/runtime/audit"
)

// WhoHeader is the name a person gives at the command line of this machine. It
// is believed only together with the token of this machine.
const WhoHeader = "Crossdock-Who"

// mostRefusals bounds the lines a minute that strangers can cause.
const mostRefusals = 60

// errRecord keeps a change from being made that cannot be recorded.
var errRecord = &problem{status: http.StatusServiceUnavailable,
	text: "the audit log cannot be written, so nothing is changed; the log of the running crossdock tells why"}

// line begins a line about a call.
func (a *API) line(c *call, what string) audit.Line {
	path := c.PathValue("id") + c.PathValue("name") + c.PathValue("what")
	return audit.Line{At: time.Now(), Who: c.who.Name, Via: c.who.Via, From: remote(c.Request).String(), What: what, Of: path}
}

// append writes a line, and says in the log where that fails.
func (a *API) append(line audit.Line) (int64, error) {
	if a.opt.Audit == nil {
		return 0, nil
	}
	seq, err := a.opt.Audit.Append(line)
	if err != nil {
		a.log.Error("the audit log cannot be written", "what", line.What, "who", line.Who, "error", err)
		return 0, errRecord
	}
	return seq, nil
}

// recorded makes a change between two lines of the audit log: that it is
// begun, and how it came out. Without the first one nothing is changed.
func (a *API) recorded(c *call, rt route) (any, error) {
	begun := a.line(c, rt.changes)
	var said struct{ Reason, Note, Name string }
	_ = json.Unmarshal(c.body, &said) // the handler judges the body
	begun.Why, begun.Result = said.Reason+said.Note, audit.Begun
	if begun.Of == "" {
		begun.Of = said.Name
	}
	seq, err := a.append(begun)
	if err != nil {
		return nil, err
	}
	out, failed := rt.answer(c)
	end := a.line(c, rt.changes)
	end.Begun, end.Of, end.Before, end.After, end.Result = seq, begun.Of, c.before, c.after, audit.Done
	end.Why = c.why
	if failed != nil {
		end.Result, end.Error = audit.Failed, failed.Error()
		var p *problem
		var f *access.Fault
		if errors.As(failed, &p) || errors.As(failed, &f) {
			end.Result = audit.Refused
		}
	}
	if _, err := a.append(end); err != nil && failed == nil {
		return nil, &problem{status: http.StatusInternalServerError, text: "the change was made, but its end could not be written to the audit log"}
	}
	return out, failed
}

// revealed records that somebody looks at personal data, before they do.
func (a *API) revealed(c *call) error {
	line := a.line(c, "reveal")
	line.Of, line.Result = c.URL.Path, audit.Done
	if q := c.URL.Query(); q.Get("id")+q.Get("value") != "" {
		line.Of += " " + q.Get("id") + q.Get("ref") + " " + q.Get("value")
	}
	_, err := a.append(line)
	return err
}

// turnedAway records that somebody was not let in or not allowed something.
// Strangers cannot fill the disk by it: what is beyond the bound is counted and
// told with the next line.
func (a *API) turnedAway(c *call, what string, why error) {
	more, ok := a.refusals.take(time.Now())
	if !ok {
		return
	}
	line := a.line(c, what)
	line.Of, line.Result, line.Error = c.Method+" "+c.URL.Path, audit.Refused, why.Error()
	if line.Who == "" {
		line.Who = "unknown"
	}
	if more > 0 {
		line.Why = fmt.Sprintf("before this, %d more that were not written", more)
	}
	_, _ = a.append(line) // it is refused anyway
}

// refusals counts lines about strangers.
type refusals struct {
	mu    sync.Mutex
	since time.Time
	n     int
	more  int
}

// take reports whether one more line may be written, and how many were not
// since the last one.
func (r *refusals) take(now time.Time) (more int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.since) >= time.Minute {
		r.since, r.n = now, 0
	}
	if r.n >= mostRefusals {
		r.more++
		return 0, false
	}
	r.n++
	more, r.more = r.more, 0
	return more, true
}

// claimed is the name that somebody at the command line of this machine gives.
func claimed(r *http.Request) string {
	name := strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return -1
		}
		return c
	}, r.Header.Get(WhoHeader))
	if name == "" || len(name) > 64 {
		return "local"
	}
	return name
}

// digestOf is how content is named in the audit log, which never holds it.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (a *API) auditList(c *call) (any, error) {
	if a.opt.AuditLines == nil {
		return []audit.Line{}, nil
	}
	n := limit(c)
	if n == 0 {
		n = 100
	}
	lines, err := a.opt.AuditLines(n)
	var bad *audit.Fault
	if errors.As(err, &bad) {
		return nil, problemf(http.StatusInternalServerError, "the audit log is not as it was written: %s; see `crossdock audit verify`", bad)
	}
	return lines, err
}
