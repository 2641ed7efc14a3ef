package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"crossdock/bench/order"
	"crossdock/bench/peers"
	"crossdock/bench/report"
	"crossdock/bench/system"
)

// file measures NDJSON file -> (store) -> map -> NDJSON file.
func (b *bench) file() error {
	n := b.pick(200_000, 5_000)
	in := filepath.Join(b.tmp, "orders.ndjson")
	if err := writeOrders(in, n); err != nil {
		return err
	}
	type way struct {
		name string
		run  func(dir, in string, n int) (fileRun, error)
		runs []fileRun
	}
	ways := []*way{
		{name: "crossdock, embedded store, fsync", run: b.ownFile},
		{name: "Benthos, stores nothing", run: b.peerFile},
		{name: "crossdock, embedded store, process", run: b.ownFileQuick},
	}
	for range b.runs {
		for _, w := range ways {
			r, err := b.runFile(w.run, in, n)
			if err != nil {
				return fmt.Errorf("%s: %w", w.name, err)
			}
			w.runs = append(w.runs, r)
			b.log("%s: %.0f/s, %s CPU", w.name, float64(n)/r.took.Seconds(), report.Micros(r.cpu/time.Duration(n)))
		}
	}
	s := b.report.Section("NDJSON file to NDJSON file", fmt.Sprintf("A file of %s orders becomes a file of shipments. crossdock finds the file in a folder, stores every "+
		"order with its key and delivers it, each step durable; Benthos streams it through memory and ends. Benthos' time includes its start, "+
		"crossdock's the wait until the file is stable (0.1 s).", report.Count(float64(n))), "system", "messages/s", "CPU per message")
	var took, cpu []time.Duration
	for _, w := range ways {
		var t, c []time.Duration
		for _, r := range w.runs {
			t, c = append(t, r.took), append(c, r.cpu)
		}
		took, cpu = append(took, report.Median(t)), append(cpu, report.Median(c))
		s.Row(w.name, report.Count(float64(n)/report.Median(t).Seconds()), report.Micros(report.Median(c)/time.Duration(n)))
	}
	for i := range ways[1:] {
		s.Note("%s against %s: %.2f times the messages/s, %.2f times the CPU per message.", ways[0].name, ways[i+1].name,
			float64(took[i+1])/float64(took[0]), float64(cpu[0])/float64(cpu[i+1]))
	}
	s.Note("Every shipment arrived exactly once; one in %d was compared field by field.", 256)
	return nil
}

type fileRun struct{ took, cpu time.Duration }

func (b *bench) runFile(run func(dir, in string, n int) (fileRun, error), in string, n int) (fileRun, error) {
	dir, err := os.MkdirTemp(b.tmp, "file-")
	if err != nil {
		return fileRun{}, err
	}
	defer os.RemoveAll(dir)
	return run(dir, in, n)
}

func writeOrders(path string, n int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var line []byte
	for i := range n {
		line = append(order.Append(line[:0], i), '\n')
		if _, err := w.Write(line); err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(w.Flush(), f.Close())
}

func (b *bench) peerFile(dir, in string, n int) (fileRun, error) {
	out := filepath.Join(dir, "out.ndjson")
	config := filepath.Join(dir, "benthos.yaml")
	if err := os.WriteFile(config, []byte(peers.File(in, out)), 0o600); err != nil {
		return fileRun{}, err
	}
	p, err := system.Run("benthos", dir, b.benthos, "-c", config)
	if err != nil {
		return fileRun{}, err
	}
	defer p.Stop()
	began := p.Start
	if err := p.Wait(5 * time.Minute); err != nil {
		return fileRun{}, err
	}
	return fileRun{time.Since(began), p.EndCPU()}, b.checkFile(out, n)
}

func (b *bench) ownFile(dir, in string, n int) (fileRun, error) {
	return b.ownFileAs(dir, in, n, "fsync")
}

func (b *bench) ownFileQuick(dir, in string, n int) (fileRun, error) {
	return b.ownFileAs(dir, in, n, "process")
}

func (b *bench) ownFileAs(dir, in string, n int, durability string) (fileRun, error) {
	addr, err := system.Port()
	if err != nil {
		return fileRun{}, err
	}
	p, err := b.own(dir, addr, "127.0.0.1:1", "--durability", durability)
	if err != nil {
		return fileRun{}, err
	}
	defer p.Stop()
	inbox, out := filepath.Join(dir, "workspace", "in"), filepath.Join(dir, "workspace", "out", "shipments.ndjson")
	if err := os.MkdirAll(inbox, 0o755); err != nil {
		return fileRun{}, err
	}
	if err := os.Link(in, filepath.Join(dir, "orders.ndjson")); err != nil {
		return fileRun{}, err
	}
	defer b.profile([]*system.Process{p})()
	cpu, began := p.CPU(), time.Now()
	if err := os.Rename(filepath.Join(dir, "orders.ndjson"), filepath.Join(inbox, "orders.ndjson")); err != nil {
		return fileRun{}, err
	}
	if err := b.waitLines(p, out, n); err != nil {
		return fileRun{}, err
	}
	return fileRun{time.Since(began), p.CPU() - cpu}, b.checkFile(out, n)
}

// waitLines waits until a growing file has n lines.
func (b *bench) waitLines(p *system.Process, path string, n int) error {
	var at int64
	lines, last := 0, time.Now()
	buf := make([]byte, 1<<20)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for lines < n {
		select {
		case <-b.ctx.Done():
			return b.ctx.Err()
		case <-tick.C:
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			if time.Since(last) > 30*time.Second {
				return fmt.Errorf("no output appears\n%s", p.Tail())
			}
			continue
		}
		if err != nil {
			return err
		}
		k, err := io.ReadFull(io.NewSectionReader(f, at, 1<<40), buf)
		f.Close()
		if k == 0 && time.Since(last) > 30*time.Second {
			return fmt.Errorf("the output stopped at %d of %d lines (%w)\n%s", lines, n, err, p.Tail())
		}
		if k > 0 {
			last = time.Now()
		}
		lines += bytes.Count(buf[:k], []byte{'\n'})
		at += int64(k)
	}
	return nil
}

// checkFile checks that the shipments 0 to n-1 are there, each once.
func (b *bench) checkFile(path string, n int) error {
	check, err := checker()
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	seen, lines := make([]bool, n), 0
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		i := order.Number(s.Bytes())
		if i < 0 || i >= n || seen[i] {
			return fmt.Errorf("line %d holds order %d, which is foreign or there twice", lines+1, i)
		}
		seen[i] = true
		if i%256 == 0 {
			if err := check(s.Bytes(), i); err != nil {
				return err
			}
		}
		lines++
	}
	if lines != n {
		return fmt.Errorf("the output has %d lines, want %d", lines, n)
	}
	return s.Err()
}
