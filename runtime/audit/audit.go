// Package audit keeps who changed what, in a file whose lines depend on each
// other: one that is edited, removed, moved or added is found by Verify, and
// one that is cut off by comparing with a head that was exported before.
//
// Each line is a JSON object. It names its number and the SHA-256 of the line
// before it, and ends with an HMAC over itself, so that a line cannot be made
// without the key. The key belongs in another place than the file.
package audit

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Line is one line of the log.
type Line struct {
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Who    string    `json:"who"`            // name of the person or token
	Via    string    `json:"via,omitempty"`  // how it was recognised
	From   string    `json:"from,omitempty"` // network address
	What   string    `json:"what"`           // such as dead.replay
	Of     string    `json:"of,omitempty"`   // what it was done to
	Why    string    `json:"why,omitempty"`
	Before string    `json:"before,omitempty"` // digest or revision before the change
	After  string    `json:"after,omitempty"`  // and after it
	Result string    `json:"result"`           // see the constants
	Error  string    `json:"error,omitempty"`
	Begun  int64     `json:"begun,omitempty"` // number of the line that said it was begun
	Prev   string    `json:"prev"`            // SHA-256 of the line before
}

// Results of a Line. A change has two lines: begun, before anything happens,
// and how it came out.
const (
	Begun   = "begun"
	Done    = "done"
	Refused = "refused" // not allowed, or not possible
	Failed  = "failed"
)

// Head says how long a log is and how it ends. It is signed with the key.
type Head struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"`
	Hash string    `json:"hash"` // SHA-256 of the last line
	MAC  string    `json:"mac"`
}

// ErrBroken says that an append failed. After a failed sync nothing more is
// written until the log is opened again, because nobody knows what is on the
// disk. A line for which there was no room is taken back, and the next one is
// tried.
var ErrBroken = errors.New("the audit log cannot be written")

// Log appends to one file. Append is safe for concurrent use; one process at a
// time may have a log open.
type Log struct {
	key []byte

	mu     sync.Mutex
	file   *os.File
	seq    int64
	hash   string
	at     time.Time
	size   int64 // of what was acknowledged
	broken error
}

const macSize = 2 * sha256.Size

// genesis is what the first line names as the line before it.
var genesis = hexSum(nil)

// Open opens or makes a log, and goes on at its end. What a crash left of an
// unfinished line was never acknowledged; it is removed, and a line says so. A
// log whose last line is not its own is not opened: nothing is added to it.
func Open(path string, key []byte) (*Log, error) {
	if len(key) < sha256.Size {
		return nil, errors.New("the key of the audit log is too short")
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	if err := lock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("the audit log %s is in use by another process", path), f.Close())
	}
	l := &Log{key: key, file: f, hash: genesis}
	if err := l.resume(path); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return l, nil
}

// resume finds the end of the file.
func (l *Log) resume(path string) error {
	last, size, torn, err := tail(l.file)
	if err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	if last != nil {
		line, err := check(last, l.key)
		if err != nil {
			return fmt.Errorf("the audit log %s has a last line that is not its own (%w): look at it with `crossdock audit verify`, and move it away", path, err)
		}
		l.seq, l.hash, l.at = line.Seq, hexSum(last), line.At
	}
	if err := l.file.Truncate(size); err != nil {
		return fmt.Errorf("mend the audit log: %w", err)
	}
	if _, err := l.file.Seek(size, io.SeekStart); err != nil {
		return fmt.Errorf("open the audit log: %w", err)
	}
	l.size = size
	if last == nil {
		if err := syncFolder(path); err != nil {
			return fmt.Errorf("open the audit log: %w", err)
		}
	}
	if len(torn) == 0 {
		return nil
	}
	_, err = l.Append(Line{At: time.Now(), Who: "crossdock", What: "audit.mended", Before: "sha256:" + hexSum(torn), Result: Done,
		Why: fmt.Sprintf("an unfinished line of %d bytes was left by a crash", len(torn))})
	return err
}

// tail returns the last whole line of a file, where it ends, and what follows.
func tail(f *os.File) (last []byte, size int64, torn []byte, err error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, 0, nil, err
	}
	r := bufio.NewReaderSize(f, 1<<16)
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return last, size, line, nil
		}
		if err != nil {
			return nil, 0, nil, err
		}
		last = line[:len(line)-1]
		size += int64(len(line))
	}
}

// Append writes a line and returns its number. It is on the disk when Append
// returns nil. Seq and Prev are set by Append; At is now where it is not set.
func (l *Log) Append(line Line) (int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return 0, fmt.Errorf("%w: %w", ErrBroken, l.broken)
	}
	if line.At.IsZero() {
		line.At = time.Now()
	}
	line.At = line.At.UTC().Truncate(time.Millisecond)
	line.Seq, line.Prev = l.seq+1, l.hash
	for _, text := range []*string{&line.Who, &line.From, &line.What, &line.Of, &line.Why, &line.Before, &line.After, &line.Error} {
		*text = cut(*text)
	}
	raw, err := seal(line, l.key)
	if err != nil {
		return 0, err
	}
	raw = append(raw, '\n')
	if _, err := l.file.Write(raw); err != nil {
		l.broken = l.takeBack()
		return 0, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	if err := l.file.Sync(); err != nil {
		l.broken = err
		return 0, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	l.seq, l.hash, l.at, l.size = line.Seq, hexSum(raw[:len(raw)-1]), line.At, l.size+int64(len(raw))
	return line.Seq, nil
}

// takeBack removes what was written of a line before the disk was full.
func (l *Log) takeBack() error {
	if err := l.file.Truncate(l.size); err != nil {
		return err
	}
	_, err := l.file.Seek(l.size, io.SeekStart)
	return err
}

// longest is how much of one text of a line is kept.
const longest = 1000

func cut(s string) string {
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "..."
}

// Head returns how the log ends now.
func (l *Log) Head() Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	return sign(Head{Seq: l.seq, At: l.at, Hash: l.hash}, l.key)
}

// Close releases the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken == nil {
		l.broken = fs.ErrClosed
	}
	return l.file.Close()
}

// seal makes the bytes of a line: its JSON, with the MAC of what stands before
// it as the last field.
func seal(line Line, key []byte) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(line); err != nil {
		return nil, fmt.Errorf("write the audit log: %w", err)
	}
	body := bytes.TrimSuffix(b.Bytes(), []byte("}\n"))
	return fmt.Appendf(nil, `%s,"mac":"%s"}`, body, mac(body, key)), nil
}

// check reads a line and its MAC.
func check(raw, key []byte) (Line, error) {
	var line Line
	body, ok := bytes.CutSuffix(raw, []byte(`"}`))
	at := len(body) - macSize
	if !ok || at < 0 {
		return line, errors.New("it is not a line of an audit log")
	}
	body, ok = bytes.CutSuffix(body[:at], []byte(`,"mac":"`))
	if !ok {
		return line, errors.New("it is not a line of an audit log")
	}
	if !hmac.Equal(raw[at:at+macSize], []byte(mac(body, key))) {
		return line, errors.New("its content does not fit its signature")
	}
	if err := json.Unmarshal(raw, &line); err != nil {
		return line, errors.New("it is not a line of an audit log")
	}
	return line, nil
}

func sign(h Head, key []byte) Head {
	h.MAC = mac(fmt.Appendf(nil, "head %d %s %s", h.Seq, h.Hash, h.At.UTC().Format(time.RFC3339Nano)), key)
	return h
}

func mac(body, key []byte) string {
	m := hmac.New(sha256.New, key)
	m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// syncFolder makes a new file in a folder durable.
func syncFolder(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
