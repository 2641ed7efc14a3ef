package partner

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	nethttp "net/http"
	"net/url"
	"slices"
	"strings"

	"crossdock/connectors/http"
)

// house is one address at which several partners are found, as with the clients
// of one TMS: by the path of their base_url, the longest first.
type house struct {
	addr     string // http://127.0.0.1:9101
	partners []*Partner
	tokens   []string // paths of token endpoints
}

// base is the path of base_url, without a slash at its end.
func (p *Partner) base() string {
	s, ok := p.conn.Settings.(*http.Settings)
	if !ok {
		return ""
	}
	u, err := url.Parse(s.BaseURL.Value)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.Path, "/")
}

func (h *house) add(p *Partner) {
	h.partners = append(h.partners, p)
	slices.SortStableFunc(h.partners, func(a, b *Partner) int { return len(b.base()) - len(a.base()) })
}

// at returns the partners that could be meant by a path, the most exact first.
func (h *house) at(path string) []*Partner {
	var out []*Partner
	for _, p := range h.partners {
		if base := p.base(); path == base || strings.HasPrefix(path, base+"/") {
			out = append(out, p)
		}
	}
	return out
}

// ServeHTTP implements http.Handler.
func (h *house) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	if r.URL.Path == controlPath && len(h.partners) > 1 {
		h.control(w, r)
		return
	}
	if slices.Contains(h.tokens, r.URL.Path) {
		giveToken(w)
		return
	}
	meant := h.at(r.URL.Path)
	if len(meant) == 0 {
		nethttp.Error(w, "nobody is at "+r.URL.Path, nethttp.StatusNotFound)
		return
	}
	if i := slices.IndexFunc(meant, func(p *Partner) bool { return p.serves(r) }); i >= 0 {
		meant = meant[i:]
	}
	meant[0].ServeHTTP(w, r)
}

// control is that of a partner, for all of them: operations are named in full
// where several have the same.
func (h *house) control(w nethttp.ResponseWriter, r *nethttp.Request) {
	if r.Method == nethttp.MethodGet {
		calls := []Call{}
		for _, p := range h.partners {
			calls = append(calls, p.Calls()...)
		}
		slices.SortStableFunc(calls, func(a, b Call) int { return a.At.Compare(b.At) })
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(calls) // the client went away
		return
	}
	raw, err := io.ReadAll(nethttp.MaxBytesReader(w, r.Body, maxBody))
	var in order
	if err != nil || json.Unmarshal(raw, &in) != nil {
		nethttp.Error(w, errOrder, nethttp.StatusBadRequest)
		return
	}
	var meant []*Partner
	var refs []string
	for _, p := range h.partners {
		for name, op := range p.conn.Operations {
			if in.Operation == op.Ref() || in.Operation == name {
				meant, refs = append(meant, p), append(refs, op.Ref())
				break
			}
		}
	}
	switch len(meant) {
	case 0:
		nethttp.Error(w, errOrder, nethttp.StatusBadRequest)
	case 1:
		in.Operation = strings.TrimPrefix(in.Operation, meant[0].conn.Name+".")
		raw, _ = json.Marshal(in) // plain texts cannot fail
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(raw))
		meant[0].ServeHTTP(w, again)
	default:
		slices.Sort(refs)
		nethttp.Error(w, fmt.Sprintf(`{"error":"several have the operation %s: say which of %s"}`, in.Operation, strings.Join(refs, ", ")), nethttp.StatusBadRequest)
	}
}
