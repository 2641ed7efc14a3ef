package runtime

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// redactor hides secrets in what other systems say: a careless one sends back
// what it was sent. It knows every secret that was looked up.
type redactor struct {
	mu    sync.RWMutex
	known map[string]bool
	forms []string // of all secrets, longest first
}

const (
	secretMark = "[secret]"
	// shortest is the length from which a secret is looked for in texts, and
	// of the beginning of one that a cut has left.
	shortest = 4
	// mostSecrets bounds what is remembered of secrets that rotate.
	mostSecrets = 4096
)

// credentials are what stands behind the names of HTTP schemes: tokens that
// were fetched, and secrets packed together with a user name.
var credentials = regexp.MustCompile(`(?i)\b(basic|bearer|token)([ :=]+)[A-Za-z0-9._~+/=-]{8,}`)

// watch returns lookup, and remembers what it finds.
func (r *redactor) watch(lookup func(string) (string, error)) func(string) (string, error) {
	return func(name string) (string, error) {
		value, err := lookup(name)
		if err == nil {
			r.learn(value)
		}
		return value, err
	}
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
