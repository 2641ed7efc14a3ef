package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/runtime"
	"crossdock/runtime/admin"
	"crossdock/runtime/catalog"
	"crossdock/runtime/publication"
)

func (a *app) publishCommand() *cobra.Command {
	var r remote
	var store, env, note string
	cmd := &cobra.Command{
		Use: "publish [DIR]", GroupID: "operate", Args: cobra.MaximumNArgs(1),
		Short: "Check the workspace in DIR and make it what all replicas run",
		Long: `Lint the workspace in DIR, run its tests, and put its files into the store as the
next revision: r1, r2 and so on. Every replica on the store switches to it, now and
at every later start, whatever is in its own folder. Nothing is published when there
is an error, a failed test, or something that cannot be opened.

The files are those that loading and testing read: definitions, lookups, samples.
Secrets stay where they are.

It talks to a running crossdock. With --store it writes to a Redis itself, for the
first revision of replicas that start with --published. Where what goes live has to be
approved, both are refused: see ` + "`crossdock approve`" + `.`,
		Example: `  crossdock publish --note "new carrier"
  crossdock publish ./pipelines --admin http://10.0.0.5:8090
  crossdock publish --store redis://127.0.0.1:6379`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && !cmd.Flags().Changed("dir") {
				r.dir = args[0]
			}
			pack, workspace, err := a.pack(cmd.Context(), dir(args), env)
			if err != nil {
				return err
			}
			entry := publication.Entry{Who: who(), Note: note, Workspace: workspace}
			if store != "" {
				return a.publishTo(cmd.Context(), runtime.Options{Dir: dir(args), Store: store}, entry, pack, r.json)
			}
			c, err := r.client()
			if err != nil {
				return err
			}
			var out admin.PublishAnswer
			if err := c.Post(cmd.Context(), "/v1/revisions", admin.Publishing{Who: entry.Who, Note: note, Pack: pack.Raw}, &out); err != nil {
				return failed(err)
			}
			return a.published(out, r.json)
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&note, "note", "", "why, for the history")
	cmd.Flags().StringVar(&env, "env", "", "environment whose variables are used by the check")
	cmd.Flags().StringVar(&store, "store", "", "write to this store, with nothing running: redis://... or embedded:PATH")
	return cmd
}

// pack checks a workspace and packs what was read for it.
func (a *app) pack(ctx context.Context, dir, env string) (*publication.Pack, string, error) {
	if _, err := os.Stat(dir); err != nil {
		return nil, "", failf(exitLoad, "there is no folder %s", dir)
	}
	rec := publication.Record(os.DirFS(dir))
	ws, list, err := dsl.Load(rec, dsl.Options{Catalog: catalog.New(), Environment: env, Std: std(), AnyEnvironment: true})
	if err != nil {
		return nil, "", failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, dir, "text")
		return nil, "", failf(exitFindings, "nothing was published: the definitions have errors")
	}
	if err := gate(ctx, ws, rec); err != nil {
		return nil, "", failf(exitFindings, "nothing was published: %s; `crossdock test` tells more", err)
	}
	pack, err := rec.Pack()
	if err != nil {
		return nil, "", failf(exitFindings, "%s", err)
	}
	return pack, ws.Revision, nil
}

// publishTo writes to a store that no process of ours has to serve.
func (a *app) publishTo(ctx context.Context, opt runtime.Options, entry publication.Entry, pack *publication.Pack, asJSON bool) error {
	d, err := runtime.OpenStore(ctx, opt)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	entry.At = time.Now().UTC()
	entry, err = runtime.PublishTo(ctx, d, entry, pack)
	closed := d.Close()
	var refused *runtime.Refused
	if errors.As(err, &refused) {
		return failf(exitFindings, "nothing was published: %s", refused.Reason)
	}
	if err = errors.Join(err, closed); err != nil {
		return failf(exitLoad, "%s", err)
	}
	return a.published(admin.PublishAnswer{Entry: &entry}, asJSON)
}

// published tells how a publication came out.
func (a *app) published(out admin.PublishAnswer, asJSON bool) error {
	if asJSON {
		if err := a.printJSON(out); err != nil {
			return err
		}
	} else {
		a.publication(out)
	}
	if out.Refused != "" || out.Here != nil && out.Here.Result == "failed" {
		return &exit{code: exitFindings}
	}
	return nil
}

func (a *app) publication(out admin.PublishAnswer) {
	switch {
	case out.Refused != "":
		fmt.Fprintf(a.Stdout, "nothing was published: %s\n", out.Refused)
	case out.Entry != nil:
		fmt.Fprintf(a.Stdout, "published %s (%d files, %s)\n", publication.Name(out.Entry.Number), out.Entry.Files, out.Entry.Digest[:12])
	default:
		fmt.Fprintln(a.Stdout, "every replica runs its own folder again")
	}
	a.findings(out.Findings)
	switch {
	case out.Here == nil:
	case out.Here.Result == "failed":
		fmt.Fprintf(a.Stdout, "it does not run on the replica that was asked: %s\n", out.Here.Error)
	default:
		fmt.Fprintf(a.Stdout, "the replica that was asked runs revision %s, generation %d; `crossdock status` shows the others\n", out.Here.Revision, out.Here.Generation)
	}
}

// findings lists the errors that a running crossdock found.
func (a *app) findings(list []runtime.Finding) {
	for _, f := range list {
		if !f.Warning {
			fmt.Fprintf(a.Stdout, "  %s %s %s\n", f.Place, f.Code, f.Message)
		}
	}
}

func (a *app) historyCommand() *cobra.Command {
	var r remote
	cmd := &cobra.Command{
		Use: "history", GroupID: "operate", Args: cobra.NoArgs,
		Short: "List the revisions that were published: when, by whom and why",
		Long: `List the revisions that were published, newest first: when, by whom and why. The one
with a star is what replicas run. The newest 20 are kept, and can be rolled back to.`,
		Example: "  crossdock history\n  crossdock history --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := r.client()
			if err != nil {
				return err
			}
			var book publication.Book
			if err := c.Get(cmd.Context(), "/v1/revisions", nil, &book); err != nil {
				return failed(err)
			}
			if r.json {
				return a.printJSON(book)
			}
			a.history(book)
			return nil
		},
	}
	r.flags(cmd)
	return cmd
}

func (a *app) history(book publication.Book) {
	if len(book.Entries) == 0 {
		fmt.Fprintln(a.Stdout, "nothing was published: every replica runs its own folder")
		return
	}
	rows := [][]string{{"", "REVISION", "PUBLISHED", "BY", "FILES", "DIGEST", "NOTE"}}
	approved := slices.ContainsFunc(book.Entries, func(e publication.Entry) bool { return e.Approved != "" })
	if approved {
		rows[0] = slices.Insert(rows[0], 4, "APPROVED BY")
	}
	for i := len(book.Entries) - 1; i >= 0; i-- {
		e := book.Entries[i]
		star, note := "", e.Note
		if e.Number == book.Active {
			star = "*"
		}
		if e.Again > 0 {
			note = strings.TrimSpace(publication.Name(e.Again) + " again  " + note)
		}
		row := []string{star, publication.Name(e.Number), e.At.Local().Format(time.DateTime), short(e.Who, 14), strconv.Itoa(e.Files), e.Digest[:12], short(note, 28)}
		if approved {
			row = slices.Insert(row, 4, short(e.Approved, 14))
		}
		rows = append(rows, row)
	}
	a.table(rows)
	if book.Active == 0 {
		fmt.Fprintln(a.Stdout, "none of them is at work: every replica runs its own folder")
	}
}

func (a *app) rollbackCommand() *cobra.Command {
	var r remote
	var note string
	cmd := &cobra.Command{
		Use: "rollback [rN | folder]", GroupID: "operate", Args: cobra.MaximumNArgs(1),
		Short: "Publish an earlier revision once more",
		Long: `Publish an earlier revision once more, as a new one: rN of ` + "`crossdock history`" + `, or
without a number the one before. It is checked like any other; what ran goes on
where it is not fit to run.

With the word folder instead, publishing is given up and every replica runs its own
folder again.`,
		Example: "  crossdock rollback\n  crossdock rollback r7 --note \"carrier rejects the new labels\"\n  crossdock rollback folder",
		RunE: func(cmd *cobra.Command, args []string) error {
			in := admin.Rollback{Who: who(), Note: note}
			if len(args) > 0 && args[0] == "folder" {
				in.Folder = true
			} else if len(args) > 0 {
				n, err := strconv.Atoi(strings.TrimPrefix(args[0], "r"))
				if err != nil || n < 1 {
					return fmt.Errorf("`%s` is no revision: write r7, as `crossdock history` shows them, or folder", args[0])
				}
				in.Number = n
			}
			c, err := r.client()
			if err != nil {
				return err
			}
			var out admin.PublishAnswer
			if err := c.Post(cmd.Context(), "/v1/revisions/rollback", in, &out); err != nil {
				return failed(err)
			}
			return a.published(out, r.json)
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&note, "note", "", "why, for the history")
	return cmd
}
