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
)

// rebaseFlags are the flags of `rebase`.
type rebaseFlags struct {
	dir, env, template    string
	dryRun, ready, asJSON bool
	keep, take, set       []string
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
none: errors, and conflicts that nobody decided, leave every file as it is. With --ready
those move that nothing stands in the way of, and only the others stay as they are.

A conflict is decided with --keep PATH, so that the client says on what it says, or with
--take PATH, which removes the override from the file: then the template counts. The
path is the printed one, or what is around it, such as mapping/orders. --keep without a
path keeps all that is not taken. --take removes dead overrides, too.

What the new version asks for and an instance does not say is asked for on a terminal,
with its note; elsewhere say it with --set NAME=VALUE, or of one client with
--set CLIENT:NAME=VALUE.`,
		Example: `  crossdock rebase --template client@3 --dry-run
  crossdock rebase --template client@3
  crossdock rebase --template client@3 --ready
  crossdock rebase --template client@3 bolt --keep
  crossdock rebase --template client@3 --keep mapping/orders.fields.reference --take mapping/orders.fields.notes
  crossdock rebase --template client@4 --set dock=D1 --set bolt:dock=D7`,
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
	cmd.Flags().StringArrayVar(&f.keep, "keep", nil, "move although the template changed what clients override at `PATH`: their overrides stay; all of them without a path; may be repeated")
	cmd.Flags().Lookup("keep").NoOptDefVal = everything
	cmd.Flags().StringArrayVar(&f.take, "take", nil, "remove what clients override at `PATH`: the template counts; may be repeated")
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "`NAME=VALUE` or CLIENT:NAME=VALUE of a parameter that the version asks for; may be repeated")
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
	Conflicts []clash    `json:"conflicts"` // without those that --take removes
	Dead      []clash    `json:"dead"`
	Expired   []outdated `json:"expired"`
}

type clash struct {
	Place  string `json:"place"` // file:line:col of the override
	Path   string `json:"path"`
	Was    string `json:"was"` // what the template said
	Is     string `json:"is"`  // and what it says now
	Client string `json:"client"`
	Kept   bool   `json:"kept,omitempty"` // by --keep
}

type outdated struct {
	Place      string `json:"place"`
	Definition string `json:"definition"`
	Until      string `json:"until"`
	Note       string `json:"note,omitempty"`
}

// rebased is the whole answer for programs.
type rebased struct {
	Clients  []moved    `json:"clients"`
	Errors   int        `json:"errors"` // that lint would find
	Changed  bool       `json:"changed"`
	Moved    []string   `json:"moved"` // clients; those that would, in a dry run
	Refusal  string     `json:"refusal,omitempty"`
	Asks     []question `json:"asks,omitempty"` // parameters that are to be said
	findings diag.List
}

func (a *app) rebase(names []string, f rebaseFlags) error {
	ws, before, err := load(f.dir, f.env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	m, err := prepared(ws, names, f)
	if err != nil {
		return err
	}
	if len(m.to.Clients) == 0 {
		fmt.Fprintf(a.Stdout, "Nobody has to move: all of them are on %s.\n", f.template)
		return nil
	}
	if err := f.checkSet(m); err != nil {
		return err
	}
	if err := a.ask(m, &f); err != nil {
		return err
	}
	if err := f.checkPaths(ws, names); err != nil {
		return err
	}
	if m, err = prepared(ws, names, f); err != nil {
		return err
	}
	out, err := tried(m, before, f)
	if err != nil {
		return err
	}
	going := m.to
	if out.Refusal != "" && f.ready {
		if going, err = readyOnes(ws, before, m.to, f); err != nil {
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
	if err := a.rebased(out, m.to, names, f); err != nil {
		return err
	}
	if out.Refusal != "" {
		return &exit{code: exitFindings}
	}
	return nil
}

// tried says what a move would mean.
func tried(m *move, before diag.List, f rebaseFlags) (rebased, error) {
	next, after, err := dsl.Load(m.to.FS, f.options())
	if err != nil {
		return rebased{}, failf(exitLoad, "%s", err)
	}
	out := judge(m.ws, next, m.to, newErrors(before, after), f)
	out.Asks = m.asks
	return out, nil
}

// readyOnes is the move of those clients that could move alone.
func readyOnes(ws *dsl.Workspace, before diag.List, to *dsl.Repinned, f rebaseFlags) (*dsl.Repinned, error) {
	ready := []string{}
	for _, code := range to.Clients {
		alone, err := prepared(ws, []string{code}, f)
		if err != nil {
			return nil, err
		}
		out, err := tried(alone, before, f)
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
	going, err := prepared(ws, ready, f)
	if err != nil {
		return nil, err
	}
	if out, err := tried(going, before, f); err != nil || out.Refusal != "" {
		return &dsl.Repinned{}, err // each can go alone, not all of them together
	}
	return going.to, nil
}

// judge compares the clients before and after.
func judge(ws, next *dsl.Workspace, to *dsl.Repinned, errors diag.List, f rebaseFlags) rebased {
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
		m.Conflicts, m.Dead = clashes(u.Conflicts, f.keep), clashes(u.Dead, nil)
		for _, o := range u.Expired {
			m.Expired = append(m.Expired, outdated{o.UntilAt.String(), o.Def, o.Until.Format(time.DateOnly), o.Note})
		}
		for _, c := range m.Conflicts {
			if !c.Kept {
				conflicts++
			}
		}
		out.Clients = append(out.Clients, m)
	}
	switch {
	case len(errors) > 0:
		out.Refusal = "the workspace would have errors"
	case conflicts > 0:
		out.Refusal = "overrides are in conflict with what the template changed: decide each with --keep PATH or --take PATH, or keep all with --keep; --ready moves the others"
	}
	return out
}

func clashes(list []template.Clash, keep []string) []clash {
	out := []clash{}
	slices.SortStableFunc(list, func(a, b template.Clash) int { return a.At.Start.Line - b.At.Start.Line })
	for _, c := range list {
		one := clash{Place: c.At.String(), Path: c.Def, Kept: covers(keep, c.Def, c.Path), Was: plainly(c.Was), Is: plainly(c.Is), Client: plainly(c.Client)}
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

func (a *app) rebased(out rebased, to *dsl.Repinned, names []string, f rebaseFlags) error {
	if f.asJSON {
		return a.printJSON(out)
	}
	for _, m := range out.Clients {
		fmt.Fprintf(a.Stdout, "%s: %s -> %s (%s)\n", m.Client, m.From, m.To, m.File)
		for _, c := range m.Conflicts {
			word := "conflict"
			if c.Kept {
				word = "kept    "
			}
			fmt.Fprintf(a.Stdout, "  %s %s  %s\n    the template said %s\n    and says now      %s\n    the client says   %s\n",
				word, c.Place, c.Path, short(c.Was, 78), short(c.Is, 78), short(c.Client, 78))
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
	if len(out.Asks) > 0 {
		fmt.Fprintf(a.Stdout, "\n%s asks for more. Say it with:\n  %s\n", f.template, f.toType(names, out.Asks))
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
