package main

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl/spec"
	"crossdock/runtime/admin"
	"crossdock/runtime/deadletter"
)

// selection are the flags that say which dead letters are meant.
type selection struct {
	box, client, pipeline, group, target, field, since string
}

func (s *selection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&s.box, "box", "", "those in this box")
	f.StringVar(&s.client, "client", "", "those of the pipelines of this client, by its code")
	f.StringVar(&s.pipeline, "pipeline", "", "those of this pipeline")
	f.StringVar(&s.group, "group", "", "those of this cause (see dlq list --group-by cause)")
	f.StringVar(&s.target, "target", "", "those that this operation refused, such as tms.create")
	f.StringVar(&s.field, "field", "", "those that failed at this field")
	f.StringVar(&s.since, "since", "", "those that died in the last 30m, 2h or 1d, or since a time such as 2026-11-23T17:00:00Z")
}

// any reports whether anything was selected.
func (s *selection) any() bool { return *s != selection{} }

// query makes the selection part of a request.
func (s *selection) query() (url.Values, error) {
	q := url.Values{}
	for name, v := range map[string]string{"box": s.box, "client": s.client, "pipeline": s.pipeline, "group": s.group, "target": s.target, "field": s.field} {
		if v != "" {
			q.Set(name, v)
		}
	}
	if s.since == "" {
		return q, nil
	}
	at, err := time.Parse(time.RFC3339, s.since)
	if d, ok := spec.ParseDuration(s.since); ok {
		at, err = time.Now().Add(-d), nil
	}
	if err != nil {
		return nil, fmt.Errorf("`%s` is no length of time such as 30m, 2h or 1d, and no time such as 2026-11-23T17:00:00Z", s.since)
	}
	q.Set("since", at.UTC().Format(time.RFC3339Nano))
	return q, nil
}

func (a *app) dlqList() *cobra.Command {
	var r remote
	var s selection
	cmd := &cobra.Command{Use: "list", Args: cobra.NoArgs, Short: "List dead letters, oldest first, or count them by cause",
		Long: `List dead letters, oldest first, or count what they have in common: the cause with
its fingerprint, how many, since when, and one of them as an example. They are read
page by page, however many there are.`,
		Example: `  crossdock dlq list --box delivery --since 2h
  crossdock dlq list --group-by cause
  crossdock dlq list --group 3f9a1c2b7d10 --limit 0 --json`}
	s.flags(cmd)
	by := cmd.Flags().String("group-by", "", "count by "+strings.Join(deadletter.Groupings(), ", "))
	most := cmd.Flags().Int("limit", 100, "how many are listed; 0 = all")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q, err := s.query()
		if err != nil {
			return err
		}
		if *by != "" {
			q.Set("by", *by)
			return a.groups(cmd, &r, q)
		}
		return a.letters(cmd, &r, q, *most)
	}
	r.flags(cmd)
	return cmd
}

// letters lists dead letters page by page.
func (a *app) letters(cmd *cobra.Command, r *remote, q url.Values, most int) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	shown := 0
	next, err := pages(most, 500, func(after string, size int) (int, string, error) {
		q.Set("limit", strconv.Itoa(size))
		q.Set("after", after)
		var page admin.DeadPage
		if err := c.Get(cmd.Context(), "/v1/dead", q, &page); err != nil {
			return 0, "", failed(err)
		}
		err := a.letterPage(page.Letters, shown, r.json)
		shown += len(page.Letters)
		return len(page.Letters), page.Next, err
	})
	if err != nil {
		return err
	}
	switch {
	case r.json && shown == 0:
		fmt.Fprintln(a.Stdout, "[]")
	case r.json:
		fmt.Fprintln(a.Stdout, "\n]")
	case next != "":
		fmt.Fprintf(a.Stdout, "there may be more; --limit 0 lists all, --group-by cause counts them\n")
	case shown == 0:
		fmt.Fprintln(a.Stdout, "no dead letters")
	}
	return nil
}

// letterPage prints some letters behind others that were shown before.
func (a *app) letterPage(letters []deadletter.Letter, before int, asJSON bool) error {
	if asJSON {
		for i, l := range letters {
			raw, err := json.MarshalIndent(l, "  ", "  ")
			if err != nil {
				return failf(exitLoad, "%s", err)
			}
			begin := ",\n  "
			if before+i == 0 {
				begin = "[\n  "
			}
			fmt.Fprintf(a.Stdout, "%s%s", begin, raw)
		}
		return nil
	}
	const form = "%-*s  %-14s  %-18s  %s\n"
	wide := 26 // IDs of items, branches and what an event started are longer
	for _, l := range letters {
		wide = max(wide, len(l.ID))
	}
	if before == 0 && len(letters) > 0 {
		fmt.Fprintf(a.Stdout, form, wide, "ID", "DIED", "PIPELINE", "STEP")
	}
	for _, l := range letters {
		fmt.Fprintf(a.Stdout, form, wide, l.ID, l.DeadAt.Local().Format("01-02 15:04:05"), short(l.Pipeline, 18), short(l.Step, 36))
		// Why stands by itself: it is what people look for, and long.
		fmt.Fprintf(a.Stdout, "    %s\n", short(l.Reason, 96))
	}
	return nil
}

func (a *app) groups(cmd *cobra.Command, r *remote, q url.Values) error {
	c, err := r.client()
	if err != nil {
		return err
	}
	var groups []deadletter.Group
	if err := c.Get(cmd.Context(), "/v1/dead/groups", q, &groups); err != nil {
		return failed(err)
	}
	if r.json {
		return a.printJSON(groups)
	}
	if len(groups) == 0 {
		fmt.Fprintln(a.Stdout, "no dead letters")
		return nil
	}
	a.groupTable(groups)
	return nil
}

func (a *app) groupTable(groups []deadletter.Group) {
	const form = "%-6v %-20s  %-11s  %-11s  %s\n"
	fmt.Fprintf(a.Stdout, form, "COUNT", "GROUP", "FIRST", "LAST", "EXAMPLE")
	for _, g := range groups {
		fmt.Fprintf(a.Stdout, form, g.Count, short(g.Name, 20), g.First.Local().Format("01-02 15:04"), g.Last.Local().Format("01-02 15:04"), g.Example)
		fmt.Fprintf(a.Stdout, "       %s: %s\n", short(g.Pipeline, 24), short(g.Reason, 66))
	}
}

func (a *app) dlqBoxes() *cobra.Command {
	var r remote
	cmd := &cobra.Command{Use: "boxes", Args: cobra.NoArgs, Short: "Show how full the dead-letter boxes are, and how long they keep",
		Example: "  crossdock dlq boxes\n  crossdock dlq boxes --json"}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := r.client()
		if err != nil {
			return err
		}
		var boxes []deadletter.BoxInfo
		if err := c.Get(cmd.Context(), "/v1/dead/boxes", nil, &boxes); err != nil {
			return failed(err)
		}
		if r.json {
			return a.printJSON(boxes)
		}
		rows := [][]string{{"BOX", "LETTERS", "OLDEST", "KEPT"}}
		for _, b := range boxes {
			oldest, keep := "-", "for ever"
			if b.Depth > 0 {
				oldest = b.Oldest.Local().Format("2006-01-02 15:04")
			}
			if b.Keep > 0 {
				keep = strconv.FormatFloat(b.Keep.Hours()/24, 'g', 3, 64) + " days"
			}
			rows = append(rows, []string{b.Name, strconv.Itoa(b.Depth), oldest, keep})
		}
		a.table(rows)
		return nil
	}
	r.flags(cmd)
	return cmd
}
