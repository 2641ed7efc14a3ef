package embedded

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"crossdock/runtime/queue"
)

// room is how much of the disk is left.
type room uint8

const (
	plenty room = iota
	little      // below the reserve: nothing new is taken, what is there can be finished
	none        // below a quarter of it
)

// room looks at the disk. A disk that does not tell is taken to have room: the
// write will tell.
func (s *store) room() room {
	u, err := s.opts.fs.GetDiskUsage(s.dir)
	switch {
	case err != nil || u.AvailBytes >= s.opts.Reserve:
		return plenty
	case u.AvailBytes >= s.opts.Reserve/4:
		return little
	}
	return none
}

// enoughToOpen refuses to open a store whose log could not be made into tables:
// opening would wait for room, and could not be ended meanwhile.
func enoughToOpen(fs vfs.FS, dir string) error {
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	var needed uint64
	for _, name := range names {
		if !strings.HasSuffix(name, ".log") {
			continue
		}
		i, err := fs.Stat(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		needed += uint64(i.Size())
	}
	if u, err := fs.GetDiskUsage(dir); err == nil && u.AvailBytes < needed {
		return fmt.Errorf("the disk is full: opening needs %d KiB, and %d KiB are left; make room, nothing was changed", needed>>10+1, u.AvailBytes>>10)
	}
	return nil
}

// Check implements queue.Driver. It works on a store that has failed, too.
func (s *store) Check(context.Context) ([]queue.Finding, error) {
	if !s.commits.enter() {
		return nil, queue.ErrClosed
	}
	defer s.commits.leave()
	out := s.fault.findings()
	if r := s.room(); r != plenty {
		out = append(out, queue.Finding{
			Message: fmt.Sprintf("the disk of %s has less than %d MiB left: no new messages are taken", s.dir, s.opts.Reserve>>20),
			Hint:    "make room on the disk; the store goes on by itself",
		})
	}
	if s.opts.Durability == Process {
		out = append(out, queue.Finding{
			Message: "acknowledged messages survive the end of the process, but the last ones not a power cut",
			Hint:    "choose durability fsync to survive a power cut",
		})
	}
	return out, nil
}
