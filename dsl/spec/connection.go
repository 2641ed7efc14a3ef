package spec

import (
	"regexp"
	"strconv"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// Connection is another system: NAME.connection.yaml. Keys that belong to its
// type are described by the connector.
type Connection struct {
	Name        Text              `yaml:"connection" doc:"Name of the connection." validate:"required" names:"connection"`
	Description Text              `yaml:"description" doc:"What it is for, and who owns it."`
	Type        Text              `yaml:"type" doc:"Kind of connection: http, file or log." validate:"required" ref:"connector"`
	System      Text              `yaml:"system" doc:"System it belongs to, as schemas name it in owner; its own name unless said otherwise. Several connections may lead to one system."`
	Limits      ConnLimits        `yaml:"limits" doc:"What the other system can take."`
	Breaker     *Breaker          `yaml:"breaker" doc:"When to stop calling a failing system; messages wait then and burn no attempts."`
	Maintenance []Window          `yaml:"maintenance" doc:"When the other system is closed."`
	Operations  Fields[Operation] `yaml:"operations" doc:"What can be asked of it." defines:"operation"`
}

// ConnLimits says what the other system can take.
type ConnLimits struct {
	Rate            Rate     `yaml:"rate" doc:"Calls in a second, minute or hour, evenly spread, such as 20/s."`
	Quota           Quota    `yaml:"quota" doc:"Calls in an hour, day or month of the calendar, such as 100000/day."`
	Zone            Text     `yaml:"zone" doc:"IANA zone in which the days and months of the quota begin; that of the workspace unless said otherwise." ref:"zone"`
	ReserveCritical Percent  `yaml:"reserve_critical" doc:"Share of the quota and of the calls at the same time that only critical work may use, such as 20%."`
	Concurrency     int      `yaml:"concurrency" doc:"Calls at the same time; 64 unless said otherwise." validate:"omitempty,min=1,max=10000"`
	Timeout         Duration `yaml:"timeout" doc:"Longest time for one call; 10s unless said otherwise."`
	Response        Size     `yaml:"response" doc:"Largest answer that is read; 1MiB unless said otherwise."`
}

// Operation is what can be asked of a connection. Keys that belong to the type
// of the connection are described by the connector.
type Operation struct {
	Node *ast.Node
	OperationOptions
}

// OperationOptions are the keys every connection type knows.
type OperationOptions struct {
	Repeat      Text     `yaml:"repeat" doc:"What happens when it is done twice: safe (nothing), keyed (the other side knows the key), check (look first), never." validate:"omitempty,oneof=safe keyed check never"`
	KeyHeader   Text     `yaml:"key_header" doc:"Header that carries the idempotency key; Idempotency-Key unless said otherwise."`
	KeyMemory   Duration `yaml:"key_memory" doc:"How long the other side remembers idempotency keys (repeat: keyed); 24h unless said otherwise. A dead letter that is older is not replayed blindly."`
	Check       *Check   `yaml:"check" doc:"How to find out whether an earlier attempt had its effect."`
	SuccessWhen Cell     `yaml:"success_when" doc:"expr over response; a 2xx status unless said otherwise." lang:"expr"`
	Request     Text     `yaml:"request" doc:"Schema of what is sent." ref:"schema"`
	Response    Text     `yaml:"response" doc:"Schema of the answer; one that success_when accepts without 2xx is not held against it." ref:"schema"`
	Changes     Text     `yaml:"changes" doc:"Schema of the document that it changes in the other system, where that is another one than request." ref:"schema"`
	Timeout     Duration `yaml:"timeout" doc:"Longest time for one call of this operation."`
	Items       Cell     `yaml:"items" doc:"jq: the items of a list answer." lang:"jq"`
	Next        Cell     `yaml:"next" doc:"jq: address of the next page, or its number or token, filled in as {page?}; nothing on the last one." lang:"jq"`
	Stub        Stubs    `yaml:"stub" doc:"Answers that stand in for the real system in mock, demo and try."`
}

// Check is the probe before an ambiguous attempt is repeated.
type Check struct {
	Call      Text        `yaml:"call" doc:"Operation that looks for the effect." validate:"required" ref:"operation"`
	With      Fields[Row] `yaml:"with" doc:"Values for its placeholders, computed from what was sent."`
	FoundWhen Cell        `yaml:"found_when" doc:"expr over response: true where the effect is there." lang:"expr" validate:"required"`
}

// DecodeNode implements Custom. It reads what all types share; the rest is
// left to the connector.
func (o *Operation) DecodeNode(n *ast.Node, d *Decoder) {
	o.Node = n
	if n.Kind != ast.Map {
		d.shape(n, "a map")
		return
	}
	d.Pick(n, &o.OperationOptions)
}

// Stub is one stand-in answer: a status number, the word timeout or reset, or a
// map.
type Stub struct {
	Node    *ast.Node
	Status  int
	Fault   string // "", "timeout" or "reset"
	Headers Fields[Text]
	Body    Value
	Fields  Fields[Row]
	Delay   Duration
}

// Stubs is one stand-in answer or a list of them; the last one repeats.
type Stubs []Stub

type stubOptions struct {
	Status  int          `yaml:"status" doc:"Status number; 200 unless said otherwise." validate:"omitempty,min=100,max=599"`
	Headers Fields[Text] `yaml:"headers" doc:"Headers of the answer."`
	Body    Value        `yaml:"body" doc:"Body of the answer."`
	Fields  Fields[Row]  `yaml:"fields" doc:"Rows that compute the body from the request: .body, .with, .key, .count."`
	Delay   Duration     `yaml:"delay" doc:"Time before the answer."`
}

// fileName is a text that names a file with a payload.
var fileName = regexp.MustCompile(`(?i)^[\w./-]+\.(json|xml|csv|txt|ndjson|ya?ml)$`)

// DecodeNode implements Custom.
func (s *Stub) DecodeNode(n *ast.Node, d *Decoder) {
	s.Node = n
	if n.Kind == ast.Map {
		var o stubOptions
		d.into(n, &o)
		s.Status, s.Headers, s.Body, s.Fields, s.Delay = o.Status, o.Headers, o.Body, o.Fields, o.Delay
		if s.Status == 0 {
			s.Status = 200
		}
		if body := n.Pair("body"); body != nil && body.Value.Kind == ast.Scalar && body.Value.Style == ast.Plain && fileName.MatchString(body.Value.Text) {
			d.Errorf(CodeUnknown, body.Value.Span, "the body of a stub takes no file: `%s` would be the text of the answer", body.Value.Text).
				Hint = "write the answer in its place, body: {...}, or in quotes where that text is meant"
		}
		if body := n.Pair("body"); body != nil && len(s.Fields) > 0 {
			d.Errorf(CodeUnknown, n.Pair("fields").Key.Span, "a stub has either `body` or `fields`").Hint = "keep one of them: `fields` computes the body"
		}
		return
	}
	switch n.Text {
	case "timeout", "reset":
		s.Fault = n.Text
		return
	}
	status, err := strconv.Atoi(n.Text)
	if n.Kind != ast.Scalar || err != nil || status < 100 || status > 599 {
		f := d.shape(n, "a status number, `timeout`, `reset` or a map with status and body")
		f.Short = diag.DidYouMean(n.Text, []string{"timeout", "reset"})
		return
	}
	s.Status = status
}

// DecodeNode implements Custom.
func (s *Stubs) DecodeNode(n *ast.Node, d *Decoder) {
	items := []*ast.Node{n}
	if n.Kind == ast.List {
		items = n.Items
	}
	for _, item := range items {
		var one Stub
		one.DecodeNode(item, d)
		*s = append(*s, one)
	}
}
