package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"crossdock/bench/report"
	"crossdock/bench/system"
)

const shown = 200 // pipelines of the large workspace

// definitions measures what many definitions cost: start, reload, lint, rest.
func (b *bench) definitions() error {
	var start, reload, lint []time.Duration
	var rss, small []int64
	for i := range b.runs {
		dir := filepath.Join(b.tmp, fmt.Sprintf("many-%d", i))
		if err := b.many(dir, shown, false); err != nil {
			return err
		}
		s, r, m, err := b.startAndReload(dir)
		if err != nil {
			return err
		}
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		one, err := b.smallAtRest(filepath.Join(b.tmp, fmt.Sprintf("small-%d", i)))
		if err != nil {
			return err
		}
		start, reload, rss, small = append(start, s), append(reload, r), append(rss, m), append(small, one)
		b.log("start %s, reload %s, at rest %s, with one pipeline %s", report.Millis(s), report.Millis(r), report.MB(m), report.MB(one))
	}
	dir := filepath.Join(b.tmp, "files")
	// Six shared files, and four for each of 249 pipelines.
	if err := b.many(dir, 249, true); err != nil {
		return err
	}
	files, err := count(dir)
	if err != nil {
		return err
	}
	for range b.runs {
		began := time.Now()
		cmd := exec.CommandContext(b.ctx, b.crossdock, "lint", dir)
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("lint: %w\n%s", err, tail(out))
		}
		lint = append(lint, time.Since(began))
		b.log("lint of %d files: %s", files, report.Millis(time.Since(began)))
	}
	again, told, err := b.checkAgain(dir)
	if err != nil {
		return err
	}
	s := b.report.Section("Many definitions", fmt.Sprintf("A workspace of %d pipelines, each with a mapping of 40 rows of its own, and one of %d files.", shown, files), "what", "value")
	s.Row(fmt.Sprintf("start to ready, %d pipelines", shown), report.Millis(report.Median(start)))
	s.Row("one mapping edited until the new revision is at work", report.Millis(report.Median(reload)))
	s.Row(fmt.Sprintf("lint of %d files", files), report.Millis(report.Median(lint)))
	s.Row(fmt.Sprintf("`lint --watch` of %d files: one mapping edited until the finding is on the screen", files), report.Millis(told))
	s.Row("what of it is the check", report.Millis(again))
	s.Row(fmt.Sprintf("memory at rest, %d pipelines", shown), report.MB(report.Median(rss)))
	s.Row("memory at rest, one pipeline", report.MB(report.Median(small)))
	s.Note("The reload includes the 50 ms that files must be quiet before they are read, the watch 30 ms.")
	return nil
}

// checkAgain edits one mapping of dir again and again, wrong and right in turn,
// while lint watches, and returns what the median of its checks took, by its own
// words, and how long it was until they were told.
func (b *bench) checkAgain(dir string) (check, told time.Duration, err error) {
	p, err := system.Run("crossdock", dir, b.crossdock, "lint", "--watch", dir)
	if err != nil {
		return 0, 0, err
	}
	defer p.Stop()
	const ended = " checked in "
	if _, err := p.WaitLine(ended, time.Minute); err != nil {
		return 0, 0, err
	}
	path := filepath.Join(dir, "mappings", "order-to-shipment-7.mapping.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	var checks, all []time.Duration
	for i := range 4 * b.runs {
		text, found := raw, "1 gone"
		if i%2 == 0 {
			text, found = append(bytes.Clone(raw), "  edited: {form: .orderNo}\n"...), "1 new"
		}
		began := time.Now()
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return 0, 0, err
		}
		line, err := p.WaitLine(ended, time.Minute)
		if err != nil {
			return 0, 0, err
		}
		all = append(all, time.Since(began))
		_, rest, _ := strings.Cut(line, ended)
		took, what, _ := strings.Cut(rest, ":")
		one, err := time.ParseDuration(took)
		if err != nil || !strings.Contains(what, found) {
			return 0, 0, fmt.Errorf("lint --watch says %q after an edit, not %s", line, found)
		}
		checks = append(checks, one)
		b.log("edit %d: told after %s, of which %s are the check", i, report.Millis(all[i]), took)
	}
	return report.Median(checks), report.Median(all), nil
}

func tail(out []byte) []byte { return out[max(0, len(out)-1000):] }

// many writes a workspace with n pipelines, each with its mapping; full adds a
// connection and a lookup for each.
func (b *bench) many(dir string, n int, full bool) error {
	from := filepath.Join(b.root, "bench", "workspace")
	read := func(name string) (string, error) {
		raw, err := os.ReadFile(filepath.Join(from, name))
		return string(raw), err
	}
	text := map[string]string{}
	for _, name := range []string{"crossdock.yaml", "env/bench.environment.yaml", "lookups/order-kinds.lookup.yaml", "lookups/units.lookup.yaml",
		"lookups/country-names.lookup.yaml", "connections/target.connection.yaml", "mappings/order-to-shipment.mapping.yaml", "pipelines/orders.pipeline.yaml"} {
		t, err := read(name)
		if err != nil {
			return err
		}
		text[name] = t
	}
	files := map[string]string{}
	for _, name := range []string{"crossdock.yaml", "env/bench.environment.yaml", "lookups/order-kinds.lookup.yaml", "lookups/units.lookup.yaml",
		"lookups/country-names.lookup.yaml", "connections/target.connection.yaml"} {
		files[name] = text[name]
	}
	for i := range n {
		rename := func(t string) string { return renamed(t, i, full) }
		files[fmt.Sprintf("pipelines/orders-%d.pipeline.yaml", i)] = rename(text["pipelines/orders.pipeline.yaml"])
		files[fmt.Sprintf("mappings/order-to-shipment-%d.mapping.yaml", i)] = rename(text["mappings/order-to-shipment.mapping.yaml"])
		if full {
			files[fmt.Sprintf("connections/target-%d.connection.yaml", i)] = rename(text["connections/target.connection.yaml"])
			files[fmt.Sprintf("lookups/units-%d.lookup.yaml", i)] = rename(text["lookups/units.lookup.yaml"])
		}
	}
	for name, t := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(t), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// startAndReload starts crossdock on dir, edits one mapping and returns how
// long each took, and the memory in between.
func (b *bench) startAndReload(dir string) (start, reload time.Duration, rss int64, err error) {
	addr, err := system.Port()
	if err != nil {
		return 0, 0, 0, err
	}
	admin, err := system.Port()
	if err != nil {
		return 0, 0, 0, err
	}
	p, err := system.Run("crossdock", dir, b.crossdock, "run", dir, "--http", addr, "--admin", admin)
	if err != nil {
		return 0, 0, 0, err
	}
	defer p.Stop()
	if _, err := p.WaitLine(`"msg":"ready"`, time.Minute); err != nil {
		return 0, 0, 0, err
	}
	start = time.Since(p.Start)
	if rss, err = atRest(p); err != nil {
		return 0, 0, 0, err
	}
	path := filepath.Join(dir, "mappings", "order-to-shipment-7.mapping.yaml")
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, 0, err
	}
	began := time.Now()
	if err := os.WriteFile(path, append(raw, "  edited: {const: true}\n"...), 0o644); err != nil {
		return 0, 0, 0, err
	}
	if _, err := p.WaitLine(`"msg":"reloaded"`, 30*time.Second); err != nil {
		return 0, 0, 0, err
	}
	return start, time.Since(began), rss, nil
}

// smallAtRest is the memory of a crossdock with one pipeline that has nothing to
// do.
func (b *bench) smallAtRest(dir string) (rss int64, err error) {
	addr, err := system.Port()
	if err != nil {
		return 0, err
	}
	p, err := b.own(dir, addr, "127.0.0.1:1")
	if err != nil {
		return 0, err
	}
	defer p.Stop()
	return atRest(p)
}

// atRest lets the start of p settle and returns its memory, what it uses of the
// program file included.
func atRest(p *system.Process) (rss int64, err error) {
	if err := p.Wait(2 * time.Second); err == nil {
		return 0, fmt.Errorf("crossdock ended\n%s", p.Tail())
	}
	return p.RSS(), nil
}

func count(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	return n, err
}
