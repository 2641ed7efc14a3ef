// Package admin is the control API that the command line and the console
// speak: HTTP and JSON, on loopback unless told otherwise, with a token.
package admin

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"crossdock/runtime"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/flow"
	"crossdock/runtime/journal"
	"crossdock/runtime/message"
	"crossdock/runtime/queue"
)

// maxRequest bounds the body of a request.
const maxRequest = 16 << 20

// API serves one engine.
type API struct {
	engine *runtime.Engine
	token  [sha256.Size]byte
	log    *slog.Logger
	mux    *http.ServeMux
	routes []string
	box    *deadletter.Box
}

// New returns the API of an engine, guarded by token.
func New(e *runtime.Engine, token string, log *slog.Logger) *API {
	a := &API{engine: e, token: sha256.Sum256([]byte(token)), log: log, mux: http.NewServeMux(),
		box: &deadletter.Box{Driver: e.Driver(), Live: e.Worker().Live}}
	a.handle("GET /healthz", a.health)
	a.handle("GET /readyz", a.readiness)
	a.handle("GET /metrics", promhttp.HandlerFor(e.Meter().Registry, promhttp.HandlerOpts{}).ServeHTTP)
	for pattern, h := range map[string]func(*http.Request) (any, error){
		"GET /v1/status":                   a.status,
		"GET /v1/queues":                   a.queues,
		"GET /v1/balance":                  a.balance,
		"GET /v1/trace":                    a.trace,
		"GET /v1/history":                  a.history,
		"GET /v1/dead":                     a.deadList,
		"GET /v1/dead/{id}":                a.deadShow,
		"POST /v1/dead/{id}/replay":        a.deadReplay,
		"POST /v1/dead/{id}/edit":          a.deadEdit,
		"POST /v1/dead/{id}/discard":       a.deadDiscard,
		"POST /v1/reload":                  a.reload,
		"GET /v1/revisions":                a.revisions,
		"POST /v1/revisions":               a.publish,
		"POST /v1/revisions/rollback":      a.rollback,
		"POST /v1/pipelines/{name}/pause":  a.pause,
		"POST /v1/pipelines/{name}/resume": a.resume,
	} {
		a.handle(pattern, a.guarded(h))
	}
	return a
}

func (a *API) handle(pattern string, h http.HandlerFunc) {
	a.mux.HandleFunc(pattern, h)
	a.routes = append(a.routes, pattern)
}

// Patterns returns the routes that are served, as method and path.
func (a *API) Patterns() []string { return slices.Sorted(slices.Values(a.routes)) }

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	a.mux.ServeHTTP(w, r)
}

// Serve answers on l until ctx ends.
func (a *API) Serve(ctx context.Context, l net.Listener) error {
	protect := http.NewCrossOriginProtection()
	s := &http.Server{Handler: protect.Handler(a), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: time.Minute, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	stopped := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(grace) // the process ends anyway
	})
	defer stopped()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the admin API: %w", err)
	}
	return nil
}

// Loopback reports whether an address can only be reached from this machine.
func Loopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// problem is an error with a status.
type problem struct {
	status int
	text   string
}

func (p *problem) Error() string { return p.text }

func problemf(status int, format string, args ...any) error {
	return &problem{status, fmt.Sprintf(format, args...)}
}

// guarded checks the token and writes the answer as JSON.
func (a *API) guarded(h func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		given := sha256.Sum256([]byte(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")))
		if subtle.ConstantTimeCompare(given[:], a.token[:]) != 1 {
			write(w, http.StatusUnauthorized, map[string]string{"error": "the admin token is missing or wrong"})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		out, err := h(r)
		if err == nil {
			write(w, http.StatusOK, out)
			return
		}
		status := http.StatusInternalServerError
		var p *problem
		switch {
		case errors.As(err, &p):
			status = p.status
		case errors.Is(err, deadletter.ErrNotFound):
			status = http.StatusNotFound
		case errors.Is(err, deadletter.ErrReason), errors.Is(err, deadletter.ErrWho):
			status = http.StatusUnprocessableEntity
		case errors.Is(err, queue.ErrClosed), errors.Is(err, queue.ErrFailed), errors.Is(err, queue.ErrFull):
			a.log.Error("admin request failed", "path", r.URL.Path, "error", err)
			status, err = http.StatusServiceUnavailable, sentinel(err)
		default:
			a.log.Error("admin request failed", "path", r.URL.Path, "error", err)
			err = errInternal
		}
		write(w, status, map[string]string{"error": err.Error()})
	}
}

// errInternal is all that a client learns of an error that is not its own.
var errInternal = errors.New("the request failed; the log of the running crossdock tells why")

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

func (a *API) health(w http.ResponseWriter, _ *http.Request) {
	write(w, http.StatusOK, map[string]string{"status": "alive"})
}

func (a *API) readiness(w http.ResponseWriter, _ *http.Request) {
	if !a.engine.Ready() {
		write(w, http.StatusServiceUnavailable, map[string]string{"status": "not ready"})
		return
	}
	write(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (a *API) status(r *http.Request) (any, error) { return a.engine.Status(r.Context()) }

func (a *API) queues(r *http.Request) (any, error) {
	page, err := a.engine.Driver().Browse(r.Context(), queue.Query{View: queue.Lanes, Limit: 100000})
	if err != nil {
		return nil, err
	}
	lanes := make([]Lane, 0, len(page.Lanes))
	for _, l := range page.Lanes {
		lanes = append(lanes, Lane{LaneStat: l, Note: a.engine.LaneNote(l.Lane)})
	}
	return lanes, nil
}

// Lane is a lane with a word on what keeps it, where something does.
type Lane struct {
	queue.LaneStat
	Note string `json:"note,omitempty"`
}

func (a *API) balance(r *http.Request) (any, error) {
	return journal.ReadShared(r.Context(), a.engine.Driver(), r.URL.Query().Get("pipeline"), flow.PipelineOf)
}

// trace returns the story of all messages with a business reference, or of one
// message.
func (a *API) trace(r *http.Request) (any, error) {
	q := r.URL.Query()
	query := queue.Query{View: queue.ByRef, Ref: queue.Ref{Type: q.Get("ref"), Value: q.Get("value")}, Limit: 10000}
	if id := q.Get("id"); id != "" {
		query = queue.Query{View: queue.ByMsg, ID: id, Limit: 10000}
	}
	page, err := a.engine.Driver().Browse(r.Context(), query)
	if err != nil {
		return nil, err
	}
	return entries(r, page.Entries), nil
}

// limit reads how many entries are wanted; 0 = the default.
func limit(r *http.Request) int {
	n, err := strconv.Atoi(r.URL.Query().Get("limit"))
	if err != nil || n < 0 {
		return 0
	}
	return min(n, 10000)
}

// entries leaves payloads out of history unless they are asked for.
func entries(r *http.Request, list []queue.Entry) []queue.Entry {
	if r.URL.Query().Get("reveal") == "true" {
		return list
	}
	out := make([]queue.Entry, len(list))
	for i, e := range list {
		e.Data = nil
		out[i] = e
	}
	return out
}

func (a *API) history(r *http.Request) (any, error) {
	q := r.URL.Query()
	page, err := a.engine.Driver().Browse(r.Context(), queue.Query{View: queue.Recent, Pipeline: q.Get("pipeline"), Kind: queue.Kind(q.Get("kind")), Limit: limit(r)})
	if err != nil {
		return nil, err
	}
	return entries(r, page.Entries), nil
}

// DeadPage is one page of dead letters.
type DeadPage struct {
	Letters []deadletter.Letter `json:"letters"`
	Next    string              `json:"next,omitempty"`
}

func (a *API) deadList(r *http.Request) (any, error) {
	q := r.URL.Query()
	letters, next, err := a.box.List(r.Context(), deadletter.Query{Box: q.Get("box"), Pipeline: q.Get("pipeline"), Group: q.Get("group"), After: q.Get("after"), Limit: limit(r)})
	return DeadPage{letters, next}, err
}

func (a *API) deadShow(r *http.Request) (any, error) {
	return a.box.Show(r.Context(), r.PathValue("id"), r.URL.Query().Get("reveal") == "true")
}

// Change is the body of requests that change a dead letter.
type Change struct {
	Who     string          `json:"who"`
	Reason  string          `json:"reason"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func change(r *http.Request) (Change, error) {
	var c Change
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	err := d.Decode(&c)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return c, problemf(http.StatusRequestEntityTooLarge, "the request is larger than %d bytes", large.Limit)
	}
	if err != nil {
		return c, problemf(http.StatusBadRequest, "the request cannot be read")
	}
	return c, nil
}

func (a *API) deadReplay(r *http.Request) (any, error) {
	c, err := change(r)
	if err != nil {
		return nil, err
	}
	return done, refused(a.box.Replay(r.Context(), r.PathValue("id"), c.Who))
}

func (a *API) deadDiscard(r *http.Request) (any, error) {
	c, err := change(r)
	if err != nil {
		return nil, err
	}
	return done, a.box.Discard(r.Context(), r.PathValue("id"), c.Who, c.Reason)
}

func (a *API) deadEdit(r *http.Request) (any, error) {
	c, err := change(r)
	if err != nil {
		return nil, err
	}
	payload, err := message.Decode(c.Payload, message.Unlimited)
	if err != nil {
		return nil, problemf(http.StatusUnprocessableEntity, "the new payload is not JSON: %s", err)
	}
	return done, refused(a.box.Edit(r.Context(), r.PathValue("id"), payload, c.Who, c.Reason))
}

var done = map[string]string{"status": "done"}

// refused makes what a person can mend a 422.
func refused(err error) error {
	var r *deadletter.Refusal
	if errors.As(err, &r) {
		return problemf(http.StatusUnprocessableEntity, "%s", r)
	}
	return err
}

// ReloadAnswer tells how a reload came out.
type ReloadAnswer struct {
	runtime.Report
	Findings []runtime.Finding `json:"findings,omitempty"`
}

func (a *API) reload(r *http.Request) (any, error) {
	// The reload is finished even when the client goes away.
	report := a.engine.Reload(context.WithoutCancel(r.Context()))
	return ReloadAnswer{report, runtime.Findings(report.Findings)}, nil
}

func (a *API) pause(r *http.Request) (any, error)  { return a.switchTo(r, true) }
func (a *API) resume(r *http.Request) (any, error) { return a.switchTo(r, false) }

func (a *API) switchTo(r *http.Request, paused bool) (any, error) {
	if err := a.engine.Pause(r.Context(), r.PathValue("name"), paused); err != nil {
		if errors.Is(err, runtime.ErrNoPipeline) {
			return nil, problemf(http.StatusNotFound, "there is no pipeline %s", r.PathValue("name"))
		}
		return nil, err
	}
	return done, nil
}
