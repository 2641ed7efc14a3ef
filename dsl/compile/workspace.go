// Package compile turns parsed definitions into a Workspace: everything
// resolved, every cell compiled, ready to run. A Workspace is one revision; it
// is immutable and safe for concurrent use.
//
// Compiling reports what makes a definition impossible to run. The rules of
// dsl/lint look at the same Workspace afterwards, so a rule and the running
// system can never see two different programs.
package compile

import (
	"strings"
	"time"

	"crossdock/dsl/ast"
	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/jq"
	"crossdock/dsl/lookup"
	"crossdock/dsl/mapping"
	"crossdock/dsl/rule"
	"crossdock/dsl/schema"
	"crossdock/dsl/spec"
	"crossdock/dsl/template"
	"crossdock/runtime/retry"
)

// Workspace is one revision of all definitions.
type Workspace struct {
	Revision    string // content hash of all definitions: equal text, equal revision
	Name        string
	Spec        *spec.Workspace // nil without crossdock.yaml
	Environment *Environment
	Pipelines   map[string]*Pipeline
	Connections map[string]*Connection
	Mappings    map[string]*Mapping
	Lookups     map[string]*Lookup
	Schemas     map[string]*Schema
	Policies    map[string]*Policy
	Verify      map[string]*spec.Verify
	Alerts      map[string]*Alert
	Tests       []*Test
	StdTests    []*Test                       // of the shipped flows that are used
	Listeners   map[string][]*Pipeline        // by event name, in name order; see Hears
	Templates   map[string]*template.Template // by name with version
	Clients     map[string]*Client            // by code

	Files map[string]*ast.File // by path; files of the shipped library begin with "std/"
	Cells []*cell.Cell         // every compiled cell; nil once dropped
	Units []*Unit              // every definition but the workspace file and environments

	// Trials are the same definitions with instances that nobody wrote, one for
	// each way in which files of templates are used that no client gets. They are
	// looked at, and never run; nil once dropped.
	Trials []*Workspace
	Trial  *template.Trial // the instance that nobody wrote; nil in the workspace itself

	Strict bool // all jq cells run in the sandbox; see Untrusted

	Watch cell.Watch // of tests; nil otherwise

	// Aside is where jq cells of messages go on that have met a limit before; nil is
	// this process. Whoever runs the workspace sets it before it is shared.
	Aside jq.Sandbox

	secrets []string
	parts   map[string]bool // files of templates; true where some client gets it
}

// Definition is what all kinds have in common.
type Definition struct {
	Kind   string
	Name   string
	Digest string // of its meaning: comments, order of keys and layout do not count
	File   *ast.File
	Std    bool   // comes with crossdock
	Client string // whose it is; "" where it belongs to the whole workspace
}

// Environment is the place to run that was chosen.
type Environment struct {
	Definition
	Spec *spec.Environment
	Vars map[string]any
}

// Schema is the contract of a document or event.
type Schema struct {
	Definition
	Spec      *spec.Schema
	Schema    *schema.Schema
	EventName *jq.Program // nil: EventDefault
	Event     string      // the name under which its events are heard where EventName is nil
}

// Broken reports whether the schema cannot be read, or there is none, which is told
// where it is written or named.
func (s *Schema) Broken() bool { return s == nil || s.Schema == nil }

// Lookup is a crosswalk.
type Lookup struct {
	Definition
	Spec  *spec.Lookup
	Table *lookup.Table
}

// Mapping is a field table.
type Mapping struct {
	Definition
	Spec          *spec.Mapping // nil once dropped
	Mapping       *mapping.Mapping
	Input, Output *Schema // nil where not named

	Params any // of the template, nil without; what cells read as $params

	readsOriginal, readsMeta, readsRun bool // some cell may read `$original`, `$meta`, `$run`

	makes *cell.Made // what its rows make, where no schema says it
}

// Makes is what is known of the payload that the mapping gives.
func (m *Mapping) Makes() cell.Shape { return m.outputShape() }

// Policy says what the business tolerates, with everything inherited.
type Policy struct {
	Name     string
	Priority int // 0 critical, 1 high, 2 normal, 3 low
	Retry    retry.Policy
	Remember time.Duration
	Ordered  bool
	SLA      time.Duration // from reception to delivery; 0 = nothing was promised
	Box      string
	Keep     time.Duration
	Alert    string        // who hears of dead letters in Box; "" = nobody in particular
	GiveUp   time.Duration // how long a message waits for a system that pauses it
	Collapse bool          // only the newest waiting message of an order_by is worked on
	Block    bool          // a dead letter holds up what follows with its order_by

	RetrySet bool // attempts were named by a person, not only by default
	Span     diag.Span
}

// Repeat says what happens when an operation is done twice.
type Repeat string

func (r Repeat) known() bool {
	return r == RepeatSafe || r == RepeatKeyed || r == RepeatCheck || r == RepeatNever
}

// The kinds of Repeat. Unset operations that only read are RepeatSafe; others
// behave as RepeatNever, with a lint error where a policy would repeat them.
const (
	RepeatSafe  Repeat = "safe"
	RepeatKeyed Repeat = "keyed"
	RepeatCheck Repeat = "check"
	RepeatNever Repeat = "never"
	RepeatUnset Repeat = ""
)

// Connection is another system.
type Connection struct {
	Definition
	Spec        *spec.Connection
	Type        string
	Settings    any // the connector's
	Operations  map[string]*Operation
	Concurrency int
	Timeout     time.Duration
	Response    int64
	Rate        Rate      // zero: no bound
	Quota       Quota     // zero: no bound
	Reserve     int       // percent of Quota and Concurrency for critical work
	Breaker     *Breaker  // nil: none
	Windows     []*Window // of maintenance
}

// Rate is so many in a time; N 0 = no bound.
type Rate struct {
	N   int
	Per time.Duration
}

// Quota is so many in a period of the calendar; N 0 = no bound.
type Quota struct {
	N      int
	Period string // hour, day or month
	Zone   string
}

// Breaker says when an operation is called no more, and when it is tried again.
type Breaker struct {
	Failures int
	Within   time.Duration
	Probe    time.Duration
}

// Window is a time in which a connection is closed.
type Window struct {
	Name  string
	Cron  string // when it begins
	Zone  string
	Lasts time.Duration
	Try   [4]bool // by priority: it is called all the same
	Rate  Rate    // of what was held, when it has ended
}

// Operation is what can be asked of a connection.
type Operation struct {
	Connection  string
	Name        string
	Spec        *spec.Operation
	Own         any // the connector's
	Repeat      Repeat
	KeyHeader   string
	KeyMemory   time.Duration // how long the other side remembers keys
	Check       *Probe
	SuccessWhen *rule.Program
	Request     *Schema
	Response    *Schema
	Changes     *Schema // what it changes on the other side, where that is not Request
	Timeout     time.Duration
	Items, Next *jq.Program
	Stubs       []Stub
	Bound       map[string]bool // names it takes from `with` for placeholders; true: it needs them

	answer cell.Shape // what is known of its answers, also where no schema tells it
}

// Binds reports whether the operation has a placeholder of that name.
func (o *Operation) Binds(name string) bool {
	_, binds := o.Bound[name]
	return binds
}

// SendsBody reports whether the operation sends a payload. Connectors without
// a word about it do.
func (o *Operation) SendsBody() bool {
	own, says := o.Own.(interface{ SendsBody() bool })
	return !says || own.SendsBody()
}

// Picks returns the fields of the payload that the operation takes by name; nil
// where it takes the payload as it is.
func (o *Operation) Picks() []spec.Text {
	if own, picks := o.Own.(interface{ Picks() []spec.Text }); picks {
		return own.Picks()
	}
	return nil
}

// Ref returns "connection.operation".
func (o *Operation) Ref() string { return o.Connection + "." + o.Name }

// Probe finds out whether an earlier attempt had its effect.
type Probe struct {
	Operation string // connection.operation
	With      *mapping.Mapping
	FoundWhen *rule.Program
}

// Stub is a stand-in answer.
type Stub struct {
	Status  int
	Fault   string // "", "timeout" or "reset"
	Headers map[string]string
	Body    any
	HasBody bool
	Fields  *mapping.Mapping // computes the body from {body, path, query, count}
	Delay   time.Duration
}

// Pipeline is what starts work, which data identifies it, and its steps.
type Pipeline struct {
	Definition
	Spec    *spec.Pipeline
	Trigger Trigger
	Accept  *Schema
	Hold    bool // a payload that does not fit Accept is held, not refused
	Split   *jq.Program
	When    *rule.Program
	Key     []*jq.Program
	OrderBy *jq.Program
	TraceBy []Trace
	// EventTime tells when it happened at the sender; nil: nobody knows.
	EventTime *jq.Program
	Policy    *Policy
	Steps     []*Step
	ByID      map[string]*Step // every step, those of rules and on_fail included

	Params any // of the template, nil without; what cells read as $params

	ReadsOriginal bool // some cell may read `$original`
	ReadsMeta     bool // some cell may read `$meta`
	ReadsRun      bool // some cell may read `$run`
}

// Trace is a business number under which people look for a message.
type Trace struct {
	Type string
	Cell *jq.Program
}

// Trigger is what starts a run; exactly one field besides Verify is set.
type Trigger struct {
	HTTP     *spec.HTTPTrigger
	Verify   *spec.Verify // of HTTP; nil where none was named
	From     string       // of Files the connection, of Poll the operation, by their full names
	Schedule *spec.ScheduleTrigger
	Zone     string // of Schedule
	Files    *spec.FilesTrigger
	Poll     *spec.PollTrigger
	PollWith *mapping.Mapping
	Save     *jq.Program // of Poll's cursor
	Events   []string    // normal form, see EventName
}

// Action is what a step does.
type Action uint8

// The actions of steps.
const (
	ActMap Action = iota
	ActWhen
	ActSplit
	ActRoute
	ActSend
	ActCall
	ActEmit
	ActDeadLetter
	ActIgnore
)

// Effect reports whether the action reaches outside the run.
func (a Action) Effect() bool { return a == ActSend || a == ActCall || a == ActEmit }

// Step is one step. ID is stable while its meaning is: it is made of the names
// of the rules around it and of what it does, not of its position.
type Step struct {
	ID     string
	Action Action
	Spec   *spec.Step
	Next   *Step // what follows, out of the rule where there is one; nil ends the run

	Map    *mapping.Mapping
	When   *rule.Program
	Split  *jq.Program
	Route  *Route
	Target string // send, call: connection.operation
	Event  *Schema
	With   *mapping.Mapping
	As     string
	Policy *Policy // of this step; never nil on effects
	OnFail []*Step
	Text   string     // dead_letter
	Shape  cell.Shape // what is known of the payload in front of it

	Ran   map[string]bool // results of earlier steps that are there whatever way the run took
	ended bool            // no run comes out behind it
}

// Route is a choice between rules.
type Route struct {
	Every     bool
	Rules     []Rule
	Otherwise *Step // first step; nil ends the run filtered
}

// Rule is one named choice.
type Rule struct {
	Name string
	When *rule.Program
	To   *Step
}

// Test holds cases.
type Test struct {
	Definition
	Spec     *spec.Test
	Mapping  *Mapping  // one of Mapping
	Pipeline *Pipeline // and Pipeline is set
}

// Owner is the client whose names the test may write short; "" where what is
// tested belongs to the workspace.
func (t *Test) Owner() string {
	switch {
	case t.Client != "":
		return t.Client
	case t.Mapping != nil:
		return t.Mapping.Client
	case t.Pipeline != nil:
		return t.Pipeline.Client
	}
	return ""
}

// Of is what is tested, by its full name: "mapping NAME" or "pipeline NAME".
func (t *Test) Of() string {
	switch {
	case t.Client != "" && t.Mapping != nil:
		return "mapping " + t.Mapping.Name
	case t.Client != "" && t.Pipeline != nil:
		return "pipeline " + t.Pipeline.Name
	}
	return t.Spec.Of.Value
}

// Operation finds an operation by connection.operation.
func (w *Workspace) Operation(ref string) *Operation {
	conn, op := splitRef(ref)
	c := w.Connections[conn]
	if c == nil {
		c = w.Connections["std/"+conn]
	}
	if c == nil {
		return nil
	}
	return c.Operations[op]
}

// PerRecord reports whether each record of a file is a message of its own: lines
// always, rows of a csv file where the pipeline does nothing with a file but to
// split its rows.
func (p *Pipeline) PerRecord() bool {
	t := p.Trigger.Files
	if t == nil {
		return false
	}
	return t.Format.Value == "ndjson" || t.Format.Value == "csv" && (p.rowsOnly())
}

func (p *Pipeline) rowsOnly() bool {
	if p.Split == nil || p.When != nil || p.Accept != nil || p.ReadsOriginal {
		return false
	}
	s := strings.TrimSpace(p.Split.Source())
	return s == ".rows" || s == ".rows[]"
}
