package webhook

import (
	"encoding/json"
	"errors"
	"fmt"
	nethttp "net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/message"
)

// maxHeaders and maxQuery bound what is looked at of one request.
const (
	maxHeaders = 100
	maxQuery   = 100
)

// ServeHTTP implements http.Handler.
func (t *Table) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	route, allowed := t.Match(r.Method, r.URL)
	switch {
	case route != nil:
		t.options.Observe(route.Name, t.serve(w, r, route))
	case allowed != nil:
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		p := problem{Status: nethttp.StatusMethodNotAllowed, Title: "Method not allowed",
			Detail: "this webhook takes " + strings.Join(allowed, ", ")}
		p.write(w)
		t.options.Observe("", p.Status)
	default:
		p := problem{Status: nethttp.StatusNotFound, Title: "Not found", Detail: "there is no webhook at this path"}
		p.write(w)
		t.options.Observe("", p.Status)
	}
}

// serve takes one message in and returns the status it answered.
func (t *Table) serve(w nethttp.ResponseWriter, r *nethttp.Request, route *Route) int {
	if !route.Limiter.enter() {
		w.Header().Set("Connection", "close") // the body is not read
		p := tooMany(w, time.Second, "too many requests to this webhook are under way; send it again later")
		p.write(w)
		return p.Status
	}
	defer route.Limiter.leave()
	if n := takes(r, route.MaxBody); n > bigBody {
		if !t.options.Room.Try(n) {
			w.Header().Set("Connection", "close") // the body is not read
			w.Header()["Retry-After"] = retryAfter
			p := problem{Status: nethttp.StatusServiceUnavailable, Title: "Not now",
				Detail: "other large messages take the memory there is; send it again later"}
			p.write(w)
			return p.Status
		}
		defer t.options.Room.Leave(n)
	}
	body, p := t.receive(w, r, route)
	if p == nil {
		// After the caller was recognised: strangers do not use up the share of
		// those who may call.
		if wait := route.Limiter.take(time.Now()); wait > 0 {
			p = tooMany(w, wait, "more messages come than this webhook takes; send it again later")
		}
	}
	if p != nil {
		p.write(w)
		return p.Status
	}
	m := message.Message{Raw: body, Meta: t.meta(r, route)}
	receipts, err := route.Channel.Send(r.Context(), m)
	if err != nil {
		p := refused(err)
		if p.Status == nethttp.StatusServiceUnavailable {
			t.options.Log.Warn("webhook message not stored", "pipeline", route.Name, "error", err)
			w.Header()["Retry-After"] = retryAfter
		}
		p.write(w)
		return p.Status
	}
	reply(w, &route.Reply, receipts)
	return route.Reply.Status
}

var (
	jsonType    = []string{"application/json"}
	problemType = []string{"application/problem+json"}
	retryAfter  = []string{"5"}
)

// receive reads the body within all limits and recognises the caller.
func (t *Table) receive(w nethttp.ResponseWriter, r *nethttp.Request, route *Route) ([]byte, *problem) {
	if len(r.Header) > maxHeaders {
		return nil, &problem{Status: nethttp.StatusRequestHeaderFieldsTooLarge, Title: "Too many headers",
			Detail: fmt.Sprintf("the request has %d headers; %d are taken", len(r.Header), maxHeaders)}
	}
	raw, p := readBody(w, r, route.MaxBody)
	if p != nil {
		return nil, p
	}
	body, p := t.recognise(w, r, route, raw)
	if p != nil {
		return nil, p
	}
	if p := contentType(r.Header["Content-Type"], route.Format); p != nil {
		return nil, p
	}
	return body, nil
}

// recognise verifies the caller over the bytes as they came, and unpacks them.
// A sender that packs may have signed before or after packing: either proves
// that it holds the secret.
func (t *Table) recognise(w nethttp.ResponseWriter, r *nethttp.Request, route *Route, raw []byte) ([]byte, *problem) {
	now := time.Now()
	failed := route.Verifier.Verify(r, raw, now)
	body := raw
	if coding := r.Header["Content-Encoding"]; len(coding) > 0 && coding[0] != "identity" && coding[0] != "" {
		if len(coding) > 1 || !strings.EqualFold(coding[0], "gzip") {
			if failed != nil {
				return nil, t.unauthorised(w, route, failed)
			}
			return nil, &problem{Status: nethttp.StatusUnsupportedMediaType, Title: "Unsupported content encoding",
				Detail: "bodies may be sent as they are or packed with gzip"}
		}
		var p *problem
		if body, p = unpack(raw, route.MaxBody); p != nil {
			if failed != nil {
				return nil, t.unauthorised(w, route, failed)
			}
			return nil, p
		}
		if failed != nil {
			failed = route.Verifier.Verify(r, body, now)
		}
	}
	if failed != nil {
		return nil, t.unauthorised(w, route, failed)
	}
	return body, nil
}

// unauthorised answers the same whatever was wrong; only the log knows.
func (t *Table) unauthorised(w nethttp.ResponseWriter, route *Route, why error) *problem {
	if leftOut, due := route.strangers.line(time.Now()); due {
		t.options.Log.Info("webhook caller not recognised", "pipeline", route.Name, "reason", why.Error(), "unlogged", leftOut)
	}
	if route.Verifier.basic {
		w.Header().Set("WWW-Authenticate", `Basic realm="crossdock"`)
	}
	return &problem{Status: nethttp.StatusUnauthorized, Title: "Not recognised", Detail: "the caller of this webhook was not recognised"}
}

// contentType judges what the caller says the body is. Callers that say
// nothing are taken at the word of the definition.
func contentType(header []string, format string) *problem {
	if format == "text" || len(header) == 0 || header[0] == "" {
		return nil
	}
	if header[0] == "application/json" && format != "form" {
		return nil
	}
	mime, params, _ := strings.Cut(header[0], ";")
	mime = strings.ToLower(strings.TrimSpace(mime))
	fits, want := mime == "application/json" || mime == "text/json" || strings.HasSuffix(mime, "+json"), "application/json"
	if format == "form" {
		fits, want = mime == "application/x-www-form-urlencoded", "application/x-www-form-urlencoded"
	}
	if !fits {
		return &problem{Status: nethttp.StatusUnsupportedMediaType, Title: "Unsupported content type",
			Detail: fmt.Sprintf("this webhook takes %s, not %s", want, quote(mime))}
	}
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
		value = strings.ToLower(strings.Trim(value, `"`))
		if strings.EqualFold(name, "charset") && value != "utf-8" && value != "utf8" && value != "us-ascii" {
			return &problem{Status: nethttp.StatusUnsupportedMediaType, Title: "Unsupported charset",
				Detail: fmt.Sprintf("this webhook takes UTF-8, not %s", quote(value))}
		}
	}
	return nil
}

// quote makes text of a caller fit for an answer.
func quote(s string) string {
	if len(s) > 80 {
		s = s[:80]
	}
	return strconv.QuoteToASCII(s)
}

func (t *Table) meta(r *nethttp.Request, route *Route) message.Meta {
	m := message.Meta{Source: "http", ReceivedAt: time.Now(), Path: r.URL.Path, Type: first(r.Header, "Content-Type")}
	if route.Verifier != nil {
		m.Consumer = route.Verifier.name
	}
	if r.URL.RawQuery != "" {
		m.Query = query(r.URL.RawQuery, route.Verifier)
	}
	m.Query = route.params(r.URL, m.Query)
	if route.Headers != nil {
		m.Headers = route.Headers(r.Header)
		route.Verifier.strip(m.Headers)
	}
	for _, name := range []string{"Traceparent", "Tracestate"} {
		if v := first(r.Header, name); v != "" && len(v) <= 512 {
			if m.Headers == nil {
				m.Headers = map[string]string{}
			}
			m.Headers[strings.ToLower(name)] = v
		}
	}
	return m
}

func query(raw string, v *Verifier) map[string]string {
	values, err := url.ParseQuery(raw)
	if err != nil && len(values) == 0 || len(values) > maxQuery {
		return nil
	}
	if v != nil && v.query != "" {
		delete(values, v.query)
	}
	out := make(map[string]string, len(values))
	for name, list := range values {
		out[name] = list[0]
	}
	return out
}

// strip removes the headers that carry credentials.
func (v *Verifier) strip(kept map[string]string) {
	delete(kept, "authorization")
	delete(kept, "proxy-authorization")
	delete(kept, "cookie")
	if v != nil {
		for _, name := range v.headers {
			delete(kept, strings.ToLower(name))
		}
	}
}

// AllHeaders keeps every header, with lower-case names.
func AllHeaders(h nethttp.Header) map[string]string {
	out := make(map[string]string, len(h))
	for name, values := range h {
		out[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	return out
}

// KeepHeaders returns a function that keeps the named headers.
func KeepHeaders(names ...string) func(nethttp.Header) map[string]string {
	type pair struct{ canonical, lower string }
	var keep []pair
	for _, n := range names {
		keep = append(keep, pair{textproto.CanonicalMIMEHeaderKey(n), strings.ToLower(n)})
	}
	return func(h nethttp.Header) map[string]string {
		var out map[string]string
		for _, p := range keep {
			if v := h[p.canonical]; len(v) > 0 {
				if out == nil {
					out = make(map[string]string, len(keep))
				}
				out[p.lower] = strings.Join(v, ", ")
			}
		}
		return out
	}
}

// problem is an answer in the form of RFC 9457.
type problem struct {
	Title  string               `json:"title"`
	Status int                  `json:"status"`
	Detail string               `json:"detail"`
	Errors []connectors.Problem `json:"errors,omitempty"`
}

func (p *problem) write(w nethttp.ResponseWriter) {
	raw, err := json.Marshal(p)
	if err != nil {
		raw = []byte(`{"title":"Error"}`)
	}
	h := w.Header()
	h["Content-Type"] = problemType
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(p.Status)
	// A caller that has gone away cannot be told anything more.
	_, _ = w.Write(append(raw, '\n'))
}

// refused turns the error of a channel into an answer.
func refused(err error) *problem {
	var rejection *connectors.Rejection
	if !errors.As(err, &rejection) {
		return &problem{Status: nethttp.StatusServiceUnavailable, Title: "Not now",
			Detail: "the message could not be stored; send it again later"}
	}
	status := rejection.Status
	if status < 400 || status > 499 {
		status = nethttp.StatusUnprocessableEntity
	}
	title := nethttp.StatusText(status)
	if status == nethttp.StatusConflict {
		title = "Same key, other content"
	}
	return &problem{Status: status, Title: title, Detail: rejection.Message, Errors: rejection.Problems}
}

// reply answers for an accepted message.
func reply(w nethttp.ResponseWriter, r *Reply, receipts []connectors.Receipt) {
	h := w.Header()
	if r.Body != nil {
		if r.Type != "" {
			h["Content-Type"] = []string{r.Type}
		}
		w.WriteHeader(r.Status)
		_, _ = w.Write(r.Body)
		return
	}
	if r.Status == nethttp.StatusNoContent || r.Status == nethttp.StatusResetContent {
		w.WriteHeader(r.Status)
		return
	}
	h["Content-Type"] = jsonType
	w.WriteHeader(r.Status)
	var buf [256]byte
	_, _ = w.Write(appendReceipt(buf[:0], receipts))
}

// appendReceipt writes {"id": ..., "status": ...}; a message that was split
// has "ids" instead.
func appendReceipt(dst []byte, receipts []connectors.Receipt) []byte {
	var ids []string
	status := "accepted"
	if len(receipts) > 0 {
		ids = receipts[0].IDs
		switch {
		case receipts[0].Filtered:
			status = "filtered"
		case receipts[0].Duplicate:
			status = "duplicate"
		}
	}
	switch len(ids) {
	case 0:
		dst = append(dst, '{')
	case 1:
		dst = append(dst, `{"id":`...)
		dst = appendText(dst, ids[0])
		dst = append(dst, ',')
	default:
		dst = append(dst, `{"ids":[`...)
		for i, id := range ids {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendText(dst, id)
		}
		dst = append(dst, `],`...)
	}
	dst = append(dst, `"status":"`...)
	dst = append(dst, status...)
	return append(dst, "\"}\n"...)
}

// appendText appends s as JSON text. Message IDs are plain letters and digits,
// for which nothing has to be built.
func appendText(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			raw, err := json.Marshal(s)
			if err != nil {
				return append(dst, `""`...)
			}
			return append(dst, raw...)
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}
