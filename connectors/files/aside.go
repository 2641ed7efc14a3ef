package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// reportEnd ends the names of reports about files that are wrong.
const reportEnd = ".error.txt"

// putAside moves, removes or remembers a file that was read to its end.
func (t *taking) putAside(ctx context.Context, root *os.Root) error {
	after := t.after()
	if t.Wrong > 0 {
		t.Log.Error("file has faults", "file", t.name, "faults", t.Wrong, "first", t.Faults[0].String())
	} else {
		t.Log.Info("file taken in", "file", t.name, "records", t.Taken, "sha256", t.sha)
	}
	at := t.name
	var err error
	switch {
	case after.Delete:
		err = root.Remove(t.name)
	case after.MoveTo != "":
		at, err = t.move(root, after.MoveTo)
	}
	if err != nil {
		return fmt.Errorf("the file was read, but cannot be put aside: %w", err)
	}
	if t.Wrong > 0 {
		// The file itself is safe; a report that cannot be written is only
		// missed, and the log has its first line.
		if err := root.WriteFile(at+reportEnd, t.report(), 0o644); err != nil {
			t.Log.Error("report not written", "file", at+reportEnd, "reason", plain(err))
		}
	}
	if s := t.seen[t.name]; s != nil {
		s.done = true
	}
	if t.stays() || t.key == "" {
		return nil // it stays: its content must be known after a restart
	}
	delete(t.seen, t.name)
	// The name must be gone for good before the content is forgotten, or a
	// power cut would bring the file back as a new one.
	for _, dir := range []string{path.Dir(t.name), path.Dir(at)} {
		if err := syncDir(root, dir); err != nil {
			return fmt.Errorf("put the file aside: %w", err)
		}
	}
	if err := t.State.Save(ctx, t.key, nil); err != nil {
		return away{fmt.Errorf("forget the file, which was put aside: %w", err)}
	}
	return nil
}

// after says what becomes of the file, now that its faults are known.
func (t *taking) after() After {
	if t.Wrong > 0 {
		return t.Bad
	}
	return t.After
}

// stays reports whether the file is left where it is.
func (t *taking) stays() bool {
	after := t.after()
	return after.MoveTo == "" && !after.Delete
}

func syncDir(root *os.Root, dir string) error {
	d, err := root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// move renames the file into dir, beside one of the same name that may be
// there already.
func (t *taking) move(root *os.Root, dir string) (string, error) {
	if err := root.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	base := path.Base(t.name)
	ext := path.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	for n := 0; n < 10_000; n++ {
		to := path.Join(dir, base)
		if n > 0 {
			to = path.Join(dir, fmt.Sprintf("%s-%d%s", stem, n+1, ext))
		}
		if _, err := root.Lstat(to); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		return to, root.Rename(t.name, to)
	}
	return "", fmt.Errorf("there are too many files named like %s in %s", base, dir)
}

// String tells a fault in one line.
func (f fault) String() string {
	if f.Line == 0 {
		return f.Text
	}
	return fmt.Sprintf("line %d: %s", f.Line, f.Text)
}

// report is the text for the people who sent the file.
func (t *taking) report() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s was not taken in completely.\n", t.name)
	if good := t.Taken - t.Wrong; good > 0 {
		fmt.Fprintf(&b, "%d records were taken in, %d were not:\n", good, t.Wrong)
	} else {
		b.WriteString("Nothing of it was taken in:\n")
	}
	for _, f := range t.Faults {
		fmt.Fprintf(&b, "  %s\n", f)
	}
	if rest := t.Wrong - len(t.Faults); rest > 0 {
		fmt.Fprintf(&b, "  and %d more\n", rest)
	}
	return []byte(b.String())
}
