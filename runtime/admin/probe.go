package admin

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
)

// probed are the routes of the probe address. None of them tells anything of a
// message, so nobody is asked who they are.
var probed = []string{"GET /healthz", "GET /readyz", "GET /metrics"}

// ServeProbe answers health, readiness and metrics on l, and nothing else,
// until ctx ends: for load balancers, orchestrators and scrapers on other
// machines, which must not reach the control API.
func (a *API) ServeProbe(ctx context.Context, l net.Listener) error {
	mux := http.NewServeMux()
	for _, r := range a.routes() {
		if slices.Contains(probed, r.pattern) {
			mux.HandleFunc(r.pattern, r.serve)
		}
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		headers(w, r)
		mux.ServeHTTP(w, r)
	})
	if err := a.listen(ctx, l, h); err != nil {
		return fmt.Errorf("serve the probe address: %w", err)
	}
	return nil
}
