// Package admin is the control API that the command line and the console
// speak: HTTP and JSON. Every route has a rule that says who may call it; see
// routes.go.
package admin

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/access"
	"crossdock/runtime/audit"
	"crossdock/runtime/deadletter"
)

// The bounds of a request.
const (
	maxRequest = 16 << 20 // of its body
	maxDepth   = 200      // of a payload in it
	maxHeader  = 16 << 10
)

// Options say who is let in, and how.
type Options struct {
	// Token is the token in the state folder: it may do everything, and is
	// taken from this machine only.
	Token string
	// SignIn recognises the tokens of an identity provider; nil = none.
	SignIn *access.SignIn
	// TLS is how the API is served beyond this machine; nil = without TLS.
	TLS *tls.Config
	Log *slog.Logger
	// Audit is where changes are recorded; nil = nowhere, for tests.
	Audit *audit.Log
	// AuditLines reads the last lines of that log.
	AuditLines func(n int) ([]audit.Line, error)
}

// API serves one engine.
type API struct {
	engine   *runtime.Engine
	opt      Options
	local    [sha256.Size]byte
	tokens   *access.Tokens
	people   *access.People
	guesses  *access.Guesses
	refusals refusals
	log      *slog.Logger
	mux      *http.ServeMux
	box      *deadletter.Box
	planning sync.Mutex // one plan at a time
}

// New returns the API of an engine.
func New(e *runtime.Engine, opt Options) *API {
	a := &API{engine: e, opt: opt, local: sha256.Sum256([]byte(opt.Token)), tokens: access.NewTokens(e.Driver()), people: access.NewPeople(e.Driver()), guesses: access.NewGuesses(),
		log: opt.Log, mux: http.NewServeMux(), box: e.Letters()}
	for _, r := range a.routes() {
		a.mux.HandleFunc(r.pattern, a.guarded(r))
	}
	a.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusNotFound, failure{Error: "there is no such route", ID: requestID()})
	})
	return a
}

// ServeHTTP implements http.Handler.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	headers(w, r)
	a.mux.ServeHTTP(w, r)
}

// headers keeps browsers from doing anything with an answer.
func headers(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// Serve answers on l until ctx ends.
func (a *API) Serve(ctx context.Context, l net.Listener) error {
	if a.opt.TLS != nil {
		l = tls.NewListener(l, a.opt.TLS)
	}
	if err := a.listen(ctx, l, http.NewCrossOriginProtection().Handler(a)); err != nil {
		return fmt.Errorf("serve the admin API: %w", err)
	}
	return nil
}

// listen serves h on l until ctx ends.
func (a *API) listen(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: time.Minute, WriteTimeout: 2 * time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: maxHeader, ErrorLog: slog.NewLogLogger(a.log.Handler(), slog.LevelDebug)}
	stopped := context.AfterFunc(ctx, func() {
		grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = s.Shutdown(grace) // the process ends anyway
	})
	defer stopped()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
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
