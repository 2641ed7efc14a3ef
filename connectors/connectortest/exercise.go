package connectortest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"crossdock/connectors"
	"crossdock/dsl/spec"
)

// Harness is what Exercise needs to know about a connector.
type Harness struct {
	// Definition is a connection with at least the operation of Request. Vars
	// are called once per subtest and may start a target for it.
	Definition string
	Vars       func(t *testing.T) Vars
	// Env is lent to the connector; Secret is set by Exercise.
	Env func(t *testing.T) connectors.Env
	// Request has an effect. Exercise sets its Key.
	Request connectors.Request
	// Effects returns what has arrived so far, one text per request seen.
	Effects func(t *testing.T) []string
	// Keyed says that an effect shows the idempotency key.
	Keyed bool
	// Bad are requests that no repetition can cure, each with words that the
	// error must hold.
	Bad map[string]Bad
	// Down are vars under which nothing can be delivered, nil where there is
	// no such thing.
	Down func(t *testing.T) Vars
	// Hang are vars under which the other side takes the request and never
	// answers, nil where there is no such thing.
	Hang func(t *testing.T) Vars
}

// Bad is a request that must fail for good.
type Bad struct {
	Request connectors.Request
	Words   string
}

// canary is the value of every secret.
const canary = "c4n4ry-d0-n0t-sh0w"

// Exercise holds a connector to what the engine relies on.
func Exercise(t *testing.T, c connectors.Connector, h Harness) {
	t.Helper()
	t.Run("kind", func(t *testing.T) { exerciseKind(t, c) })
	t.Run("definition", func(t *testing.T) { exerciseDefinition(t, c, h) })
	t.Run("delivers", func(t *testing.T) { exerciseDeliver(t, c, h) })
	t.Run("refuses", func(t *testing.T) { exerciseBad(t, c, h) })
	t.Run("cancelled", func(t *testing.T) { exerciseCancelled(t, c, h) })
	t.Run("close", func(t *testing.T) { exerciseClose(t, c, h) })
	if h.Down != nil {
		t.Run("down", func(t *testing.T) { exerciseDown(t, c, h) })
	}
	if h.Hang != nil {
		t.Run("hang", func(t *testing.T) { exerciseHang(t, c, h) })
	}
}

func (h Harness) open(t *testing.T, c connectors.Connector, vars func(*testing.T) Vars) connectors.Sink {
	t.Helper()
	env := connectors.Env{}
	if h.Env != nil {
		env = h.Env(t)
	}
	env.Secret = func(string) (spec.Sealed, error) { return spec.Seal(canary), nil }
	var v Vars
	if vars != nil {
		v = vars(t)
	}
	s, err := c.Open(Load(t, c, h.Definition, v), env)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// exerciseKind: structs are fresh each time, and every key is explained.
func exerciseKind(t *testing.T, c connectors.Connector) {
	if c.Type() == "" || strings.ToLower(c.Type()) != c.Type() {
		t.Errorf("type %q", c.Type())
	}
	for name, fresh := range map[string]func() any{"settings": c.Settings, "operation": c.Operation} {
		a, b := fresh(), fresh()
		v := reflect.ValueOf(a)
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			t.Errorf("%s are no pointer to a struct", name)
			continue
		}
		if v.Elem().NumField() > 0 && a == b {
			t.Errorf("%s are shared between connections", name)
		}
		documented(t, name, v.Type().Elem(), map[reflect.Type]bool{})
	}
}

func documented(t *testing.T, at string, typ reflect.Type, seen map[reflect.Type]bool) {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] || !strings.Contains(typ.PkgPath(), "/connectors/") {
		return
	}
	seen[typ] = true
	for i := range typ.NumField() {
		f := typ.Field(i)
		key, tagged := f.Tag.Lookup("yaml")
		if !tagged || key == "-" {
			continue
		}
		if doc := f.Tag.Get("doc"); !strings.HasSuffix(doc, ".") {
			t.Errorf("%s.%s: the doc %q is no sentence", at, key, doc)
		}
		documented(t, at+"."+key, f.Type, seen)
	}
}

// exerciseDefinition: the text is read without findings, a wrong key is found
// where it stands, and nothing of a config shows a secret.
func exerciseDefinition(t *testing.T, c connectors.Connector, h Harness) {
	var v Vars
	if h.Vars != nil {
		v = h.Vars(t)
	}
	config := Load(t, c, h.Definition, v)
	if _, ok := config.Operations[h.Request.Operation]; !ok {
		t.Errorf("the definition has no operation %s", h.Request.Operation)
	}
	raw, err := json.Marshal(config.Settings)
	if err != nil {
		raw = nil // settings need not be JSON
	}
	for _, text := range []string{fmt.Sprintf("%v %+v %#v", config, config, config.Settings), string(raw)} {
		if strings.Contains(text, canary) {
			t.Error("a config shows a secret")
		}
	}
	text := strings.TrimRight(h.Definition, "\n") + "\nnonsense_key: 1\n"
	_, found := Decode(t, c, text, v)
	line := strings.Count(text, "\n")
	for _, d := range found {
		if strings.Contains(d.Message, "nonsense_key") && d.Span.Start.Line == line {
			return
		}
	}
	t.Errorf("an unknown key is not found: %v", found)
}

// exerciseDeliver: one Deliver is one effect and carries its key, also when
// many come at once.
func exerciseDeliver(t *testing.T, c connectors.Connector, h Harness) {
	s := h.open(t, c, h.Vars)
	const workers, each = 8, 5
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := range each {
				r := h.Request
				r.Key, r.Attempt = fmt.Sprintf("key-%d-%d", w, i), 1
				a, err := s.Deliver(t.Context(), r)
				if err != nil || a.Status < 200 || a.Status > 299 {
					t.Errorf("deliver: status %d, %v", a.Status, err)
				}
			}
		})
	}
	wg.Wait()
	effects := h.Effects(t)
	if len(effects) != workers*each {
		t.Fatalf("%d effects of %d deliveries", len(effects), workers*each)
	}
	if !h.Keyed {
		return
	}
	all := strings.Join(effects, "\n") + "\n"
	for w := range workers {
		for i := range each {
			if key := fmt.Sprintf("key-%d-%d", w, i); !strings.Contains(all, key) {
				t.Errorf("the key %s did not arrive", key)
			}
		}
	}
}

func exerciseBad(t *testing.T, c connectors.Connector, h Harness) {
	s := h.open(t, c, h.Vars)
	bad := map[string]Bad{"unknown operation": {connectors.Request{Operation: "no-such-operation"}, "no-such-operation"}}
	for name, b := range h.Bad {
		bad[name] = b
	}
	before := len(h.Effects(t))
	for name, b := range bad {
		_, err := s.Deliver(t.Context(), b.Request)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if class, _ := connectors.ClassOf(err); class != connectors.ClassPermanent || !strings.Contains(err.Error(), b.Words) {
			t.Errorf("%s: %v (class %d), want a permanent error with %q", name, err, class, b.Words)
		}
	}
	if after := len(h.Effects(t)); after != before {
		t.Errorf("refused requests had %d effects", after-before)
	}
}

// exerciseCancelled: what was given up before it began has no effect and says
// so.
func exerciseCancelled(t *testing.T, c connectors.Connector, h Harness) {
	s := h.open(t, c, h.Vars)
	before := len(h.Effects(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Deliver(ctx, h.Request)
	if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassNotSent {
		t.Errorf("%v (class %d), want not sent", err, class)
	}
	if after := len(h.Effects(t)); after != before {
		t.Error("it had an effect")
	}
}

// exerciseClose: twice does no harm, nothing is left running, and later
// deliveries fail or work but never crash.
func exerciseClose(t *testing.T, c connectors.Connector, h Harness) {
	ignore := goleak.IgnoreCurrent()
	s := h.open(t, c, h.Vars)
	if _, err := s.Deliver(t.Context(), h.Request); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := s.Deliver(t.Context(), h.Request); err != nil {
		if class, _ := connectors.ClassOf(err); class == connectors.ClassPermanent {
			t.Errorf("a closed connection is no reason to give up a message: %v", err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	// The target may live in this process too; only the connector's own count.
	if err := goleak.Find(ignore, goleak.IgnoreAnyFunction("net/http.(*conn).serve"), goleak.IgnoreAnyFunction("net/http.(*Server).Serve"),
		goleak.IgnoreAnyFunction("net/http.(*connReader).backgroundRead")); err != nil {
		t.Errorf("left running: %v", err)
	}
}

func exerciseDown(t *testing.T, c connectors.Connector, h Harness) {
	s := h.open(t, c, h.Down)
	_, err := s.Deliver(t.Context(), h.Request)
	if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassNotSent {
		t.Errorf("%v (class %d), want not sent", err, class)
	}
	hidden(t, err)
}

// exerciseHang: a deadline ends a delivery, in time, and in doubt.
func exerciseHang(t *testing.T, c connectors.Connector, h Harness) {
	s := h.open(t, c, h.Hang)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := s.Deliver(ctx, h.Request)
	if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassAmbiguous {
		t.Errorf("%v (class %d), want ambiguous", err, class)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %s to give up", took)
	}
	hidden(t, err)
}

func hidden(t *testing.T, err error) {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), canary) {
			t.Errorf("an error shows a secret: %v", err)
		}
	}
}
