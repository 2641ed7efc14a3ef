package compile

import (
	"fmt"
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/dsl/value"
	"crossdock/runtime/retry"
)

// The codes this package reports beside those of dsl/spec.
const (
	CodeLookup diag.Code = "XD2105" // lookup without on_miss, or duplicate codes
)

// workspace reads crossdock.yaml, the environment and the policies.
func (b *builder) workspace() {
	b.base = b.baseID()
	b.environment()
	b.ws.Spec = &spec.Workspace{}
	var dec *spec.Decoder
	if defs := b.defs["crossdock"]; len(defs) > 0 {
		dec = b.configured(defs[0])
		dec.Decode(defs[0].node, b.ws.Spec)
		b.ws.Name = b.ws.Spec.Name.Value
	}
	b.strictness(dec)
	for _, name := range b.ws.Spec.Use {
		if name.Set() && b.named["pipeline"]["std/"+strings.TrimPrefix(name.Value, "std/")] == nil {
			dec.Unknown(name.Node, "shipped flow", b.library["pipeline"])
		}
	}
	for i, v := range b.ws.Spec.Verify {
		b.addVerify(dec, v.Key, &b.ws.Spec.Verify[i].Value)
	}
	if e := b.ws.Environment; e != nil && e.Spec != nil {
		for i, v := range e.Spec.Verify {
			b.ws.Verify[v.Key.Text] = nil
			b.addVerify(dec, v.Key, &e.Spec.Verify[i].Value)
		}
	}
	for _, p := range b.ws.Spec.Policies {
		b.policy(dec, p.Key.Text, nil)
	}
	if zone := b.ws.Spec.Defaults.Zone; zone.Set() {
		checkZone(dec, zone)
	}
	if name := b.ws.Spec.Defaults.Policy; name.Set() && b.ws.Policies[name.Value] == nil {
		dec.Unknown(name.Node, "policy", b.ws.Spec.Policies.Names())
	}
}

// baseID stands for what is written once for the whole workspace, and for how it
// is loaded.
func (b *builder) baseID() string {
	var s strings.Builder
	for _, kind := range []string{"crossdock", "environment"} {
		for _, d := range b.defs[kind] {
			fmt.Fprintf(&s, "%s %x\n", d.source.path, d.source.sum)
		}
	}
	for _, name := range sortedKeys(b.opt.Vars) {
		fmt.Fprintf(&s, "%q %q\n", name, b.opt.Vars[name])
	}
	fmt.Fprintf(&s, "%q %t %t", b.opt.Environment, b.opt.AnyEnvironment, b.opt.Strict)
	return s.String()
}

// checkZone reports an unknown time zone and whether there was one.
func checkZone(dec *spec.Decoder, zone spec.Text) bool {
	if _, err := time.LoadLocation(zone.Value); err == nil && zone.Value != "Local" {
		return false
	}
	f := dec.Errorf("XD4102", zone.Span(), "there is no time zone `%s`", zone.Value)
	f.Hint = "use an IANA name such as Europe/Berlin, America/Chicago or UTC"
	if near := value.NearZone(zone.Value); near != "" {
		f.Short = "did you mean `" + near + "`?"
	} else if value.IsOffset(zone.Value) {
		f.Hint = "an offset knows no summer time: write the zone of a city, such as Europe/Berlin, or UTC"
	}
	return true
}

func (b *builder) addVerify(dec *spec.Decoder, key *ast.Node, v *spec.Verify) {
	b.ws.Verify[key.Text] = v
	b.verification(v)
}

// verification reports what keeps a verification from recognising anybody.
func (b *builder) verification(v *spec.Verify) {
	if v.Node != nil {
		b.notYetSaid(b.opt.Catalog.Verify(v))
	}
}

// environment chooses the place to run and its variables.
func (b *builder) environment() {
	b.vars = map[string]string{}
	want := b.opt.Environment
	var missing *diag.Diagnostic
	if want == "" {
		if defs := b.defs["crossdock"]; len(defs) > 0 {
			if n := defs[0].node.Get("defaults").Get("environment"); n != nil {
				want = n.Text
				if b.named["environment"][want] == nil {
					d := b.decoder(defs[0])
					d.Unknown(n, "environment", sortedKeys(b.named["environment"]))
				}
			}
		}
	} else if b.named["environment"][want] == nil {
		missing = b.diags.Errorf(spec.CodeUnknown, diag.Span{File: "crossdock.yaml"}, "there is no environment `%s`", want)
		missing.Hint = "environments of this workspace: " + strings.Join(sortedKeys(b.named["environment"]), ", ")
	}
	names := sortedKeys(b.named["environment"])
	if want == "" && len(names) > 0 {
		want = names[0]
		if len(names) > 1 && !b.opt.AnyEnvironment {
			b.diags.Errorf(spec.CodeUnknown, diag.Span{File: "crossdock.yaml"}, "choose an environment: there are %s", strings.Join(names, ", ")).
				Hint = "use --env NAME, CROSSDOCK_ENV, or defaults: {environment: NAME} in crossdock.yaml"
		}
	}
	for _, d := range b.defs["environment"] {
		e := &Environment{Definition: d.Definition, Spec: &spec.Environment{}, Vars: map[string]any{}}
		dec := b.decoder(d)
		dec.Decode(d.node, e.Spec)
		for _, what := range e.Spec.Reload.Require {
			if words := []string{"lint", "test"}; what.Set() && !contains(words, what.Value) {
				dec.Unknown(what.Node, "check", words)
			}
		}
		provided(dec, e.Spec.Secrets, d.node.Get("secrets"))
		if d.Name != want {
			continue
		}
		b.ws.Environment = e
		for _, v := range e.Spec.Vars {
			b.vars[v.Key.Text] = v.Value.Value
		}
	}
	if b.ws.Environment == nil {
		b.ws.Environment = &Environment{Spec: &spec.Environment{}, Vars: map[string]any{}}
	}
	for k, v := range b.opt.Vars {
		b.vars[k] = v
	}
	for k, v := range b.vars {
		b.ws.Environment.Vars[k] = v
	}
}

// provided reports settings of secrets that do not fit where they come from.
func provided(dec *spec.Decoder, s spec.Secrets, n *ast.Node) {
	if n == nil || n.Kind != ast.Map {
		return
	}
	needs := map[string]string{"file": "dir", "exec": "command"}
	if key := needs[s.Provider.Value]; key != "" && n.Pair(key) == nil {
		f := dec.Errorf(spec.CodeUnknown, s.Provider.Span(), "`provider: %s` needs `%s:`", s.Provider.Value, key)
		f.Hint = map[string]string{"dir": "add `dir:` with the folder that has one file per secret", "command": "add `command:` with the program and its arguments, such as [vault, read, \"{name}\"]"}[key]
		f.Missing = diag.MissingKey
	}
	if p := n.Pair("prefix"); p != nil && n.Pair(needs[s.Provider.Value]) != nil && (s.Provider.Value == "file" || s.Provider.Value == "exec") {
		dec.Warnf(spec.CodeUnknown, p.Key.Span, "`prefix` has no effect beside `provider: %s`", s.Provider.Value).Hint = "it belongs to `provider: env`; remove it"
	}
}

// standard is the policy under everything.
func standard() *Policy {
	return &Policy{Name: "standard", Priority: 2, Retry: retry.Default, Remember: 40 * 24 * time.Hour, Ordered: true,
		Box: "general", Keep: 30 * 24 * time.Hour, GiveUp: 3 * 24 * time.Hour}
}

var priorities = []string{"critical", "high", "normal", "low"}

// policy compiles a named policy with everything it extends. chain holds the
// names on the way, to find circles.
func (b *builder) policy(dec *spec.Decoder, name string, chain []string) *Policy {
	if p := b.ws.Policies[name]; p != nil {
		return p
	}
	s, ok := b.ws.Spec.Policies.Get(name)
	if !ok {
		return nil
	}
	base := standard()
	if s.Extends.Set() {
		for _, c := range append(chain, name) {
			if c == s.Extends.Value {
				f := dec.Errorf(spec.CodeUnknown, s.Extends.Span(), "the policies %s extend each other in a circle", strings.Join(append(chain, name, c), " -> "))
				f.Hint = "let one of them stand without `extends`"
				b.ws.Policies[name] = base // it exists, so that nobody misses it
				return base
			}
		}
		if parent := b.policy(dec, s.Extends.Value, append(chain, name)); parent != nil {
			copied := *parent
			base = &copied
		} else if _, there := b.ws.Spec.Policies.Get(s.Extends.Value); !there {
			dec.Unknown(s.Extends.Node, "policy", b.ws.Spec.Policies.Names())
		}
	}
	base.Name = name
	b.overlay(dec, base, &s)
	b.ws.Policies[name] = base
	return base
}

// overlay applies the sections that s sets.
func (b *builder) overlay(dec *spec.Decoder, p *Policy, s *spec.Policy) {
	if s.Node != nil {
		p.Span = s.Node.Span
	}
	for i, word := range priorities {
		if s.Priority.Value == word {
			p.Priority = i
		}
	}
	if r := s.Retry; r != nil {
		if r.Attempts > 0 {
			p.Retry.Attempts, p.RetrySet = r.Attempts, true
		}
		p.Retry.Wait = r.Wait.Or(p.Retry.Wait)
		if r.Grow > 0 {
			p.Retry.Grow = r.Grow
		}
		p.Retry.MaxWait = r.MaxWait.Or(p.Retry.MaxWait)
		if r.Wait.Node != nil && r.MaxWait.Node != nil && r.MaxWait.D < r.Wait.D {
			dec.Errorf(spec.CodeUnknown, r.MaxWait.Node.Span, "the longest pause is shorter than the first one, %s", r.Wait.Node.Text).
				Hint = "write a longer `max_wait`, or a shorter `wait`"
		}
		p.GiveUp = r.GiveUp.Or(p.GiveUp)
		if r.Jitter != nil {
			p.Retry.Jitter = *r.Jitter
		}
		if len(r.On) > 0 {
			p.Retry.On = retry.Set{}
			for _, word := range r.On {
				if !p.Retry.On.ParseSet(word.Value) {
					dec.Errorf(spec.CodeUnknown, word.Span(), "`%s` cannot be repeated on", word.Value).
						Hint = "you can use: timeout, connection, 5xx, or a status number from 400 to 599"
				}
			}
		}
	}
	p.Remember = s.Remember.Or(p.Remember)
	p.SLA = s.SLA.Or(p.SLA)
	if s.Order.Set() {
		p.Ordered = s.Order.Value == "per_key"
	}
	if s.Collapse.Set() {
		p.Collapse = true
	}
	if s.OnDeadLetter.Set() {
		p.Block = s.OnDeadLetter.Value == "block"
	}
	if s.DeadLetter != nil {
		if s.DeadLetter.Box.Set() {
			p.Box = s.DeadLetter.Box.Value
		}
		p.Keep = s.DeadLetter.Keep.Or(p.Keep)
		if name := s.DeadLetter.Alert; name.Set() {
			p.Alert = name.Value
			if _, there := b.ws.Spec.Alerts.Get(name.Value); !there {
				dec.Unknown(name.Node, "alert", b.ws.Spec.Alerts.Names())
				if len(b.ws.Spec.Alerts) == 0 {
					(*dec.Diags)[len(*dec.Diags)-1].Hint = "it is written in crossdock.yaml, such as alerts: {" + name.Value + ": {send: chat.post, with: {text: .summary}}}"
				}
			}
		}
	}
}

// effective returns the policy that ref chooses on top of base.
func (b *builder) effective(dec *spec.Decoder, ref spec.PolicyRef, base *Policy) *Policy {
	switch {
	case ref.Inline != nil:
		p := *base
		if ref.Inline.Extends.Set() {
			if named := b.ws.Policies[ref.Inline.Extends.Value]; named != nil {
				p = *named
			} else {
				dec.Unknown(ref.Inline.Extends.Node, "policy", b.ws.Spec.Policies.Names())
			}
		}
		b.overlay(dec, &p, ref.Inline)
		return &p
	case ref.Name.Set():
		if p := b.ws.Policies[ref.Name.Value]; p != nil {
			return p
		}
		dec.Unknown(ref.Name.Node, "policy", b.ws.Spec.Policies.Names())
	}
	return base
}
