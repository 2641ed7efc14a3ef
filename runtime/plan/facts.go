package plan

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"crossdock/connectors/schedule"
	"crossdock/dsl/compile"
	"crossdock/dsl/contract"
	"crossdock/dsl/diag"
	"crossdock/runtime/reload"
)

// facts are the consequences of a change for what runs.
func facts(in *Input, changes []reload.Change) []Fact {
	var out []Fact
	add := func(what, of, format string, args ...any) *Fact {
		out = append(out, Fact{What: what, Of: of, Text: fmt.Sprintf(format, args...)})
		return &out[len(out)-1]
	}
	for _, c := range changes {
		of := c.Kind + " " + c.Name
		a, b := in.Old.WS.Pipelines[c.Name], in.New.WS.Pipelines[c.Name]
		switch {
		case c.Kind == "connection" && c.What == "changed":
			add("reopen", of, "the connection is opened anew; calls under way end on the old one")
		case c.Kind == "schema" && c.What == "changed":
			contracts(in.Old.WS.Schemas[c.Name], in.New.WS.Schemas[c.Name], add)
		case c.Kind == "schema" && c.What == "removed":
			add("removed", of, "is gone: nobody may rely on it any more")
		case c.Kind != "pipeline":
		case c.What == "removed":
			removed(in, a, add)
		case c.What == "changed":
			if word := source(b); word != "" && word == source(a) {
				add("restart", of, "its %s stops and starts again", word)
			}
			schedules(in, a, b, add)
			address(a, b, add)
			if uses := used(in, a, b); uses != "" {
				add("uses", of, "works otherwise because of %s", uses)
			}
		case c.What == "new":
			if t := b.Trigger.Schedule; t != nil {
				add("schedule", of, "runs first: %s", runs(b, in.Now))
			}
		}
	}
	old := in.Old.WS.SecretNames()
	for _, name := range in.New.WS.SecretNames() {
		if !slices.Contains(old, name) {
			add("secret", "secret "+name, "is used now and must be there before the change goes live").Loud = true
		}
	}
	for _, name := range old {
		if !slices.Contains(in.New.WS.SecretNames(), name) {
			add("secret", "secret "+name, "is not used any more")
		}
	}
	return out
}

// contracts tells how a schema that kept its name changes, and whom that breaks.
func contracts(a, b *compile.Schema, add adder) {
	for _, c := range contract.Compare(a.Schema, b.Schema) {
		text := strings.TrimSpace(c.Path + " " + c.Text)
		for _, side := range [][2]string{{"who sends it", c.Sender}, {"who reads it", c.Reader}} {
			if side[1] != "" {
				text += fmt.Sprintf("; %s: %s", side[0], side[1])
			}
		}
		fact := add("contract", "schema "+b.Name, "%s", text)
		if fact.Loud = c.Breaking; c.Breaking {
			fact.Text += "; a new major version would break nobody"
		}
	}
}

type adder func(what, of, format string, args ...any) *Fact

// removed tells what happens to the work of a pipeline that is gone.
func removed(in *Input, p *compile.Pipeline, add adder) {
	of := "pipeline " + p.Name
	if n := in.Waiting[p.Name]; n > 0 {
		add("waiting", of, "goes, and %d of its messages wait: they are parked, visible in `crossdock queues`, until it is back", n).Loud = true
	} else if in.Waiting == nil {
		add("removed", of, "goes; messages that wait are parked until it is back")
	}
	if t := p.Trigger.HTTP; t != nil {
		add("removed", of, "callers of %s are answered 404", t.Path.Value).Loud = true
	}
}

// source is the word for what a pipeline listens to by itself; webhooks and
// events are switched in one step and lose nothing.
func source(p *compile.Pipeline) string {
	switch t := &p.Trigger; {
	case t.Schedule != nil:
		return "schedule"
	case t.Files != nil:
		return "watch of files"
	case t.Poll != nil:
		return "poll"
	}
	return ""
}

// address tells of a webhook that moves.
func address(a, b *compile.Pipeline, add adder) {
	if a.Trigger.HTTP == nil || b.Trigger.HTTP == nil {
		if word, now := kind(a), kind(b); word != now {
			add("trigger", "pipeline "+b.Name, "is started by %s, no more by %s", now, word).Loud = true
		}
		return
	}
	if x, y := a.Trigger.HTTP.Path.Value, b.Trigger.HTTP.Path.Value; x != y {
		add("trigger", "pipeline "+b.Name, "is called at %s; callers of %s are answered 404", y, x).Loud = true
	}
}

func kind(p *compile.Pipeline) string {
	switch t := &p.Trigger; {
	case t.HTTP != nil:
		return "a webhook"
	case t.Schedule != nil:
		return "a schedule"
	case t.Files != nil:
		return "files"
	case t.Poll != nil:
		return "a poll"
	}
	return "an event"
}

// schedules tells the next runs before and after.
func schedules(in *Input, a, b *compile.Pipeline, add adder) {
	x, y := a.Trigger.Schedule, b.Trigger.Schedule
	if x == nil || y == nil || x.Cron.Value == y.Cron.Value && a.Trigger.Zone == b.Trigger.Zone {
		return
	}
	add("schedule", "pipeline "+b.Name, "next runs before: %s; after: %s", runs(a, in.Now), runs(b, in.Now))
}

// runs are the next runs of a schedule.
func runs(p *compile.Pipeline, now time.Time) string {
	c, err := schedule.Parse(p.Trigger.Schedule.Cron.Value, p.Trigger.Zone)
	if err != nil {
		return "none"
	}
	zone, err := schedule.Zone(p.Trigger.Zone)
	if err != nil {
		zone = time.UTC
	}
	var list []string
	for range 3 {
		if now = c.Next(now); now.IsZero() {
			break
		}
		list = append(list, now.In(zone).Format("Mon 2006-01-02 15:04"))
	}
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ") + " (" + zone.String() + ")"
}

// used names what a pipeline whose own words are the same uses that has changed.
func used(in *Input, a, b *compile.Pipeline) string {
	if !definition("pipeline", b.Name, &written{a.File, a.File.Root}, &written{b.File, b.File.Root}).silent() {
		return ""
	}
	var names []string
	add := func(name string, changed bool) {
		if changed && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	schemas := func(x, y *compile.Schema) {
		if x != nil && y != nil {
			add("schema "+y.Name, x.Digest != y.Digest)
		}
	}
	schemas(a.Accept, b.Accept)
	add(strings.TrimSpace("policy "+b.Policy.Name), !alike(a.Policy, b.Policy))
	for _, id := range sorted(b.ByID) {
		s, was := b.ByID[id], a.ByID[id]
		if s.Map != nil {
			if x, y := in.Old.WS.Mappings[s.Map.Name], in.New.WS.Mappings[s.Map.Name]; x != nil && y != nil {
				add("mapping "+y.Name, x.Digest != y.Digest)
			}
		}
		if was == nil {
			continue
		}
		schemas(was.Event, s.Event)
		if s.Policy != nil && was.Policy != nil {
			add(strings.TrimSpace("policy "+s.Policy.Name), !alike(was.Policy, s.Policy))
		}
	}
	if len(names) == 0 {
		return "something that it uses"
	}
	return strings.Join(names, ", ")
}

// alike reports whether two policies say the same, wherever they are written.
func alike(a, b *compile.Policy) bool {
	x, y := *a, *b
	x.Span, y.Span = diag.Span{}, diag.Span{}
	return reflect.DeepEqual(x, y)
}

// silent reports whether nothing in the definition itself differs.
func (d *Definition) silent() bool { return d == nil || d.What == "changed" && len(d.Details) == 0 }
