package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/lint"
	"crossdock/runtime"
	"crossdock/runtime/admin"
	"crossdock/runtime/plan"
)

// planTemplate says what it does to every client to move to another version of
// its template: on real messages where a crossdock runs, on samples and tests in
// any case.
func (a *app) planTemplate(ctx context.Context, dir string, f planFlags, waivers []plan.Waiver) (*plan.Plan, error) {
	if f.against != "" {
		return nil, errors.New("either --template or --against: an upgrade is compared with the workspace as it is")
	}
	old, err := a.side(dir, "the workspace in "+dir, f.env)
	if err != nil {
		return nil, err
	}
	to, err := dsl.Repin(os.DirFS(dir), old.WS, f.template, f.only)
	if err != nil {
		return nil, failf(exitUsage, "%s", err)
	}
	next, err := a.sideOf(to.FS, "the workspace on "+f.template, f.env)
	var bad *faulty
	if errors.As(err, &bad) {
		a.printFrom(bad.list, to.FS)
	}
	if err != nil {
		return nil, err
	}
	c, err := a.withMessages(ctx, f)
	if err == nil {
		return a.planUpgrade(ctx, c, f, old, next, waivers)
	}
	if f.admin != "" {
		return nil, err
	}
	p, why := makePlan(ctx, old, next, waivers)
	if why == nil {
		p.Notes = append(p.Notes, "no real messages were looked at: "+err.Error())
	}
	return p, why
}

// withMessages finds a crossdock that answers, here or where --admin says.
func (a *app) withMessages(ctx context.Context, f planFlags) (*admin.Client, error) {
	c, err := f.client()
	if err != nil {
		return nil, err
	}
	var status runtime.Status
	return c, failed(c.Get(ctx, "/v1/status", nil, &status))
}

// planUpgrade lets a running crossdock compare two folders on its messages.
func (a *app) planUpgrade(ctx context.Context, c *admin.Client, f planFlags, old, next plan.Side, waivers []plan.Waiver) (*plan.Plan, error) {
	base, _, err := packOf(old.FS, f.env) // both were loaded without an error
	if err != nil {
		return nil, err
	}
	pack, _, err := packOf(next.FS, f.env)
	if err != nil {
		return nil, err
	}
	return a.asked(ctx, c, f, admin.Planning{Pack: pack.Raw, Name: next.Name, Base: base.Raw, BaseName: old.Name, Messages: f.messages, Waivers: waivers, Reveal: f.reveal})
}

// printFrom shows findings about files that are not on disk as they are.
func (a *app) printFrom(list diag.List, files fs.FS) {
	sources := func(path string) []byte {
		raw, err := fs.ReadFile(files, path)
		if err != nil {
			return nil
		}
		return raw
	}
	_ = diag.Print(a.Stdout, list, diag.Options{Format: "text", Color: a.terminal(a.Stdout), Sources: sources, Rules: lint.About})
}
