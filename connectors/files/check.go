package files

import (
	"io/fs"
	"path"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
)

// Check looks at a files trigger and reports what is wrong with its paths.
func Check(t *spec.FilesTrigger) diag.List {
	var list diag.List
	pattern := path.Clean(strings.TrimPrefix(t.Path.Value, "/"))
	if backslash(&list, t.Path) {
		return list
	}
	if t.Path.Set() {
		switch _, err := path.Match(pattern, ""); {
		case err != nil || pattern == ".":
			list.Errorf(spec.CodeUnknown, t.Path.Span(), "`%s` is not a pattern for file names", t.Path.Value).
				Hint = "write a folder and names such as in/*.csv; `*` is any text, `?` one character, `[a-z]` one of them"
			return list
		case !fs.ValidPath(pattern):
			list.Errorf(spec.CodeUnknown, t.Path.Span(), "`%s` leaves the folder of the connection", t.Path.Value).
				Hint = "files are read below the `dir` of the connection: write a path without .."
			return list
		}
	}
	for _, after := range []*spec.FileAfter{&t.After, &t.OnBadFile} {
		if !after.MoveTo.Set() || backslash(&list, after.MoveTo) {
			continue
		}
		folder := path.Clean(strings.TrimPrefix(after.MoveTo.Value, "/"))
		switch {
		case !fs.ValidPath(folder):
			list.Errorf(spec.CodeUnknown, after.MoveTo.Span(), "`%s` leaves the folder of the connection", after.MoveTo.Value).
				Hint = "write a folder below the `dir` of the connection, such as done"
		case t.Path.Set() && rereads(pattern, folder):
			list.Errorf(spec.CodeUnknown, after.MoveTo.Span(), "files moved to `%s` are found again by `%s`", after.MoveTo.Value, t.Path.Value).
				Hint = "choose a folder that the pattern does not cover"
		}
	}
	return list
}

// backslash reports a path as Windows writes it: here `\` takes the meaning from
// the character behind it, and the path would never be found.
func backslash(list *diag.List, t spec.Text) bool {
	if !strings.Contains(t.Value, `\`) {
		return false
	}
	meant := strings.ReplaceAll(t.Value, `\`, "/")
	f := list.Errorf(spec.CodeUnknown, t.Span(), "folders are separated by `/`, on Windows too")
	f.Hint = "write `" + meant + "`"
	if t.Node != nil && t.Node.Style == ast.Plain {
		f.Fixes = []diag.Fix{{Title: "replace with `" + meant + "`", Edits: []diag.Edit{{Span: f.Span, Text: meant}}}}
	}
	return true
}

// rereads reports whether the pattern takes files that stand in folder.
func rereads(pattern, folder string) bool {
	if path.Dir(pattern) == folder {
		return true
	}
	found, err := path.Match(path.Dir(pattern), folder)
	return err == nil && found
}
