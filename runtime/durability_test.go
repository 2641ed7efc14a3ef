package runtime_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"crossdock/runtime"
	"crossdock/runtime/queue/redis/redistest"
)

// A start on a store that promises less than the environment asks for is refused.
func TestDurabilityThatIsAskedFor(t *testing.T) {
	always, everysec := redistest.Start(t, "--appendfsync", "always"), redistest.Start(t)
	embedded := func(t *testing.T) string { return "embedded:" + filepath.Join(t.TempDir(), "store") }
	at := func(url string) func(*testing.T) string { return func(*testing.T) string { return url } }
	for _, c := range []struct {
		name, ask, level string
		store            func(*testing.T) string
		fits             bool
	}{
		{"nothing asked", "", "", at("memory:"), true},
		{"memory", "process", "", at("memory:"), false},
		{"embedded", "fsync", "fsync", embedded, true},
		{"embedded, process", "fsync", "process", embedded, false},
		{"embedded, replicated", "replicated", "fsync", embedded, false},
		{"redis always", "fsync", "", at(always.URL()), true},
		{"redis everysec", "fsync", "", at(everysec.URL()), false},
		{"redis everysec, process", "process", "", at(everysec.URL()), true},
		{"redis alone", "replicated", "", at(always.URL()), false},
		{"redis with replicas", "replicated", "", at(always.URL() + "?replicas=1"), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t)
			if c.ask != "" {
				s.write("prod.environment.yaml", "environment: prod\ndurability: "+c.ask+"\n")
			}
			s.opt.Store, s.opt.Durability = c.store(t), c.level
			e, err := runtime.New(context.Background(), s.opt)
			if err == nil {
				defer e.Driver().Close()
			}
			if (err == nil) != c.fits || err != nil && !strings.Contains(err.Error(), "prod.environment.yaml:2:13: the environment prod asks for the durability "+c.ask) {
				t.Errorf("start: %v", err)
			}
		})
	}
}

func TestReloadAsksForMore(t *testing.T) {
	s := newSite(t)
	s.write("prod.environment.yaml", "environment: prod\n")
	s.start()
	s.write("prod.environment.yaml", "environment: prod\ndurability: fsync\nvars: {a: b}\n")
	if r := s.reload("failed"); !strings.Contains(r.Error, "asks for the durability fsync") {
		t.Errorf("error %q", r.Error)
	}
}
