// Package webhook takes messages in over HTTP.
//
// The answer says what has become of a message: 2xx only after it is durable,
// 401 where the caller was not recognised (the same answer whatever was
// wrong), 413, 415 and 422 with the reason where the content was refused, and
// 503 with Retry-After where it could not be stored now. Signatures are
// checked over the bytes as they came. Bodies are not decoded here.
package webhook

import (
	"errors"
	"fmt"
	"log/slog"
	nethttp "net/http"
	"net/url"
	"slices"
	"sort"
	"strings"

	"crossdock/connectors"
	"crossdock/runtime/room"
)

// Route is one webhook. Routes are immutable once they are in a Table.
type Route struct {
	Name     string    // of the pipeline, for logs
	Method   string    // "" is POST
	Path     string    // such as /hooks/{client}/orders
	Verifier *Verifier // nil: anybody may call
	MaxBody  int64     // bytes, also after unpacking; 0 is 1 MiB
	Format   string    // json ("" too), form or text: which content types are taken
	Reply    Reply
	// Headers picks what is kept of the request headers; nil keeps none. The
	// trace context is always kept.
	Headers func(nethttp.Header) map[string]string
	Channel connectors.Channel
	Limiter *Limiter // nil: no limits

	segments  []string
	strangers *quiet // callers that were not recognised
}

// Reply is the answer to an accepted message. Without a Body it tells the
// message ID.
type Reply struct {
	Status int // 0 is 202
	Body   []byte
	Type   string // content type of Body
}

// Options are what the routes of a table share.
type Options struct {
	Room    *room.Room // what large bodies take that are being read; nil = not bounded
	Log     *slog.Logger
	Observe func(route string, status int) // called once per request; route is "" where none matched
}

// Table finds the route of a request and serves it. It is immutable: to change
// routes, build another one.
type Table struct {
	exact   map[string][]*Route // by path, one per method
	pattern map[int][]*Route    // by number of segments, most literal first
	options Options
}

// NewTable builds a table. Routes of which one request could match two, with
// neither more exact than the other, are an error.
func NewTable(routes []Route, o Options) (*Table, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Observe == nil {
		o.Observe = func(string, int) {}
	}
	t := &Table{exact: map[string][]*Route{}, pattern: map[int][]*Route{}, options: o}
	var all []*Route
	for _, r := range routes {
		if err := CheckPath(r.Path); err != nil {
			return nil, fmt.Errorf("pipeline %s: %w", r.Name, err)
		}
		if r.Method == "" {
			r.Method = nethttp.MethodPost
		}
		if r.MaxBody <= 0 {
			r.MaxBody = 1 << 20
		}
		if r.Reply.Status == 0 {
			r.Reply.Status = nethttp.StatusAccepted
		}
		if r.Channel == nil {
			return nil, fmt.Errorf("pipeline %s: its webhook leads nowhere", r.Name)
		}
		for _, other := range all {
			if other.Method == r.Method && Overlap(other.Path, r.Path) {
				return nil, fmt.Errorf("pipelines %s and %s both take %s %s", other.Name, r.Name, r.Method, r.Path)
			}
		}
		r.strangers = &quiet{}
		r.segments = strings.Split(r.Path[1:], "/")
		all = append(all, &r)
		if literals(r.segments) == len(r.segments) {
			t.exact[r.Path] = append(t.exact[r.Path], &r)
		} else {
			t.pattern[len(r.segments)] = append(t.pattern[len(r.segments)], &r)
		}
	}
	for _, list := range t.pattern {
		sort.SliceStable(list, func(i, j int) bool { return literals(list[i].segments) > literals(list[j].segments) })
	}
	return t, nil
}

// CheckPath says what is wrong with the path of a webhook, nil if nothing is.
func CheckPath(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("the path `%s` must start with /", path)
	}
	if strings.ContainsAny(path, "?# \t\r\n%") {
		return fmt.Errorf("the path `%s` holds a sign that paths of webhooks cannot have", path)
	}
	seen := map[string]bool{}
	for seg := range strings.SplitSeq(path[1:], "/") {
		name, isParam := paramName(seg)
		switch {
		case seg == "." || seg == "..":
			return fmt.Errorf("the path `%s` has a . or .. segment", path)
		case seg == "" && path != "/":
			return fmt.Errorf("the path `%s` has an empty segment", path)
		case !isParam && strings.ContainsAny(seg, "{}"):
			return fmt.Errorf("in the path `%s`, `%s` mixes text and {name}; a placeholder is a whole segment", path, seg)
		case isParam && strings.ContainsAny(name, "{}"):
			return fmt.Errorf("in the path `%s`, `%s` is more than one placeholder; a placeholder is a whole segment: write `%s`", path, seg, strings.ReplaceAll(seg, "}{", "}/{"))
		case isParam && name == "":
			return errors.New("a placeholder in a path needs a name, as in {client}")
		case isParam && seen[name]:
			return fmt.Errorf("the path `%s` has {%s} twice", path, name)
		}
		seen[name] = isParam
	}
	return nil
}

// Overlap reports whether a request could match both paths and neither is the
// more exact one.
func Overlap(a, b string) bool {
	as, bs := strings.Split(strings.TrimPrefix(a, "/"), "/"), strings.Split(strings.TrimPrefix(b, "/"), "/")
	if len(as) != len(bs) {
		return false
	}
	aMore, bMore := false, false
	for i := range as {
		_, ap := paramName(as[i])
		_, bp := paramName(bs[i])
		switch {
		case !ap && !bp && as[i] != bs[i]:
			return false
		case !ap && bp:
			aMore = true
		case ap && !bp:
			bMore = true
		}
	}
	return aMore == bMore
}

func paramName(seg string) (string, bool) {
	if len(seg) >= 2 && seg[0] == '{' && seg[len(seg)-1] == '}' {
		return seg[1 : len(seg)-1], true
	}
	return "", false
}

func literals(segments []string) int {
	n := 0
	for _, s := range segments {
		if _, p := paramName(s); !p {
			n++
		}
	}
	return n
}

// Match finds the route of a request. Where the path is known but not the
// method, allowed lists the methods it takes.
func (t *Table) Match(method string, u *url.URL) (route *Route, allowed []string) {
	for _, r := range t.exact[u.Path] {
		if r.Method == method {
			return r, nil
		}
		allowed = append(allowed, r.Method)
	}
	if len(t.pattern) > 0 {
		path := strings.TrimPrefix(u.EscapedPath(), "/")
		for _, r := range t.pattern[strings.Count(path, "/")+1] {
			if !r.matches(path) {
				continue
			}
			if r.Method == method {
				return r, nil
			}
			allowed = append(allowed, r.Method)
		}
	}
	slices.Sort(allowed)
	return nil, slices.Compact(allowed)
}

// matches compares an escaped path without its first slash. A placeholder
// takes anything but an empty segment and the segments . and ..
func (r *Route) matches(path string) bool {
	for _, want := range r.segments {
		var seg string
		seg, path, _ = strings.Cut(path, "/")
		if _, param := paramName(want); param {
			if plain, err := url.PathUnescape(seg); err != nil || plain == "" || plain == "." || plain == ".." {
				return false
			}
			continue
		}
		if plain, err := url.PathUnescape(seg); err != nil || plain != want {
			return false
		}
	}
	return true
}

// params adds the values of the placeholders of the path to m.
func (r *Route) params(u *url.URL, m map[string]string) map[string]string {
	if literals(r.segments) == len(r.segments) {
		return m
	}
	if m == nil {
		m = map[string]string{}
	}
	path := strings.TrimPrefix(u.EscapedPath(), "/")
	for _, want := range r.segments {
		var seg string
		seg, path, _ = strings.Cut(path, "/")
		if name, param := paramName(want); param {
			if plain, err := url.PathUnescape(seg); err == nil {
				m[name] = plain
			}
		}
	}
	return m
}
