package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/runtime/admin"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/message"
)

// many are the flags of commands that change many dead letters at once.
type many struct {
	what                  string
	selection             selection
	reason, rate, confirm string
	set                   []string
	dry, yes, force       bool
	reveal                bool
}

func (m *many) flags(cmd *cobra.Command) {
	m.selection.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&m.reason, "reason", "", "why, for the history")
	f.BoolVar(&m.dry, "dry-run", false, "only say what would be done, and what would be sent")
	f.BoolVar(&m.yes, "yes", false, "begin without looking first")
	f.StringVar(&m.confirm, "confirm", "", "the word that the dry run printed: begin exactly that")
	f.StringVar(&m.rate, "rate", "", "at most so many, such as 5/s or 100/m; as fast as their connections allow unless given")
	if m.what != deadletter.ToDiscard {
		f.BoolVar(&m.force, "force", false, "replay what the other side may have taken before and forgotten by now")
		f.BoolVar(&m.reveal, "reveal", false, "dry run: show personal data instead of masking it")
	}
}

// perSecond reads a rate.
func perSecond(text string) (float64, error) {
	if text == "" {
		return 0, nil
	}
	n, per, _ := strings.Cut(text, "/")
	rate, err := strconv.ParseFloat(n, 64)
	parts := map[string]float64{"": 1, "s": 1, "m": 60, "h": 3600}
	if err != nil || rate <= 0 || parts[per] == 0 {
		return 0, fmt.Errorf("`%s` is no rate such as 5/s or 100/m", text)
	}
	return rate / parts[per], nil
}

// run previews a change, and begins it where that is confirmed.
func (m *many) run(a *app, cmd *cobra.Command, r *remote) error {
	q, err := m.selection.query()
	if err != nil {
		return err
	}
	rate, err := perSecond(m.rate)
	if err != nil {
		return err
	}
	q.Set("what", m.what)
	q.Set("who", who())
	q.Set("reason", m.reason)
	q.Set("rate", strconv.FormatFloat(rate, 'g', -1, 64))
	q.Set("force", strconv.FormatBool(m.force))
	q.Set("reveal", strconv.FormatBool(m.reveal))
	q["set"] = m.set
	word := ""
	if m.confirm != "" {
		// The word names the moment up to which letters are meant.
		stamp, rest, ok := strings.Cut(m.confirm, "-")
		ms, err := strconv.ParseInt(stamp, 36, 64)
		if !ok || err != nil {
			return fmt.Errorf("`%s` is not the word that a dry run printed", m.confirm)
		}
		q.Set("until", time.UnixMicro(ms).UTC().Format(time.RFC3339Nano))
		word = rest
	} else {
		q.Set("until", time.Now().UTC().Truncate(time.Microsecond).Format(time.RFC3339Nano))
	}
	c, err := r.client()
	if err != nil {
		return err
	}
	var p deadletter.Preview
	if err := c.Get(cmd.Context(), "/v1/changes/preview", q, &p); err != nil {
		return failed(err)
	}
	if m.dry || !m.yes && word == "" || p.Total == 0 {
		return a.preview(r, p, m.dry)
	}
	if m.yes {
		word = p.Confirm
	}
	var done deadletter.Change
	if err := c.Post(cmd.Context(), "/v1/changes/"+m.what, admin.Begin{Wanted: p.Wanted, Confirm: word, Reason: m.reason}, &done); err != nil {
		return failed(err)
	}
	if r.json {
		return a.printJSON(done)
	}
	fmt.Fprintf(a.Stdout, "change %s has begun: %s %s\n", done.ID, done.What, plural(done.Total, "dead letter", "dead letters"))
	fmt.Fprintf(a.Stdout, "watch it: crossdock dlq changes %s   stop it: crossdock dlq stop %s\n", done.ID, done.ID)
	return nil
}

// preview prints what a change would do, and how to begin it.
func (a *app) preview(r *remote, p deadletter.Preview, dry bool) error {
	word := strconv.FormatInt(p.Wanted.Filter.Until.UnixMicro(), 36) + "-" + p.Confirm
	if r.json {
		return a.printJSON(struct {
			deadletter.Preview
			Word string `json:"word"` // for --confirm
		}{p, word})
	}
	if p.Total == 0 {
		fmt.Fprintln(a.Stdout, "no dead letters fit; nothing is done")
		return nil
	}
	fmt.Fprintf(a.Stdout, "%s would touch %s:\n", p.Wanted.What, plural(p.Total, "dead letter", "dead letters"))
	a.groupTable(p.Groups)
	for _, o := range p.Letters {
		a.outlook(o)
	}
	if p.Refused > 0 {
		fmt.Fprintf(a.Stdout, "of %d looked at closely, %d would be left as they are\n", p.Looked, p.Refused)
	}
	fmt.Fprintf(a.Stdout, "nothing is done yet. Begin it with the same flags and: --confirm %s\n", word)
	if !dry {
		return failf(exitFindings, "not confirmed: give --confirm %s, or --yes to begin without looking first", word)
	}
	return nil
}

// outlook prints what would happen to one letter.
func (a *app) outlook(o deadletter.Outlook) {
	if o.Problem != "" {
		fmt.Fprintf(a.Stdout, "%s would be left as it is: %s\n", o.ID, o.Problem)
		return
	}
	fmt.Fprintf(a.Stdout, "%s would be replayed\n", o.ID)
	a.differences(o.Changes)
	for _, e := range o.Effects {
		body := e.Body
		if body == nil && len(e.With) > 0 {
			body = e.With
		}
		fmt.Fprintf(a.Stdout, "  %s, key %s\n    %s\n", e.Target, e.Key, short(string(message.Marshal(body)), 96))
	}
	if o.End != "" {
		fmt.Fprintf(a.Stdout, "  then it %s\n", o.End)
	}
}

func (a *app) dlqReplay() *cobra.Command {
	var r remote
	m := many{what: deadletter.ToReplay}
	cmd := &cobra.Command{Use: "replay ID... | replay --group GROUP", Short: "Send dead letters back to the step that failed",
		Long: `Send dead letters back to the step that failed, with the definitions as they are
now and the same idempotency keys: nothing that succeeded is sent again. Many at
once are one change: it is looked at first, confirmed, and then goes on by itself;
see dlq changes, dlq stop and dlq resume.`,
		Example: `  crossdock dlq replay ID
  crossdock dlq replay --group 3f9a1c2b7d10 --dry-run
  crossdock dlq replay --box delivery --since 2h --rate 5/s --yes`}
	m.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if (len(args) > 0) == m.selection.any() {
			return fmt.Errorf("say which: one or more IDs, or --group, --box, --pipeline, --target, --field or --since")
		}
		if len(args) == 0 {
			return m.run(a, cmd, &r)
		}
		for _, id := range args {
			if m.dry {
				if err := a.dryReplay(cmd, &r, id, &m); err != nil {
					return err
				}
				continue
			}
			if err := a.change(cmd, &r, id, "replay", admin.Change{Who: who(), Reason: m.reason, Force: m.force}); err != nil {
				return err
			}
		}
		return nil
	}
	r.flags(cmd)
	return cmd
}

func (a *app) dryReplay(cmd *cobra.Command, r *remote, id string, m *many) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	var o deadletter.Outlook
	q := url.Values{"force": {strconv.FormatBool(m.force)}, "reveal": {strconv.FormatBool(m.reveal)}}
	if err := c.Get(cmd.Context(), "/v1/dead/"+url.PathEscape(id)+"/outlook", q, &o); err != nil {
		return failed(err)
	}
	if r.json {
		return a.printJSON(o)
	}
	a.outlook(o)
	return nil
}

func (a *app) dlqFix() *cobra.Command {
	var r remote
	m := many{what: deadletter.ToFix}
	cmd := &cobra.Command{Use: "fix GROUP --set PATH=JQ --reason WHY", Args: cobra.MaximumNArgs(1),
		Short: "Change the payloads of many dead letters in the same way, and replay them",
		Long: `Change the payloads of all dead letters of a group in the same way, and replay them.
PATH is a place in the payload, JQ an expression over the whole payload. Each result
must satisfy the schema that the pipeline accepts; the originals are kept in the
history. Where a definition was wrong, correct it and use dlq replay --group.`,
		Example: `  crossdock dlq fix 3f9a1c2b7d10 --set '.zip=.zip | tostring' --reason "zip as text" --dry-run
  crossdock dlq fix 3f9a1c2b7d10 --set '.country="DE"' --reason "country was missing" --yes`}
	m.flags(cmd)
	cmd.Flags().StringArrayVar(&m.set, "set", nil, "PATH=JQ; may be given several times")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			m.selection.group = args[0]
		}
		switch {
		case !m.selection.any():
			return fmt.Errorf("say which: a GROUP (see dlq list --group-by cause), or --box, --pipeline, --target, --field or --since")
		case len(m.set) == 0:
			return fmt.Errorf("say what to change: --set '.zip=.zip | tostring'")
		case m.reason == "":
			return fmt.Errorf("say why: --reason")
		}
		return m.run(a, cmd, &r)
	}
	r.flags(cmd)
	return cmd
}

func (a *app) dlqDiscard() *cobra.Command {
	var r remote
	m := many{what: deadletter.ToDiscard}
	cmd := &cobra.Command{Use: "discard ID... --reason WHY | discard --group GROUP --reason WHY",
		Short: "End dead letters for good; the history keeps who and why",
		Example: `  crossdock dlq discard ID --reason "test order"
  crossdock dlq discard --group 3f9a1c2b7d10 --reason "orders of the load test"`}
	m.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case (len(args) > 0) == m.selection.any():
			return fmt.Errorf("say which: one or more IDs, or --group, --box, --pipeline, --target, --field or --since")
		case m.reason == "":
			return fmt.Errorf("say why: --reason")
		case len(args) == 0:
			return m.run(a, cmd, &r)
		}
		for _, id := range args {
			if m.dry {
				fmt.Fprintf(a.Stdout, "%s would be discarded\n", id)
				continue
			}
			if err := a.change(cmd, &r, id, "discard", admin.Change{Who: who(), Reason: m.reason}); err != nil {
				return err
			}
		}
		return nil
	}
	r.flags(cmd)
	return cmd
}

// change posts a change of one dead letter.
func (a *app) change(cmd *cobra.Command, r *remote, id, what string, c admin.Change) error {
	client, err := r.client()
	if err != nil {
		return err
	}
	var out map[string]string
	if err := client.Post(cmd.Context(), "/v1/dead/"+url.PathEscape(id)+"/"+what, c, &out); err != nil {
		return failf(exitFindings, "%s: %s", id, failed(err))
	}
	if r.json {
		return a.printJSON(map[string]string{"id": id, "done": what})
	}
	fmt.Fprintf(a.Stdout, "%s: %s done\n", id, what)
	return nil
}
