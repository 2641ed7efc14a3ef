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
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/runtime/admin"
	"crossdock/runtime/catalog"
	"crossdock/runtime/plan"
	"crossdock/runtime/publication"
)

// planFlags are the flags of `plan`.
type planFlags struct {
	remote
	against, env, out string
	template          string
	only              []string
	messages          int
	waive, reason     []string
	markdown, reveal  bool
}

const planHelp = `Compare the workspace in DIR with what runs, and say what would be different. What
differs is told in the words of the definitions. The last messages of every pipeline,
everything that the definitions name as a sample, and the inputs of tests are run
through both, with every call captured and never sent: which of them would send, emit
or end as something else, field by field. Meaning counts, not text: comments, layout
and the order of keys are no change.

It asks a running crossdock: the one in DIR, or that of --admin. --against compares with
something else: r42 of ` + "`crossdock history`" + `, the address of another crossdock, a folder,
or git:REF. The last two need nothing that runs, and look at samples and tests only.

--template client@3 says what it would do to each client to move to that version: the
workspace is compared with itself as ` + "`crossdock rebase`" + ` would leave it. Where a crossdock
runs, its last messages of each client are run through both.

What changes a protected value (money, quantities, proofs of delivery), the key of a
pipeline, or breaks a contract, blocks unless it is waived; a test that fails blocks in
any case. The exit code is 0 where the change may go live and 1 where it is blocked. ` + "`crossdock apply --plan HASH`" + ` brings it to life.`

func (a *app) planCommand() *cobra.Command {
	var f planFlags
	cmd := &cobra.Command{
		Use: "plan [DIR]", GroupID: "write", Args: cobra.MaximumNArgs(1),
		Short: "Say what a change of the definitions would do, before it is made",
		Long:  planHelp,
		Example: `  crossdock plan
  crossdock plan --against r42 --messages 500
  crossdock plan --against git:main --markdown > comment.md
  crossdock plan --template client@3
  crossdock plan --template client@3 --only bolt --messages 500
  crossdock plan --waive "tms.create_shipment totalWeightKg" --reason "the TMS rounds by itself now"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !cmd.Flags().Changed("dir") {
				f.dir = args[0]
			}
			p, err := a.plan(cmd.Context(), dir(args), f)
			if err != nil {
				return err
			}
			return a.planned(p, f)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&f.against, "against", "", "what to compare with: r42, an address, a folder or git:REF")
	cmd.Flags().StringVar(&f.template, "template", "", "say what it would do to every client to move to this version of their template")
	cmd.Flags().StringSliceVar(&f.only, "only", nil, "with --template: only these clients move")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used, for a folder and git")
	cmd.Flags().IntVar(&f.messages, "messages", 100, "real messages of each pipeline, at most")
	cmd.Flags().StringArrayVar(&f.waive, "waive", nil, "let the change of a protected value pass, as the plan names it; each needs a --reason")
	cmd.Flags().StringArrayVar(&f.reason, "reason", nil, "why, in the order of --waive")
	cmd.Flags().BoolVar(&f.markdown, "markdown", false, "print Markdown, for a comment on a pull request")
	cmd.Flags().StringVar(&f.out, "out", "", "write the plan to a file, for `apply --plan FILE`")
	cmd.Flags().BoolVar(&f.reveal, "reveal", false, "show personal data, too; it is written to the audit log")
	return cmd
}

func (a *app) plan(ctx context.Context, dir string, f planFlags) (*plan.Plan, error) {
	waivers, err := f.waivers()
	if err != nil {
		return nil, err
	}
	if f.template == "" && len(f.only) > 0 {
		return nil, errors.New("--only goes with --template: it says which clients move")
	}
	if f.template != "" {
		return a.planTemplate(ctx, dir, f, waivers)
	}
	if number, address, remote := f.asks(); remote {
		if address != "" {
			f.admin = address
		}
		return a.planRemote(ctx, dir, f, number, waivers)
	}
	next, err := a.side(dir, "the workspace in "+dir, f.env)
	if err != nil {
		return nil, err
	}
	old, err := a.against(ctx, dir, f)
	if err != nil {
		return nil, err
	}
	return makePlan(ctx, old, next, waivers)
}

// makePlan compares two folders, with what they name as samples and tests.
func makePlan(ctx context.Context, old, next plan.Side, waivers []plan.Waiver) (*plan.Plan, error) {
	p, err := plan.Make(ctx, plan.Input{Old: old, New: next, Waivers: waivers, Preview: catalog.New().Preview})
	if err != nil {
		return nil, failf(exitLoad, "%s", err)
	}
	return p, nil
}

// asks tells whether a running crossdock is asked, and for which publication or
// at which address.
func (f planFlags) asks() (number int, address string, ok bool) {
	switch {
	case f.against == "":
		return 0, "", true
	case strings.HasPrefix(f.against, "http://"), strings.HasPrefix(f.against, "https://"):
		return 0, f.against, true
	}
	n, err := strconv.Atoi(strings.TrimPrefix(f.against, "r"))
	if err == nil && n > 0 && strings.HasPrefix(f.against, "r") {
		return n, "", true
	}
	return 0, "", false
}

// planRemote lets a running crossdock make the plan, which has the messages.
func (a *app) planRemote(ctx context.Context, dir string, f planFlags, number int, waivers []plan.Waiver) (*plan.Plan, error) {
	pack, err := a.packed(dir, f.env)
	if err != nil {
		return nil, err
	}
	c, err := f.client()
	if err != nil {
		return nil, failf(exitLoad, "%s; without one, compare with --against DIR or --against git:REF", err)
	}
	return a.asked(ctx, c, f, admin.Planning{Pack: pack.Raw, Name: "the workspace in " + dir, Against: number, Messages: f.messages, Waivers: waivers, Reveal: f.reveal})
}

// asked lets a running crossdock make a plan, and keeps it for apply.
func (a *app) asked(ctx context.Context, c *admin.Client, f planFlags, in admin.Planning) (*plan.Plan, error) {
	var out admin.PlanAnswer
	if err := c.Post(ctx, "/v1/plan", in, &out); err != nil {
		return nil, failed(err)
	}
	if out.Plan == nil {
		a.findings(out.Findings)
		return nil, failf(exitLoad, "there is no plan: %s", out.Refused)
	}
	if !f.reveal { // a plan with personal data is not left lying around
		f.keep(out.Plan)
	}
	return out.Plan, nil
}

// packed packs the files that loading a workspace reads.
func (a *app) packed(dir, env string) (*publication.Pack, error) {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, failf(exitLoad, "there is no folder %s", dir)
	}
	pack, list, err := packOf(os.DirFS(dir), env)
	if err == nil && list.HasErrors() {
		a.print(list, dir, "text")
		return nil, failf(exitLoad, "the definitions have errors, so there is nothing to plan")
	}
	return pack, err
}

// packOf packs the files that loading a workspace reads, unless it has errors.
func packOf(files fs.FS, env string) (*publication.Pack, diag.List, error) {
	rec := publication.Record(files)
	_, list, err := dsl.Load(rec, dsl.Options{Catalog: catalog.New(), Environment: env, Std: std(), AnyEnvironment: true})
	if err != nil {
		return nil, nil, failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		return nil, list, nil
	}
	pack, err := rec.Pack()
	if err != nil {
		return nil, nil, failf(exitLoad, "%s", err)
	}
	return pack, list, nil
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
	ws, list, err := dsl.Load(files, dsl.Options{Catalog: catalog.New(), Environment: env, Std: std(), AnyEnvironment: true})
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
func (a *app) planned(p *plan.Plan, f planFlags) error {
	if f.out != "" {
		if err := writePlan(f.out, p); err != nil {
			return failf(exitLoad, "the plan cannot be written to %s: %s", f.out, err)
		}
	}
	var err error
	switch {
	case f.json:
		err = a.printJSON(p)
	case f.markdown:
		err = p.Markdown(a.Stdout)
	default:
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
