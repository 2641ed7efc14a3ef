// Package files takes in files that appear in a local folder.
//
// A file is read once it has been unchanged for a while. How far it was taken
// in is remembered under the hash of its content, and every record has a
// message ID that follows from that hash and its position: a crash in the
// middle neither loses nor doubles records. Only then the file is moved,
// removed or remembered as known.
//
// What is wrong with a file stands in NAME.error.txt beside it, by line. Where
// single records cannot be read, the others are taken in all the same.
//
// Links are not followed, and nothing outside the folder is touched.
package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/connectors/format/csv"
)

// Config says what to read and what becomes of it.
type Config struct {
	Name      string // of the pipeline
	Dir       string // folder
	Pattern   string // below it, such as in/*.csv
	Format    string // json, ndjson, csv or text
	CSV       csv.Options
	Encoding  string // of text: utf-8 ("" too), latin1 or windows-1252
	Every     time.Duration
	StableFor time.Duration
	After     After
	Bad       After // zero: the file stays and is remembered
	MaxSize   int64
	PerRecord bool // csv: one message per row instead of one {name, rows}
	Batch     int  // records handed over together; 256
	State     connectors.State
	Log       *slog.Logger
	Looked    func(err error) // hears of each look at the folder; nil: nobody does
}

// After says what happens to a file: MoveTo names a folder below Dir; with
// neither MoveTo nor Delete the file stays and its content is remembered.
type After struct {
	MoveTo string
	Delete bool
}

// New returns the source for a folder.
func New(c Config) (connectors.Source, error) {
	c.Pattern = path.Clean(strings.TrimPrefix(c.Pattern, "/"))
	if _, err := path.Match(c.Pattern, ""); err != nil || c.Pattern == "." {
		return nil, fmt.Errorf("`%s` is not a pattern for file names", c.Pattern)
	}
	for _, dir := range []*string{&c.After.MoveTo, &c.Bad.MoveTo} {
		if *dir == "" {
			continue
		}
		*dir = path.Clean(strings.TrimPrefix(*dir, "/"))
		if !fs.ValidPath(*dir) {
			return nil, fmt.Errorf("`%s` is not a folder below that of the connection", *dir)
		}
	}
	switch c.Format {
	case "json", "ndjson", "csv", "text":
	default:
		return nil, fmt.Errorf("there is no file format `%s`; use json, ndjson, csv or text", c.Format)
	}
	if c.State == nil {
		return nil, errors.New("a source of files needs a place to remember how far it came")
	}
	if c.Every <= 0 {
		c.Every = 30 * time.Second
	}
	if c.StableFor <= 0 {
		c.StableFor = 2 * time.Second
	}
	if c.MaxSize <= 0 {
		c.MaxSize = 1 << 30
	}
	if c.Batch <= 0 {
		c.Batch = 256
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Log = c.Log.With("pipeline", c.Name)
	return &source{Config: c, seen: map[string]*sight{}, told: map[string]string{}}, nil
}

type source struct {
	Config
	ahead time.Duration     // how long the last look computed sums ahead
	seen  map[string]*sight // by name
	told  map[string]string // what was logged last about a name
}

// sight is what a file looked like.
type sight struct {
	size  int64
	mtime time.Time
	since time.Time // first seen like this
	sum   string    // SHA-256 of the content, where it was computed ahead
	done  bool
}

// Run implements connectors.Source.
func (s *source) Run(ctx context.Context, out connectors.Channel) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		unsettled, err := s.look(ctx, out)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			err = errors.New("the folder cannot be read: " + plain(err))
			s.tell("", err.Error())
		default:
			delete(s.told, "")
		}
		if s.Looked != nil {
			s.Looked(err)
		}
		wait := s.Every
		if unsettled {
			wait = max(min(wait, s.StableFor)-s.ahead, 0)
		}
		timer.Reset(wait)
	}
}

// look goes through the folder once, in the order of the names. unsettled says
// that a file is there which has not been unchanged for long enough, or which
// has to wait for the store.
func (s *source) look(ctx context.Context, out connectors.Channel) (unsettled bool, err error) {
	root, err := os.OpenRoot(s.Dir)
	if err != nil {
		return false, err
	}
	defer root.Close()
	names, err := fs.Glob(root.FS(), s.Pattern)
	if err != nil {
		return false, err
	}
	if len(names) == 0 { // Glob is silent about a folder that cannot be read
		if _, err := root.Stat("."); err != nil {
			return false, err
		}
	}
	present := map[string]bool{}
	s.ahead = 0
	var waiting []string
	for _, name := range names {
		if s.ignored(name) {
			continue
		}
		present[name] = true
		ready, err := s.settled(root, name)
		if err != nil {
			s.tell(name, plain(err))
			continue
		}
		if !ready {
			if !s.seen[name].done {
				unsettled, waiting = true, append(waiting, name)
			}
			continue
		}
		if err := s.take(ctx, root, name, out); err != nil {
			if ctx.Err() != nil {
				return false, nil
			}
			s.tell(name, plain(err))
			if errors.As(err, new(away)) {
				return true, nil // the next look begins with this file
			}
			continue
		}
		delete(s.told, name)
	}
	for name := range s.seen {
		if !present[name] {
			delete(s.seen, name)
			delete(s.told, name)
		}
	}
	s.sumAhead(ctx, root, waiting)
	return unsettled, nil
}

// ignored names are hidden, unfinished by convention, reports, or already put
// aside.
func (s *source) ignored(name string) bool {
	base := path.Base(name)
	if strings.HasPrefix(base, ".") {
		return true
	}
	for _, end := range []string{".part", ".tmp", ".crossdock-part", ".filepart", reportEnd} {
		if strings.HasSuffix(base, end) {
			return true
		}
	}
	for _, dir := range []string{s.After.MoveTo, s.Bad.MoveTo} {
		if dir != "" && dir != "." && strings.HasPrefix(name, dir+"/") && path.Dir(s.Pattern) != dir {
			return true
		}
	}
	return false
}

// settled reports whether a file has been unchanged for long enough and is
// still to be taken in.
func (s *source) settled(root *os.Root, name string) (bool, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return false, s.forget(name, err)
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return false, s.forget(name, errors.New("it is a link; links are not followed"))
	case !info.Mode().IsRegular():
		return false, s.forget(name, errors.New("it is not a plain file"))
	}
	now := time.Now()
	last := s.seen[name]
	if last == nil || last.size != info.Size() || !last.mtime.Equal(info.ModTime()) {
		s.seen[name] = &sight{size: info.Size(), mtime: info.ModTime(), since: now}
		return false, nil
	}
	return !last.done && now.Sub(last.since) >= s.StableFor, nil
}

// forget keeps an entry for a name that is not read, so that it is not looked
// at as new all the time.
func (s *source) forget(name string, err error) error {
	s.seen[name] = &sight{done: true}
	return err
}

// tell logs something about a file, once as long as it stays the same.
func (s *source) tell(name, what string) {
	if s.told[name] == what {
		return
	}
	s.told[name] = what
	s.Log.Error("file not taken in", "file", name, "reason", what)
}

// plain is the text of an error without system call names.
func plain(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Path + ": " + p.Err.Error()
	}
	return err.Error()
}
