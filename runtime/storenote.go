package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"crossdock/runtime/queue"
)

// What is known of a shared store is kept in the state folder, so that a start
// can tell a store that was emptied, replaced or put back from the one it worked
// on before: "all empty" is not taken for "all good".
const storeNote = "store.json"

// ErrOtherStore says that the store is not as this replica left it.
var ErrOtherStore = errors.New("the store is not the one that was used before")

// note is what was seen of the store, the newest sight last.
type note struct {
	Address string  `json:"address"` // without user and password
	Mark    string  `json:"mark"`
	Seen    []sight `json:"seen"`
}

type sight struct {
	At   time.Time `json:"at"`
	Jobs uint64    `json:"jobs"`
}

const (
	lookAtStore  = 5 * time.Second
	crashMayCost = 10 * time.Second // of the newest writes of a Redis that fsyncs every second
)

// KnownStore compares a shared store with what this state folder remembers of
// it. It returns a finding where it is another one, or lacks what it had.
func KnownStore(ctx context.Context, d queue.Driver, opt Options) ([]queue.Finding, error) {
	shared, ok := d.(queue.Shared)
	if !ok {
		return nil, nil
	}
	id, err := shared.Identity(ctx)
	if err != nil {
		return nil, err
	}
	n, err := readNote(opt.stateDir())
	if err != nil {
		return nil, err
	}
	return n.compare(address(opt.Store), id), nil
}

// compare judges a store by what is remembered of it.
func (n *note) compare(address string, id queue.Identity) []queue.Finding {
	const hint = "look for a FLUSHALL, a restore or a wrong address; put the data back, or start once with --accept-store to go on with what is there"
	if n == nil || n.Address != address {
		return nil // another store is meant
	}
	if n.Mark != id.Mark {
		return []queue.Finding{{Fatal: true, Hint: hint,
			Message: "the store at " + address + " was emptied or replaced since it was last used here; messages that it held are not in it"}}
	}
	for i, s := range n.Seen {
		if s.Jobs <= id.Jobs {
			continue
		}
		last := n.Seen[len(n.Seen)-1]
		message := fmt.Sprintf("the store at %s lacks %d of the messages that it had confirmed up to %s", address, last.Jobs-id.Jobs, last.At.UTC().Format(time.RFC3339))
		// The first sight that it does not know tells for how long it lost all.
		if i == 0 || last.At.Sub(s.At) > crashMayCost {
			return []queue.Finding{{Fatal: true, Hint: hint, Message: message + ": an older state was put in its place"}}
		}
		return []queue.Finding{{Message: message, Hint: "a crash or failover took the newest; set appendfsync always, or replicas=N in the store URL"}}
	}
	return nil
}

// add remembers a sight. Older ones are kept as long as a crash may cost and a
// little more.
func (n *note) add(now time.Time, jobs uint64) {
	n.Seen = append(n.Seen, sight{now.UTC(), jobs})
	for len(n.Seen) > 1 && now.Sub(n.Seen[1].At) > 3*crashMayCost {
		n.Seen = n.Seen[1:]
	}
}

func readNote(dir string) (*note, error) {
	raw, err := os.ReadFile(filepath.Join(dir, storeNote))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known of the store: %w", err)
	}
	n := &note{}
	if err := json.Unmarshal(raw, n); err != nil || len(n.Seen) == 0 {
		return nil, fmt.Errorf("what is known of the store, in %s, cannot be read; remove the file to begin anew", filepath.Join(dir, storeNote))
	}
	return n, nil
}

func (n *note) write(dir string) error {
	raw, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	path := filepath.Join(dir, storeNote)
	if err := os.WriteFile(path+".new", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// address names a store without the credentials in its URL.
func address(store string) string {
	u, err := url.Parse(store)
	if err != nil {
		return "redis"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// recogniseStore refuses a store that is not as it was left, unless told to go
// on with it.
func (e *Engine) recogniseStore(ctx context.Context) error {
	shared, ok := e.driver.(queue.Shared)
	if !ok {
		return nil
	}
	findings, err := KnownStore(ctx, e.driver, e.opt)
	if err != nil {
		return err
	}
	for _, f := range findings {
		e.log.Error("store: "+f.Message, "hint", f.Hint)
		if f.Fatal && !e.opt.AcceptStore {
			return fmt.Errorf("%w: %s (%s)", ErrOtherStore, f.Message, f.Hint)
		}
	}
	n, err := readNote(e.opt.stateDir())
	if err != nil {
		return err
	}
	if n == nil || len(findings) > 0 || n.Address != address(e.opt.Store) {
		n = &note{}
	}
	return e.noteStore(ctx, shared, n)
}

// watchStore keeps the note up to date until ctx ends.
func (e *Engine) watchStore(ctx context.Context) {
	shared, ok := e.driver.(queue.Shared)
	if !ok {
		return
	}
	told := false
	for sleep(ctx, lookAtStore) {
		err := e.noteStore(ctx, shared, e.known)
		if err != nil && ctx.Err() == nil && !told && !errors.Is(err, queue.ErrFailed) {
			e.log.Warn("what is known of the store cannot be kept", "error", err)
		}
		told = err != nil
	}
}

// noteStore looks at the store and writes what it saw into n, where that is new.
func (e *Engine) noteStore(ctx context.Context, shared queue.Shared, n *note) error {
	id, err := shared.Identity(ctx)
	if err != nil {
		return err
	}
	e.known = n
	e.meter.StoreLost(id.Lost)
	if k := len(n.Seen); k > 0 && n.Seen[k-1].Jobs == id.Jobs {
		return nil
	}
	if k := len(n.Seen); k > 0 && n.Seen[k-1].Jobs > id.Jobs {
		n.Seen = nil // the driver has told that it lost the newest
	}
	n.Address, n.Mark = address(e.opt.Store), id.Mark
	n.add(time.Now(), id.Jobs)
	return n.write(e.opt.stateDir())
}
