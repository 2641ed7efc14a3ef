package runtime

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"crossdock/dsl"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/embedded"
	"crossdock/runtime/queue/memory"
	"crossdock/runtime/queue/redis"
)

// keepHistory is how long the story of a message can be told, unless Options say
// otherwise.
const keepHistory = 30 * 24 * time.Hour

// OpenStore opens the store that opt names and refuses one on which the
// promises do not hold, unless told that this is meant.
func OpenStore(ctx context.Context, opt Options) (queue.Driver, error) {
	d, err := openStore(ctx, opt)
	if err != nil {
		return nil, err
	}
	findings, err := d.Check(ctx)
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("check the store: %w", err)
	}
	for _, f := range findings {
		if f.Fatal && !opt.Unsafe {
			d.Close()
			return nil, fmt.Errorf("the store does not keep what crossdock promises: %s (%s); --unsafe starts all the same", f.Message, f.Hint)
		}
		if opt.Log != nil {
			opt.Log.Warn("store: "+f.Message, "hint", f.Hint)
		}
	}
	return d, nil
}

func openStore(ctx context.Context, opt Options) (queue.Driver, error) {
	if opt.Driver != nil {
		return opt.Driver, nil
	}
	store := opt.Store
	if store == "" {
		store = "embedded:" + opt.storeDir()
	}
	scheme, rest, _ := strings.Cut(store, ":")
	switch {
	case scheme == "memory":
		return memory.Open(memory.Options{KeepHistory: opt.keepHistory()}), nil
	case scheme == "embedded":
		if rest == "" {
			rest = opt.storeDir()
		}
		if opt.Durability == "replicated" {
			return nil, errors.New("an embedded store has no replicas: the durability replicated needs a Redis as the --store")
		}
		durability := embedded.Fsync
		if opt.Durability == "process" {
			durability = embedded.Process
		}
		return embedded.Open(ctx, strings.TrimPrefix(rest, "//"), embedded.Options{Durability: durability, KeepHistory: opt.keepHistory(), Memory: opt.Memory, Logger: opt.Log})
	case strings.HasPrefix(scheme, "redis"):
		return redis.Open(ctx, store, redis.Options{KeepHistory: opt.keepHistory(), Logger: opt.Log, Unsafe: opt.Unsafe, Replicas: opt.replicas()})
	}
	return nil, fmt.Errorf("there is no store `%s`: use memory:, embedded:PATH, redis://HOST:PORT or rediss://HOST:PORT", scheme)
}

func (opt Options) keepHistory() time.Duration {
	if opt.History > 0 {
		return opt.History
	}
	return keepHistory
}

// replicas is how many replicas must at least confirm each write.
func (opt Options) replicas() int {
	if opt.Durability == "replicated" {
		return 1
	}
	return 0
}

// storeDir is where the embedded store lies unless its place is given.
func (opt Options) storeDir() string {
	return filepath.Join(opt.stateDir(), "store")
}

// stateDir is where crossdock keeps its own.
func (opt Options) stateDir() string {
	if opt.State != "" {
		return opt.State
	}
	return filepath.Join(opt.Dir, StateDir)
}

// checkDurability refuses definitions whose environment asks for more than the
// store promises.
func (e *Engine) checkDurability(ctx context.Context, ws *dsl.Workspace) error {
	if ws.Environment.Spec == nil || ws.Environment.Spec.Durability.Value == "" {
		return nil
	}
	want := queue.Durability(ws.Environment.Spec.Durability.Value)
	var has []queue.Durability
	if d, ok := e.driver.(queue.Durable); ok {
		var err error
		if has, err = d.Promises(ctx); err != nil {
			return err
		}
	}
	if slices.Contains(has, want) {
		return nil
	}
	hint := map[queue.Durability]string{
		queue.Process:    "use an embedded store, or a Redis with appendonly yes",
		queue.Fsync:      "use an embedded store with --durability fsync, or a Redis with appendfsync always",
		queue.Replicated: "use a Redis with --durability replicated, or replicas=N in the store URL",
	}[want]
	return fmt.Errorf("%s: the environment %s asks for the durability %s, which this store does not promise; %s",
		ws.Environment.Spec.Durability.Span(), ws.Environment.Spec.Name.Value, want, hint)
}
