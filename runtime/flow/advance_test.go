package flow_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"crossdock/dsl/compile"
	"crossdock/runtime/catalog"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
)

const common = `
-- crossdock.yaml
crossdock: 1
-- t.connection.yaml
connection: t
type: http
base_url: https://t.example.com
operations:
  get: {get: "/o/{order}"}
  put: {put: "/o/{order}", repeat: safe}
  post: {post: /o, repeat: keyed}
  strict: {post: /s, repeat: keyed, request: strict@1}
-- u.connection.yaml
connection: u
type: http
base_url: https://u.example.com
operations:
  post: {post: /o, repeat: keyed}
-- strict.schema.yaml
schema: strict@1
fields: {a: {type: integer, required: true}}
-- event.schema.yaml
schema: done@1
closed: true
fields: {a: {type: integer}, b.c: {type: string}, b.d: {type: string}}
-- named.schema.yaml
schema: named@1
event_name: .kind
fields: {kind: {type: string}}
-- m.mapping.yaml
mapping: m
fields: {a: .a, m: {const: true}}
-- failing.mapping.yaml
mapping: failing
fields: {a: {from: .nope, required: true}}
-- p.pipeline.yaml
pipeline: p
trigger: {event: x}
`

// load compiles a pipeline p from what stands below its trigger.
func load(t testing.TB, steps string) (*compile.Workspace, *compile.Pipeline) {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, part := range strings.Split(common+steps, "\n-- ")[1:] {
		name, text, _ := strings.Cut(part, "\n")
		fsys[name] = &fstest.MapFile{Data: []byte(text + "\n")}
	}
	ws, list, err := compile.Load(fsys, compile.Options{Catalog: catalog.New()})
	if err != nil || list.HasErrors() {
		t.Fatalf("%s\n%v %v", steps, err, list)
	}
	return ws, ws.Pipelines["p"]
}

func start(t testing.TB, body string) flow.Run {
	t.Helper()
	v, err := message.Decode([]byte(body), message.Unlimited)
	if err != nil {
		t.Fatal(err)
	}
	return flow.Run{ID: "m", Pipeline: "p", Key: `["k"]`, Now: time.Unix(0, 0), Original: v, Body: v}
}

// play advances a run to its end, answers every effect from results, and
// tells what happened in a line.
func play(t testing.TB, ws *compile.Workspace, p *compile.Pipeline, r flow.Run, results map[string]string) string {
	t.Helper()
	var told []string
	say := func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	for range 100 {
		out := flow.Advance(context.Background(), ws, p, &r, 1, nil)
		if len(out.Routes) > 0 {
			say("<%s>", strings.Join(out.Routes, ","))
		}
		switch out.Kind {
		case flow.Effect:
			what := out.Step.Target
			if out.Step.Event != nil {
				what = "emit " + out.Step.Event.Name
			}
			if out.With != nil {
				say("%s with=%s body=%s", what, message.Marshal(out.With), message.Marshal(out.Body))
			} else {
				say("%s body=%s", what, message.Marshal(out.Body))
			}
			answer := results[out.Step.Target]
			if answer == "fail" {
				if !flow.Fail(&r, out.Step) {
					say("failed")
					return strings.Join(told, "; ")
				}
				continue
			}
			var result any
			if answer != "" {
				result, _ = message.Decode([]byte(answer), message.Unlimited)
			}
			flow.Complete(p, &r, out.Step, result)
		case flow.Fanned:
			for _, b := range out.Branches {
				say("{%s@%s %s: %s}", b.Name, b.Lane, strings.TrimPrefix(b.Run.ID, r.ID), play(t, ws, p, b.Run, results))
			}
			return strings.Join(told, "; ")
		case flow.Delivered:
			return strings.Join(append(told, "delivered"), "; ")
		case flow.Filtered:
			return strings.Join(append(told, "filtered ("+out.Reason+")"), "; ")
		case flow.Dead:
			say("dead %s at %s", out.Cause.Code, out.Cause.Step)
			if out.Cause.Field != "" {
				say("field %s", out.Cause.Field)
			}
			if out.Cause.Code == "dead_letter" {
				say("%s", out.Cause.Message)
			}
			return strings.Join(told, "; ")
		}
	}
	t.Fatal("the run does not end")
	return ""
}

func TestAdvance(t *testing.T) {
	for _, c := range []struct {
		name, steps, in, want string
		results               map[string]string
	}{
		{name: "send the payload", steps: "steps: [{send: t.post}]", in: `{"a":1.10}`, want: `t.post body={"a":1.10}; delivered`},
		{name: "map for all that follows", steps: "steps: [{map: m}, {send: t.post}, {send: u.post}]", in: `{"a":1}`,
			want: `t.post body={"a":1,"m":true}; u.post body={"a":1,"m":true}; delivered`},
		{name: "map beside send for this one only", steps: "steps: [{send: t.post, map: m}, {send: u.post}]", in: `{"a":1}`,
			want: `t.post body={"a":1,"m":true}; u.post body={"a":1}; delivered`},
		{name: "with alone is the body, less what fills placeholders", steps: "steps: [{send: t.put, with: {order: .no, x: .a, y.z: .a}}]", in: `{"no":"1","a":2}`,
			want: `t.put with={"order":"1","x":2,"y":{"z":2}} body={"x":2,"y":{"z":2}}; delivered`},
		{name: "with that only fills placeholders", steps: "steps: [{call: t.get, with: {order: .no}}]", in: `{"no":"1","a":2}`,
			want: `t.get with={"order":"1"} body=null; delivered`},
		{name: "map and with", steps: "steps: [{send: t.put, map: m, with: {order: .no, extra: .b}}]", in: `{"no":"1","a":2,"b":3}`,
			want: `t.put with={"extra":3,"order":"1"} body={"a":2,"extra":3,"m":true}; delivered`},
		{name: "with reads the payload, not the mapped one", steps: "steps: [{send: t.put, map: m, with: {order: .no}}]", in: `{"no":"1"}`,
			want: `t.put with={"order":"1"} body={"m":true}; delivered`},
		{name: "emit merges with", steps: "steps: [{emit: done@1, with: {b.d: .x}}]", in: `{"a":1,"b":{"c":"c"},"x":"d"}`, want: `dead schema at emit:done@1; field x`},
		{name: "emit merges deep", steps: "steps: [{emit: done@1, with: {b.d: '\"d\"'}}]", in: `{"a":1,"b":{"c":"c"}}`, want: `emit done@1 body={"a":1,"b":{"c":"c","d":"d"}}; delivered`},
		{name: "emit checks the schema", steps: "steps: [{emit: done@1}]", in: `{"a":"x"}`, want: `dead schema at emit:done@1; field a`},
		{name: "send checks the request", steps: "steps: [{send: t.strict}]", in: `{"a":"x"}`, want: `dead schema at send:t.strict; field a`},
		{name: "a mapping that fails", steps: "steps: [{send: t.post}, {map: failing}, {send: u.post}]", in: `{}`, want: `t.post body={}; dead required at map:failing; field a`},
		{name: "a mapping that fails beside send", steps: "steps: [{send: t.post, map: failing}]", in: `{}`, want: `dead required at send:t.post; field a`},
		{name: "results", steps: "steps: [{call: t.get, with: {order: .no}, as: o}, {send: t.post, with: {id: $steps.o.id, n: .no}}]", in: `{"no":"1"}`,
			results: map[string]string{"t.get": `{"id":7.0}`}, want: `t.get with={"order":"1"} body=null; t.post with={"id":7.0,"n":"1"} body={"id":7.0,"n":"1"}; delivered`},
		{name: "when lets through", steps: "when: data.a == 1\nsteps: [{send: t.post}]", in: `{"a":1}`, want: `t.post body={"a":1}; delivered`},
		{name: "when ends the run", steps: "when: data.a == 1\nsteps: [{send: t.post}]", in: `{"a":2}`, want: "filtered (`when` is false: data.a == 1)"},
		{name: "when as a step", steps: "steps: [{send: t.post}, {when: data.a == 1}, {send: u.post}]", in: `{"a":2}`, want: `t.post body={"a":2}; delivered`},
		{name: "when that fails", steps: "steps: [{when: data.a > 1}]", in: `{"a":"x"}`, want: `dead rule at when`},
		{name: "ignore", steps: "steps: [{ignore: true}]", in: `{}`, want: "filtered (ignored by ignore)"},
		{name: "dead letter", steps: "steps: [{send: t.post}, {dead_letter: cannot be}]", in: `{}`, want: `t.post body={}; dead dead_letter at dead_letter; cannot be`},
		{name: "first takes the first", steps: route("first"), in: `{"a":1,"b":1}`, want: `<one>; t.post body={"a":1,"b":1}; u.post body={"a":1,"b":1}; delivered`},
		{name: "first goes on behind", steps: route("first") + "\n  - {emit: named@1}", in: `{"b":1}`, want: `<two>; u.post body={"b":1}; emit named@1 body={"b":1}; delivered`},
		{name: "otherwise", steps: route("first"), in: `{}`, want: `<otherwise>; dead dead_letter at otherwise/dead_letter; nobody`},
		{name: "every of one", steps: route("every"), in: `{"b":1}`, want: `<two>; u.post body={"b":1}; delivered`},
		{name: "every of two", steps: route("every"), in: `{"a":1,"b":1}`,
			want: `<one,two>; {one@out/t.post .b1: t.post body={"a":1,"b":1}; u.post body={"a":1,"b":1}; delivered}; {two@out/u.post .b2: u.post body={"a":1,"b":1}; delivered}`},
		{name: "a rule that fails", steps: "steps:\n  - route: {pick: first, rules: [{name: r, when: data.a > 1, to: [{send: t.post}]}], otherwise: ignore}", in: `{"a":"x"}`, want: `dead rule at route; field r`},
		{name: "nested routes", steps: `steps:
  - route:
      pick: first
      rules:
        - name: outer
          when: data.a == 1
          to:
            - route:
                pick: first
                rules: [{name: inner, when: data.b == 1, to: [{send: t.post, as: r}]}]
                otherwise: {to: [{send: u.post, as: r}]}
            - {emit: named@1}
      otherwise: ignore
  - {send: t.post, with: {x: $steps.r.id}}`, in: `{"a":1,"b":2}`, results: map[string]string{"u.post": `{"id":3}`},
			want: `<outer,otherwise>; u.post body={"a":1,"b":2}; emit named@1 body={"a":1,"b":2}; t.post with={"x":3} body={"x":3}; delivered`},
		{name: "every inside first", steps: `steps:
  - route:
      pick: first
      rules:
        - name: outer
          when: data.a == 1
          to: [{send: t.post}, {route: {pick: every, rules: [{name: x, when: true, to: [{send: t.post}]}, {name: y, when: true, to: [{send: u.post}]}], otherwise: ignore}}]
      otherwise: ignore`, in: `{"a":1}`,
			want: `<outer>; t.post body={"a":1}; <x,y>; {x@out/t.post .b1: t.post body={"a":1}; delivered}; {y@out/u.post .b2: u.post body={"a":1}; delivered}`},
		{name: "split", steps: "steps: [{split: .l}, {send: t.post, with: {x: ., o: $original.n}}]", in: `{"n":1,"l":["a","b"]}`,
			want: `{1@ .1: t.post with={"o":1,"x":"a"} body={"o":1,"x":"a"}; delivered}; {2@ .2: t.post with={"o":1,"x":"b"} body={"o":1,"x":"b"}; delivered}`},
		{name: "split of a stream", steps: "steps: [{split: '.l[]'}, {send: t.post}]", in: `{"l":[{"a":1}]}`, want: `{1@ .1: t.post body={"a":1}; delivered}`},
		{name: "split of nothing", steps: "steps: [{split: .l}, {send: t.post}]", in: `{}`, want: "filtered (`split` gave no items)"},
		{name: "split that fails", steps: "steps: [{split: .l | keys}, {send: t.post}]", in: `{"l":1}`, want: "dead jq at split"},
		{name: "split twice", steps: "steps: [{split: .l}, {split: .m}, {send: t.post}]", in: `{"l":[{"m":[1,2]},{"m":[]}]}`,
			want: "{1@ .1: {1@ .1: t.post body=1; delivered}; {2@ .2: t.post body=2; delivered}}; {2@ .2: filtered (`split` gave no items)}"},
		{name: "on_fail", steps: "steps:\n  - {send: t.post, as: r, on_fail: [{send: u.post}, {ignore: true}]}\n  - {emit: named@1}", in: `{}`,
			results: map[string]string{"t.post": "fail"}, want: `t.post body={}; u.post body={}; delivered`},
		{name: "on_fail not needed", steps: "steps:\n  - {send: t.post, on_fail: [{send: u.post}]}\n  - {emit: named@1}", in: `{}`, want: `t.post body={}; emit named@1 body={}; delivered`},
		{name: "on_fail that fails", steps: "steps: [{send: t.post, on_fail: [{send: u.post}]}]", in: `{}`, results: map[string]string{"t.post": "fail", "u.post": "fail"},
			want: `t.post body={}; u.post body={}; failed`},
		{name: "on_fail that ends", steps: "steps: [{send: t.post, on_fail: [{dead_letter: no}]}]", in: `{}`, results: map[string]string{"t.post": "fail"},
			want: `t.post body={}; dead dead_letter at send:t.post/on_fail/dead_letter; no`},
	} {
		t.Run(c.name, func(t *testing.T) {
			ws, p := load(t, c.steps)
			if got := play(t, ws, p, start(t, c.in), c.results); got != c.want {
				t.Errorf("\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func route(pick string) string {
	return `steps:
  - route:
      pick: ` + pick + `
      rules:
        - {name: one, when: data.a == 1, to: [{send: t.post}, {send: u.post}]}
        - {name: two, when: data.b == 1, to: [{send: u.post}]}
      otherwise: {dead_letter: nobody}`
}

// keys returns the idempotency keys of all effects of a run, by step.
func keys(t *testing.T, ws *compile.Workspace, p *compile.Pipeline, r flow.Run, into map[string]string) map[string]string {
	t.Helper()
	for range 100 {
		out := flow.Advance(context.Background(), ws, p, &r, 1+len(into), nil)
		switch out.Kind {
		case flow.Effect:
			name := strings.TrimPrefix(r.ID, "m") + " " + out.Step.ID
			if into[name] != "" {
				t.Fatalf("%s twice", name)
			}
			into[name] = out.Key
			flow.Complete(p, &r, out.Step, nil)
		case flow.Fanned:
			for _, b := range out.Branches {
				keys(t, ws, p, b.Run, into)
			}
			return into
		default:
			return into
		}
	}
	return into
}

// TestKeys: idempotency keys are the same in another revision and for another
// attempt or copy of the message, and different for all effects of one message.
func TestKeys(t *testing.T) {
	before := `steps:
  - {split: .l}
  - {send: t.post}
  - {send: t.post}
  - route:
      pick: every
      rules:
        - {name: one, when: true, to: [{send: u.post}]}
        - {name: two, when: true, to: [{send: u.post}, {emit: named@1}]}
      otherwise: ignore`
	after := `steps:
  - {when: true}
  - {split: .l}
  - {map: m}
  - {send: t.post}
  - {call: t.get, with: {order: .a}, as: g}
  - {send: t.post}
  - {emit: done@1, map: m, with: {a: 1, m: null}, on_fail: [{send: u.post}]}
  - route:
      pick: every
      rules:
        - {name: zero, when: true, to: [{send: u.post}]}
        - {name: two, when: true, to: [{send: u.post}, {emit: named@1}]}
        - {name: one, when: true, to: [{send: t.put, with: {order: .a}}, {send: u.post}]}
      otherwise: ignore`
	after = strings.Replace(after, "  - {emit: done@1, map: m, with: {a: 1, m: null}, on_fail: [{send: u.post}]}\n", "", 1)
	in := `{"l":[{"a":"1"},{"a":"2"}]}`
	ws1, p1 := load(t, before)
	ws2, p2 := load(t, after)
	old, now := keys(t, ws1, p1, start(t, in), map[string]string{}), keys(t, ws2, p2, start(t, in), map[string]string{})
	if len(old) != 2*5 {
		t.Fatalf("%d effects: %v", len(old), old)
	}
	seen := map[string]string{}
	for step, key := range now {
		if seen[key] != "" {
			t.Errorf("%s and %s have the same key", step, seen[key])
		}
		seen[key] = step
	}
	for step, key := range old {
		// The branches of a route are numbered by what matched; steps are not.
		if !slices.ContainsFunc(values(now), func(k string) bool { return k == key }) {
			t.Errorf("the key of %s is another one after unrelated steps came in", step)
		}
	}
	again := start(t, in)
	again.ID, again.Revision = "other", "r9"
	for step, key := range keys(t, ws1, p1, again, map[string]string{}) {
		if old[strings.TrimPrefix(step, "other")] != key && !slices.Contains(values(old), key) {
			t.Errorf("%s has another key for another copy of the message", step)
		}
	}
}

func values(m map[string]string) []string {
	var out []string
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// TestBranchesApart: what one branch does is not seen by another.
func TestBranchesApart(t *testing.T) {
	ws, p := load(t, route("every"))
	r := start(t, `{"a":1,"b":1}`)
	r.Steps = map[string]any{"x": "before"}
	out := flow.Advance(context.Background(), ws, p, &r, 1, nil)
	if out.Kind != flow.Fanned || len(out.Branches) != 2 {
		t.Fatalf("%+v", out)
	}
	out.Branches[0].Run.Steps["x"] = "changed"
	if out.Branches[1].Run.Steps["x"] != "before" || r.Steps["x"] != "before" {
		t.Error("branches share their results")
	}
}

// TestForwarded: what is only sent comes as the JSON of what would have been sent,
// and only where nobody looks into it.
func TestForwarded(t *testing.T) {
	all := func(*compile.Operation) bool { return true }
	for _, c := range []struct {
		steps   string
		encoded bool
	}{
		{"steps: [{send: t.post, map: m}]", true},
		{"steps: [{call: t.post, map: m, as: x}]", true},
		{"steps: [{send: t.post, map: failing}]", true},
		{"steps: [{send: t.post}]", false},
		{"steps: [{map: m}, {send: t.post}]", false},
		{"steps: [{send: t.put, map: m, with: {order: .a}}]", false},
		{"steps: [{send: t.strict, map: m}]", false},
		{"steps: [{emit: done@1, map: m}]", false},
	} {
		ws, p := load(t, c.steps)
		r := start(t, `{"a":1.10,"nope":null}`)
		want := flow.Advance(context.Background(), ws, p, &r, 1, nil)
		r = start(t, `{"a":1.10,"nope":null}`)
		none := flow.Advance(context.Background(), ws, p, &r, 1, func(*compile.Operation) bool { return false })
		r = start(t, `{"a":1.10,"nope":null}`)
		got := flow.Advance(context.Background(), ws, p, &r, 1, all)
		if none.Encoded != nil || want.Encoded != nil {
			t.Errorf("%s: encoded for a target that does not forward", c.steps)
		}
		if got.Kind != want.Kind || got.Key != want.Key || fmt.Sprint(got.Cause) != fmt.Sprint(want.Cause) {
			t.Errorf("%s: %+v, want %+v", c.steps, got, want)
		}
		if got.Kind != flow.Effect {
			continue
		}
		if (got.Encoded != nil) != c.encoded {
			t.Errorf("%s: encoded as %s", c.steps, got.Encoded)
		}
		body := message.Marshal(got.Body)
		if c.encoded {
			body = got.Encoded
		}
		if string(body) != string(message.Marshal(want.Body)) {
			t.Errorf("%s: sends %s, want %s", c.steps, body, message.Marshal(want.Body))
		}
	}
}

// TestStepGone: a run whose step does not exist any more says so.
func TestStepGone(t *testing.T) {
	ws, p := load(t, "steps: [{send: t.post}]")
	r := start(t, `{}`)
	r.Step = "send:t.other"
	out := flow.Advance(context.Background(), ws, p, &r, 1, nil)
	if out.Kind != flow.Dead || out.Cause.Code != "definition" || !strings.Contains(out.Cause.Message, "send:t.other") {
		t.Errorf("%+v", out.Cause)
	}
	r = start(t, `{}`)
	r.Fault = "the body cannot be read"
	if out := flow.Advance(context.Background(), ws, p, &r, 1, nil); out.Kind != flow.Dead || out.Cause.Message != r.Fault {
		t.Errorf("%+v", out)
	}
}

func TestEventName(t *testing.T) {
	ws, p := load(t, "steps: [{emit: named@1}]")
	for in, want := range map[string]string{`{"kind":"a.b"}`: "a.b", `{}`: "", `{"kind":5}`: "", `{"kind":""}`: ""} {
		r := start(t, in)
		out := flow.Advance(context.Background(), ws, p, &r, 1, nil)
		if out.Kind != flow.Effect {
			if want != "" {
				t.Errorf("%s: %+v", in, out.Cause)
			}
			continue
		}
		name, err := flow.EventName(context.Background(), ws, &r, out)
		if name != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q %v", in, name, err)
		}
	}
}
