package file

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"path"
	"slices"
	"sync"

	"crossdock/connectors"
)

// journal is the one writer of a growing file. Deliveries that wait at the
// same moment are written and synced together: one of them does the work for
// all, and hands it on to one of those that came meanwhile.
type journal struct {
	root   *os.Root
	name   string
	sync   bool
	header []byte // first line of a new file

	mu      sync.Mutex
	next    *batch // being filled
	writing bool   // somebody leads
	closed  bool

	// Only the leader uses what follows.
	file   *os.File
	size   int64
	taken  *taken // nil until a line has a key
	broken error  // fsync failed: never written again by this process
}

// batch is what is written together.
type batch struct {
	of   []*lines      // as they were handed over: their owners wait
	lead chan struct{} // one of the waiting takes the lead
	done chan struct{} // closed when err is set
	err  error
}

func newJournal(root *os.Root, name string, sync bool, header []byte) *journal {
	return &journal{root: root, name: name, sync: sync, header: header}
}

// append adds whole lines and returns when they are on disk, or the classed
// error. It does not end early: leaving would not unwrite them.
func (j *journal) append(l *lines) error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return connectors.NotSent(errClosed)
	}
	if j.next == nil {
		j.next = &batch{lead: make(chan struct{}, 1), done: make(chan struct{})}
	}
	b := j.next
	b.of = append(b.of, l)
	wait := j.writing
	j.writing = true
	if wait {
		j.mu.Unlock()
		select {
		case <-b.done:
			return b.err
		case <-b.lead:
		}
		j.mu.Lock()
	}
	j.next = nil
	j.mu.Unlock()
	b.err = j.writeAll(b.of)
	j.mu.Lock()
	if j.next != nil {
		j.next.lead <- struct{}{}
	} else if j.writing = false; j.closed {
		j.shut()
	}
	j.mu.Unlock()
	close(b.done)
	return b.err
}

// writeAll writes what was handed over at the same time in one go.
func (j *journal) writeAll(of []*lines) error {
	keyed := slices.ContainsFunc(of, func(l *lines) bool { return l.keys != nil })
	if len(of) == 1 && !keyed {
		return j.write(of[0].data, nil)
	}
	if keyed {
		if err := j.ready(true); err != nil {
			return err
		}
	}
	buf := spare.Get().(*[]byte)
	all := (*buf)[:0]
	var places []place
	for _, l := range of {
		if l.keys == nil {
			all = append(all, l.data...)
			continue
		}
		begin := 0
		for i, end := range l.ends {
			line := l.data[begin:end]
			begin = end
			if _, there := j.taken.known[l.keys[i]]; there {
				continue
			}
			if l.keys[i] != (lineKey{}) {
				places = append(places, place{l.keys[i], j.size + int64(len(all)), len(line), crc32.Checksum(line, castagnoli)})
			}
			all = append(all, line...)
		}
	}
	var err error
	if len(all) > 0 {
		err = j.write(all, places)
	}
	if cap(all) <= mostSpare {
		*buf = all
		spare.Put(buf)
	}
	return err
}

// ready opens the file, and what is known of its lines where they have keys.
func (j *journal) ready(keyed bool) error {
	if j.broken != nil {
		return connectors.NotSent(j.broken)
	}
	if j.current() && (!keyed || j.taken != nil) {
		return nil
	}
	if keyed && j.taken == nil {
		j.taken = newTaken(j.root, j.name, j.sync)
	}
	j.shut()
	if err := j.open(); err != nil {
		j.shut()
		return connectors.NotSent(words("open", j.name, err))
	}
	return nil
}

// write puts lines at the end of the file; places are those that have keys.
func (j *journal) write(data []byte, places []place) error {
	if err := j.ready(false); err != nil {
		return err
	}
	if len(places) > 0 {
		if err := j.taken.note(places); err != nil {
			j.shut()
			return connectors.NotSent(words("note the keys of", j.name, err))
		}
	}
	if _, err := j.file.WriteAt(data, j.size); err != nil {
		// Take back what was written of it, so that repeating makes no double.
		taken := j.file.Truncate(j.size)
		j.shut()
		if taken != nil {
			return connectors.Ambiguous(words("write", j.name, err))
		}
		return connectors.NotSent(words("write", j.name, err))
	}
	if j.sync {
		if err := j.file.Sync(); err != nil {
			// After a failed fsync nobody knows what is on disk, and a second
			// one would claim that all is well.
			j.broken = words("sync", j.name, err)
			if j.taken != nil {
				err = j.taken.forget()
			} else {
				err = nil
			}
			return connectors.Ambiguous(errors.Join(j.broken, err))
		}
	}
	j.size += int64(len(data))
	if len(places) > 0 {
		j.taken.add(places)
	}
	return nil
}

// current reports whether the open file is still the one of that name, with
// the content this writer left: others rotate and cut files.
func (j *journal) current() bool {
	if j.file == nil {
		return false
	}
	named, err := j.root.Stat(j.name)
	if err != nil {
		return false
	}
	held, err := j.file.Stat()
	return err == nil && os.SameFile(named, held) && held.Size() == j.size
}

// open opens the file and removes a line that a crash tore.
func (j *journal) open() error {
	dir := path.Dir(j.name)
	if dir != "." {
		if err := j.root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	file, err := j.root.OpenFile(j.name, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	j.file = file
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not a plain file")
	}
	if err := j.repair(info.Size()); err != nil {
		return err
	}
	if j.size == 0 && len(j.header) > 0 {
		if _, err := file.WriteAt(j.header, 0); err != nil {
			return err
		}
		j.size = int64(len(j.header))
	}
	if j.taken != nil {
		if err := j.taken.open(j.file, j.size); err != nil {
			return err
		}
	}
	if !j.sync {
		return nil
	}
	return syncDir(j.root, dir)
}

// repair removes what stands behind the last newline: a line that a crash
// tore. A whole JSON object or list that only lacks its newline gets it.
func (j *journal) repair(size int64) error {
	end, err := lastLineEnd(j.file, size)
	if err != nil || end == size {
		j.size = end
		return err
	}
	j.size = end
	if tail := size - end; tail <= 16<<20 {
		line := make([]byte, tail)
		if _, err := j.file.ReadAt(line, end); err != nil {
			return err
		}
		if (line[0] == '{' || line[0] == '[') && json.Valid(line) {
			_, err := j.file.WriteAt([]byte{'\n'}, size)
			j.size = size + 1
			return err
		}
	}
	return j.file.Truncate(end)
}

// lastLineEnd returns the offset behind the last newline.
func lastLineEnd(r io.ReaderAt, size int64) (int64, error) {
	buf := make([]byte, 64<<10)
	for end := size; end > 0; {
		start := max(0, end-int64(len(buf)))
		part := buf[:end-start]
		if _, err := r.ReadAt(part, start); err != nil && err != io.EOF {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// close ends the journal when the deliveries under way have ended.
func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	if !j.writing {
		j.shut()
	}
}

// closeIfIdle closes the journal if nobody is writing.
func (j *journal) closeIfIdle() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.writing || j.broken != nil {
		return false
	}
	j.closed = true
	j.shut()
	return true
}

// shut lets go of the file. What it holds is synced already, so closing can
// lose nothing.
func (j *journal) shut() {
	if j.file != nil {
		_ = j.file.Close()
		j.file = nil
	}
	if j.taken != nil {
		j.taken.shut()
	}
}

// unique returns a text for the name of a file that nobody else writes.
func unique() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
