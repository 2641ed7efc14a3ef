package main

import (
	"fmt"
	"net/url"

	"github.com/spf13/cobra"

	"crossdock/runtime/admin"
	"crossdock/runtime/deadletter"
)

func (a *app) dlqChanges() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "changes [ID]", Args: cobra.MaximumNArgs(1), Short: "Watch changes of many dead letters, newest first, or one of them",
		Example: "  crossdock dlq changes\n  crossdock dlq changes 261123-170549-ABCD --json"}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		if len(args) == 1 {
			var one deadletter.Change
			if err := c.Get(cmd.Context(), "/v1/changes/"+url.PathEscape(args[0]), nil, &one); err != nil {
				return failed(err)
			}
			return a.oneChange(&r, one)
		}
		var all []deadletter.Change
		if err := c.Get(cmd.Context(), "/v1/changes", nil, &all); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(all)
		}
		if len(all) == 0 {
			fmt.Fprintln(a.Stdout, "no changes")
			return nil
		}
		rows := [][]string{{"ID", "WHAT", "STATE", "DONE", "LEFT", "WHO", "WHY"}}
		for _, c := range all {
			rows = append(rows, []string{c.ID, c.What, c.State, fmt.Sprintf("%d of %d", c.Done, c.Total), fmt.Sprint(c.Refused), short(c.Who, 12), short(c.Reason, 24)})
		}
		a.table(rows)
		return nil
	}
	r.flags(cmd)
	return cmd
}

// oneChange prints a change with why letters were left.
func (a *app) oneChange(r *remote, c deadletter.Change) error {
	if r.json {
		return a.printJSON(c)
	}
	fmt.Fprintf(a.Stdout, "%s: %s by %s, %s: %d of %d done, %d left as they are, %d gone meanwhile\n", c.ID, c.What, c.Who, c.State, c.Done, c.Total, c.Refused, c.Gone)
	for _, p := range c.Problems {
		fmt.Fprintf(a.Stdout, "  %s: %s\n", p.ID, p.Why)
	}
	return nil
}

func (a *app) dlqStop() *cobra.Command {
	return a.dlqTurn("stop", "Stop a change of many dead letters; what it has done stays done")
}

func (a *app) dlqResume() *cobra.Command {
	return a.dlqTurn("resume", "Let a change that was stopped go on where it was")
}

func (a *app) dlqTurn(what, about string) *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: what + " ID", Args: cobra.ExactArgs(1), Short: about, Example: "  crossdock dlq " + what + " 261123-170549-ABCD"}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var one deadletter.Change
		if err := c.Post(cmd.Context(), "/v1/changes/"+url.PathEscape(args[0])+"/"+what, admin.Change{Who: who()}, &one); err != nil {
			return failed(err)
		}
		return a.oneChange(&r, one)
	}
	r.flags(cmd)
	return cmd
}
