package files

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"time"
)

// sum is the SHA-256 of an open file, "" when the file is not what it was any
// more.
func sum(ctx context.Context, f *os.File, as *sight) (string, error) {
	hash := sha256.New()
	for {
		_, err := io.CopyN(hash, f, 8<<20)
		if err == io.EOF {
			break
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return "", err
		}
	}
	after, err := f.Stat()
	if err != nil || !as.of(after) {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// large is from which size on it takes long enough to read a file for its sum
// that it is done while the file has to be left alone anyway.
const large = 4 << 20

// sumAhead computes the sums of large files that wait until they have been
// unchanged for long enough. Those that were written a moment ago are left out:
// they may still grow, and would be read again and again.
func (s *source) sumAhead(ctx context.Context, root *os.Root, waiting []string) {
	began := time.Now()
	for _, name := range waiting {
		as := s.seen[name]
		if as.sum != "" || as.size < large || as.size > s.MaxSize || time.Since(as.mtime) < s.StableFor {
			continue
		}
		f, err := root.Open(name)
		if err != nil {
			continue // it is told when the file is taken
		}
		if now, err := f.Stat(); err == nil && as.of(now) && ctx.Err() == nil {
			as.sum, _ = sum(ctx, f, as) // likewise
		}
		_ = f.Close() // it was only read
		s.ahead = time.Since(began)
	}
}

// of reports whether a file still looks like that.
func (as *sight) of(info os.FileInfo) bool {
	return info.Mode().IsRegular() && info.Size() == as.size && info.ModTime().Equal(as.mtime)
}
