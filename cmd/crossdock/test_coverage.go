package main

import (
	"context"
	"fmt"

	"crossdock/runtime/coverage"
)

// coverage shows what the tests never reach.
func (a *app) coverage(ctx context.Context, f testFlags) error {
	if f.format == "junit" {
		return fmt.Errorf("--coverage prints text or json")
	}
	runner, err := a.testRunner(f)
	if err != nil {
		return err
	}
	r := coverage.Run(ctx, runner)
	if f.format == "json" {
		if err := a.printJSON(coverageJSON(r)); err != nil {
			return err
		}
	} else {
		a.unreached(r)
	}
	switch {
	case len(r.Failing) > 0:
		return failf(exitFindings, "%s fail", plural(len(r.Failing), "case", "cases"))
	case r.Percent() < f.least:
		return failf(exitFindings, "the tests reach %.1f%%, but --min asks for %g%%", r.Percent(), f.least)
	}
	return nil
}

func (a *app) unreached(r *coverage.Report) {
	for _, name := range r.Failing {
		fmt.Fprintln(a.Stdout, "FAIL", name)
	}
	definition := ""
	for _, i := range r.Items {
		if i.Reached {
			continue
		}
		if of := i.Kind + " " + i.Name; of != definition {
			definition = of
			fmt.Fprintln(a.Stdout, of)
		}
		fmt.Fprintf(a.Stdout, "  %s  %s: %s\n", i.Span, i.Row, i.What)
	}
	for _, x := range r.Unread {
		fmt.Fprintf(a.Stdout, "lookup %s\n  %s  no mapping and no pipeline here looks into it, so its codes do not count\n", x.Name, x.Span)
	}
	fmt.Fprintf(a.Stdout, "coverage %.1f%%: tests reach %d of %d rows, defaults, conditions, rules and codes\n", r.Percent(), r.Reached(), len(r.Items))
}

func coverageJSON(r *coverage.Report) any {
	type item struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
		Row  string `json:"row"`
		What string `json:"what"`
		spanJSON
		Reached bool `json:"reached"`
	}
	items := []item{}
	for _, i := range r.Items {
		s := i.Span
		items = append(items, item{i.Kind, i.Name, i.Row, i.What, spanJSON{s.File, s.Start.Line, s.Start.Col, s.End.Line, s.End.Col}, i.Reached})
	}
	unread := []unreadJSON{}
	for _, x := range r.Unread {
		unread = append(unread, unreadOf(x.Name, x.Span))
	}
	return map[string]any{"unread": unread, "percent": r.Percent(), "reached": r.Reached(), "all": len(r.Items), "failing": append([]string{}, r.Failing...), "items": items}
}
