package reload

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// poll is how often the folder is looked at even when the system reports
// nothing, as some network file systems do.
const poll = 10 * time.Second

// unfinished is how much longer than debounce files have to be quiet that do not
// look as if they were written at once: an empty one, one that is written piece
// by piece, and many at a time, as when a branch is checked out.
const unfinished = 4

// many is how many files changed at a time are no edit of a person.
const many = 10

// Watch calls changed when something below dir has changed and then been quiet
// for the time of debounce, until ctx ends. seen is what was there when the
// folder was read: what has changed since is a change, too. It watches folders, not files, so
// that editors that save by renaming and links that are switched do not end
// it. Folders that begin with a dot are left out, but not links such as the
// ..data of mounted configuration.
func Watch(ctx context.Context, dir, state string, debounce time.Duration, log *slog.Logger, seen Sight, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch the workspace: %w", err)
	}
	defer w.Close()
	add(w, dir, log)
	quiet := time.NewTimer(debounce) // the first look
	burst := burst{}
	slow := time.NewTicker(poll)
	defer slow.Stop()
	look := func() {
		add(w, dir, log) // folders may have come
		if now := See(dir); now != seen {
			seen = now
			changed()
		}
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case ev, ok := <-w.Events:
			if !ok {
				return fmt.Errorf("the watch of the workspace ended")
			}
			// What happens beside the workspace is of no interest, however busy.
			beside := filepath.Dir(ev.Name) == filepath.Dir(dir) && ev.Name != dir
			if beside || ev.Op == fsnotify.Chmod || strings.HasPrefix(filepath.Base(ev.Name), state) {
				continue
			}
			quiet.Reset(burst.wait(ev, debounce))
		case err := <-w.Errors:
			log.Warn("watch of the workspace", "error", err)
			quiet.Reset(unfinished * debounce) // events may have been lost
		case <-quiet.C:
			clear(burst)
			look()
		case <-slow.C:
			look()
		}
	}
}

// burst counts how often each file was written since all was quiet.
type burst map[string]int

// wait notes an event and returns how long it has to be quiet from now on.
func (b burst) wait(ev fsnotify.Event, debounce time.Duration) time.Duration {
	if ev.Has(fsnotify.Write) {
		b[ev.Name]++
	} else {
		b[ev.Name] += 0
	}
	if len(b) > many || b[ev.Name] > 2 { // a file is emptied and written: two
		return unfinished * debounce
	}
	for name := range b {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() && info.Size() == 0 {
			return unfinished * debounce
		}
	}
	return debounce
}

// add watches every folder below dir; watching one again does nothing.
// The folder itself may be a link that is switched, so the place where it
// stands is watched too.
func add(w *fsnotify.Watcher, dir string, log *slog.Logger) {
	_ = w.Add(filepath.Dir(dir))
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // went away
		}
		if !d.IsDir() {
			if d.Type()&fs.ModeSymlink != 0 {
				if real, err := filepath.EvalSymlinks(p); err == nil {
					if info, err := os.Stat(real); err == nil && info.IsDir() {
						_ = w.Add(real)
					}
				}
			}
			return nil
		}
		if p != dir && strings.HasPrefix(d.Name(), ".") && !strings.HasPrefix(d.Name(), "..") {
			return fs.SkipDir
		}
		return w.Add(p)
	})
	if err != nil {
		log.Warn("some folders of the workspace cannot be watched", "error", err)
	}
}

// Sight is what a folder looked like at a moment.
type Sight [sha256.Size]byte

// See hashes names, sizes and times of everything below dir; files behind links
// count with what they lead to.
func See(dir string) Sight {
	h := sha256.New()
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	_ = filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if d.IsDir() && p != dir && strings.HasPrefix(d.Name(), ".") && !strings.HasPrefix(d.Name(), "..") {
			return fs.SkipDir
		}
		info, err := os.Stat(p)
		if err != nil {
			return nil
		}
		if !info.IsDir() {
			fmt.Fprintf(h, "%s %d %d %s\n", p, info.Size(), info.ModTime().UnixNano(), inode(info))
		}
		return nil
	})
	return Sight(h.Sum(nil))
}
