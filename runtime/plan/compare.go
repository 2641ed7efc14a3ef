package plan

import (
	"context"
	"slices"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/value"
	"crossdock/runtime/flow"
	"crossdock/runtime/message"
)

// Difference is one way in which messages come to something else, with how many
// do.
type Difference struct {
	What     What   `json:"what"`
	Client   string `json:"client,omitempty"` // whose pipeline or mapping it is
	Pipeline string `json:"pipeline,omitempty"`
	Target   string `json:"target,omitempty"` // connection.operation, event NAME or mapping NAME
	Step     string `json:"step,omitempty"`
	Place    string `json:"place,omitempty"` // body, query, header, path, method, address, form or with
	Field    string `json:"field,omitempty"` // lines[].weight
	// Protected says why nobody may change the value unseen; "" where anybody may.
	Protected string    `json:"protected,omitempty"`
	Count     int       `json:"count"` // messages that differ in it
	Of        int       `json:"of"`    // messages in which it could have differed
	Real      int       `json:"real"`  // of Count, messages of the running crossdock
	Examples  []Example `json:"examples,omitempty"`
}

// What is a kind of Difference.
type What string

// The kinds of differences.
const (
	InField   What = "field"   // another value is sent, emitted or mapped
	CallGone  What = "gone"    // a call or event is not made any more
	CallNew   What = "new"     // a call or event is made that was not
	InRoute   What = "route"   // other rules are chosen
	InOutcome What = "outcome" // it ends otherwise: delivered, filtered, dead or refused
	InKey     What = "key"     // it is another message now, for whoever remembers it
	InOrder   What = "order"   // it waits behind others than before
	InEffect  What = "effect"  // the other side sees another idempotency key
)

// Example is one message that differs.
type Example struct {
	Message string        `json:"message"` // its ID, the file of a sample, or the name of a case
	Origin  Origin        `json:"origin"`
	Refs    []message.Ref `json:"refs,omitempty"`
	Before  any           `json:"before"`
	After   any           `json:"after"`
	Lost    bool          `json:"lost,omitempty"`   // After is nothing at all, not null
	Gained  bool          `json:"gained,omitempty"` // Before is
}

// mostExamples bounds what is kept of one difference.
const mostExamples = 3

// comparison collects what differs.
type comparison struct {
	in       *Input
	old, new *player
	compared Compared
	clients  map[string]*Compared // by code
	byKey    map[string]*Difference
	order    []string
	calls    map[string]int // messages that make a call, by pipeline and target
	messages map[string]int // by pipeline or mapping

	protected *protection
}

func newComparison(in *Input) *comparison {
	return &comparison{in: in, old: newPlayer(&in.Old, in.Preview), new: newPlayer(&in.New, in.Preview), byKey: map[string]*Difference{},
		clients: map[string]*Compared{}, calls: map[string]int{}, messages: map[string]int{}, protected: newProtection(in.Old.WS, in.New.WS)}
}

// message runs one message through both sides and notes what differs.
func (c *comparison) message(ctx context.Context, m Message) {
	var a, b *trail
	if m.Mapping != "" {
		a, b = c.old.mapped(ctx, &m), c.new.mapped(ctx, &m)
	} else {
		a, b = c.old.play(ctx, &m), c.new.play(ctx, &m)
	}
	if !a.known || !b.known {
		return // what is new or gone has nothing to be compared with
	}
	client := c.client(&m)
	counts := []*Compared{&c.compared}
	if client != "" {
		if c.clients[client] == nil {
			c.clients[client] = &Compared{}
		}
		counts = append(counts, c.clients[client])
	}
	for _, n := range counts {
		n.add(m.Origin)
	}
	c.messages[m.Pipeline+"\x00"+m.Mapping]++
	one := &collector{c: c, m: &m, client: client, seen: map[string]bool{}, veil: c.veil(&m, a, b)}
	one.refs = one.veil.refs(flow.Refs(m.In.Trace, a.refs))
	one.identity(a, b)
	one.routes(a, b)
	one.outcome(a, b)
	one.traffic(a, b)
	if len(one.seen) > 0 {
		for _, n := range counts {
			n.Differ++
		}
	}
}

// client is whose pipeline or mapping a message is for; "" where it is of the
// whole workspace.
func (c *comparison) client(m *Message) string {
	if p := c.in.New.WS.Pipelines[m.Pipeline]; p != nil {
		return p.Client
	}
	if mp := c.in.New.WS.Mappings[m.Mapping]; mp != nil {
		return mp.Client
	}
	return ""
}

// byClient is how every client fares, also those of whom nothing could be
// compared.
func (c *comparison) byClient() []Client {
	var out []Client
	for _, code := range sorted(c.in.New.WS.Clients) {
		one := Client{Code: code}
		if n := c.clients[code]; n != nil {
			one.Compared = *n
		}
		out = append(out, one)
	}
	return out
}

// list returns the differences, those of calls with how many messages make them.
func (c *comparison) list() []Difference {
	out := make([]Difference, 0, len(c.order))
	for _, key := range c.order {
		d := c.byKey[key]
		mapping, isMapping := strings.CutPrefix(d.Target, "mapping ")
		switch {
		case d.What == InField || d.What == InEffect || d.What == CallGone || d.What == CallNew:
			d.Of = max(c.calls[d.Pipeline+"\x00"+d.Target], d.Count)
		case isMapping && d.Pipeline == "":
			d.Of = c.messages["\x00"+mapping]
		default:
			d.Of = c.messages[d.Pipeline+"\x00"]
		}
		if !isMapping || !c.sentToo(mapping, d) {
			out = append(out, *d)
		}
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return strings.Compare(a.sortKey(), b.sortKey()) })
	return out
}

// sentToo reports whether what a mapping gives by itself is told already, by what
// a pipeline that uses it sends.
func (c *comparison) sentToo(mapping string, d *Difference) bool {
	for _, key := range c.order {
		o := c.byKey[key]
		if o.Pipeline == "" || o.What != d.What || o.Field != d.Field {
			continue
		}
		if p := c.in.New.WS.Pipelines[o.Pipeline]; p != nil && uses(p, mapping) {
			return true
		}
	}
	return false
}

func uses(p *compile.Pipeline, mapping string) bool {
	for _, s := range p.ByID {
		if s.Map != nil && s.Map.Name == mapping {
			return true
		}
	}
	return false
}

// sortKey puts what is of all before what is of each client, and of each what must
// be read first, then pipelines with their calls, then mappings by themselves.
func (d *Difference) sortKey() string {
	loud := "2"
	if d.What == InKey || d.What == InOrder {
		loud = "0"
	} else if d.What == InOutcome || d.What == CallGone || d.What == CallNew || d.What == InRoute {
		loud = "1"
	}
	alone := "0"
	if d.Pipeline == "" {
		alone = "1"
	}
	return strings.Join([]string{d.Client, alone, d.Pipeline, loud, d.Target, d.Step, d.Place, d.Field, string(d.What)}, "\x00")
}

// shapes are everything that schemas say about a message and what it becomes.
func (c *comparison) shapes(m *Message, trails ...*trail) []*value.Shape {
	var out []*value.Shape
	add := func(s *compile.Schema) {
		if s != nil {
			out = append(out, s.Schema.Shape())
		}
	}
	for _, ws := range []*compile.Workspace{c.in.Old.WS, c.in.New.WS} {
		if p := ws.Pipelines[m.Pipeline]; p != nil {
			add(p.Accept)
			for _, s := range p.ByID {
				if s.Map != nil && ws.Mappings[s.Map.Name] != nil {
					add(ws.Mappings[s.Map.Name].Input)
				}
			}
		}
		if mp := ws.Mappings[m.Mapping]; mp != nil {
			add(mp.Input)
		}
	}
	for _, t := range trails {
		for _, x := range t.calls {
			if x.shape != nil {
				out = append(out, x.shape)
			}
		}
	}
	return out
}
