package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"
)

// Export adds the head of a log to a file in a second place, now and then at an
// interval while it changes, until ctx ends, and a last time then. It returns
// an error where the file cannot be written at the beginning; later errors are
// logged, and tried again.
func Export(ctx context.Context, l *Log, path string, every time.Duration, log *slog.Logger) error {
	var last int64 = -1
	write := func() error {
		h := l.Head()
		if h.Seq == last {
			return nil
		}
		if err := add(path, h); err != nil {
			return fmt.Errorf("export the head of the audit log: %w", err)
		}
		last = h.Seq
		return nil
	}
	if err := write(); err != nil {
		return err
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return write()
		case <-tick.C:
			if err := write(); err != nil {
				log.Error("the head of the audit log was not exported; it is tried again", "error", err)
			}
		}
	}
}

// add appends a head to a file.
func add(path string, h Head) error {
	raw, err := json.Marshal(h)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	return errors.Join(err, f.Sync(), f.Close())
}
