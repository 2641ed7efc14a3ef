package rig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"crossdock/bench/system"
	"crossdock/runtime/journal"
)

// Rig is one set-up. Close ends everything that belongs to it.
type Rig struct {
	Ledger   *Ledger
	Target   *Target
	Replicas []*Replica

	dir      string
	pipeline string
	redis    *system.Process
}

// Options are what a set-up is made of.
type Options struct {
	Binary      string
	Store       string            // embedded or redis
	Replicas    int               // 1 unless it is redis
	Definitions map[string]string // name of the file to its text; TARGET is filled in
	Args        []string          // further flags of crossdock run
	Pipeline    string            // the only one whose messages the ledger sends; "" = there are no others
	Env         func(replica int) []string
}

// Open starts a set-up and waits until all of it is ready.
func Open(ctx context.Context, o Options) (*Rig, error) {
	dir, err := os.MkdirTemp("", "crossdock-reach-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	r := &Rig{Ledger: NewLedger(), dir: dir, pipeline: o.Pipeline}
	if err := r.open(ctx, o); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rig) open(ctx context.Context, o Options) error {
	var err error
	if r.Target, err = newTarget(r.Ledger); err != nil {
		return err
	}
	for name, text := range o.Definitions {
		if err := r.Write(name, strings.ReplaceAll(text, "TARGET", r.Target.Addr)); err != nil {
			return err
		}
	}
	store := "embedded:" + r.StoreDir()
	if o.Store == "redis" {
		if err := os.MkdirAll(r.StoreDir(), 0o755); err != nil {
			return fmt.Errorf("make a folder for Redis: %w", err)
		}
		if r.redis, store, err = system.Redis(ctx, r.StoreDir(), "always"); err != nil {
			return err
		}
	}
	for n := range max(1, o.Replicas) {
		var env []string
		if o.Env != nil {
			env = o.Env(n)
		}
		p, err := newReplica(n, env, r.dir, r.workspace(), o.Binary, append([]string{"--store", store}, o.Args...))
		if err != nil {
			return err
		}
		r.Replicas = append(r.Replicas, p)
		if err := p.Start(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *Rig) workspace() string { return filepath.Join(r.dir, "workspace") }

// StoreDir is where the data of the store lie.
func (r *Rig) StoreDir() string { return filepath.Join(r.dir, "store") }

// Write puts a definition in place as editors do: beside it, then renamed.
func (r *Rig) Write(name, text string) error {
	path := filepath.Join(r.workspace(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write definitions: %w", err)
	}
	if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
		return fmt.Errorf("write definitions: %w", err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		return fmt.Errorf("write definitions: %w", err)
	}
	return nil
}

// Close ends all processes and removes all files.
func (r *Rig) Close() {
	for _, p := range r.Replicas {
		p.Kill()
	}
	if r.redis != nil {
		r.redis.Stop()
	}
	if r.Target != nil {
		r.Target.Close()
	}
	_ = os.RemoveAll(r.dir) // it is in the temporary folder
}

// Balance is what crossdock says of all messages.
func (r *Rig) Balance(ctx context.Context) (b journal.Balance, err error) {
	c, err := r.Replicas[0].Admin()
	if err != nil {
		return b, err
	}
	if err := c.Get(ctx, "/v1/balance", url.Values{"pipeline": {r.pipeline}}, &b); err != nil {
		return b, fmt.Errorf("read the balance: %w", err)
	}
	return b, nil
}

// standstill is how long nothing may have moved before what is open counts as
// stuck.
const standstill = 30 * time.Second

// Settle waits until nothing is open any more, or nothing moves, and returns the
// balance.
func (r *Rig) Settle(ctx context.Context) (journal.Balance, error) {
	tick := time.NewTicker(100 * time.Millisecond) // asks a real process
	defer tick.Stop()
	moved, last := time.Now(), int64(-1)
	for {
		b, err := r.Balance(ctx)
		if err == nil && b.Open == 0 && b.Unaccounted == 0 { // a reading while messages move does not add up
			return b, nil
		}
		if n := r.Ledger.first.Load(); n != last {
			moved, last = time.Now(), n
		}
		if time.Since(moved) > standstill {
			return b, err
		}
		select {
		case <-ctx.Done():
			return b, ctx.Err()
		case <-tick.C:
		}
	}
}

// Verdict is what a run did to its messages.
type Verdict struct {
	Counts
	Open        int64    `json:"open"` // when nothing moved any more
	Dead        int64    `json:"dead"`
	Unaccounted int64    `json:"unaccounted"`
	Failures    []string `json:"failures,omitempty"`
}

// Judge waits until everything is done and holds the ledger, and what crossdock
// says of itself, to what was sent.
func (r *Rig) Judge(ctx context.Context) (Verdict, error) {
	b, err := r.Settle(ctx)
	if err != nil {
		return Verdict{}, err
	}
	v := Verdict{Counts: r.Ledger.Counts(), Open: b.Open, Dead: b.Dead, Unaccounted: b.Unaccounted, Failures: r.Ledger.Failures()}
	// What failed may have been taken in all the same; more must not be.
	if extra := b.Messages - v.Acked; extra < 0 || extra > v.Failed {
		v.Unaccounted += extra
	}
	return v, nil
}

// Broken says what is wrong, nothing when all is well.
func (v Verdict) Broken() []string {
	var out []string
	for _, c := range []struct {
		n    int64
		what string
	}{{v.Failed, "requests failed"}, {v.Lost, "messages were lost"}, {v.Doubled, "deliveries were doubled"}, {v.Reordered, "messages were overtaken"},
		{v.Strange, "deliveries of nothing that was sent"}, {v.Open, "messages are stuck"}, {v.Dead, "good messages are dead letters"}, {v.Unaccounted, "messages are not accounted for"}} {
		if c.n != 0 {
			out = append(out, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	return out
}

// String tells the verdict in one line.
func (v Verdict) String() string {
	return fmt.Sprintf("%d sent, %d failed, %d lost, %d doubled, %d reordered, %d dead, %d open, %d unaccounted",
		v.Sent, v.Failed, v.Lost, v.Doubled, v.Reordered, v.Dead, v.Open, v.Unaccounted)
}

// StoreSize returns how many bytes the data of the store take. Files that go
// meanwhile count as nothing.
func (r *Rig) StoreSize() (n int64, err error) {
	err = filepath.WalkDir(r.StoreDir(), func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				n += info.Size()
			}
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	return n, err
}
