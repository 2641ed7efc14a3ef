package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"crossdock/connectors"
	"crossdock/dsl/compile"
	"crossdock/dsl/rule"
	"crossdock/runtime/flow"
	"crossdock/runtime/testrun"
	"crossdock/runtime/worker"
)

// routeFlags are the flags of `explain route`.
type routeFlags struct {
	dir, env, in string
	json         bool
}

func (a *app) explainRouteCommand() *cobra.Command {
	var f routeFlags
	cmd := &cobra.Command{
		Use: "route PIPELINE --in FILE", Args: cobra.ExactArgs(1),
		Short: "Show which rule matches a payload, which does not, and why",
		Long: `Run a payload through a pipeline up to each route and show every rule with the
values it reads. Nothing is sent: operations answer with their first stub.`,
		Example: "  crossdock explain route delivery-failed --in samples/delivery-failed.json",
		RunE:    func(cmd *cobra.Command, args []string) error { return a.explainRoute(cmd.Context(), args[0], f) },
	}
	cmd.Flags().StringVar(&f.dir, "dir", ".", "workspace")
	cmd.Flags().StringVar(&f.env, "env", "", "environment whose variables are used")
	cmd.Flags().StringVar(&f.in, "in", "", "file with a JSON payload; the first sample of the pipeline unless given")
	cmd.Flags().BoolVar(&f.json, "json", false, "print as JSON")
	return cmd
}

// event is one thing that happens on the way.
type event struct {
	Step    string   `json:"step"`
	Text    string   `json:"text,omitempty"`    // what happens
	Choices []choice `json:"choices,omitempty"` // of a route
	Pick    string   `json:"pick,omitempty"`
	Ends    bool     `json:"ends,omitempty"`
}

// choice is one rule of a route.
type choice struct {
	Rule    string    `json:"rule"`
	When    string    `json:"when,omitempty"`
	Matches bool      `json:"matches"`
	Skipped bool      `json:"skipped,omitempty"` // an earlier rule was chosen
	Error   string    `json:"error,omitempty"`
	Reads   []reading `json:"reads,omitempty"`
	Parts   []part    `json:"parts,omitempty"` // the conditions of a rule that joins several
}

// part is one condition of a rule.
type part struct {
	When    string    `json:"when"`
	Matches bool      `json:"matches"`
	Error   string    `json:"error,omitempty"`
	Reads   []reading `json:"reads,omitempty"`
}

type reading struct {
	Path    string `json:"path"`
	Value   any    `json:"value,omitempty"`
	Missing bool   `json:"missing,omitempty"`
}

func (a *app) explainRoute(ctx context.Context, name string, f routeFlags) error {
	ws, list, err := load(f.dir, f.env)
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	p := ws.Pipelines[name]
	if p == nil {
		return failf(exitUsage, "there is no pipeline `%s`%s", name, suggestion(name, ws.Pipelines))
	}
	if mine := about(list, p.File); mine.HasErrors() {
		a.print(mine, f.dir, "text")
		return failf(exitLoad, "the pipeline has errors")
	}
	if f.in == "" {
		if len(p.Spec.Samples) == 0 {
			return fmt.Errorf("say which payload: --in FILE")
		}
		f.in = filepath.Join(f.dir, filepath.Dir(p.File.Path), p.Spec.Samples[0].Value)
	}
	body, err := a.readJSON(f.in)
	if err != nil {
		return err
	}
	raw, err := os.ReadFile(f.in)
	if err != nil {
		return failf(exitLoad, "the file %s cannot be read", f.in)
	}
	input := testrun.Input(p, body, raw, nil, time.Now())
	intake := worker.Intake{WS: ws, P: p, Limits: worker.Limits{MaxBody: int64(len(raw)) + 1, MaxDepth: 10000}}
	jobs, history, rejected := intake.Jobs(ctx, "explain", &input)
	if rejected != nil {
		return a.refused(rejected)
	}
	if len(history) > 0 {
		return a.untouched(history[len(history)-1].Detail, f.json)
	}
	for i, j := range jobs {
		if i == maxRuns {
			fmt.Fprintf(a.Stdout, "... and %d more items\n", len(jobs)-i)
			break
		}
		run, ok := j.Hint.(*flow.Run)
		if !ok {
			continue
		}
		t := &tour{ctx: ctx, ws: ws, p: p, run: *run}
		t.begin()
		if f.json {
			if err := a.printJSON(t.events); err != nil {
				return err
			}
			continue
		}
		a.tour(t.events)
	}
	return nil
}

// untouched says why a pipeline does nothing with a payload.
func (a *app) untouched(why string, asJSON bool) error {
	if asJSON {
		return a.printJSON([]map[string]any{{"outcome": "filtered", "reason": why}})
	}
	fmt.Fprintf(a.Stdout, "filtered: %s\n", why)
	return nil
}

// maxRuns bounds how many items of a split payload are shown.
const maxRuns = 10

func (a *app) refused(r *connectors.Rejection) error {
	fmt.Fprintf(a.Stdout, "refused with %d: %s\n", r.Status, r.Message)
	for _, p := range r.Problems {
		fmt.Fprintf(a.Stdout, "  %s: %s\n", p.Field, p.Message)
	}
	return &exit{code: exitFindings}
}

// tour follows one run through its pipeline.
type tour struct {
	ctx    context.Context
	ws     *compile.Workspace
	p      *compile.Pipeline
	run    flow.Run
	events []event
}

func (t *tour) begin() {
	if t.p.When != nil && !t.gate("when", t.p.When) {
		return
	}
	if len(t.p.Steps) > 0 {
		t.follow(t.p.Steps[0])
	}
}

func (t *tour) say(step *compile.Step, ends bool, format string, args ...any) {
	t.events = append(t.events, event{Step: step.ID, Text: fmt.Sprintf(format, args...), Ends: ends})
}

// gate shows a condition and reports whether the run goes on.
func (t *tour) gate(name string, p *rule.Program) bool {
	scope := flow.Scope(t.ctx, t.ws, nil, &t.run, 1)
	c := choice{Rule: name, When: p.Source(), Reads: readings(p, scope.Env(t.run.Body)), Parts: conditions(p, scope.Env(t.run.Body))}
	yes, err := scope.Yes(p, t.run.Body)
	c.Matches = yes
	if err != nil {
		c.Error = err.Error()
	}
	e := event{Step: name, Choices: []choice{c}, Ends: !yes}
	if !yes {
		e.Text = "the run ends here, filtered"
		if err != nil {
			e.Text = "the run ends here as a dead letter"
		}
	}
	t.events = append(t.events, e)
	return yes && err == nil
}

// follow goes on from a step until the run ends.
func (t *tour) follow(s *compile.Step) {
	for s != nil {
		t.run.Step = s.ID
		switch s.Action {
		case compile.ActRoute:
			s = t.route(s)
			continue
		case compile.ActWhen:
			if !t.gate(s.ID, s.When) {
				return
			}
		case compile.ActMap:
			out, err := s.Map.Apply(flow.Scope(t.ctx, t.ws, nil, &t.run, 1), t.run.Body)
			if err != nil {
				t.say(s, true, "dead letter: %s", err)
				return
			}
			t.run.Body = out
		case compile.ActSplit:
			items, err := flow.Items(flow.Scope(t.ctx, t.ws, nil, &t.run, 1), s, t.run.Body)
			if err != nil || len(items) == 0 {
				t.say(s, true, "the run ends here: split gives no items")
				return
			}
			t.say(s, false, "%d items; the first one goes on below", len(items))
			t.run.Body = items[0]
		case compile.ActDeadLetter:
			t.say(s, true, "dead letter: %s", s.Text)
			return
		case compile.ActIgnore:
			t.say(s, true, "the run ends here, filtered")
			return
		default:
			if !t.effect(s) {
				return
			}
		}
		s = s.Next
	}
}

// effect shows what would be done, and goes on with the stub's answer.
func (t *tour) effect(s *compile.Step) bool {
	out := flow.Advance(t.ctx, t.ws, t.p, &t.run, 1, nil)
	if out.Kind == flow.Dead {
		t.say(s, true, "dead letter: %s", out.Cause.Message)
		return false
	}
	var result any
	if op := t.ws.Operation(s.Target); op != nil && len(op.Stubs) > 0 {
		req := connectors.Request{Operation: op.Name, Key: out.Key, Attempt: 1, With: out.With, Body: out.Body}
		answer, err := testrun.Answer(t.ctx, &op.Stubs[0], req, 1)
		if err == nil {
			result = answer.Body
		}
	}
	text := t.would(s, &out)
	if s.As != "" && result != nil {
		text += "; its stub answers " + short(compact(result), 120)
	} else if s.As != "" {
		text += "; it has no stub with a body, so $steps." + s.As + " is empty here"
	}
	t.say(s, false, "%s", text)
	if s.As != "" {
		steps := maps.Clone(t.run.Steps)
		if steps == nil {
			steps = map[string]any{}
		}
		steps[s.As] = result
		t.run.Steps = steps
	}
	return true
}

// would says what an effect would do: with which values for placeholders, and
// which body, where it has one.
func (t *tour) would(s *compile.Step, out *flow.Outcome) string {
	if s.Action == compile.ActEmit {
		return "would emit " + s.Event.Name + " " + short(compact(out.Body), 120)
	}
	verb := "would send to "
	if s.Action == compile.ActCall {
		verb = "would ask "
	}
	text, op := verb+s.Target, t.ws.Operation(s.Target)
	bound := map[string]any{}
	for name, v := range out.With {
		if op != nil && op.Binds(name) {
			bound[name] = v
		}
	}
	if len(bound) > 0 {
		text += " with " + short(compact(bound), 120)
	}
	if out.Body != nil && (op == nil || op.SendsBody()) {
		text += ": " + short(compact(out.Body), 120)
	} else if len(bound) == 0 {
		text += ", without a body"
	}
	return text
}

// route shows every rule and returns where the run goes on; branches of
// `pick: every` are followed one after the other.
func (t *tour) route(s *compile.Step) *compile.Step {
	scope := flow.Scope(t.ctx, t.ws, nil, &t.run, 1)
	e := event{Step: s.ID, Pick: "first"}
	if s.Route.Every {
		e.Pick = "every"
	}
	var chosen []compile.Rule
	for _, r := range s.Route.Rules {
		env := scope.Env(t.run.Body)
		c := choice{Rule: r.Name, When: r.When.Source(), Reads: readings(r.When, env), Parts: conditions(r.When, env)}
		yes, err := scope.Yes(r.When, t.run.Body)
		c.Matches = yes
		if err != nil {
			c.Error = err.Error()
			e.Choices, e.Ends, e.Text = append(e.Choices, c), true, "the run ends here as a dead letter"
			t.events = append(t.events, e)
			return nil
		}
		c.Skipped = len(chosen) > 0 && !s.Route.Every
		if yes && !c.Skipped {
			chosen = append(chosen, r)
		}
		e.Choices = append(e.Choices, c)
	}
	switch {
	case len(chosen) == 0 && s.Route.Otherwise == nil:
		e.Text, e.Ends = "no rule matches: the run ends here, filtered", true
	case len(chosen) == 0:
		e.Text = "no rule matches: otherwise"
	}
	t.events = append(t.events, e)
	switch {
	case len(chosen) == 0:
		return s.Route.Otherwise
	case len(chosen) == 1:
		return chosen[0].To
	}
	for _, r := range chosen {
		branch := &tour{ctx: t.ctx, ws: t.ws, p: t.p, run: t.run}
		branch.follow(r.To)
		t.events = append(t.events, branch.events...)
	}
	return nil
}

func readings(p *rule.Program, env rule.Env) []reading {
	var out []reading
	for _, r := range p.Explain(env) {
		out = append(out, reading{Path: r.Path, Value: r.Value, Missing: r.Missing})
	}
	return out
}

// conditions answers the conditions of a rule one by one; nil where it has only
// one.
func conditions(p *rule.Program, env rule.Env) []part {
	why := p.Why(env)
	if len(why) < 2 {
		return nil
	}
	out := make([]part, 0, len(why))
	for _, w := range why {
		x := part{When: w.Source, Matches: w.Answer}
		if w.Err != nil {
			x.Error = w.Err.Error()
		}
		for _, r := range w.Reads {
			x.Reads = append(x.Reads, reading{Path: r.Path, Value: r.Value, Missing: r.Missing})
		}
		out = append(out, x)
	}
	return out
}

// tour prints what happened on the way.
func (a *app) tour(events []event) {
	for _, e := range events {
		if e.Choices == nil {
			fmt.Fprintf(a.Stdout, "%s\n    %s\n", e.Step, e.Text)
			continue
		}
		if e.Pick == "" {
			fmt.Fprintln(a.Stdout, e.Step)
		} else {
			fmt.Fprintf(a.Stdout, "%s, pick: %s\n", e.Step, e.Pick)
		}
		for _, c := range e.Choices {
			a.choice(c, e.Pick != "")
		}
		if e.Text != "" {
			fmt.Fprintf(a.Stdout, "    %s\n", e.Text)
		}
	}
}

func (a *app) choice(c choice, named bool) {
	verdict := "no "
	switch {
	case c.Error != "":
		verdict = "ERR"
	case c.Skipped:
		verdict = "-  " // an earlier rule was chosen
	case c.Matches:
		verdict = "YES"
	}
	if named {
		note := ""
		if c.Skipped && c.Matches {
			note = "   (would match, but an earlier rule is chosen)"
		}
		fmt.Fprintf(a.Stdout, "  %s %s%s\n      when %s\n", verdict, c.Rule, note, oneLine(c.When))
	} else {
		fmt.Fprintf(a.Stdout, "  %s %s\n", verdict, oneLine(c.When))
	}
	if c.Parts == nil {
		a.readings(c.Reads, "      ")
	}
	for _, p := range c.Parts {
		verdict := "no "
		if p.Error != "" {
			verdict = "ERR"
		} else if p.Matches {
			verdict = "yes"
		}
		fmt.Fprintf(a.Stdout, "      %s %s\n", verdict, oneLine(p.When))
		a.readings(p.Reads, "          ")
	}
	if c.Error != "" {
		fmt.Fprintf(a.Stdout, "      %s\n", c.Error)
	}
}

func (a *app) readings(list []reading, indent string) {
	for _, r := range list {
		value := short(compact(r.Value), 80)
		if r.Missing {
			value = "(nothing)"
		}
		fmt.Fprintf(a.Stdout, "%s%s = %s\n", indent, r.Path, value)
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
