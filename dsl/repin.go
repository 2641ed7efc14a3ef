package dsl

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/template"
)

// Repinned is a workspace as it would be with clients on another version of
// their template.
type Repinned struct {
	FS      fs.FS             // the whole folder
	Files   map[string][]byte // the files that differ: those of the instances
	Clients []string          // the codes of the clients that move, in order
	Version string
}

// Repin moves clients to a version of their template, such as client@3: those
// named by code or by the name of their instance, or all that use another
// version of it. Nothing is written; load Repinned.FS to see what comes of it.
// The error is for words that mean nothing here.
func Repin(fsys fs.FS, ws *Workspace, version string, clients []string) (*Repinned, error) {
	base, _, ok := strings.Cut(version, "@")
	if ws.Templates[version] == nil {
		var known []string
		for name := range ws.Templates {
			known = append(known, name)
		}
		slices.Sort(known)
		near := diag.DidYouMean(version, known)
		if !ok {
			near = "say which version"
		}
		if near != "" {
			near = "; " + near
		}
		if len(known) == 0 {
			return nil, fmt.Errorf("there is no template `%s`: this workspace has none", version)
		}
		return nil, fmt.Errorf("there is no template `%s`%s; there are %s", version, near, strings.Join(known, ", "))
	}
	moving, err := chosen(ws, base, clients)
	if err != nil {
		return nil, err
	}
	out := &Repinned{Files: map[string][]byte{}, Version: version}
	for _, c := range moving {
		if c.Spec.Of.Value == version {
			continue
		}
		src, err := fs.ReadFile(fsys, c.Path)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", c.Path, err)
		}
		out.Files[c.Path] = template.Pinned(src, c.Instance, version)
		out.Clients = append(out.Clients, c.Instance.Client)
	}
	out.FS = overlay{fsys, out.Files}
	return out, nil
}

// chosen are the clients that are named, or all of a template.
func chosen(ws *Workspace, base string, names []string) ([]*compile.Client, error) {
	var all []*compile.Client
	for _, c := range ws.Clients {
		if of, _, _ := strings.Cut(c.Spec.Of.Value, "@"); of == base {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *compile.Client) int { return strings.Compare(a.Instance.Client, b.Instance.Client) })
	if len(names) == 0 {
		return all, nil
	}
	var out []*compile.Client
	for _, name := range names {
		i := slices.IndexFunc(all, func(c *compile.Client) bool { return c.Instance.Client == name || c.Definition.Name == name })
		if i < 0 {
			known := make([]string, 0, len(all))
			for _, c := range all {
				known = append(known, c.Instance.Client)
			}
			return nil, fmt.Errorf("no client `%s` uses the template %s; those who do: %s", name, base, strings.Join(known, ", "))
		}
		out = append(out, all[i])
	}
	return out, nil
}

// With is a folder in which some files say something else.
func With(fsys fs.FS, files map[string][]byte) fs.FS { return overlay{fsys, files} }

// overlay is a folder in which some files say something else.
type overlay struct {
	fs.FS
	files map[string][]byte
}

// ReadFile implements fs.ReadFileFS.
func (o overlay) ReadFile(name string) ([]byte, error) {
	if raw, ok := o.files[name]; ok {
		return bytes.Clone(raw), nil
	}
	return fs.ReadFile(o.FS, name)
}

// Open implements fs.FS.
func (o overlay) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if raw, ok := o.files[name]; ok && err == nil {
		return &changed{f, bytes.NewReader(raw)}, nil
	}
	return f, err
}

// changed is a file with another content.
type changed struct {
	fs.File
	r *bytes.Reader
}

// Read implements fs.File.
func (c *changed) Read(p []byte) (int, error) { return c.r.Read(p) }
