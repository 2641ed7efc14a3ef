package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
	"crossdock/dsl/template"
	"crossdock/runtime/catalog"
)

// rebaseFlags are the flags of `rebase`.
type rebaseFlags struct {
	dir, env, template  string
	dryRun, keep, ready bool
	asJSON              bool
}

func (a *app) rebaseCommand() *cobra.Command {
	var f rebaseFlags
	cmd := &cobra.Command{
		Use: "rebase --template NAME@VERSION [CLIENT...]", GroupID: "write",
		Short: "Move clients to another version of their template",
		Long: `Move clients to another version of their template: the version behind of: in their
instance files is changed, comments and all else stay.

What stands in the way is listed first: overrides of what the new version changed
(conflicts), overrides that say what the template says now (dead), overrides past their
until, and everything lint finds in the workspace as it would be. All clients move or
none: errors, and conflicts without --keep, leave every file as it is. With --ready
those move that nothing stands in the way of, and only the others stay as they are.`,
		Example: `  crossdock rebase --template client@3 --dry-run
  crossdock rebase --template client@3
  crossdock rebase --template client@3 --ready
  crossdock rebase --template client@3 bolt --keep`,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.template == "" {
				return fmt.Errorf("say to which version: --template client@3")
			}
			return a.rebase(args, f)
		},
	}
	cmd.Flags().StringVar(&f.template, "template", "", "template with its version, such as client@3")
	cmd.Flags().StringVar(&f.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "change nothing, say what would happen")
	cmd.Flags().BoolVar(&f.keep, "keep", false, "move although the template changed what clients override: their overrides stay")
	cmd.Flags().BoolVar(&f.ready, "ready", false, "move the clients that nothing stands in the way of, leave the others as they are")
	cmd.Flags().BoolVar(&f.asJSON, "json", false, "print JSON")
	return cmd
}

// moved is what a rebase means for one client, for people and programs.
type moved struct {
	Client    string     `json:"client"`
	File      string     `json:"file"`
	From      string     `json:"from"`
	To        string     `json:"to"`
	Conflicts []clash    `json:"conflicts"`
	Dead      []clash    `json:"dead"`
	Expired   []outdated `json:"expired"`
}

type clash struct {
	Place  string `json:"place"` // file:line:col of the override
	Path   string `json:"path"`
	Was    string `json:"was"` // what the template said
	Is     string `json:"is"`  // and what it says now
	Client string `json:"client"`
}

type outdated struct {
	Place      string `json:"place"`
	Definition string `json:"definition"`
	Until      string `json:"until"`
	Note       string `json:"note,omitempty"`
}

// rebased is the whole answer for programs.
type rebased struct {
	Clients  []moved  `json:"clients"`
	Errors   int      `json:"errors"` // that lint would find
	Changed  bool     `json:"changed"`
	Moved    []string `json:"moved"` // clients; those that would, in a dry run
	Refusal  string   `json:"refusal,omitempty"`
	findings diag.List
}

func (a *app) rebase(names []string, f rebaseFlags) error {
	ws, before, err := load(f.dir, f.env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	folder := os.DirFS(f.dir)
	to, err := dsl.Repin(folder, ws, f.template, names)
	if err != nil {
		return failf(exitUsage, "%s", err)
	}
	if len(to.Clients) == 0 {
		fmt.Fprintf(a.Stdout, "Nobody has to move: all of them are on %s.\n", f.template)
		return nil
	}
	out, err := tried(ws, before, to, f)
	if err != nil {
		return err
	}
	going := to
	if out.Refusal != "" && f.ready {
		if going, err = readyOnes(ws, before, to, f); err != nil {
			return err
		}
	}
	if out.Refusal == "" || f.ready {
		out.Moved = append(out.Moved, going.Clients...)
	}
	if len(out.Moved) > 0 && !f.dryRun {
		if err := replaceAll(f.dir, going.Files); err != nil {
			return failf(exitLoad, "nothing was changed: %s", err)
		}
		out.Changed = true
	}
	if err := a.rebased(out, to, f); err != nil {
		return err
	}
	if out.Refusal != "" {
		return &exit{code: exitFindings}
	}
	return nil
}

// tried says what a move would mean.
func tried(ws *dsl.Workspace, before diag.List, to *dsl.Repinned, f rebaseFlags) (rebased, error) {
	next, after, err := dsl.Load(to.FS, dsl.Options{Catalog: catalog.New(), Environment: f.env, Std: std(), AnyEnvironment: true})
	if err != nil {
		return rebased{}, failf(exitLoad, "%s", err)
	}
	return judge(ws, next, to, newErrors(before, after), f.keep), nil
}

// readyOnes is the move of those clients that could move alone.
func readyOnes(ws *dsl.Workspace, before diag.List, to *dsl.Repinned, f rebaseFlags) (*dsl.Repinned, error) {
	ready := []string{}
	for _, code := range to.Clients {
		alone, err := dsl.Repin(os.DirFS(f.dir), ws, f.template, []string{code})
		if err != nil {
			return nil, failf(exitUsage, "%s", err)
		}
		out, err := tried(ws, before, alone, f)
		if err != nil {
			return nil, err
		}
		if out.Refusal == "" {
			ready = append(ready, code)
		}
	}
	if len(ready) == 0 {
		return &dsl.Repinned{}, nil
	}
	going, err := dsl.Repin(os.DirFS(f.dir), ws, f.template, ready)
	if err != nil {
		return nil, failf(exitUsage, "%s", err)
	}
	if out, err := tried(ws, before, going, f); err != nil || out.Refusal != "" {
		return &dsl.Repinned{}, err // each can go alone, not all of them together
	}
	return going, nil
}

// judge compares the clients before and after.
func judge(ws, next *dsl.Workspace, to *dsl.Repinned, errors diag.List, keep bool) rebased {
	out := rebased{Errors: len(errors), Moved: []string{}, findings: errors}
	conflicts := 0
	for _, code := range to.Clients {
		was, is := ws.Clients[code], next.Clients[code]
		m := moved{Client: code, File: was.Path, From: was.Spec.Of.Value, To: to.Version, Conflicts: []clash{}, Dead: []clash{}, Expired: []outdated{}}
		if is == nil {
			out.Clients = append(out.Clients, m)
			continue
		}
		u := template.Compare(was.Instance, is.Instance, time.Now())
		m.Conflicts, m.Dead = clashes(u.Conflicts), clashes(u.Dead)
		for _, o := range u.Expired {
			m.Expired = append(m.Expired, outdated{o.UntilAt.String(), o.Def, o.Until.Format(time.DateOnly), o.Note})
		}
		conflicts += len(u.Conflicts)
		out.Clients = append(out.Clients, m)
	}
	switch {
	case len(errors) > 0:
		out.Refusal = "the workspace would have errors"
	case conflicts > 0 && !keep:
		out.Refusal = "overrides are in conflict with what the template changed: take them over or remove them, or say --keep; --ready moves the others"
	}
	return out
}

func clashes(list []template.Clash) []clash {
	out := []clash{}
	slices.SortStableFunc(list, func(a, b template.Clash) int { return a.At.Start.Line - b.At.Start.Line })
	for _, c := range list {
		one := clash{Place: c.At.String(), Path: c.Def, Was: plainly(c.Was), Is: plainly(c.Is), Client: plainly(c.Client)}
		if c.Client == nil {
			one.Client = "drop"
		}
		if c.Path != "" {
			one.Path += ": " + c.Path
		}
		out = append(out, one)
	}
	return out
}

// plainly writes a value in one line: code as it is, without the quotes that YAML
// would need around it.
func plainly(n *ast.Node) string {
	text := template.Flow(n)
	if strings.Contains(text, `\"`) && n.Kind == ast.Scalar {
		return strings.Join(strings.Fields(n.Text), " ")
	}
	return text
}

// newErrors are the errors that were not there before.
func newErrors(before, after diag.List) diag.List {
	var out diag.List
	for _, d := range after {
		had := slices.ContainsFunc(before, func(o diag.Diagnostic) bool {
			return o.Code == d.Code && o.Span == d.Span && o.Message == d.Message
		})
		if d.Severity == diag.Error && !had {
			out.Add(d)
		}
	}
	return out
}

func (a *app) rebased(out rebased, to *dsl.Repinned, f rebaseFlags) error {
	if f.asJSON {
		return a.printJSON(out)
	}
	for _, m := range out.Clients {
		fmt.Fprintf(a.Stdout, "%s: %s -> %s (%s)\n", m.Client, m.From, m.To, m.File)
		for _, c := range m.Conflicts {
			fmt.Fprintf(a.Stdout, "  conflict %s  %s\n    the template said %s\n    and says now      %s\n    the client says   %s\n",
				c.Place, c.Path, short(c.Was, 78), short(c.Is, 78), short(c.Client, 78))
		}
		for _, c := range m.Dead {
			fmt.Fprintf(a.Stdout, "  dead     %s  %s\n    the template says the same now: %s\n", c.Place, c.Path, short(c.Is, 60))
		}
		for _, o := range m.Expired {
			fmt.Fprintf(a.Stdout, "  expired  %s  %s\n    it was meant until %s", o.Place, o.Definition, o.Until)
			if o.Note != "" {
				fmt.Fprintf(a.Stdout, ": %s", o.Note)
			}
			fmt.Fprintln(a.Stdout)
		}
	}
	if len(out.findings) > 0 {
		fmt.Fprintln(a.Stdout)
		a.printFrom(out.findings, to.FS)
	}
	fmt.Fprintln(a.Stdout)
	switch {
	case out.Refusal != "" && len(out.Moved) > 0:
		verb := "moved"
		if f.dryRun {
			verb = "would move"
		}
		fmt.Fprintf(a.Stdout, "%s %s to %s; the others stay as they are: %s.\n", strings.Join(out.Moved, ", "), verb, f.template, strings.TrimSuffix(out.Refusal, "; --ready moves the others"))
	case out.Refusal != "":
		fmt.Fprintf(a.Stdout, "Nothing was changed: %s.\n", out.Refusal)
	case f.dryRun:
		fmt.Fprintf(a.Stdout, "Nothing was changed: this was a dry run. %s would move.\n", counted(len(to.Files), "client"))
	default:
		fmt.Fprintf(a.Stdout, "%s moved to %s.\n", counted(len(to.Files), "client"), f.template)
	}
	return nil
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// replaceAll writes all files or none: new ones are written beside the old ones
// first, and what was put in place is put back where one of them fails.
func replaceAll(dir string, files map[string][]byte) error {
	type change struct{ at, next string }
	var changes []change
	defer func() {
		for _, c := range changes {
			_ = os.Remove(c.next) // gone where it was put in place
		}
	}()
	olds := map[string][]byte{}
	for _, name := range sorted(files) {
		at := filepath.Join(dir, filepath.FromSlash(name))
		old, err := os.ReadFile(at)
		if err != nil {
			return err
		}
		info, err := os.Stat(at)
		if err != nil {
			return err
		}
		olds[at] = old
		changes = append(changes, change{at, at + ".next"})
		if err := os.WriteFile(at+".next", files[name], info.Mode().Perm()); err != nil {
			return err
		}
	}
	for i, c := range changes {
		if err := os.Rename(c.next, c.at); err != nil {
			for _, done := range changes[:i] {
				_ = os.WriteFile(done.at, olds[done.at], 0o644) // the best that can be done
			}
			return err
		}
	}
	return nil
}
