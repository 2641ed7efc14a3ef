package admin

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"crossdock/runtime/access"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/queue"
)

// call is one request and who makes it.
type call struct {
	*http.Request
	who access.Identity
	id  string // of the request, in the answer and in the log

	body          []byte // of a request that changes something
	before, after string // digests of what it changed, for the audit log
	why           string // what the audit log says beside what was given as a reason
}

// problem is an error with a status.
type problem struct {
	status int
	text   string
	after  time.Duration // when to come back, 0 = nothing is known
}

func (p *problem) Error() string { return p.text }

func problemf(status int, format string, args ...any) error {
	return &problem{status: status, text: fmt.Sprintf(format, args...)}
}

// failure is the answer to a request that failed. The log of the running
// crossdock tells more under the same ID.
type failure struct {
	Error string `json:"error"`
	ID    string `json:"id"`
}

// guarded lets in who may, and writes what the route answers.
func (a *API) guarded(rt route) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c := &call{Request: r, id: requestID()}
		if err := a.admit(c, rt.rule); err != nil {
			a.refuse(w, c, err)
			return
		}
		if rt.serve != nil {
			rt.serve(w, r)
			return
		}
		out, err := a.answer(w, c, rt)
		if err != nil {
			a.refuse(w, c, err)
			return
		}
		write(w, http.StatusOK, out)
	}
}

// answer reads the request and makes the answer, between two lines of the audit
// log where something is changed.
func (a *API) answer(w http.ResponseWriter, c *call, rt route) (any, error) {
	if rt.changes == "" {
		return rt.answer(c)
	}
	var err error
	c.body, err = io.ReadAll(http.MaxBytesReader(w, c.Body, maxRequest))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, problemf(http.StatusRequestEntityTooLarge, "the request is larger than %d bytes", large.Limit)
	case err != nil:
		return nil, problemf(http.StatusBadRequest, "the request was cut off")
	}
	return a.recorded(c, rt)
}

// admit recognises the caller and holds the rule.
func (a *API) admit(c *call, r rule) error {
	from := remote(c.Request)
	switch {
	case r.open, r.local && from.IsLoopback():
		return nil
	case r.near && !from.IsLoopback():
		return problemf(http.StatusNotFound, "there is no such route")
	}
	who, err := a.recognise(c, from)
	if err != nil {
		return err
	}
	c.who = who
	if who.Role < r.role || r.role == access.Nobody {
		err := problemf(http.StatusForbidden, "this needs the role %s; %s has the role %s", r.role, who.Name, who.Role)
		a.turnedAway(c, "denied", err)
		return err
	}
	return nil
}

var errToken = &problem{status: http.StatusUnauthorized, text: "the admin token is missing or wrong"}

// recognise finds out who calls. The answer is the same whatever is wrong.
func (a *API) recognise(c *call, from netip.Addr) (access.Identity, error) {
	now := time.Now()
	if wait := a.guesses.Locked(from, now); wait > 0 {
		return access.Identity{}, &problem{http.StatusTooManyRequests, "too many wrong tokens came from this address; wait a minute", wait}
	}
	scheme, token, _ := strings.Cut(c.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return access.Identity{}, errToken
	}
	who, err := a.identify(c, token, from, now)
	if errors.Is(err, access.ErrRefused) {
		if a.guesses.Wrong(from, now) {
			a.turnedAway(c, "locked", errors.New("too many wrong tokens"))
			a.log.Warn("an address tried too many wrong admin tokens and is not listened to for a minute", "from", from.String())
		}
		a.turnedAway(c, "signin", errors.New("a wrong token"))
		return access.Identity{}, errToken
	}
	return who, err
}

func (a *API) identify(c *call, token string, from netip.Addr, now time.Time) (access.Identity, error) {
	given := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(given[:], a.local[:]) == 1 && a.opt.Token != "" {
		if !from.IsLoopback() {
			return access.Identity{}, access.ErrRefused
		}
		return access.Identity{Name: claimed(c.Request), Via: access.ViaLocal, Role: access.Admin, Reveal: true}, nil
	}
	if a.opt.SignIn != nil && !access.Mine(token) {
		who, err := a.opt.SignIn.Check(c.Context(), token, now)
		if err == nil && a.engine.Approver() != "" {
			// What somebody approved counts as long as the role does.
			err = a.people.Note(c.Context(), who, now)
		}
		return who, err
	}
	return a.tokens.Check(c.Context(), token, now)
}

// remote returns the address a request came from; the zero address, which is
// not this machine, where there is none.
func remote(r *http.Request) netip.Addr {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().WithZone("").Unmap()
}

// refuse writes an error. Of one that is not the caller's, the caller learns
// only the ID under which the log has it.
func (a *API) refuse(w http.ResponseWriter, c *call, err error) {
	status := http.StatusInternalServerError
	var p *problem
	var fault *access.Fault
	switch {
	case errors.As(err, &p):
		status = p.status
		if p.after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(p.after/time.Second)+1))
		}
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="crossdock"`)
		}
	case errors.Is(err, deadletter.ErrNotFound), errors.Is(err, access.ErrUnknown):
		status = http.StatusNotFound
	case errors.Is(err, deadletter.ErrReason), errors.Is(err, deadletter.ErrWho), errors.As(err, &fault):
		status = http.StatusUnprocessableEntity
	case errors.Is(err, queue.ErrClosed), errors.Is(err, queue.ErrFailed), errors.Is(err, queue.ErrFull):
		a.log.Error("admin request failed", "id", c.id, "path", c.URL.Path, "error", err)
		status, err = http.StatusServiceUnavailable, sentinel(err)
	case errors.Is(err, queue.ErrAway):
		a.log.Error("admin request failed", "id", c.id, "path", c.URL.Path, "error", err)
		status, err = http.StatusServiceUnavailable, errAway
		if c.Method != http.MethodGet {
			err = errAwayChange
		}
	case errors.Is(err, access.ErrProvider):
		a.log.Error("a token cannot be checked", "id", c.id, "error", err)
		status, err = http.StatusServiceUnavailable, access.ErrProvider
	default:
		a.log.Error("admin request failed", "id", c.id, "path", c.URL.Path, "error", err)
		err = errInternal
	}
	write(w, status, failure{err.Error(), c.id})
}

// errInternal is all that a client learns of an error that is not its own.
var errInternal = errors.New("the request failed; the log of the running crossdock tells why")

// What a client learns where the store does not answer.
var (
	errAway       = errors.New("the store does not answer; senders get 503, and everything goes on by itself when it is back: see the log, or crossdock doctor")
	errAwayChange = errors.New("the store does not answer; whether this was done is not known: look again when it is back")
)

// sentinel is the plain word of a store error, without addresses and files.
func sentinel(err error) error {
	for _, s := range []error{queue.ErrClosed, queue.ErrFailed, queue.ErrFull} {
		if errors.Is(err, s) {
			return s
		}
	}
	return errInternal
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v) // the client went away
}

// requestID makes the ID of a request.
func requestID() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// read decodes the body of a request strictly: one value, no field that is not
// known.
func (c *call) read(into any) error {
	if len(bytes.TrimSpace(c.body)) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(c.body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		var syntax *json.SyntaxError
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return problemf(http.StatusBadRequest, "the request cannot be read: there is no field %s", name)
		} else if errors.As(err, &syntax) {
			return problemf(http.StatusBadRequest, "the request cannot be read: it is not JSON")
		}
		return problemf(http.StatusBadRequest, "the request cannot be read: a field has the wrong form")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return problemf(http.StatusBadRequest, "the request cannot be read: something follows the JSON")
	}
	return nil
}

// nothing reads the body of a request that has none to speak of.
func (c *call) nothing() error { return c.read(&struct{}{}) }
