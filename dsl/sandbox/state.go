package sandbox

import "bytes"

// state is all that a machine at rest is: its memory and its globals. Every run
// begins with the same.
type state struct {
	size    uint32
	parts   []part // of the memory; what lies between is zero
	globals []uint64
}

// part is a piece of memory that is not all zero.
type part struct {
	at uint32
	b  []byte
}

// state notes the state of a machine at rest.
func (m *machine) state() state {
	memory, _ := m.module.Memory().Read(0, m.module.Memory().Size())
	s := state{size: uint32(len(memory))}
	zero := make([]byte, page)
	for at := 0; at < len(memory); at += page {
		piece := memory[at:min(at+page, len(memory))]
		if bytes.Equal(piece, zero[:len(piece)]) {
			continue
		}
		if n := len(s.parts); n > 0 && int(s.parts[n-1].at)+len(s.parts[n-1].b) == at {
			s.parts[n-1].b = append(s.parts[n-1].b, piece...)
			continue
		}
		s.parts = append(s.parts, part{uint32(at), bytes.Clone(piece)})
	}
	for _, g := range m.globals {
		s.globals = append(s.globals, g.Get())
	}
	return s
}

// restore brings a machine into the state s. A machine whose memory has grown
// beyond that cannot be brought back, for memory does not shrink: what is new
// must be zero to the program.
func (m *machine) restore(s state) bool {
	memory := m.module.Memory()
	if have := memory.Size(); have < s.size {
		if _, ok := memory.Grow((s.size - have) / page); !ok {
			return false
		}
	}
	if memory.Size() != s.size || len(m.globals) != len(s.globals) {
		return false
	}
	all, ok := memory.Read(0, s.size)
	if !ok {
		return false
	}
	end := 0
	for _, p := range s.parts {
		clear(all[end:p.at])
		end = int(p.at) + copy(all[p.at:], p.b)
	}
	clear(all[end:])
	for i, v := range s.globals {
		m.globals[i].Set(v)
	}
	m.answer = nil
	m.said.Reset()
	return true
}
