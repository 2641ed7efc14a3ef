package audit

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Fault is the first thing that is wrong with a log.
type Fault struct {
	Line int64 // number of the line in the file, from 1
	What string
}

// Error says where and what.
func (f *Fault) Error() string { return fmt.Sprintf("line %d: %s", f.Line, f.What) }

// Summary is what Verify found in a log that is whole.
type Summary struct {
	Lines int64     `json:"lines"`
	First time.Time `json:"first,omitzero"`
	Last  time.Time `json:"last,omitzero"`
	Heads int       `json:"heads"` // exported heads that the log was compared with
}

// maxLine bounds what is read as one line.
const maxLine = 1 << 20

// Verify reads a whole log and compares it with heads that were exported
// earlier. The error is a *Fault where the log is not as it was written.
func Verify(log io.Reader, key []byte, heads []Head) (Summary, error) {
	at := map[int64]Head{}
	var end Head
	for i, h := range heads {
		if !hmac.Equal([]byte(sign(h, key).MAC), []byte(h.MAC)) {
			return Summary{}, &Fault{int64(i + 1), "of the exported heads: its content does not fit its signature"}
		}
		if h.Seq == 0 {
			continue
		}
		at[h.Seq] = h
		if h.Seq > end.Seq {
			end = h
		}
	}
	s := Summary{Heads: len(heads)}
	err := scan(log, key, func(line Line, hash string) error {
		if h, ok := at[line.Seq]; ok && h.Hash != hash {
			return fmt.Errorf("it is not the line that was there when the head of %s was exported", h.At.Format(time.RFC3339))
		}
		if s.Lines == 0 {
			s.First = line.At
		}
		s.Lines, s.Last = line.Seq, line.At
		return nil
	})
	if err != nil {
		return s, err
	}
	if s.Lines < end.Seq {
		return s, &Fault{s.Lines + 1, fmt.Sprintf("it is missing: the log was %d lines long when a head was exported, and is %d now", end.Seq, s.Lines)}
	}
	return s, nil
}

// scan reads a log line by line and holds it to its own rules.
func scan(log io.Reader, key []byte, each func(line Line, hash string) error) error {
	r := bufio.NewReaderSize(log, 1<<16)
	prev := genesis
	for n := int64(1); ; n++ {
		raw, err := readLine(r)
		switch {
		case errors.Is(err, io.EOF) && len(raw) == 0:
			return nil
		case errors.Is(err, io.EOF):
			return &Fault{n, "it is not finished; the next start of crossdock mends it if a crash left it"}
		case errors.Is(err, errLong):
			return &Fault{n, err.Error()}
		case err != nil:
			return fmt.Errorf("read the audit log: %w", err)
		}
		line, err := check(raw, key)
		if err != nil {
			return &Fault{n, err.Error()}
		}
		if line.Seq != n {
			return &Fault{n, fmt.Sprintf("it has the number %d: a line was removed, moved or added here", line.Seq)}
		}
		if line.Prev != prev {
			return &Fault{n, "it does not follow the line before it"}
		}
		prev = hexSum(raw)
		if err := each(line, prev); err != nil {
			return &Fault{n, err.Error()}
		}
	}
}

var errLong = errors.New("it is longer than any line of an audit log")

// readLine reads to the end of a line, which it cuts off.
func readLine(r *bufio.Reader) ([]byte, error) {
	var out []byte
	for {
		part, err := r.ReadSlice('\n')
		out = append(out, part...)
		switch {
		case len(out) > maxLine:
			return nil, errLong
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			return out, err
		}
		return out[:len(out)-1], nil
	}
}

// Last returns the last lines of a log, oldest first, n at most; 0 = all.
func Last(log io.Reader, key []byte, n int) ([]Line, error) {
	var out []Line
	err := scan(log, key, func(line Line, _ string) error {
		out = append(out, line)
		if n > 0 && len(out) > 2*n {
			out = append(out[:0], out[len(out)-n:]...)
		}
		return nil
	})
	if n > 0 && len(out) > n {
		out = out[len(out)-n:]
	}
	return out, err
}

// ReadHeads reads the heads that were exported to a file, one per line.
func ReadHeads(r io.Reader) ([]Head, error) {
	raw, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read the exported heads: %w", err)
	}
	var out []Head
	for i, line := range bytes.Split(bytes.TrimSpace(raw), []byte("\n")) {
		if len(line) == 0 {
			continue
		}
		var h Head
		if err := json.Unmarshal(line, &h); err != nil {
			return nil, &Fault{int64(i + 1), "of the exported heads: it is not a head"}
		}
		out = append(out, h)
	}
	return out, nil
}
