package publication

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"crossdock/runtime/queue"
)

// Keep is how many revisions are kept. The one that runs is kept besides.
const Keep = 20

// Topic is the state key to watch: it is written with every change.
const Topic = "revisions"

// Errors a caller may branch on.
var (
	ErrNone    = errors.New("nothing has been published")
	ErrUnknown = errors.New("there is no such revision")
	ErrGone    = errors.New("the files of this revision are not in the store any more")
)

// Entry is one publication.
type Entry struct {
	Number    int       `json:"number"`
	At        time.Time `json:"at"`
	Who       string    `json:"who"`
	Note      string    `json:"note,omitempty"`
	Digest    string    `json:"digest"`             // of the files
	Workspace string    `json:"workspace_revision"` // what status shows as revision
	Files     int       `json:"files"`
	Bytes     int64     `json:"bytes"`
	Again     int       `json:"again,omitempty"` // the revision that was published once more
	Plan      string    `json:"plan,omitempty"`  // hash of the plan that was applied
	Waived    []string  `json:"waived,omitempty"`
	Approved  string    `json:"approved,omitempty"` // by whom, where somebody has to
	Admitted  bool      `json:"admitted,omitempty"` // a running crossdock let it pass: nobody has to approve it, or it was approved
}

// Name is how people write the number of a revision.
func Name(n int) string { return fmt.Sprintf("r%d", n) }

// Book is all that was published, oldest first.
type Book struct {
	Active  int     `json:"active"` // 0 = every replica runs its folder
	Last    int     `json:"last"`   // the highest number ever given
	Entries []Entry `json:"entries"`

	version int64
}

// Find returns an entry by number.
func (b *Book) Find(n int) (Entry, bool) {
	i := slices.IndexFunc(b.Entries, func(e Entry) bool { return e.Number == n })
	if i < 0 {
		return Entry{}, false
	}
	return b.Entries[i], true
}

// Previous is the revision that ran before the active one, as far as is known:
// the newest older one with other files; 0 where there is none.
func (b *Book) Previous() int {
	active, ok := b.Find(b.Active)
	if !ok {
		return b.Last
	}
	for _, e := range slices.Backward(b.Entries) {
		if e.Number < active.Number && e.Digest != active.Digest {
			return e.Number
		}
	}
	return 0
}

// Read returns what was published.
func Read(ctx context.Context, d queue.Driver) (*Book, error) {
	values, err := d.Get(ctx, Topic)
	if err != nil {
		return nil, fmt.Errorf("read the published revisions: %w", err)
	}
	b := &Book{version: values[0].Version}
	if b.version > 0 {
		if err := json.Unmarshal(values[0].Data, b); err != nil {
			return nil, fmt.Errorf("the list of published revisions cannot be read: %w", err)
		}
	}
	return b, nil
}

func packKey(digest string) string { return "revision/" + digest }

// Files returns the pack of an entry.
func Files(ctx context.Context, d queue.Driver, e Entry) (*Pack, error) {
	values, err := d.Get(ctx, packKey(e.Digest))
	if err != nil {
		return nil, fmt.Errorf("read the files of %s: %w", Name(e.Number), err)
	}
	if values[0].Version == 0 {
		return nil, fmt.Errorf("%s: %w", Name(e.Number), ErrGone)
	}
	p, err := Open(values[0].Data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Name(e.Number), err)
	}
	if p.Digest != e.Digest {
		return nil, fmt.Errorf("%s: its files are not those that were published", Name(e.Number))
	}
	return p, nil
}

// Publish makes p the active revision, in one commit with its files. e brings
// who, why and the rest; its number and sizes are filled in. Two publications at
// the same time come one after the other.
func Publish(ctx context.Context, d queue.Driver, e Entry, p *Pack) (Entry, error) {
	e.Digest, e.Files, e.Bytes = p.Digest, p.Files, p.Size
	err := change(ctx, d, func(b *Book) ([]queue.Put, error) {
		b.Last++
		e.Number = b.Last
		b.Active = e.Number
		b.Entries = append(b.Entries, e)
		puts := []queue.Put{{Key: packKey(p.Digest), Version: queue.AnyVersion, Value: p.Raw}}
		return append(puts, b.prune()...), nil
	})
	return e, err
}

// Withdraw lets every replica run its folder again.
func Withdraw(ctx context.Context, d queue.Driver) error {
	return change(ctx, d, func(b *Book) ([]queue.Put, error) {
		if b.Active == 0 {
			return nil, ErrNone
		}
		b.Active = 0
		return nil, nil
	})
}

// change writes the list as do leaves it, unless somebody else was faster: then
// it begins anew from what that one wrote.
func change(ctx context.Context, d queue.Driver, do func(*Book) ([]queue.Put, error)) error {
	for {
		b, err := Read(ctx, d)
		if err != nil {
			return err
		}
		puts, err := do(b)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(b)
		if err != nil {
			return fmt.Errorf("write the published revisions: %w", err)
		}
		puts = append(puts, queue.Put{Key: Topic, Version: b.version, Value: raw})
		_, err = d.Apply(ctx, queue.Commit{Put: puts})
		if errors.Is(err, queue.ErrVersion) {
			continue
		}
		if err != nil {
			return fmt.Errorf("write the published revisions: %w", err)
		}
		return nil
	}
}

// prune forgets the oldest entries, and the files that no entry names any more.
func (b *Book) prune() []queue.Put {
	var gone []Entry
	for len(b.Entries) > Keep {
		i := 0
		if b.Entries[0].Number == b.Active {
			i = 1
		}
		gone = append(gone, b.Entries[i])
		b.Entries = slices.Delete(b.Entries, i, i+1)
	}
	var puts []queue.Put
	dropped := map[string]bool{}
	for _, e := range gone {
		used := slices.ContainsFunc(b.Entries, func(o Entry) bool { return o.Digest == e.Digest })
		if !used && !dropped[e.Digest] {
			dropped[e.Digest] = true
			puts = append(puts, queue.Put{Key: packKey(e.Digest), Version: queue.AnyVersion})
		}
	}
	return puts
}
