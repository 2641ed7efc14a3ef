package lint

import (
	"math"
	"regexp"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// token is how secrets of well-known systems look.
type token struct {
	pattern *regexp.Regexp
	what    string
}

var tokens = []token{
	{regexp.MustCompile(`\b[sr]k_(live|test)_[A-Za-z0-9]{10,}`), "a Stripe key"},
	{regexp.MustCompile(`\b(AKIA|ASIA)[A-Z0-9]{16}\b`), "an AWS key"},
	{regexp.MustCompile(`\bgh[pousr]_[A-Za-z0-9]{20,}`), "a GitHub token"},
	{regexp.MustCompile(`\bgithub_pat_[A-Za-z0-9_]{20,}`), "a GitHub token"},
	{regexp.MustCompile(`\bglpat-[A-Za-z0-9_-]{16,}`), "a GitLab token"},
	{regexp.MustCompile(`\bxox[abprs]-[A-Za-z0-9-]{10,}`), "a Slack token"},
	{regexp.MustCompile(`https://hooks\.slack\.com/services/\S{20,}`), "a Slack webhook address"},
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY`), "a private key"},
	{regexp.MustCompile(`\bwhsec_[A-Za-z0-9+/]{16,}`), "a webhook secret"},
	{regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`), "a Google key"},
	{regexp.MustCompile(`\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`), "a SendGrid key"},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.`), "a signed token"},
	{regexp.MustCompile(`(?i)\bbearer\s+[A-Za-z0-9._~+/-]{16,}`), "a bearer token"},
	{regexp.MustCompile(`://[^/\s:@{}$]+:[^/\s@{}$]{3,}@`), "a password in an address"},
}

// hinted are names of values that are nearly always secret.
var hinted = regexp.MustCompile(`(?i)(password|passwd|secret|token|api_?key|private_?key|client_?key|credential|passphrase)$`)

// paging are names of tokens that tell where a list goes on: they open nothing.
var paging = regexp.MustCompile(`(?i)(next|page|skip|sync|continuation|continue|cursor|delta)[_-]?(page)?[_-]?token$`)

// secrets reports secrets that are written in a file (XD1201).
func secrets(p *pass) {
	for _, f := range p.files() {
		if f.Root == nil || !own(f.Path) || len(f.Root.Pairs) == 0 {
			continue
		}
		kind, name := f.Root.Pairs[0].Key.Text, f.Root.Pairs[0].Value.Text
		s := &searcher{p: p, kind: kind, name: name, guess: kind == "connection" || kind == "environment" || kind == "crossdock"}
		s.node("", f.Root)
	}
}

// files returns the file of the definition looked at; where all are compared,
// the files that did not become definitions of their own.
func (p *pass) files() []*ast.File {
	if p.unit != nil {
		return []*ast.File{p.unit.File}
	}
	done := map[*ast.File]bool{}
	for u := range p.judged {
		done[u.File] = true
	}
	var out []*ast.File
	for _, path := range sortedKeys(p.ws.Files) {
		if f := p.ws.Files[path]; !done[f] {
			out = append(out, f)
		}
	}
	return out
}

type searcher struct {
	p          *pass
	kind, name string
	guess      bool // texts without a known prefix count too, where the name says what they are
}

func (s *searcher) node(key string, n *ast.Node) {
	switch n.Kind {
	case ast.Map:
		for _, pair := range n.Pairs {
			s.node(pair.Key.Text, pair.Value)
		}
		return
	case ast.List:
		for _, item := range n.Items {
			s.node(key, item)
		}
		return
	}
	for _, t := range tokens {
		if at := t.pattern.FindStringIndex(n.Text); at != nil {
			s.report(n, t.what)
			return
		}
	}
	if s.kind == "connection" && addresses[key] && secretPart(n.Text) {
		s.report(n, "an address with what looks like a secret in it")
		return
	}
	if s.guess && hinted.MatchString(key) && !paging.MatchString(key) && !strings.Contains(n.Text, "${") && random(n.Text) {
		s.report(n, "a secret")
	}
}

// addresses are keys behind which paths and addresses stand.
var addresses = map[string]bool{"get": true, "post": true, "put": true, "patch": true, "delete": true, "head": true, "base_url": true, "url": true}

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

// secretPart reports whether a part of a path looks as if a machine had thrown
// dice for it: whoever knows such an address needs nothing else.
func secretPart(address string) bool {
	path, _, _ := strings.Cut(address, "?")
	for _, part := range strings.Split(path, "/") {
		if len(part) >= 20 && !uuid.MatchString(part) && strings.ContainsAny(part, "0123456789") &&
			strings.ToLower(part) != part && strings.ToUpper(part) != part && random(part) {
			return true
		}
	}
	return false
}

func (s *searcher) report(n *ast.Node, what string) {
	d := diag.Diagnostic{Code: spec.CodeSecret, Span: n.Span, Kind: s.kind, Name: s.name, Message: what + " is written in this file",
		Hint: "write ${secret.some_name}, keep the value outside, and replace it: whoever can read the file knows it"}
	s.p.about(d)
}

// random reports whether a text looks as if a machine had thrown dice for it.
func random(s string) bool {
	if len(s) < 12 || strings.ContainsAny(s, " {}/") && !strings.HasSuffix(s, "=") {
		return false
	}
	counts := map[rune]int{}
	digits, letters := 0, 0
	for _, r := range s {
		counts[r]++
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			letters++
		}
	}
	bits := 0.0
	for _, n := range counts {
		share := float64(n) / float64(len(s))
		bits -= share * math.Log2(share)
	}
	return bits >= 3.2 && digits > 0 && letters > 0 || bits >= 4
}
