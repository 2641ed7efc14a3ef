package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/runtime/deadletter"
)

func (a *app) dlqShow() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "show ID", Args: cobra.ExactArgs(1), Short: "Show one dead letter: why it died, where, what it holds, and what to type",
		Example: "  crossdock dlq show 06H0H5XD73KB6YWQZZ24A9PGHM\n  crossdock dlq show 06H0H5XD73KB6YWQZZ24A9PGHM --reveal --json"}
	r.flags(cmd)
	reveal := cmd.Flags().Bool("reveal", false, "show personal data instead of masking it")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		l, err := a.letter(cmd, &r, args[0], *reveal)
		if err != nil {
			return err
		}
		if r.json {
			return a.printJSON(l)
		}
		return showLetter(a.Stdout, &l)
	}
	return cmd
}

func (a *app) letter(cmd *cobra.Command, r *remote, id string, reveal bool) (deadletter.Letter, error) {
	var l deadletter.Letter
	c, err := r.client()
	if err != nil {
		return l, err
	}
	err = c.Get(cmd.Context(), "/v1/dead/"+url.PathEscape(id), url.Values{"reveal": {strconv.FormatBool(reveal)}}, &l)
	return l, failed(err)
}

// holdsUp says what waits until a dead letter ends.
func holdsUp(h *deadletter.Held) string {
	if h.First == "" {
		return "what comes with the same order_by (on_dead_letter: block)"
	}
	return h.First + " and what comes behind it with the same order_by"
}

// showLetter writes a dead letter for people.
func showLetter(w io.Writer, l *deadletter.Letter) error {
	fmt.Fprintf(w, "%s of %s, dead since %s, in the box %s\n", l.ID, l.Pipeline, l.DeadAt.Local().Format(time.DateTime), l.Box)
	fact := func(name, text string) {
		if text != "" {
			fmt.Fprintf(w, "  %-9s %s\n", name, text)
		}
	}
	if c := l.Cause; c != nil {
		fact("why", c.Message)
		fact("hint", c.Hint)
		fact("cause", c.Code)
		where := []string{}
		for _, part := range []struct{ name, text string }{{"step ", l.Step}, {"field ", c.Field}, {"written at ", c.Place}} {
			if part.text != "" {
				where = append(where, part.name+part.text)
			}
		}
		fact("where", strings.Join(where, ", "))
	} else {
		fact("why", l.Reason)
		fact("where", l.Step)
	}
	var refs []string
	for _, r := range l.Refs {
		refs = append(refs, r.Type+" "+r.Value)
	}
	fact("found by", strings.Join(refs, ", "))
	if l.Attempts > 0 {
		fact("attempts", strconv.Itoa(l.Attempts))
	}
	fact("group", l.Group)
	if l.Holds != nil {
		fact("holds up", holdsUp(l.Holds))
	}
	for _, part := range []struct {
		title string
		v     any
		is    bool
	}{
		{"payload at that step", l.Payload, l.Payload != nil},
		{"as received", l.Original, l.Original != nil},
		{"as received, unread", l.Raw, l.Raw != ""},
		{"results so far", l.Steps, len(l.Steps) > 0},
	} {
		if !part.is {
			continue
		}
		fmt.Fprintf(w, "\n%s:\n", part.title)
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := enc.Encode(part.v); err != nil {
			return failf(exitLoad, "%s", err)
		}
	}
	fmt.Fprintf(w, "\nsend it on:  crossdock dlq replay %s\nchange it:   crossdock dlq edit %s --reason WHY\nend it:      crossdock dlq discard %s --reason WHY\n", l.ID, l.ID, l.ID)
	return nil
}
