package http

import (
	"fmt"
	"sync/atomic"
	"time"

	"crossdock/connectors"
	"crossdock/dsl/spec"
)

// secretsFor is how long resolved secrets and what is made of them are kept.
// A rotated secret is in use after that time without any reload.
const secretsFor = 10 * time.Second

// secrets resolves secrets when they are needed.
type secrets struct {
	lookup spec.Finder
}

func newSecrets(lookup spec.Finder) *secrets {
	if lookup == nil {
		lookup = func(name string) (spec.Sealed, error) {
			return spec.Sealed{}, fmt.Errorf("there is no secret `%s`", name)
		}
	}
	return &secrets{lookup}
}

// value resolves one secret. A failure is NotSent: nothing left, and the
// secret may be there the next time.
func (s *secrets) value(v spec.Secret) (spec.Sealed, error) {
	text, err := v.Resolve(s.lookup)
	if err != nil {
		return spec.Sealed{}, connectors.NotSent(fmt.Errorf("resolve secret: %w", err))
	}
	return text, nil
}

func (s *secrets) text(v TextOrSecret) (spec.Sealed, error) {
	if v.Secret.Set() {
		return s.value(v.Secret)
	}
	return spec.Seal(v.Text.Value), nil
}

// recent keeps a value for secretsFor. Two callers that find it stale may both
// make it anew; the last one is kept.
type recent[T any] struct {
	kept atomic.Pointer[stamped[T]]
}

type stamped[T any] struct {
	value T
	until time.Time
}

func (r *recent[T]) get(make func() (T, error)) (T, error) {
	now := time.Now()
	if s := r.kept.Load(); s != nil && now.Before(s.until) {
		return s.value, nil
	}
	v, err := make()
	if err != nil {
		return v, err
	}
	r.kept.Store(&stamped[T]{v, now.Add(secretsFor)})
	return v, nil
}

func (r *recent[T]) forget() { r.kept.Store(nil) }
