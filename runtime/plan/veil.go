package plan

import (
	"slices"
	"strings"

	"crossdock/dsl/value"
	"crossdock/runtime/mask"
	"crossdock/runtime/message"
)

// veil hides what may not be shown of one message.
type veil struct {
	reveal Reveal
	masks  []*mask.Mask
	known  func(name string) bool // Hidden: names that definitions hold, not payloads
}

// concealed stands for a value that is not shown to who asks.
const concealed = "[hidden]"

// veil learns what is personal in a message and in what it becomes.
func (c *comparison) veil(m *Message, trails ...*trail) *veil {
	v := &veil{reveal: c.in.Reveal, known: c.in.names()}
	if m.Origin != Real && v.reveal == Hidden {
		v.reveal = Masked // the files of the definitions are no secret for who has them
	}
	if v.reveal != Masked {
		return v
	}
	payloads := []any{m.In.Body, m.Input}
	if m.In.Raw != nil {
		if body, err := message.Decode(m.In.Raw, message.Unlimited); err == nil {
			payloads = append(payloads, body)
		}
	}
	for _, t := range trails {
		for _, x := range t.calls {
			if sent, ok := x.sent.(map[string]any); ok {
				payloads = append(payloads, sent["body"])
			}
		}
	}
	done := map[*value.Shape]bool{}
	for _, s := range c.shapes(m, trails...) {
		if s == nil || done[s] {
			continue
		}
		done[s] = true
		if k := mask.New(s, payloads...); !k.Empty() {
			v.masks = append(v.masks, k)
		}
	}
	return v
}

// value hides what is personal in a value at path.
func (v *veil) value(path []string, x any) any {
	if x == nil || v.reveal == Shown {
		return x
	}
	if v.reveal == Hidden {
		return concealed
	}
	for _, m := range v.masks {
		for _, name := range path {
			if m.Fields()[name] {
				return mask.Hidden
			}
		}
		x = m.Value(x, nil)
	}
	return x
}

func (v *veil) text(s string) string {
	if v.reveal == Hidden {
		return concealed
	}
	for _, m := range v.masks {
		s = m.Text(s)
	}
	return s
}

// refs hides business references that hold something personal.
func (v *veil) refs(list []message.Ref) []message.Ref {
	out := slices.Clone(list)
	for i := range out {
		if v.reveal == Hidden {
			out[i].Value = concealed
			continue
		}
		out[i].Value = v.text(out[i].Value)
	}
	return out
}

// names writes a path. A name that comes from a payload, such as one that a
// program made of a customer, is hidden where values are.
func (v *veil) names(path []string) string {
	if v.reveal != Hidden {
		return general(path)
	}
	out := slices.Clone(path)
	for i, name := range out {
		if !strings.HasPrefix(name, "[") && !v.known(name) {
			out[i] = concealed
		}
	}
	return general(out)
}

// names returns what tells whether a name is written in a definition.
func (in *Input) names() func(string) bool {
	return func(name string) bool {
		for _, side := range []*Side{&in.Old, &in.New} {
			for _, f := range side.WS.Files {
				if strings.Contains(string(f.Source), name) {
					return true
				}
			}
		}
		return false
	}
}
