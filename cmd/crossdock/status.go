package main

import (
	"fmt"
	"net/url"
	"sort"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"crossdock/runtime"
	"crossdock/runtime/admin"
	"crossdock/runtime/journal"
)

func (a *app) statusCommand() *cobra.Command {
	var r remote
	var client string
	cmd := &cobra.Command{
		Use: "status", GroupID: "operate", Args: cobra.NoArgs,
		Short:   "Show what runs: revision, generation and every pipeline",
		Example: "  crossdock status\n  crossdock status --client acme\n  crossdock status --dir examples/01-spare-parts --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := r.client()
			if err != nil {
				return err
			}
			var s runtime.Status
			var b journal.Balance
			q := url.Values{"client": {client}}
			if err := c.Get(cmd.Context(), "/v1/status", q, &s); err != nil {
				return failed(err)
			}
			if err := c.Get(cmd.Context(), "/v1/balance", q, &b); err != nil {
				return failed(err)
			}
			if client != "" && len(s.Pipelines) == 0 {
				return failf(exitFindings, "no pipeline of a client `%s` runs; `crossdock status` lists all, those of a client begin with its code", client)
			}
			if r.json {
				return a.printJSON(map[string]any{"status": s, "balance": b})
			}
			a.status(s, b)
			return nil
		},
	}
	r.flags(cmd)
	cmd.Flags().StringVar(&client, "client", "", "only pipelines and messages of this client, by its code")
	return cmd
}

func (a *app) status(s runtime.Status, b journal.Balance) {
	state := "ready"
	if !s.Ready {
		state = "NOT READY"
	}
	fmt.Fprintf(a.Stdout, "%s  %s  generation %d  since %s  webhooks on %s\n", state, revisionOf(s.Revision, s.Published), s.Generation, s.Since.Local().Format(time.DateTime), s.HTTP)
	fmt.Fprintf(a.Stdout, "last reload: %s at %s\n", s.Last.Result, s.Last.At.Local().Format(time.DateTime))
	back := s.Last.Error != "" && s.Checked.At.After(s.Last.At) && s.Checked.Error == ""
	if s.Checked.At.After(s.Last.At) {
		note := ""
		if back {
			note = ": what was refused has been taken back"
		}
		fmt.Fprintf(a.Stdout, "last check: %s at %s%s\n", s.Checked.Result, s.Checked.At.Local().Format(time.DateTime), note)
	}
	if s.Last.Error != "" && !back {
		fmt.Fprintf(a.Stdout, "  refused: %s\n", s.Last.Error)
	}
	for _, f := range s.Findings {
		if !f.Warning {
			fmt.Fprintf(a.Stdout, "  %s %s %s\n", f.Place, f.Code, f.Message)
		}
	}
	a.replicas(s)
	names := make([]string, 0, len(s.Pipelines))
	for name := range s.Pipelines {
		names = append(names, name)
	}
	sort.Strings(names)
	rows := [][]string{{"PIPELINE", "TRIGGER", "WAITING", "RETRY", "PARKED", "DEAD", "OLDEST", ""}}
	for _, name := range names {
		p := s.Pipelines[name]
		row := []string{name, short(p.Trigger, 36), "0", "0", "0", "0", "", p.Outcome}
		if p.Lane != nil {
			parked := 0
			for _, n := range p.Lane.Parked {
				parked += n
			}
			row[2], row[3], row[4] = strconv.Itoa(p.Lane.Ready), strconv.Itoa(p.Lane.Delayed), strconv.Itoa(parked)
			row[5], row[6] = strconv.Itoa(p.Lane.Dead), age(p.Lane.Oldest)
		}
		if p.Failing != "" {
			row[7] = "its source fails"
		}
		if p.Paused {
			row[7] = "paused"
		}
		rows = append(rows, row)
	}
	a.table(rows)
	for _, name := range names {
		if why := s.Pipelines[name].Failing; why != "" {
			fmt.Fprintf(a.Stdout, "%s: %s\n", name, why)
		}
	}
	a.balance(b)
}

func (a *app) balance(b journal.Balance) {
	fmt.Fprintf(a.Stdout, "accepted %d = delivered %d + filtered %d + dead %d + discarded %d + open %d   (%d messages, %d duplicates, %d refused)\n",
		b.Accepted, b.Delivered, b.Filtered, b.Dead, b.Discarded, b.Open, b.Messages, b.Duplicates, b.Rejected+b.Conflicts)
	if b.Unaccounted != 0 {
		fmt.Fprintf(a.Stdout, "%d are unaccounted for (messages may have moved while this was read)\n", b.Unaccounted)
	}
}

func age(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return time.Since(t).Round(time.Second).String()
}

func (a *app) reloadCommand() *cobra.Command {
	var r remote
	cmd := &cobra.Command{
		Use: "reload", GroupID: "operate", Args: cobra.NoArgs,
		Short:   "Bring changed definitions to life, or say why not",
		Example: "  crossdock reload\n  crossdock reload --dir examples/01-spare-parts --json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := r.client()
			if err != nil {
				return err
			}
			var out admin.ReloadAnswer
			if err := c.Post(cmd.Context(), "/v1/reload", nil, &out); err != nil {
				return failed(err)
			}
			if r.json {
				if err := a.printJSON(out); err != nil {
					return err
				}
			} else {
				fmt.Fprintf(a.Stdout, "%s: revision %s, generation %d (%s)\n", out.Result, out.Revision, out.Generation, out.Took.Round(time.Millisecond))
				for _, ch := range out.Changes {
					fmt.Fprintf(a.Stdout, "  %-8s %s %s\n", ch.What, ch.Kind, ch.Name)
				}
				for _, f := range out.Findings {
					fmt.Fprintf(a.Stdout, "  %s %s %s\n", f.Place, f.Code, f.Message)
				}
				if out.Error != "" {
					fmt.Fprintf(a.Stdout, "  %s\n", out.Error)
				}
			}
			if out.Result == "failed" {
				return &exit{code: exitFindings}
			}
			return nil
		},
	}
	r.flags(cmd)
	return cmd
}

func (a *app) switchCommand(word, short string) *cobra.Command {
	var r remote
	cmd := &cobra.Command{
		Use: word + " PIPELINE", GroupID: "operate", Args: cobra.ExactArgs(1), Short: short,
		Example: "  crossdock " + word + " order-release",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := r.client()
			if err != nil {
				return err
			}
			var out map[string]string
			if err := c.Post(cmd.Context(), "/v1/pipelines/"+url.PathEscape(args[0])+"/"+word, nil, &out); err != nil {
				return failed(err)
			}
			fmt.Fprintf(a.Stdout, "%s: %sd\n", args[0], word)
			return nil
		},
	}
	r.flags(cmd)
	return cmd
}
