package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"crossdock/dsl/diag"
)

// maxRounds bounds how often fixes are made: one may bring to light the next.
const maxRounds = 10

// fix makes every change that findings offer, until there is none left, and
// returns what remains.
func (a *app) fix(dir, env string) (diag.List, error) {
	mended := map[string]int{}
	for round := 0; ; round++ {
		_, list, err := load(dir, env)
		if err != nil {
			return nil, err
		}
		changed, err := fixOnce(dir, list, mended)
		if err != nil {
			return nil, err
		}
		if !changed || round == maxRounds {
			for _, path := range sorted(mended) {
				fmt.Fprintf(a.Stderr, "mended %s: %d\n", path, mended[path])
			}
			return list, nil
		}
	}
}

// fixOnce makes the changes of one round.
func fixOnce(dir string, list diag.List, mended map[string]int) (bool, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false, fmt.Errorf("open the workspace: %w", err)
	}
	defer root.Close()
	files := map[string]diag.List{}
	for _, d := range list {
		if len(d.Fixes) > 0 && !strings.HasPrefix(d.Span.File, "std/") {
			files[d.Span.File] = append(files[d.Span.File], d)
		}
	}
	changed := false
	for _, path := range sorted(files) {
		src, err := root.ReadFile(path)
		if err != nil {
			return changed, fmt.Errorf("read %s: %w", path, err)
		}
		text, n := diag.ApplyFixes(path, src, files[path])
		if n == 0 || bytes.Equal(text, src) {
			continue
		}
		if err := rewrite(root, path, text); err != nil {
			return changed, fmt.Errorf("write %s: %w", path, err)
		}
		mended[path] += n
		changed = true
	}
	return changed, nil
}

// rewrite replaces a file in one go, so that nobody reads half of it.
func rewrite(root *os.Root, path string, text []byte) error {
	info, err := root.Stat(path)
	if err != nil {
		return err
	}
	next := path + ".mended"
	if err := root.WriteFile(next, text, info.Mode().Perm()); err != nil {
		return err
	}
	return root.Rename(next, path)
}
