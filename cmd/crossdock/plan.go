package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/runtime"
	"crossdock/runtime/plan"
	"crossdock/runtime/publication"
)

// planFlags are the flags of `plan`.
type planFlags struct {
	against, env  string
	waive, reason []string
}

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	var asJSON bool
	cmd := &cobra.Command{
		Use: "plan [DIR] --against DIR|git:REF", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Say what a change of the definitions would do, before it is made",
		Long: `Compare the workspace in DIR with another state of it: another folder, or a revision
of git. What differs is told in the words of the definitions, and everything that the
definitions name as sample or as input of a test is run through both, with every call
captured: which would send, emit or end as something else, field by field.

Meaning counts, not text: comments, layout and the order of keys are no change.

A change of a protected value (money, quantities, proofs of delivery) blocks unless it
is waived. The exit code is 0 where the change may go live, 1 where it is blocked.`,
		Example: `  crossdock plan --against git:main
  crossdock plan ./definitions --against ./definitions-of-last-week
  crossdock plan --against git:HEAD~1 --waive "tms.create_shipment totalWeightKg" --reason "TMS wants grams"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := a.plan(cmd.Context(), dir(args), f)
			if err != nil {
				return err
			}
			return a.planned(p, asJSON)
		},
	}
	cmd.Flags().StringVar(&f.against, "against", "", "what to compare with: a folder, or git:REF")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().StringArrayVar(&f.waive, "waive", nil, "let the change of a protected value pass, as the plan names it; each needs a --reason")
	cmd.Flags().StringArrayVar(&f.reason, "reason", nil, "why, in the order of --waive")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func (a *app) plan(ctx context.Context, dir string, f planFlags) (*plan.Plan, error) {
	waivers, err := f.waivers()
	if err != nil {
		return nil, err
	}
	next, err := a.side(dir, "the workspace in "+dir, f.env)
	if err != nil {
		return nil, err
	}
	old, err := a.against(ctx, dir, f)
	if err != nil {
		return nil, err
	}
	p, err := plan.Make(ctx, plan.Input{Old: old, New: next, Waivers: waivers, Preview: runtime.NewCatalog().Preview})
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	return p, nil
}

// waivers pairs --waive and --reason.
func (f planFlags) waivers() ([]plan.Waiver, error) {
	if len(f.waive) != len(f.reason) {
		return nil, fmt.Errorf("each --waive needs its --reason: %d and %d were given", len(f.waive), len(f.reason))
	}
	var out []plan.Waiver
	for i, field := range f.waive {
		if strings.TrimSpace(f.reason[i]) == "" || strings.TrimSpace(field) == "" {
			return nil, errors.New("a waiver needs a field and a reason")
		}
		out = append(out, plan.Waiver{Field: field, Reason: f.reason[i]})
	}
	return out, nil
}

// side loads a folder.
func (a *app) side(dir, name, env string) (plan.Side, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return plan.Side{}, failf(exitLoad, "there is no folder %s", dir)
	}
	s, err := a.sideOf(os.DirFS(dir), name, env)
	var bad *faulty
	if errors.As(err, &bad) {
		a.print(bad.list, dir, "text")
	}
	return s, err
}

func (a *app) sideOf(files fs.FS, name, env string) (plan.Side, error) {
	ws, list, err := dsl.Load(files, dsl.Options{Catalog: runtime.NewCatalog(), Environment: env, Std: std(), AnyEnvironment: true})
	if err != nil {
		return plan.Side{}, failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		return plan.Side{}, errors.Join(&faulty{list}, failf(exitLoad, "%s has errors, so it cannot be compared", name))
	}
	return plan.Side{Name: name, WS: ws, FS: files, Std: std()}, nil
}

// faulty carries the findings of definitions that cannot be compared.
type faulty struct{ list diag.List }

func (f *faulty) Error() string { return "the definitions have errors" }

// against loads what is compared with.
func (a *app) against(ctx context.Context, dir string, f planFlags) (plan.Side, error) {
	if f.against == "" {
		return plan.Side{}, errors.New("say what to compare with: --against DIR or --against git:REF")
	}
	ref, isGit := strings.CutPrefix(f.against, "git:")
	if !isGit {
		return a.side(f.against, "the workspace in "+f.against, f.env)
	}
	files, err := gitFiles(ctx, dir, ref)
	if err != nil {
		return plan.Side{}, failf(exitLoad, "%s", err)
	}
	return a.sideOf(files, f.against, f.env)
}

// gitFiles reads the files of a workspace as they are at a revision of git.
func gitFiles(ctx context.Context, dir, ref string) (fs.FS, error) {
	if strings.HasPrefix(ref, "-") || ref == "" {
		return nil, fmt.Errorf("`%s` is no revision of git", ref)
	}
	cmd := exec.CommandContext(ctx, "git", "-C", dir, "archive", "--format=tar", ref)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		text, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		return nil, fmt.Errorf("git cannot give %s of %s: %s", ref, dir, strings.TrimPrefix(text, "fatal: "))
	}
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(out)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read %s of git: %w", ref, err)
		}
		name := path.Clean(h.Name)
		if h.Typeflag != tar.TypeReg || strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
			continue
		}
		if files[name], err = io.ReadAll(io.LimitReader(r, publication.MaxFile+1)); err != nil {
			return nil, fmt.Errorf("read %s of git: %w", ref, err)
		}
	}
	pack, err := publication.New(files)
	if err != nil {
		return nil, fmt.Errorf("the files of %s cannot be read: %w", ref, err)
	}
	return pack.FS(), nil
}

// planned shows a plan; one that is blocked is a finding.
func (a *app) planned(p *plan.Plan, asJSON bool) error {
	var err error
	if asJSON {
		err = a.printJSON(p)
	} else {
		err = p.Text(a.Stdout)
	}
	if err != nil {
		return err
	}
	if p.Blocked {
		return &exit{code: exitFindings}
	}
	return nil
}
