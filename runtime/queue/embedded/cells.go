package embedded

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
)

// cells is a small file that tells which jobs are leased at this moment. It is
// written without fsync: it outlives the process, which is all that is needed
// to see afterwards whose work was under way when the process died.
type cells struct {
	mu    sync.Mutex
	file  *os.File
	image []byte           // what the file holds
	of    map[uint64]int64 // seq -> cell
	free  []int64
}

const cellSize = 12

// openCells opens the file and returns the jobs that were leased when it was
// written last.
func openCells(path string) (*cells, []uint64, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("open store: %w", err)
	}
	raw, err := io.ReadAll(f)
	if err != nil {
		return nil, nil, fmt.Errorf("read %s: %w", path, closing(err, f))
	}
	var seqs []uint64
	for ; len(raw) >= cellSize; raw = raw[cellSize:] {
		if crc32.Checksum(raw[:8], castagnoli) != binary.LittleEndian.Uint32(raw[8:]) {
			continue
		}
		if seq := binary.LittleEndian.Uint64(raw); seq != 0 {
			seqs = append(seqs, seq)
		}
	}
	return &cells{file: f, of: map[uint64]int64{}}, seqs, nil
}

func closing(err error, f io.Closer) error {
	if cerr := f.Close(); cerr != nil {
		return fmt.Errorf("%w (and close: %w)", err, cerr)
	}
	return err
}

// reset forgets what the file said before.
func (c *cells) reset() error { return c.file.Truncate(0) }

// begin notes that jobs are leased, with one write.
func (c *cells) begin(seqs []uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	from, to := int64(-1), int64(-1) // the cells that have changed
	for _, seq := range seqs {
		if _, ok := c.of[seq]; ok {
			continue
		}
		cell := c.take()
		c.of[seq] = cell
		c.fill(cell, seq)
		if from < 0 || cell < from {
			from = cell
		}
		to = max(to, cell+1)
	}
	return c.write(from, to)
}

// take returns a free cell.
func (c *cells) take() int64 {
	if last := len(c.free) - 1; last >= 0 {
		cell := c.free[last]
		c.free = c.free[:last]
		return cell
	}
	c.image = append(c.image, make([]byte, cellSize)...)
	return int64(len(c.image)/cellSize) - 1
}

func (c *cells) fill(cell int64, seq uint64) {
	b := c.image[cell*cellSize:][:cellSize]
	binary.LittleEndian.PutUint64(b, seq)
	binary.LittleEndian.PutUint32(b[8:], crc32.Checksum(b[:8], castagnoli))
}

// write brings the cells in [from, to) to the file.
func (c *cells) write(from, to int64) error {
	if from >= to {
		return nil
	}
	_, err := c.file.WriteAt(c.image[from*cellSize:to*cellSize], from*cellSize)
	return err
}

// end notes that a job is no longer leased. The cell of a job that is gone need
// not be wiped: nobody will find the job.
func (c *cells) end(seq uint64, gone bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	cell, ok := c.of[seq]
	if !ok {
		return nil
	}
	delete(c.of, seq)
	c.free = append(c.free, cell)
	if gone {
		return nil
	}
	c.fill(cell, 0)
	return c.write(cell, cell+1)
}

// close ends the use of the file; clean when no lease is to count as a crash.
func (c *cells) close(clean bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if clean {
		if err := c.reset(); err != nil {
			return closing(err, c.file)
		}
	}
	return c.file.Close()
}
