package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"crossdock/dsl/diag"
)

// withBaseline takes the findings that the baseline in file knows out of list.
// Without a file the list stays as it is.
func withBaseline(list diag.List, dir, file string) (diag.List, error) {
	if file == "" {
		return list, nil
	}
	raw, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, failf(exitUsage, "there is no baseline %s: write one with `crossdock lint --write-baseline %s`", file, file)
	case err != nil:
		return nil, failf(exitUsage, "the baseline %s cannot be read: %s", file, cause(err))
	}
	base, err := diag.ReadBaseline(from(dir, file), raw)
	if err != nil {
		return nil, failf(exitUsage, "%s", err)
	}
	return base.Apply(list), nil
}

// from writes a file as findings do: relative to the folder of the workspace.
func from(dir, file string) string {
	whole, err1 := filepath.Abs(file)
	root, err2 := filepath.Abs(dir)
	rel, err3 := filepath.Rel(root, whole)
	if errors.Join(err1, err2, err3) != nil {
		return filepath.ToSlash(file)
	}
	return filepath.ToSlash(rel)
}

// writeBaseline writes all findings to a file, and shows those that no
// baseline may hold.
func (a *app) writeBaseline(list diag.List, dir, file string) error {
	text, n := diag.WriteBaseline(list)
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return failf(exitLoad, "the baseline %s cannot be written: %s", file, cause(err))
	}
	fmt.Fprintf(a.Stderr, "%s: %s known from now on, with `crossdock lint --baseline %s`\n", file, diag.Plural(n, "finding"), file)
	base, err := diag.ReadBaseline(from(dir, file), text)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	left := base.Apply(list)
	a.print(left, dir, string(diag.TextFormat))
	if left.HasErrors() {
		return &exit{code: exitFindings}
	}
	return nil
}

// cause is what went wrong with a file, without its name.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
