package runtime

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"

	"crossdock/dsl/spec"
)

// redactor hides secrets in what other systems say: a careless one sends back
// what it was sent. It knows every secret that was looked up.
type redactor struct {
	mu    sync.RWMutex
	known map[string]bool
	forms []string // of all secrets, longest first
	long  *finder  // of those that are looked for in answers
}

const (
	secretMark = "[secret]"
	// shortest is the length from which a secret is looked for in texts, and
	// of the beginning of one that a cut has left.
	shortest = 4
	// shortestKept is the length from which a secret is looked for in good
	// answers, which are business data: short ones would be found by chance.
	shortestKept = 8
	// mostSecrets bounds what is remembered of secrets that rotate.
	mostSecrets = 4096
)

// credentials are what stands behind the names of HTTP schemes: tokens that
// were fetched, and secrets packed together with a user name.
var credentials = regexp.MustCompile(`(?i)\b(basic|bearer|token)([ :=]+)[A-Za-z0-9._~+/=-]{8,}`)

// watch returns lookup, and remembers what it finds.
func (r *redactor) watch(lookup spec.Finder) spec.Finder {
	return func(name string) (spec.Sealed, error) {
		value, err := lookup(name)
		if err == nil {
			r.learn(value.Reveal())
		}
		return value, err
	}
}

// secrets returns every secret that was looked up.
func (r *redactor) secrets() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Collect(maps.Keys(r.known))
}

func (r *redactor) learn(value string) {
	if len(value) < shortest {
		return
	}
	r.mu.RLock()
	known := r.known[value]
	r.mu.RUnlock()
	if known {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil {
		r.known = map[string]bool{}
	}
	if r.known[value] || len(r.known) >= mostSecrets {
		return
	}
	r.known[value] = true
	quoted, _ := json.Marshal(value) // a text cannot fail
	plain := strings.NewReplacer(`\u0026`, "&", `\u003c`, "<", `\u003e`, ">").Replace(string(quoted))
	forms := append(r.forms[:len(r.forms):len(r.forms)], value, url.QueryEscape(value), url.PathEscape(value), base64.StdEncoding.EncodeToString([]byte(value)),
		strings.Trim(string(quoted), `"`), strings.Trim(plain, `"`))
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	r.forms = slices.Compact(forms)
	var long []string
	for _, f := range r.forms {
		if len(f) >= shortestKept {
			long = append(long, f)
		}
	}
	r.long = newFinder(long)
}

// answer returns the body of a good answer, of which raw are the bytes, without
// secrets. An answer that holds none is returned as it is.
func (r *redactor) answer(raw []byte, body any) any {
	r.mu.RLock()
	long := r.long
	r.mu.RUnlock()
	if long == nil || body == nil || !long.in(raw) {
		return body
	}
	return long.without(body)
}

// finder looks for many texts in one pass.
type finder struct {
	starts [1 << 10]uint64     // one bit per hash of the first four bytes of a text
	texts  map[uint32][]string // by their first four bytes
	all    []string            // longest first
}

// newFinder returns a finder of texts of four bytes or more; nil where there
// are none.
func newFinder(texts []string) *finder {
	if len(texts) == 0 {
		return nil
	}
	f := &finder{texts: map[uint32][]string{}, all: texts}
	for _, t := range texts {
		four := binary.LittleEndian.Uint32([]byte(t[:4]))
		f.texts[four] = append(f.texts[four], t)
		h := hash16(four)
		f.starts[h>>6] |= 1 << (h & 63)
	}
	return f
}

func hash16(four uint32) uint32 { return four * 2654435761 >> 16 }

// in reports whether one of the texts is in raw.
func (f *finder) in(raw []byte) bool {
	for i := 0; i+4 <= len(raw); i++ {
		four := binary.LittleEndian.Uint32(raw[i:])
		if h := hash16(four); f.starts[h>>6]&(1<<(h&63)) == 0 {
			continue
		}
		for _, t := range f.texts[four] {
			if len(raw)-i >= len(t) && string(raw[i:i+len(t)]) == t {
				return true
			}
		}
	}
	return false
}

// without returns a copy of v with a mark in the place of the texts.
func (f *finder) without(v any) any {
	switch t := v.(type) {
	case string:
		for _, s := range f.all {
			t = strings.ReplaceAll(t, s, secretMark)
		}
		return t
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, x := range t {
			name, _ := f.without(k).(string)
			out[name] = f.without(x)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = f.without(x)
		}
		return out
	case json.Number:
		if slices.Contains(f.all, t.String()) {
			return secretMark
		}
	}
	return v
}

// text returns s without secrets.
func (r *redactor) text(s string) string {
	r.mu.RLock()
	forms := r.forms
	r.mu.RUnlock()
	for _, f := range forms {
		s = strings.ReplaceAll(s, f, secretMark)
	}
	if head, cut := strings.CutSuffix(s, "..."); cut {
		s = uncut(head, forms) + "..."
	}
	return credentials.ReplaceAllString(s, "$1$2"+secretMark)
}

// uncut removes the beginning of a secret at the end of a text that was cut.
func uncut(s string, forms []string) string {
	for _, f := range forms {
		for n := min(len(f)-1, len(s)); n >= shortest; n-- {
			if strings.HasSuffix(s, f[:n]) {
				return s[:len(s)-n] + secretMark
			}
		}
	}
	return s
}
