package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"github.com/spf13/cobra"

	"crossdock/runtime"
	"crossdock/runtime/admin"
	"crossdock/runtime/plan"
)

func (a *app) applyCommand() *cobra.Command {
	var f planFlags
	var which, note string
	cmd := &cobra.Command{
		Use: "apply [DIR] --plan HASH|FILE", GroupID: "operate", Args: cobra.MaximumNArgs(1),
		Short: "Bring to life what a plan is about, if the plan still stands",
		Long: `Bring the workspace in DIR to life, as a plan said. The plan is made once more, and
nothing is done if the world has moved since: other definitions run, the workspace was
edited, or there are differences that the plan does not show. The tests run first.

The definitions are published, as ` + "`crossdock publish`" + ` does. Where DIR is the folder that
the running crossdock reads, and nothing is published, the folder is reloaded instead.
The hash of the plan and its waivers stand in the history and in the audit log.`,
		Example: "  crossdock apply --plan 3f2a91c07b1e4d5f8a6b0c9d2e7f4a1b\n  crossdock apply ./definitions --plan plan.json --note \"new carrier\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !cmd.Flags().Changed("dir") {
				f.dir = args[0]
			}
			return a.apply(cmd.Context(), dir(args), which, note, f)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&which, "plan", "", "hash that `plan` printed, or the file that it wrote with --out")
	cmd.Flags().StringVar(&note, "note", "", "why, for the history")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used by the check")
	_ = cmd.MarkFlagRequired("plan")
	return cmd
}

func (a *app) apply(ctx context.Context, dir, which, note string, f planFlags) error {
	p, err := f.find(which)
	if err != nil {
		return err
	}
	if p.Blocked {
		return failf(exitFindings, "nothing was applied: %s", p.Verdict())
	}
	pack, _, err := a.pack(ctx, dir, f.env)
	if err != nil {
		return err
	}
	c, err := f.client()
	if err != nil {
		return err
	}
	var status runtime.Status
	if err := c.Get(ctx, "/v1/status", nil, &status); err != nil {
		return failed(err)
	}
	at, err := filepath.Abs(dir)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	in := admin.Applying{Who: who(), Note: note, Pack: pack.Raw, Messages: p.Messages, Plan: p, Folder: status.Published == 0 && status.Workspace == at}
	var out admin.PublishAnswer
	if err := c.Post(ctx, "/v1/apply", in, &out); err != nil {
		return failed(err)
	}
	if in.Folder && out.Refused == "" && !f.json {
		a.findings(out.Findings)
		if out.Here.Result == "failed" {
			return failf(exitFindings, "the folder was not reloaded: %s", out.Here.Error)
		}
		fmt.Fprintf(a.Stdout, "applied plan %s: the folder was reloaded and runs as revision %s, generation %d\n", p.Hash, out.Here.Revision, out.Here.Generation)
		return nil
	}
	return a.published(out, f.json)
}

var planHash = regexp.MustCompile(`^[0-9a-f]{32}$`)

// plans is where plans are kept for `apply --plan HASH`.
func (f planFlags) plans() string {
	state := f.state
	if state == "" {
		state = filepath.Join(f.dir, runtime.StateDir)
	}
	return filepath.Join(state, "plans")
}

// keep leaves a plan where apply finds it. A place where nothing can be written is
// no reason to show no plan: apply says then that it is not there.
func (f planFlags) keep(p *plan.Plan) {
	if err := os.MkdirAll(f.plans(), 0o700); err == nil {
		_ = writePlan(filepath.Join(f.plans(), p.Hash+".json"), p) // see above
	}
}

func writePlan(path string, p *plan.Plan) error {
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o600)
}

// find reads a plan by its hash or from a file.
func (f planFlags) find(which string) (*plan.Plan, error) {
	path := which
	if planHash.MatchString(which) {
		path = filepath.Join(f.plans(), which+".json")
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, failf(exitLoad, "there is no plan %s; make one with `crossdock plan`, and name its hash or the file of --out", which)
	}
	p := &plan.Plan{}
	if err := json.Unmarshal(raw, p); err != nil || p.Hash == "" {
		return nil, failf(exitLoad, "%s is no plan; `crossdock plan --out FILE` writes one", path)
	}
	return p, nil
}
