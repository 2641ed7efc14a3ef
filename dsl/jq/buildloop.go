package jq

import (
	"github.com/itchyny/gojq"
)

func (b *builder) try(e *gojq.Try, sc *names) (*node, error) {
	body, err := b.query(e.Body, sc)
	if err != nil {
		return nil, err
	}
	var handler *node
	if e.Catch != nil {
		if handler, err = b.query(e.Catch, sc); err != nil {
			return nil, err
		}
	}
	return attempt(body, handler), nil
}

// attempt gives body up to its first error, and then handler for the error.
func attempt(body, handler *node) *node {
	if body.constant {
		return body
	}
	if f := body.asMaybe(); f != nil && (handler == nil || handler.asMaybe() != nil) {
		var h maybeFunc
		if handler != nil {
			h = handler.asMaybe()
		}
		return atMost(func(m *machine, in any) (any, bool, error) {
			v, ok, err := f(m, in)
			if err == nil {
				return v, ok, nil
			}
			if h == nil {
				if _, isFailure := err.(*failure); isFailure {
					return nil, false, nil
				}
			}
			cause, catchable := caught(err)
			if !catchable {
				return nil, false, err
			}
			if h == nil {
				return nil, false, nil
			}
			return h(m, cause)
		})
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		var below error // an error of those who take the values is not ours
		err := body.each(m, in, func(v any) error {
			below = yield(v)
			return below
		})
		if err == nil || err == below {
			return err
		}
		cause, catchable := caught(err)
		if !catchable || handler == nil {
			if catchable {
				return nil
			}
			return err
		}
		return handler.each(m, cause, yield)
	})
}

// folding is what reduce and foreach have in common.
type folding struct {
	source, start, update *node
	set                   setter
	inner                 *names // of update, and of what follows it
}

func (b *builder) folding(source *gojq.Query, pattern *gojq.Pattern, start, update *gojq.Query, sc *names) (f folding, err error) {
	if f.source, err = b.query(source, sc); err != nil {
		return f, err
	}
	if f.start, err = b.query(start, sc); err != nil {
		return f, err
	}
	if f.set, f.inner, err = b.pattern(pattern, sc); err != nil {
		return f, err
	}
	f.update, err = b.query(update, f.inner)
	return f, err
}

func (b *builder) reduce(t *gojq.Term, sc *names) (*node, error) {
	e := t.Reduce
	if len(e.Patterns) > 1 {
		return b.bridge(&gojq.Query{Term: t}, sc)
	}
	f, err := b.folding(e.Query, e.Patterns[0], e.Start, e.Update, sc)
	if err != nil {
		return nil, err
	}
	source, start, set, update := f.source, f.start, f.set, f.update
	fold := func(m *machine, in, acc any) (any, error) {
		step := func() error {
			return update.each(m, acc, func(v any) error { acc = v; return nil })
		}
		if f := update.one; f != nil {
			step = func() (err error) {
				acc, err = f(m, acc)
				return err
			}
		}
		err := source.each(m, in, func(v any) error {
			m.tick()
			return set(m, v, step)
		})
		return acc, err
	}
	if f := start.one; f != nil {
		return single(func(m *machine, in any) (any, error) {
			acc, err := f(m, in)
			if err != nil {
				return nil, err
			}
			return fold(m, in, acc)
		}), nil
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		return start.each(m, in, func(acc any) error {
			v, err := fold(m, in, acc)
			if err != nil {
				return err
			}
			return yield(v)
		})
	}), nil
}

func (b *builder) foreach(t *gojq.Term, sc *names) (*node, error) {
	e := t.Foreach
	if len(e.Patterns) > 1 {
		return b.bridge(&gojq.Query{Term: t}, sc)
	}
	f, err := b.folding(e.Query, e.Patterns[0], e.Start, e.Update, sc)
	if err != nil {
		return nil, err
	}
	source, start, set, update := f.source, f.start, f.set, f.update
	extract := dot()
	if e.Extract != nil {
		if extract, err = b.query(e.Extract, f.inner); err != nil {
			return nil, err
		}
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		return start.each(m, in, func(acc any) error {
			return source.each(m, in, func(v any) error {
				m.tick()
				return set(m, v, func() error {
					return update.each(m, acc, func(next any) error {
						acc = next
						return extract.each(m, next, yield)
					})
				})
			})
		})
	}), nil
}

func (b *builder) label(e *gojq.Label, sc *names) (*node, error) {
	slot := b.newSlot()
	body, err := b.query(e.Body, &names{up: sc, name: "label " + e.Ident, slot: slot})
	if err != nil {
		return nil, err
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		mark := &left{label: e.Ident}
		old := m.slots[slot]
		m.slots[slot] = mark
		err := body.each(m, in, yield)
		m.slots[slot] = old
		if err == error(mark) {
			return nil
		}
		return err
	}), nil
}
