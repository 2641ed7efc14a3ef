package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
)

// taken remembers the idempotency keys of the newest lines of a growing file, so
// that a line whose delivery is repeated, because a process died before it could
// note its end, is not written again. It is asked for with `repeat: keyed`.
//
// The keys stand in a file beside the lines, and are written before them: each
// with the place of its line and a checksum. A key counts only if its line is
// found there, so what a crash left of a write says nothing that is not so. The
// file is not synced with each write: a power cut may take keys, and then lines
// are doubled, but none is lost.
//
// It is used by the leader of the journal only.
type taken struct {
	root *os.Root
	name string
	sync bool

	file  *os.File
	size  int64
	known map[lineKey]bool // true for those of old, which stay
	old   []lineKey        // found when the file was opened: those are the ones that come again
	order []lineKey        // of lines written since, oldest first
}

type lineKey [16]byte

const (
	// mostTaken is how many keys are remembered of what was there before, and
	// how many of lines written since. A process has far fewer lines under way.
	mostTaken = 4096
	// mostTakenSize is the size at which the file of keys is written anew.
	mostTakenSize = 4 << 20
	keysEnding    = ".crossdock-keys"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func newTaken(root *os.Root, name string, sync bool) *taken {
	return &taken{root: root, name: path.Join(path.Dir(name), "."+path.Base(name)+keysEnding), sync: sync, known: map[lineKey]bool{}}
}

// keyOf returns what is remembered of an idempotency key; nothing of none.
func keyOf(key string) lineKey {
	if key == "" {
		return lineKey{}
	}
	sum := sha256.Sum256([]byte(key))
	return lineKey(sum[:16])
}

// place is where a line stands, and what it is. A line that only carries a key
// over from before has no length.
type place struct {
	key   lineKey
	start int64
	size  int
	sum   uint32
}

func (p place) line() []byte {
	b := fmt.Appendf(nil, "%x %d %d %08x", p.key, p.start, p.size, p.sum)
	return fmt.Appendf(b, " %08x\n", crc32.Checksum(b, castagnoli))
}

// readPlace reads one line of the file of keys; false for one that is not whole.
func readPlace(raw []byte) (p place, ok bool) {
	i := bytes.LastIndexByte(raw, ' ')
	if i < 0 {
		return p, false
	}
	var key string
	var sum uint32
	if n, err := fmt.Sscanf(string(raw), "%32s %d %d %08x %08x", &key, &p.start, &p.size, &p.sum, &sum); err != nil || n != 5 || sum != crc32.Checksum(raw[:i], castagnoli) {
		return p, false
	}
	b, err := hex.DecodeString(key)
	if err != nil || len(b) != len(p.key) || p.size < 0 {
		return p, false
	}
	copy(p.key[:], b)
	return p, true
}

// open reads the keys whose lines stand in the file, and begins a file of keys
// with them.
func (k *taken) open(lines *os.File, size int64) error {
	k.shut()
	raw, err := k.root.ReadFile(k.name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var carried []lineKey
	at := map[int64]place{} // the last that was written at a place
	var starts []int64
	for line := range bytes.Lines(raw) {
		p, ok := readPlace(bytes.TrimSuffix(line, []byte("\n")))
		switch {
		case !ok:
		case p.size == 0:
			carried = append(carried, p.key)
		default:
			at[p.start] = p
			starts = append(starts, p.start)
		}
	}
	slices.Sort(starts)
	starts = slices.Compact(starts)
	for _, start := range starts[max(0, len(starts)-mostTaken):] {
		there, err := at[start].there(lines, size)
		if err != nil {
			return err
		}
		if there {
			carried = append(carried, at[start].key)
		}
	}
	if k.sync && len(carried) > 0 { // they were seen, which is less than on disk
		if err := lines.Sync(); err != nil {
			return errors.Join(err, k.forget())
		}
	}
	// Those of this process are kept anyway: after a rotation the lines are elsewhere.
	k.old, k.order = newest(slices.Concat(k.old, carried, k.order)), nil
	k.known = map[lineKey]bool{}
	for _, key := range k.old {
		k.known[key] = true
	}
	return k.renew()
}

// newest returns the last keys, each once.
func newest(keys []lineKey) []lineKey {
	var out []lineKey
	seen := map[lineKey]bool{}
	for _, key := range slices.Backward(keys) {
		if !seen[key] && len(out) < mostTaken {
			seen[key] = true
			out = append(out, key)
		}
	}
	slices.Reverse(out)
	return out
}

// there reports whether the line stands in the file.
func (p place) there(lines *os.File, size int64) (bool, error) {
	if p.start < 0 || p.start+int64(p.size) > size {
		return false, nil
	}
	raw := make([]byte, p.size)
	if _, err := lines.ReadAt(raw, p.start); err != nil && err != io.EOF {
		return false, err
	}
	return crc32.Checksum(raw, castagnoli) == p.sum, nil
}

// renew writes the file of keys anew, with what is known, and puts it in place
// of the old one.
func (k *taken) renew() error {
	k.shut()
	var all []byte
	for _, key := range append(slices.Clone(k.old), k.order...) {
		all = append(all, place{key: key}.line()...)
	}
	temp := k.name + "." + unique() + partial
	file, err := k.root.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.WriteAt(all, 0)
	if err == nil && k.sync {
		err = file.Sync()
	}
	if err == nil {
		err = k.root.Rename(temp, k.name)
	}
	if err != nil {
		return errors.Join(err, file.Close(), k.root.Remove(temp))
	}
	k.file, k.size = file, int64(len(all))
	return nil
}

// note writes where lines are about to be written.
func (k *taken) note(places []place) error {
	if k.size > mostTakenSize {
		if err := k.renew(); err != nil {
			return err
		}
	}
	var b []byte
	for _, p := range places {
		b = append(b, p.line()...)
	}
	if _, err := k.file.WriteAt(b, k.size); err != nil {
		return err
	}
	k.size += int64(len(b))
	return nil
}

// add remembers lines that are on disk.
func (k *taken) add(places []place) {
	for _, p := range places {
		if !k.known[p.key] {
			k.known[p.key] = false
		}
		k.order = append(k.order, p.key)
	}
	if over := len(k.order) - mostTaken; over > mostTaken {
		for _, key := range k.order[:over] {
			if !k.known[key] {
				delete(k.known, key)
			}
		}
		k.order = slices.Clone(k.order[over:])
	}
}

// forget removes what is remembered: after a failed sync nobody knows what is on
// disk.
func (k *taken) forget() error {
	k.shut()
	k.known, k.old, k.order = map[lineKey]bool{}, nil, nil
	if err := k.root.Remove(k.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (k *taken) shut() {
	if k.file != nil {
		_ = k.file.Close() // what it holds was written; closing can lose nothing
		k.file = nil
	}
}
