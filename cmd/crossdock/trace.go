package main

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/runtime/admin"
	"crossdock/runtime/queue"
)

func (a *app) traceCommand() *cobra.Command {
	var r remote
	cmd := &cobra.Command{
		Use: "trace REF VALUE | trace VALUE | trace --id ID", GroupID: "operate", Args: cobra.MaximumNArgs(2),
		Short: "Tell the story of a message by any business number",
		Long: `Tell the story of every message that carries a business number: what came in,
which rules were chosen, what was sent where, in which attempt, and how it ended.
Below it stands where that is now which is not done: what it waits for, and until when.

REF is a name below trace_by in the definitions; without it every name counts.`,
		Example: "  crossdock trace order SO-4711\n  crossdock trace SO-4711 --client acme\n  crossdock trace --id 06H0H5XD73KB6YWQZZ24A9PGHM",
	}
	id := cmd.Flags().String("id", "", "ID of a message")
	client := cmd.Flags().String("client", "", "only what pipelines of this client did, by its code: numbers of clients may be alike")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		q := url.Values{"client": {*client}}
		switch {
		case *id != "":
			q.Set("id", *id)
		case len(args) == 2:
			q.Set("ref", args[0])
			q.Set("value", args[1])
		case len(args) == 1:
			q.Set("value", args[0])
		default:
			return fmt.Errorf("say which message: trace REF VALUE, trace VALUE, or trace --id ID")
		}
		c, err := r.client()
		if err != nil {
			return err
		}
		var out traced
		if err := c.Get(cmd.Context(), "/v1/trace", q, &out.History); err != nil {
			return failed(err)
		}
		if err := c.Get(cmd.Context(), "/v1/trace/now", q, &out.Now); err != nil {
			return failed(err)
		}
		if out.History == nil {
			out.History = []queue.Entry{}
		}
		if r.json {
			if err := a.printJSON(out); err != nil {
				return err
			}
		}
		if len(out.History) == 0 {
			return failf(exitFindings, "no message with that number is known; numbers are those below `trace_by`, the history is kept "+
				"as long as `run --history` says, and `crossdock dlq rejected` lists what nobody could read")
		}
		if !r.json {
			a.story(out.History)
			a.standing(out.Now)
		}
		return nil
	}
	r.flags(cmd)
	return cmd
}

// traced is what is known of the messages with a number.
type traced struct {
	History []queue.Entry    `json:"history"`
	Now     []admin.Standing `json:"now"` // of what is not done
}

// story prints a history as a timeline.
func (a *app) story(entries []queue.Entry) {
	rows := [][]string{{"TIME", "PIPELINE", "WHAT", "WHERE", ""}}
	var long []string // what the table has no room for
	clock := "15:04:05.000"
	if today := time.Now().Local().Format(time.DateOnly); slices.ContainsFunc(entries, func(e queue.Entry) bool { return e.At.Local().Format(time.DateOnly) != today }) {
		clock = "01-02 15:04:05.000" // not all of it was today
	}
	for _, e := range entries {
		where := e.Target
		if where == "" {
			where = e.Step
		}
		detail := e.Detail
		if e.Attempt > 1 {
			detail = fmt.Sprintf("attempt %d  %s", e.Attempt, detail)
		}
		if e.Kind == queue.Accepted && detail == "" {
			detail = "message " + e.Message
		}
		if whole := strings.Join(strings.Fields(detail), " "); short(whole, 60) != whole {
			long = append(long, e.At.Local().Format(clock)+"  "+whole)
		}
		rows = append(rows, []string{e.At.Local().Format(clock), short(e.Pipeline, 22), string(e.Kind), short(where, 28), short(detail, 60)})
	}
	a.table(rows)
	for i, text := range long {
		if i == 0 {
			fmt.Fprintln(a.Stdout, "\nin full:")
		}
		fmt.Fprintln(a.Stdout, text)
	}
}

// standing says where messages stand that are not done.
func (a *app) standing(list []admin.Standing) {
	for i, s := range list {
		if i == 0 {
			fmt.Fprintln(a.Stdout, "\nnow:")
		}
		fmt.Fprintf(a.Stdout, "%s  %s\n", s.Pipeline, stands(s))
	}
}

// stands says in words where one message stands, and what comes next.
func stands(s admin.Standing) string {
	by := ""
	if !s.Due.IsZero() {
		by = s.Due.Local().Format("2006-01-02 15:04:05 MST")
	}
	switch {
	case s.State == queue.DeadJob:
		return fmt.Sprintf("is a dead letter in the box %s: %s\n  crossdock dlq show %s", s.Box, s.Reason, s.Message)
	case s.State == queue.Leased:
		return fmt.Sprintf("is worked on, attempt %d", s.Attempts+1)
	case s.State == queue.Delayed && s.Attempts > 0:
		return fmt.Sprintf("waits for attempt %d, at %s", s.Attempts+1, by)
	case s.State == queue.Delayed:
		return "waits until " + by
	case s.State == queue.Parked && by != "":
		return fmt.Sprintf("waits: %s; looked at again by %s", s.Reason, by)
	case s.State == queue.Parked:
		return "waits: " + s.Reason
	case s.Paused:
		return "waits, because the pipeline is paused: crossdock resume " + s.Pipeline
	case s.Behind != "":
		return "waits behind " + s.Behind + ", which has the same order_by and goes first"
	}
	return "waits for its turn since " + s.Since.Local().Format("2006-01-02 15:04:05 MST")
}
