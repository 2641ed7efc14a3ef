package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/lineage"
)

// lineageFlags are the flags of `lineage`.
type lineageFlags struct {
	dir, env, target string
	json             bool
}

func (a *app) lineageCommand() *cobra.Command {
	var f lineageFlags
	cmd := &cobra.Command{
		Use: "lineage NAME [PATH] | --target OPERATION [PATH]", GroupID: "write", Args: cobra.MaximumNArgs(2),
		Short: "Show what depends on a field, or where a field comes from",
		Long: `Show every row, key, rule, event and operation that depends on a field, through
helper values, lists, events and other pipelines. NAME is a schema, mapping,
pipeline or lookup, or an operation, whose answer is meant.

With --target: everything that a field of what an operation is sent comes from,
back to what a trigger receives. A path is written partners[].zip or
/partners/0/zip; the name of a placeholder works as well.`,
		Example: `  crossdock lineage erp/sales-order@1 partners[].zip
  crossdock lineage service-levels
  crossdock lineage --target tms.create_shipment /consignee/postalCode`,
		RunE: func(_ *cobra.Command, args []string) error { return a.lineage(args, f) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().StringVar(&f.target, "target", "", "operation whose field is followed back to its sources")
	cmd.Flags().BoolVar(&f.json, "json", false, "print as JSON")
	return cmd
}

func (a *app) lineage(args []string, f lineageFlags) error {
	switch {
	case f.target == "" && len(args) == 0:
		return fmt.Errorf("say whose field: crossdock lineage erp/sales-order@1 partners[].zip")
	case f.target != "" && len(args) > 1:
		return fmt.Errorf("--target takes one path")
	}
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if list.HasErrors() {
		a.print(list, f.dir, "text")
		return failf(exitLoad, "the definitions have errors, so not every way is known")
	}
	g := lineage.Of(ws)
	var starts []lineage.Place
	title, direction := "", lineage.Forward
	if f.target != "" {
		direction = lineage.Backward
		starts, title, err = sentTo(ws, g, f.target, args)
	} else {
		starts, title, err = beginnings(ws, g, args)
	}
	if err != nil {
		return err
	}
	roots := make([]*lineage.Node, 0, len(starts))
	for _, p := range starts {
		roots = append(roots, g.Follow(p, direction))
	}
	if f.json {
		return a.printJSON(lineageJSON(roots))
	}
	a.lineageText(roots, title, direction)
	return nil
}

// beginnings are the places that NAME and PATH stand for.
func beginnings(ws *dsl.Workspace, g *lineage.Graph, args []string) ([]lineage.Place, string, error) {
	name := args[0]
	var path []string
	if len(args) > 1 {
		path = lineage.ParsePath(args[1])
	}
	title := strings.TrimSpace(name + " " + strings.Join(args[1:], ""))
	at := func(places ...lineage.Place) ([]lineage.Place, string, error) {
		out := make([]lineage.Place, 0, len(places))
		for _, p := range places {
			out = append(out, p.At(path...))
		}
		return out, title, nil
	}
	stage := func(kind lineage.Kind, name string) lineage.Place {
		return lineage.Place{Stage: g.Stage(kind, name, "")}
	}
	for _, name := range []string{name, "std/" + name} {
		switch {
		case ws.Schemas[name] != nil:
			if err := inSchema(ws.Schemas[name], path); err != nil {
				return nil, "", err
			}
			return at(g.Schema(name)...)
		case ws.Mappings[name] != nil:
			return at(stage(lineage.Input, name))
		case ws.Pipelines[name] != nil:
			return at(stage(lineage.Received, name))
		case ws.Lookups[name] != nil:
			if p := stage(lineage.Lookup, name); p.Stage != nil {
				return []lineage.Place{p}, title, nil
			}
			return nil, title, nil
		}
	}
	if op := ws.Operation(name); op != nil {
		return at(stage(lineage.Response, op.Ref()))
	}
	known := map[string]bool{}
	for _, names := range [][]string{sorted(ws.Schemas), sorted(ws.Mappings), sorted(ws.Pipelines), sorted(ws.Lookups), operations(ws)} {
		for _, n := range names {
			known[n] = true
		}
	}
	return nil, "", failf(exitUsage, "there is no schema, mapping, pipeline, lookup or operation `%s`%s", name, suggestion(name, known))
}

func operations(ws *dsl.Workspace) []string {
	var out []string
	for _, name := range sorted(ws.Connections) {
		for _, op := range sorted(ws.Connections[name].Operations) {
			out = append(out, name+"."+op)
		}
	}
	return out
}

// inSchema reports a field that a schema does not have.
func inSchema(s *compile.Schema, path []string) error {
	_, bad, ok := s.Schema.Shape().At(path)
	if ok {
		return nil
	}
	known := s.Schema.Children(path[:bad])
	hint := ""
	if near := diag.Nearest(path[bad], known); len(near) > 0 {
		hint = "; did you mean `" + near[0] + "`?"
	} else if len(known) > 0 {
		hint = "; it has: " + strings.Join(known, ", ")
	}
	where := ""
	if bad > 0 {
		where = " at " + lineage.Written(path[:bad])
	}
	return failf(exitUsage, "%s has no field `%s`%s%s", s.Name, path[bad], where, hint)
}

// sentTo are the places of what an operation is sent.
func sentTo(ws *dsl.Workspace, g *lineage.Graph, target string, args []string) ([]lineage.Place, string, error) {
	op := ws.Operation(target)
	if op == nil {
		known := map[string]bool{}
		for _, n := range operations(ws) {
			known[n] = true
		}
		return nil, "", failf(exitUsage, "there is no operation `%s`%s", target, suggestion(target, known))
	}
	title := strings.TrimSpace(op.Ref() + " " + strings.Join(args, ""))
	var path []string
	if len(args) > 0 {
		path = lineage.ParsePath(args[0])
	}
	with := lineage.Place{Stage: g.Stage(lineage.With, op.Ref(), ""), Path: path}
	if with.Stage != nil && len(path) == 1 && op.Binds(path[0]) {
		return []lineage.Place{with}, title, nil
	}
	if op.Request != nil {
		if err := inSchema(op.Request, path); err != nil {
			return nil, "", err
		}
	}
	out := []lineage.Place{{Stage: g.Stage(lineage.Body, op.Ref(), ""), Path: path}}
	if len(path) == 0 && with.Stage != nil {
		out = append(out, with)
	}
	return out, title, nil
}

// lineageText prints the ways as a tree.
func (a *app) lineageText(roots []*lineage.Node, title string, d lineage.Direction) {
	fmt.Fprintln(a.Stdout, title)
	shown := 0
	for _, r := range roots {
		if len(r.Children) > 0 {
			shown++
		}
	}
	if shown == 0 {
		what := "nothing reads it"
		if d == lineage.Backward {
			what = "nothing writes it"
		}
		fmt.Fprintln(a.Stdout, "   "+what)
		return
	}
	n := 0
	for _, r := range roots {
		if len(r.Children) == 0 {
			continue
		}
		n++
		if len(roots) == 1 && r.Place.Stage.Kind != lineage.Received && r.Place.Stage.Kind != lineage.Event {
			a.branches(r, "", d)
			return
		}
		stem, below := limb(n == shown)
		fmt.Fprintf(a.Stdout, "%s%s\n", stem, short(r.Place.String(), 96))
		a.branches(r, below, d)
	}
}

func limb(last bool) (stem, below string) {
	if last {
		return "└─ ", "   "
	}
	return "├─ ", "│  "
}

func (a *app) branches(n *lineage.Node, indent string, d lineage.Direction) {
	for i, c := range n.Children {
		stem, below := limb(i == len(n.Children)-1)
		what, place := lineageLabel(c, d)
		again := ""
		if c.Again && len(c.Children) == 0 {
			again = " (see above)"
		}
		at := c.Via.Span.String()
		room := 100 - utf8.RuneCountInString(indent+stem+again+place)
		line := indent + stem + short(what, max(room, 24)) + place + again
		if utf8.RuneCountInString(line)+2+utf8.RuneCountInString(at) <= 100 {
			fmt.Fprintf(a.Stdout, "%s  %s\n", line, at)
		} else {
			hang := "   "
			if len(c.Children) > 0 {
				hang = "│  "
			}
			fmt.Fprintf(a.Stdout, "%s\n%s%s%s\n", line, indent+below, hang, at)
		}
		a.branches(c, indent+below, d)
	}
}

// lineageLabel is what one line of the tree says: who carries the value on, and
// where to.
func lineageLabel(n *lineage.Node, d lineage.Direction) (what, place string) {
	e := n.Via
	if e.Use == nil {
		return e.Link, ": " + n.Place.String()
	}
	what = e.Use.String()
	if e.Mode == lineage.Decides || e.Mode == lineage.Counts {
		what += " (" + e.Mode.String() + ")"
	}
	switch s := n.Place.Stage; {
	case s == nil && d == lineage.Backward:
		return what, " = " + short(e.Use.Source, 40)
	case s == nil:
		return what, ""
	case d == lineage.Backward:
		return what, " <- " + n.Place.String()
	case s.Kind == lineage.Body || s.Kind == lineage.With || s.Kind == lineage.Event:
		return what, " -> " + n.Place.String()
	}
	return what, ""
}

// lineageNode is one place of the tree for machines.
type lineageNode struct {
	Place    *placeJSON     `json:"place,omitempty"` // none where the way ends, as in a key
	Mode     string         `json:"mode,omitempty"`
	Link     string         `json:"link,omitempty"`
	Use      *useJSON       `json:"use,omitempty"`
	Span     *spanJSON      `json:"span,omitempty"`
	Again    bool           `json:"again,omitempty"`
	Children []*lineageNode `json:"children,omitempty"`
}

type placeJSON struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Step   string `json:"step,omitempty"`
	Schema string `json:"schema,omitempty"`
	Path   string `json:"path"`
	PII    bool   `json:"pii,omitempty"`
}

type useJSON struct {
	Kind     string `json:"kind"`
	Name     string `json:"name"`
	Row      string `json:"row,omitempty"`
	Role     string `json:"role,omitempty"`
	Lang     string `json:"lang,omitempty"`
	Source   string `json:"source,omitempty"`
	Pipeline string `json:"pipeline,omitempty"`
	Step     string `json:"step,omitempty"`
}

type spanJSON struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Col     int    `json:"col"`
	EndLine int    `json:"end_line"`
	EndCol  int    `json:"end_col"`
}

func lineageJSON(nodes []*lineage.Node) []*lineageNode {
	out := make([]*lineageNode, 0, len(nodes))
	for _, n := range nodes {
		j := &lineageNode{Again: n.Again}
		if s := n.Place.Stage; s != nil {
			j.Place = &placeJSON{Kind: string(s.Kind), Name: s.Name, Step: s.Step, Schema: s.Schema, Path: lineage.Written(n.Place.Path)}
			j.Place.PII = s.PII != nil && s.PII(n.Place.Path)
		}
		if e := n.Via; e != nil {
			j.Mode, j.Link = e.Mode.String(), e.Link
			if s := e.Span; s.File != "" {
				j.Span = &spanJSON{s.File, s.Start.Line, s.Start.Col, s.End.Line, s.End.Col}
			}
			if u := e.Use; u != nil {
				j.Use = &useJSON{u.Kind, u.Name, u.Row, u.Role, u.Lang, u.Source, u.Pipeline, u.Step}
			}
		}
		j.Children = lineageJSON(n.Children)
		out = append(out, j)
	}
	return out
}
