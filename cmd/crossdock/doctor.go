package main

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/runtime"
	"crossdock/runtime/queue"
)

func (a *app) doctorCommand() *cobra.Command {
	var state, store, env, durability string
	var unsafe, asJSON bool
	cmd := &cobra.Command{
		Use: "doctor [DIR]", GroupID: "operate", Args: cobra.MaximumNArgs(1),
		Short: "Check the store and the secrets, and say what every flow promises",
		Long: `Check whether the store is set up so that crossdock can keep its promises, whether
every secret is there, and print what each flow promises. It refuses a Redis that
may evict or forget data, unless told --unsafe.`,
		Example: "  crossdock doctor\n  crossdock doctor --store redis://127.0.0.1:6379",
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.doctor(cmd.Context(), dir(args), env, runtime.Options{Dir: dir(args), State: state, Store: store, Durability: durability, Unsafe: true}, unsafe, asJSON)
		},
	}
	cmd.Flags().StringVar(&state, "state", "", "folder of the store (default DIR/.crossdock)")
	cmd.Flags().StringVar(&store, "store", "", "embedded:PATH, redis://..., rediss://... or memory:")
	cmd.Flags().StringVar(&env, "env", "", "environment to check")
	cmd.Flags().StringVar(&durability, "durability", "fsync", "fsync, process or replicated")
	cmd.Flags().BoolVar(&unsafe, "unsafe", false, "accept a store whose settings break the promises")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// checkup is what the doctor found.
type checkup struct {
	Store    []queue.Finding `json:"store"`
	Secrets  []string        `json:"missing_secrets"`
	Promises []promise       `json:"promises"`

	Durability []durability `json:"durability"`
}

type promise struct {
	Pipeline string `json:"pipeline"`
	Target   string `json:"target"`
	Text     string `json:"promise"`
}

func (a *app) doctor(ctx context.Context, dir, env string, opt runtime.Options, unsafe, asJSON bool) error {
	ws, list, err := load(dir, env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, dir, "text")
		return failf(exitLoad, "the definitions have errors")
	}
	var out checkup
	d, err := runtime.OpenStore(ctx, opt)
	switch {
	case errors.Is(err, queue.ErrInUse):
		out.Store = []queue.Finding{inUse(ctx, dir, opt.State)}
	case err != nil:
		out.Store = []queue.Finding{{Fatal: true, Message: err.Error(), Hint: "look at --store and --state, and at who may read and write there"}}
	default:
		var known []queue.Finding
		out.Store, err = d.Check(ctx)
		if err == nil {
			known, err = runtime.KnownStore(ctx, d, opt)
			out.Store = append(out.Store, known...)
		}
		if err = errors.Join(err, d.Close()); err != nil {
			return failf(exitLoad, "%s", err)
		}
	}
	secrets := runtime.NewSecrets(ws.Environment.Spec.Secrets, dir, true)
	for _, name := range ws.SecretNames() {
		if _, err := secrets.Lookup(name); err != nil {
			out.Secrets = append(out.Secrets, err.Error())
		}
	}
	out.Durability = durabilities
	out.Promises = promises(ws)
	if asJSON {
		if err := a.printJSON(out); err != nil {
			return err
		}
	} else {
		a.checkup(out)
	}
	for _, f := range out.Store {
		if f.Fatal && !unsafe {
			return failf(exitFindings, "the store does not keep what crossdock promises; --unsafe accepts it")
		}
	}
	if len(out.Secrets) > 0 {
		return &exit{code: exitFindings}
	}
	return nil
}

// inUse asks the crossdock that has the store open how it is. Its settings were
// checked when it started.
func inUse(ctx context.Context, dir, state string) queue.Finding {
	r := remote{dir: dir, state: state}
	c, err := r.client()
	var s runtime.Status
	if err == nil {
		err = c.Get(ctx, "/v1/status", nil, &s)
	}
	if err != nil {
		return queue.Finding{Message: "another process has it open, and no crossdock of this workspace answers: " + err.Error(),
			Hint: "find out which process it is; to check the store itself, stop it first"}
	}
	word := "ready"
	if !s.Ready {
		word = "not ready"
	}
	return queue.Finding{Message: fmt.Sprintf("in use by the crossdock that runs here: %s, revision %s, since %s", word, s.Revision, s.Since.Local().Format(time.DateTime)),
		Hint: "it checked the store when it started; `crossdock status` tells more"}
}

func (a *app) checkup(c checkup) {
	if len(c.Store) == 0 {
		fmt.Fprintln(a.Stdout, "store: in order")
	}
	for _, f := range c.Store {
		word := "note"
		if f.Fatal {
			word = "BROKEN"
		}
		fmt.Fprintf(a.Stdout, "store: %s: %s\n", word, f.Message)
		if f.Hint != "" {
			fmt.Fprintf(a.Stdout, "       %s\n", f.Hint)
		}
	}
	for _, s := range c.Secrets {
		fmt.Fprintf(a.Stdout, "secret: %s\n", s)
	}
	rows := [][]string{{"DURABILITY", "STORE", "WHAT WAS ANSWERED WITH 2XX SURVIVES"}}
	for _, l := range c.Durability {
		rows = append(rows, []string{l.Level, l.Store, l.Survives})
	}
	a.table(rows)
	rows = [][]string{{"PIPELINE", "TARGET", "PROMISE"}}
	for _, p := range c.Promises {
		rows = append(rows, []string{short(p.Pipeline, 24), short(p.Target, 30), p.Text})
	}
	if len(rows) > 1 {
		a.table(rows)
	}
}

// promises says what each effect of each pipeline promises.
func promises(ws *dsl.Workspace) []promise {
	var out []promise
	for _, name := range sorted(ws.Pipelines) {
		p := ws.Pipelines[name]
		seen := map[string]bool{}
		for _, s := range p.ByID {
			if !s.Action.Effect() || s.Action == compile.ActEmit || seen[s.Target] {
				continue
			}
			seen[s.Target] = true
			if op := ws.Operation(s.Target); op != nil {
				out = append(out, promise{name, s.Target, promiseOf(op)})
			}
		}
	}
	sort.SliceStable(out, func(i, j int) bool {
		return out[i].Pipeline < out[j].Pipeline || out[i].Pipeline == out[j].Pipeline && out[i].Target < out[j].Target
	})
	return out
}

func promiseOf(op *compile.Operation) string {
	switch op.Repeat {
	case compile.RepeatSafe:
		return "at least once; a repeat changes nothing there"
	case compile.RepeatKeyed:
		return "once, as long as the target remembers " + op.KeyHeader
	case compile.RepeatCheck:
		return "once, as far as " + op.Check.Operation + " finds it"
	}
	return "at most once; an unknown outcome waits for a person"
}
