package file

import (
	"context"
	"fmt"
	"sync"

	"crossdock/connectors"
)

// Gathers implements connectors.Gatherer: lines share a write, whole files do
// not.
func (s *sink) Gathers(operation string) bool {
	t := s.tasks[operation]
	return t != nil && t.grow
}

// Forwards implements connectors.Forwarder.
func (s *sink) Forwards(operation string) bool {
	t := s.tasks[operation]
	return t != nil && t.body == "json"
}

// lines are what goes to one growing file together.
type lines struct {
	name string
	task *task
	data []byte
	of   []int     // requests
	keys []lineKey // of the lines, where they are remembered
	ends []int     // of the lines in data
}

// spare lends buffers for lines; those above mostSpare are not kept.
var spare = sync.Pool{New: func() any { return new([]byte) }}

const mostSpare = 4 << 20

// DeliverAll implements connectors.Gatherer. The lines of one file are written
// in the order of their requests.
func (s *sink) DeliverAll(ctx context.Context, rs []connectors.Request) []connectors.Answer {
	out := make([]connectors.Answer, len(rs))
	var files []*lines
	for i := range rs {
		t := s.tasks[rs[i].Operation]
		if t == nil || !t.grow {
			out[i].Response, out[i].Err = s.Deliver(ctx, rs[i])
			continue
		}
		name, err := t.file(rs[i].With)
		if err == nil {
			l := linesOf(&files, name, t)
			if l.data, err = t.appendLine(l.data, rs[i]); err == nil {
				l.of = append(l.of, i)
				if t.keyed {
					l.keys, l.ends = append(l.keys, keyOf(rs[i].Key)), append(l.ends, len(l.data))
				}
			}
		}
		if err != nil {
			out[i].Err = connectors.Permanent(err)
		}
	}
	var wg sync.WaitGroup
	for i, l := range files {
		if i == len(files)-1 {
			s.appendLines(ctx, l, out)
			break
		}
		wg.Go(func() { s.appendLines(ctx, l, out) })
	}
	wg.Wait()
	return out
}

// linesOf returns the lines for a file, the last file first: it is the one for
// all where the name is fixed.
func linesOf(files *[]*lines, name string, t *task) *lines {
	for i := len(*files) - 1; i >= 0; i-- {
		if l := (*files)[i]; l.name == name && l.task == t {
			return l
		}
	}
	l := &lines{name: name, task: t, data: (*spare.Get().(*[]byte))[:0]}
	*files = append(*files, l)
	return l
}

// appendLines writes lines and answers their requests.
func (s *sink) appendLines(ctx context.Context, l *lines, out []connectors.Answer) {
	answer := connectors.Answer{Err: s.write(ctx, l)}
	if answer.Err == nil {
		answer.Response = wrote(l.name)
	}
	for _, i := range l.of {
		out[i] = answer
	}
	if cap(l.data) <= mostSpare {
		spare.Put(&l.data)
	}
}

func (s *sink) write(ctx context.Context, l *lines) error {
	if len(l.of) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return connectors.NotSent(fmt.Errorf("write file: %w", err))
	}
	root, err := s.enter()
	if err != nil {
		return connectors.NotSent(words("open folder of", l.name, err))
	}
	defer s.leave()
	return s.journal(root, l.name, l.task.header()).append(l)
}
