package spec

import (
	"strconv"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// Pipeline says what starts work, which data identifies it, and its steps:
// NAME.pipeline.yaml.
type Pipeline struct {
	Name          Text         `yaml:"pipeline" doc:"Name of the pipeline." validate:"required" names:"pipeline"`
	Description   Text         `yaml:"description" doc:"What it is for, and who owns it."`
	Trigger       Trigger      `yaml:"trigger" doc:"What starts a run." validate:"required"`
	System        Text         `yaml:"system" doc:"System whose data starts a run, as schemas name it in owner; for poll and files that of the connection unless said otherwise."`
	Accept        Text         `yaml:"accept" doc:"Schema a payload must satisfy; others are refused and kept." ref:"schema"`
	OnSchemaDrift Text         `yaml:"on_schema_drift" doc:"What happens to a payload that does not fit accept: refuse (default) answers 422, quarantine takes it in and holds it until a reload brings a schema it fits." validate:"omitempty,oneof=refuse quarantine"`
	Split         Cell         `yaml:"split" doc:"jq: each item becomes a run of its own." lang:"jq"`
	When          Cell         `yaml:"when" doc:"expr: only payloads for which it is true are worked on." lang:"expr"`
	Key           Cells        `yaml:"key" doc:"jq: the parts of the idempotency key; every part must be present." lang:"jq"`
	OrderBy       Cell         `yaml:"order_by" doc:"jq: messages with the same value are worked on in order." lang:"jq"`
	TraceBy       Fields[Cell] `yaml:"trace_by" doc:"jq: business numbers under which people look for a message." lang:"jq"`
	EventTime     Cell         `yaml:"event_time" doc:"jq: when it happened at the sender, ISO 8601 with an offset or seconds since 1970; metrics tell how far behind it messages are." lang:"jq"`
	Policy        PolicyRef    `yaml:"policy" doc:"Name of a policy, or settings that extend the default one."`
	Samples       []Text       `yaml:"samples" doc:"Files with example payloads, relative to this file." ref:"file"`
	Steps         []Step       `yaml:"steps" doc:"What is done, in order." validate:"required"`
}

// PolicyRef names a policy or holds settings.
type PolicyRef struct {
	Name   Text
	Inline *Policy
}

// DecodeNode implements Custom.
func (p *PolicyRef) DecodeNode(n *ast.Node, d *Decoder) {
	if n.Kind == ast.Map {
		p.Inline = &Policy{Node: n}
		d.into(n, p.Inline)
		return
	}
	p.Name.DecodeNode(n, d)
}

// Trigger is what starts a run. Exactly one key is set.
type Trigger struct {
	Node     *ast.Node        `yaml:"-"`
	HTTP     *HTTPTrigger     `yaml:"http" doc:"A webhook."`
	Schedule *ScheduleTrigger `yaml:"schedule" doc:"A point in time."`
	Files    *FilesTrigger    `yaml:"files" doc:"Files that appear in a folder."`
	Poll     *PollTrigger     `yaml:"poll" doc:"Changes asked for again and again."`
	Event    *EventTrigger    `yaml:"event" doc:"An event another pipeline emits."`
}

// HTTPTrigger is a webhook.
type HTTPTrigger struct {
	Node    *ast.Node  // as written
	Path    Text       `yaml:"path" doc:"Path of the webhook, with {name} for parts that vary." validate:"required"`
	Method  Text       `yaml:"method" doc:"POST unless said otherwise." validate:"omitempty,oneof=POST PUT PATCH GET DELETE"`
	Verify  VerifyRef  `yaml:"verify" doc:"Name of a verification, or its settings, or none."`
	Reply   Reply      `yaml:"reply" doc:"Status of the answer, or {status, body}; 202 unless said otherwise."`
	MaxSize Size       `yaml:"max_size" doc:"Largest body of this webhook."`
	Format  Text       `yaml:"format" doc:"json (default), form, or text." validate:"omitempty,oneof=json form text"`
	Limits  HTTPLimits `yaml:"limits" doc:"How much callers may send; 429 with Retry-After beyond it."`
}

// HTTPLimits bound what the callers of one webhook may send.
type HTTPLimits struct {
	Rate       Rate `yaml:"rate" doc:"Messages of recognised callers in a second, minute or hour, such as 100/s; a burst of one second, ten at least, is let through."`
	Concurrent int  `yaml:"concurrent" doc:"Requests at the same time." validate:"omitempty,min=1,max=100000"`
}

// VerifyRef names a verification or holds its settings.
type VerifyRef struct {
	Name   Text
	Inline *Verify
}

// DecodeNode implements Custom.
func (v *VerifyRef) DecodeNode(n *ast.Node, d *Decoder) {
	if n.Kind == ast.Map {
		v.Inline = &Verify{Node: n}
		d.into(n, v.Inline)
		return
	}
	v.Name.DecodeNode(n, d)
}

// Reply is the answer of a webhook.
type Reply struct {
	Status int       `yaml:"status" doc:"Status number." validate:"omitempty,min=200,max=299"`
	Body   Value     `yaml:"body" doc:"A fixed body instead of the message ids."`
	Type   Text      `yaml:"type" doc:"Content type of a fixed text body."`
	Node   *ast.Node `yaml:"-"`
}

type replyOptions Reply

// DecodeNode implements Custom.
func (r *Reply) DecodeNode(n *ast.Node, d *Decoder) {
	if n.Kind == ast.Map {
		d.into(n, (*replyOptions)(r))
		r.Node = n
		return
	}
	r.Node = n
	status, err := strconv.Atoi(n.Text)
	if n.Kind != ast.Scalar || err != nil || status < 200 || status > 299 {
		d.shape(n, "a status number from 200 to 299, or {status, body}")
		if f := &(*d.Diags)[len(*d.Diags)-1]; f.Hint == "" {
			f.Hint = "write `reply: 202`, or `reply: {status: 202, body: ...}`"
		}
		return
	}
	r.Status = status
}

// ScheduleTrigger is a point in time.
type ScheduleTrigger struct {
	Cron   Text `yaml:"cron" doc:"Five fields: minute hour day month weekday." validate:"required"`
	Zone   Text `yaml:"zone" doc:"IANA zone of the cron times." ref:"zone"`
	Missed Text `yaml:"missed" doc:"Runs missed while crossdock was down: run_once (default), run_all or skip." validate:"omitempty,oneof=run_once run_all skip"`
}

// FilesTrigger reads files that appear in a folder.
type FilesTrigger struct {
	Connection Text      `yaml:"connection" doc:"Connection with the folder." validate:"required" ref:"connection"`
	Path       Text      `yaml:"path" doc:"Pattern of file names below the folder, such as in/*.csv." validate:"required"`
	Format     Text      `yaml:"format" doc:"json, ndjson, csv or text." validate:"required"`
	CSV        CSV       `yaml:"csv" doc:"Details of the csv format."`
	Encoding   Text      `yaml:"encoding" doc:"Of text files: utf-8 (default), latin1 or windows-1252; that of csv files stands below csv." validate:"omitempty,oneof=utf-8 latin1 windows-1252"`
	Every      Duration  `yaml:"every" doc:"How often to look; 30s unless said otherwise."`
	StableFor  Duration  `yaml:"stable_for" doc:"How long a file must be unchanged before it is read; 2s unless said otherwise."`
	After      FileAfter `yaml:"after" doc:"What happens to a file that was taken in." validate:"required"`
	OnBadFile  FileAfter `yaml:"on_bad_file" doc:"What happens to a file that cannot be read."`
	MaxSize    Size      `yaml:"max_size" doc:"Largest file; 1GiB unless said otherwise."`
}

// Charset is the encoding of the files, "" for UTF-8.
func (t *FilesTrigger) Charset() string {
	if t.Format.Value == "text" {
		return t.Encoding.Value
	}
	return t.CSV.Encoding.Value
}

// CSV describes a delimited text file.
type CSV struct {
	Node      *ast.Node `yaml:"-"`
	Delimiter Text      `yaml:"delimiter" doc:"One character; a comma unless said otherwise. tab works too."`
	Header    *bool     `yaml:"header" doc:"The first line names the columns; true unless said otherwise."`
	Columns   []Text    `yaml:"columns" doc:"Names of the columns of a file without header."`
	Encoding  Text      `yaml:"encoding" doc:"utf-8 (default), latin1 or windows-1252." validate:"omitempty,oneof=utf-8 latin1 windows-1252"`
	Comment   Text      `yaml:"comment" doc:"Lines that start with this character are skipped."`
}

// FileAfter says what happens to a file.
type FileAfter struct {
	Node   *ast.Node `yaml:"-"`
	MoveTo Text      `yaml:"move_to" doc:"Folder it is moved to."`
	Delete bool      `yaml:"delete" doc:"It is removed."`
	Keep   bool      `yaml:"keep" doc:"It stays; its content is remembered and not read again."`
}

// PollTrigger asks for changes again and again.
type PollTrigger struct {
	Call     Text        `yaml:"call" doc:"Operation that lists the changes." validate:"required" ref:"operation"`
	With     Fields[Row] `yaml:"with" doc:"Values for its placeholders."`
	Every    Duration    `yaml:"every" doc:"How often to ask." validate:"required"`
	MaxPages int         `yaml:"max_pages" doc:"Pages read in one round; 100 unless said otherwise." validate:"omitempty,min=1"`
	Cursor   *Cursor     `yaml:"cursor" doc:"How far the last round came."`
}

// Cursor remembers how far the last round came.
type Cursor struct {
	Save    Cell     `yaml:"save" doc:"jq over each item: the value to remember; the highest of all pages is kept." lang:"jq" validate:"required"`
	As      Text     `yaml:"as" doc:"Placeholder that receives it." validate:"required"`
	Start   Value    `yaml:"start" doc:"Value of the first round." validate:"required"`
	Overlap Duration `yaml:"overlap" doc:"How far to step back, so that nothing at the edge is missed."`
}

// EventTrigger hears events that pipelines emit.
type EventTrigger struct {
	Names []Text
	Node  *ast.Node
}

// DecodeNode implements Custom.
func (e *EventTrigger) DecodeNode(n *ast.Node, d *Decoder) {
	e.Node = n
	d.into(n, &e.Names)
}

// Step is one step: exactly one action key, plus modifiers.
type Step struct {
	Node *ast.Node
	StepOptions
}

// StepOptions are the keys of a step.
type StepOptions struct {
	Map        Text        `yaml:"map" doc:"Mapping that makes the payload of this and the following steps; beside send, call or emit only of this one." ref:"mapping"`
	When       Cell        `yaml:"when" doc:"expr: the run ends here, filtered, where it is false." lang:"expr"`
	Split      Cell        `yaml:"split" doc:"jq: each item goes on as a run of its own." lang:"jq"`
	Route      *Route      `yaml:"route" doc:"A choice between rules."`
	Send       Text        `yaml:"send" doc:"Operation that is told something: connection.operation." ref:"operation"`
	Call       Text        `yaml:"call" doc:"Operation that is asked something: connection.operation." ref:"operation"`
	Emit       Text        `yaml:"emit" doc:"Event put on the internal bus: a schema name." ref:"schema"`
	DeadLetter Text        `yaml:"dead_letter" doc:"The run ends as a dead letter with this text."`
	Ignore     *Flag       `yaml:"ignore" doc:"The run ends, filtered."`
	With       Fields[Row] `yaml:"with" doc:"Values for placeholders, and fields of the payload."`
	As         Text        `yaml:"as" doc:"Name of the result: $steps.name."`
	Policy     PolicyRef   `yaml:"policy" doc:"Policy of this step alone."`
	OnFail     []Step      `yaml:"on_fail" doc:"Steps instead of a dead letter when this one has failed for good."`
	FetchFile  *ast.Node   `yaml:"fetch_file" doc:"Downloads a file." later:"step"`
	StoreFile  *ast.Node   `yaml:"store_file" doc:"Stores a file." later:"step"`
	OpenCase   *ast.Node   `yaml:"open_case" doc:"Asks a person." later:"step"`
	File       *ast.Node   `yaml:"file" doc:"Attaches a file." later:"step"`
	Assign     *ast.Node   `yaml:"assign" doc:"Who is asked." later:"step"`
	Text       *ast.Node   `yaml:"text" doc:"What is asked." later:"step"`
}

// Flag is a key that only has to be there.
type Flag struct{ Node *ast.Node }

// DecodeNode implements Custom.
func (f *Flag) DecodeNode(n *ast.Node, d *Decoder) {
	f.Node = n
	if n.Kind == ast.Scalar && (n.Empty || n.Text == "true" || n.Style != ast.Plain) {
		return
	}
	if n.Kind == ast.Scalar && n.Text != "false" {
		return // a reason, for people
	}
	d.shape(n, "`true`")
}

// Actions are the keys of which a step has exactly one.
var Actions = []string{"map", "when", "split", "route", "send", "call", "emit", "dead_letter", "ignore"}

// Action returns the action key of the step, "" where there is none.
func (s *Step) Action() string {
	o := &s.StepOptions
	switch {
	case o.Send.Set():
		return "send"
	case o.Call.Set():
		return "call"
	case o.Emit.Set():
		return "emit"
	case o.Route != nil:
		return "route"
	case o.DeadLetter.Set():
		return "dead_letter"
	case o.Ignore != nil:
		return "ignore"
	case o.Split.Set():
		return "split"
	case o.When.Set():
		return "when"
	case o.Map.Set():
		return "map"
	}
	return ""
}

// DecodeNode implements Custom.
func (s *Step) DecodeNode(n *ast.Node, d *Decoder) {
	s.Node = n
	if n.Kind == ast.Scalar && n.Text == "ignore" {
		s.Ignore = &Flag{Node: n}
		return
	}
	if n.Kind != ast.Map {
		f := d.shape(n, "a step: `ignore`, or a map with one of map, when, split, route, send, call, emit, dead_letter")
		f.Short = diag.DidYouMean(n.Text, []string{"ignore"})
		if connection, operation, named := strings.Cut(n.Text, "."); named && n.Kind == ast.Scalar && connection != "" && operation != "" && !strings.ContainsAny(n.Text, " /") {
			f.Hint = "write {send: " + n.Text + "}"
		}
		return
	}
	before := len(*d.Diags)
	d.into(n, &s.StepOptions)
	var actions []string
	for _, a := range Actions {
		if n.Get(a) != nil {
			actions = append(actions, a)
		}
	}
	effect := n.Get("send") != nil || n.Get("call") != nil || n.Get("emit") != nil
	later := n.Get("fetch_file") != nil || n.Get("store_file") != nil || n.Get("open_case") != nil
	switch {
	case len(actions) == 0 && !later && len(*d.Diags) == before:
		d.Errorf(CodeUnknown, head(n), "a step needs an action").Hint = "you can use: map, when, split, route, send, call, emit, dead_letter, ignore"
	case len(actions) == 2 && effect && n.Get("map") != nil:
	case len(actions) > 1:
		if effect && actions[0] == "map" && len(actions) > 2 {
			actions = actions[1:] // a mapping may stand beside either
		}
		f := d.Errorf(CodeUnknown, n.Pair(actions[1]).Key.Span, "a step has one action, this one has `%s` and `%s`", actions[0], actions[1])
		f.Hint = "make two steps of it, one list item each"
		if n.Get("when") != nil {
			f.Hint = "write `- when:` as a step of its own (the run ends where it is false), or use route"
		}
	}
}

// Route is a choice between rules.
type Route struct {
	Pick      Text       `yaml:"pick" doc:"first: the first rule that matches; every: all that match." validate:"required,oneof=first every"`
	Rules     []Rule     `yaml:"rules" doc:"The rules, in order." validate:"required"`
	Otherwise *Otherwise `yaml:"otherwise" doc:"What happens when no rule matches." validate:"required"`
	Node      *ast.Node  `yaml:"-"`
}

// Rule is one named choice.
type Rule struct {
	Node *ast.Node `yaml:"-"`
	Name Text      `yaml:"name" doc:"Name of the rule, shown in trace." validate:"required"`
	When Cell      `yaml:"when" doc:"expr: true where the rule applies." lang:"expr" validate:"required"`
	To   []Step    `yaml:"to" doc:"Steps of the rule, in order." validate:"required"`
}

// Otherwise is what happens when no rule matches: ignore, dead_letter, or steps.
type Otherwise struct {
	Steps []Step
	Node  *ast.Node
}

// DecodeNode implements Custom.
func (o *Otherwise) DecodeNode(n *ast.Node, d *Decoder) {
	o.Node = n
	if to := n.Get("to"); to != nil && len(n.Pairs) == 1 {
		d.into(to, &o.Steps)
		return
	}
	if n.Kind == ast.List {
		f := d.shape(n, "`ignore`, a step, or {to: steps}")
		f.Span, f.Hint = head(n), "write `to:` between: otherwise: {to: [...]}, or the list below `to:`"
		d.into(n, &o.Steps)
		return
	}
	var one Step
	one.DecodeNode(n, d)
	o.Steps = []Step{one}
}
