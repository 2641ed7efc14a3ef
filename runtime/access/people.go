package access

import (
	"context"
	"strings"
	"sync"
	"time"

	"crossdock/runtime/queue"
)

const (
	personPrefix = "access/person/"
	personFor    = 30 * 24 * time.Hour // how long a role is remembered
)

// People keeps the role that each person had who signed in last: the identity
// provider is not asked about somebody who is not there. All replicas on a store
// share them.
type People struct {
	driver queue.Driver

	mu   sync.Mutex
	seen map[string]seenRole
}

type seenRole struct {
	role Role
	at   time.Time
}

// seenAgain is how long what was written of a person is not written again.
const seenAgain = time.Minute

// NewPeople returns the people kept in d.
func NewPeople(d queue.Driver) *People {
	return &People{driver: d, seen: map[string]seenRole{}}
}

func personKey(name string) string { return personPrefix + strings.ToLower(name) }

// Note remembers the role with which somebody signed in.
func (p *People) Note(ctx context.Context, who Identity, now time.Time) error {
	key := personKey(who.Name)
	p.mu.Lock()
	last, known := p.seen[key]
	p.mu.Unlock()
	if known && last.role == who.Role && now.Sub(last.at) < seenAgain {
		return nil
	}
	word := []byte(who.Role.String())
	if _, err := p.driver.Apply(ctx, queue.Commit{Put: []queue.Put{{Key: key, Version: queue.AnyVersion, Value: word, TTL: personFor}}}); err != nil {
		return err
	}
	p.mu.Lock()
	p.seen[key] = seenRole{who.Role, now}
	p.mu.Unlock()
	return nil
}

// Role returns the role with which somebody signed in last, Nobody where that is
// not known.
func (p *People) Role(ctx context.Context, name string) (Role, error) {
	values, err := p.driver.Get(ctx, personKey(name))
	if err != nil || values[0].Version == 0 || string(values[0].Data) == Nobody.String() {
		return Nobody, err
	}
	return ParseRole(string(values[0].Data))
}
