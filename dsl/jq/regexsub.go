package jq

import "github.com/itchyny/gojq"

// regexSplits is splits, which gives the pieces between matches, and split with
// a pattern, which gives them as a list.
func (b *builder) regexSplits(f *gojq.Func, sc *names) (*node, error) {
	p, err := b.regex(f, 1, "g")
	if err != nil {
		return b.bridgeCall(f, sc)
	}
	pieces := stream(func(m *machine, in any, yield yieldFunc) error {
		s, err := m.admit(p, "match", in)
		if err != nil {
			return err
		}
		from := 0
		for _, at := range p.matches(m, s) {
			m.tick()
			if err := yield(s[min(from, at[0]):at[0]]); err != nil {
				return err
			}
			from = at[1]
		}
		return yield(s[from:])
	})
	if f.Name == "split" {
		return collect(pieces), nil
	}
	return pieces, nil
}

// regexSub is sub and gsub. The replacement sees the named groups as its
// input; if it gives several values there are as many results.
func (b *builder) regexSub(f *gojq.Func, sc *names) (*node, error) {
	extra := ""
	if f.Name == "gsub" {
		extra = "g"
	}
	p, err := b.regex(f, 2, extra)
	if err != nil {
		return b.bridgeCall(f, sc)
	}
	with, err := b.query(f.Args[1], sc)
	if err != nil {
		return nil, err
	}
	if with.one != nil {
		return single(func(m *machine, in any) (any, error) {
			out, err := p.replace(m, in, with)
			if err != nil {
				return nil, err
			}
			return out[0], nil
		}), nil
	}
	return stream(func(m *machine, in any, yield yieldFunc) error {
		out, err := p.replace(m, in, with)
		if err != nil {
			return err
		}
		for _, v := range out {
			if err := yield(v); err != nil {
				return err
			}
		}
		return nil
	}), nil
}

// replace returns the results of a substitution, at least one.
func (p *pattern) replace(m *machine, in any, with *node) ([]any, error) {
	s, err := m.admit(p, "match", in)
	if err != nil {
		return nil, err
	}
	var parts [][]any // of each result, joined at the end
	from := 0
	for _, at := range p.matches(m, s) {
		m.tick()
		before := s[min(from, at[0]):at[0]]
		i := 0
		err := with.each(m, p.named(m, s, at), func(v any) error {
			piece, err := m.add(before, v)
			if err != nil {
				return err
			}
			if i == len(parts) {
				parts = append(parts, nil)
			}
			parts[i] = m.push(parts[i], piece)
			i++
			return nil
		})
		if err != nil {
			return nil, err
		}
		from = at[1]
	}
	if len(parts) == 0 {
		return []any{s}, nil
	}
	out := make([]any, len(parts))
	for i, list := range parts {
		sum, err := m.total(append(list, s[from:]))
		if err != nil {
			return nil, err
		}
		out[i] = sum
	}
	return out, nil
}
