package compile

import (
	"slices"
	"strings"
	"time"

	"crossdock/dsl/cell"
	"crossdock/dsl/diag"
	"crossdock/dsl/mapping"
	"crossdock/dsl/spec"
)

// connections builds every connection; probes follow once all are known.
func (b *builder) connections() {
	texts := ""
	for _, d := range b.defs["connection"] {
		texts += d.source.path + string(d.source.sum[:])
	}
	b.connectionsID = connectionsID{texts, b.schemaID}
	units := b.compileAll("connection", (*builder).connection)
	for _, u := range units {
		b.ws.Connections[u.Name] = u.Connection
	}
	for _, u := range units {
		if u.work != nil {
			u.work.probes(u.Connection)
		}
	}
	b.take(units)
}

func (b *builder) connection(d *definition) {
	b.ask(base, "")
	c := &Connection{Definition: d.Definition, Spec: &spec.Connection{}, Operations: map[string]*Operation{}}
	dec := b.configured(d)
	b.unit.Connection = c
	typ := d.node.Get("type")
	var settings any
	if typ != nil {
		c.Type = typ.Text
		settings = b.opt.Catalog.Settings(typ.Text)
	}
	if settings == nil {
		dec.Pick(d.node, c.Spec) // whose the other keys are cannot be told
		if c.Spec.Type.Set() {
			dec.Unknown(typ, "connection type", b.opt.Catalog.Types())
		}
		return
	}
	dec.Pick(d.node, c.Spec)
	dec.Rest(d.node, settings, c.Spec)
	c.Settings = settings
	c.Concurrency = b.opt.Catalog.Concurrency(c.Type)
	if c.Spec.Limits.Concurrency > 0 {
		c.Concurrency = c.Spec.Limits.Concurrency
	}
	c.Timeout = c.Spec.Limits.Timeout.Or(10 * time.Second)
	c.Response = c.Spec.Limits.Response.Or(1 << 20)
	b.patience(dec, c)
	for i := range c.Spec.Operations {
		f := &c.Spec.Operations[i]
		if strings.ContainsAny(f.Key.Text, ". ") {
			dec.Errorf(spec.CodeUnknown, f.Key.Span, "the name of an operation has no dots or blanks")
		}
		c.Operations[f.Key.Text] = b.operation(dec, c, f.Key.Text, &f.Value)
	}
	b.notYetSaid(b.opt.Catalog.Check(c))
}

// notYetSaid adds findings about places of which nothing was said before: what
// cannot be read cannot be right either.
func (b *builder) notYetSaid(list diag.List) {
	said := b.diags[:len(b.diags):len(b.diags)]
	if b.unit != nil {
		said = append(said, b.unit.parsed.list...)
	}
	for _, d := range list {
		if !slices.ContainsFunc(said, func(s diag.Diagnostic) bool { return s.Severity == diag.Error && overlap(s.Span, d.Span) }) {
			b.diags.Add(d)
		}
	}
}

func overlap(a, b diag.Span) bool {
	return a.File == b.File && a.Start.Less(b.End) && b.Start.Less(a.End)
}

func (b *builder) operation(dec *spec.Decoder, c *Connection, name string, s *spec.Operation) *Operation {
	op := &Operation{Connection: c.Name, Name: name, Spec: s, Repeat: Repeat(s.Repeat.Value), KeyHeader: s.KeyHeader.Value}
	op.Own = b.opt.Catalog.Operation(c.Type)
	if op.Own != nil && s.Node != nil {
		dec.Rest(s.Node, op.Own, &s.OperationOptions)
	}
	op.Bound = map[string]bool{}
	if op.Own != nil {
		names, optional := b.opt.Catalog.Placeholders(op)
		for _, name := range names {
			op.Bound[name] = true
		}
		for _, name := range optional {
			op.Bound[name] = false
		}
	}
	if op.Repeat == RepeatUnset && op.Own != nil && b.opt.Catalog.ReadOnly(op) {
		op.Repeat = RepeatSafe
	}
	if op.KeyHeader == "" {
		op.KeyHeader = "Idempotency-Key"
	}
	op.KeyMemory = s.KeyMemory.Or(24 * time.Hour)
	op.Timeout = s.Timeout.Or(c.Timeout)
	op.Request, op.Response = b.schemaRef(dec, s.Request), b.schemaRef(dec, s.Response)
	op.Changes = b.schemaRef(dec, s.Changes)
	at := cell.Context{Kind: "connection", Name: c.Name, Row: name}
	op.SuccessWhen = b.cells.Rule(s.SuccessWhen, at.As("success_when").Answer(op.responseShape()))
	op.Items = b.cells.JQ(s.Items, at.As("items").Of(op.responseShape()))
	op.Next = b.cells.JQ(s.Next, at.As("next").Of(op.responseShape()))
	for i := range s.Stub {
		op.Stubs = append(op.Stubs, b.stub(dec, at, &s.Stub[i]))
		stubFits(dec, op, &s.Stub[i])
	}
	op.answer = op.responseShape()
	if op.Response == nil && !s.Response.Set() {
		op.answer.Made = b.answered(op)
	}
	if s.Check != nil && s.Repeat.Set() && op.Repeat != RepeatCheck {
		dec.Errorf(spec.CodeUnknown, s.Node.Pair("check").Key.Span, "`check` has no effect beside `repeat: %s`", s.Repeat.Value).
			Hint = "write `repeat: check`, or remove it"
	}
	if s.Node != nil && op.Repeat != RepeatKeyed && (!s.Repeat.Set() || op.Repeat.known()) {
		if p := s.Node.Pair("key_memory"); p != nil {
			dec.Errorf(spec.CodeUnknown, p.Key.Span, "`key_memory` has no effect without `repeat: keyed`").
				Hint = "write `repeat: keyed` where the other side knows the key, or remove it"
		}
	}
	if op.Repeat == RepeatCheck && s.Check == nil {
		dec.Errorf(spec.CodeUnknown, s.Repeat.Span(), "`repeat: check` needs `check:`").
			Hint = "add check: {call: connection.operation, with: {...}, found_when: ...}"
	}
	return op
}

// Answer is what is known of the answers of an operation.
func (o *Operation) Answer() cell.Shape { return o.answer }

func (o *Operation) responseShape() cell.Shape {
	if o.Response == nil {
		return cell.Shape{}
	}
	return cell.Shape{Schema: o.Response.Schema}
}

// stub compiles one stand-in answer.
func (b *builder) stub(dec *spec.Decoder, at cell.Context, s *spec.Stub) Stub {
	out := Stub{Status: s.Status, Fault: s.Fault, Body: s.Body.V, HasBody: s.Body.Set(), Delay: s.Delay.D}
	for _, h := range s.Headers {
		if out.Headers == nil {
			out.Headers = map[string]string{}
		}
		out.Headers[strings.ToLower(h.Key.Text)] = h.Value.Value
	}
	if len(s.Fields) > 0 {
		out.HasBody = true
		out.Fields = b.rows(dec, "stub of "+at.Row, at.As("stub"), s.Fields, nil)
	}
	return out
}

// probes compiles the `check:` sections of a connection, which name other
// operations, once all connections are known.
func (b *builder) probes(c *Connection) {
	b.probing = true
	dec := b.configured(&definition{Definition: c.Definition})
	for _, f := range c.Spec.Operations {
		op, s := c.Operations[f.Key.Text], f.Value.Check
		if op == nil || s == nil {
			continue
		}
		target := b.operationRef(dec, s.Call)
		at := cell.Context{Kind: "connection", Name: c.Name, Row: op.Name}
		p := &Probe{Operation: b.targetOf(s.Call, target), With: b.rows(dec, "check of "+op.Name, at.As("with"), s.With, nil)}
		answer := cell.Shape{}
		if target != nil {
			answer = target.answer
			given := map[string]bool{}
			for _, name := range s.With.Names() {
				given[name] = true
			}
			unbound(dec, target, s.Call, given, s.With)
		}
		p.FoundWhen = b.cells.Rule(s.FoundWhen, at.As("found_when").Answer(answer))
		op.Check = p
	}
}

// operationRef resolves connection.operation.
func (b *builder) operationRef(dec *spec.Decoder, ref spec.Text) *Operation {
	if !ref.Set() {
		return nil
	}
	conn, name := splitRef(ref.Value)
	c := b.connectionRef(conn)
	if name == "" {
		f := dec.Errorf(spec.CodeUnknown, ref.Span(), "`%s` is not an operation", ref.Value)
		f.Hint = "write connection.operation, such as " + b.someOperation(conn)
		for _, sign := range []string{"/", ":", "->", " ", "#"} {
			left, right, cut := strings.Cut(ref.Value, sign)
			if c := b.connectionRef(strings.TrimSpace(left)); cut && c != nil && c.Operations[strings.TrimSpace(right)] != nil {
				f.Short = "did you mean `" + strings.TrimSpace(left) + "." + strings.TrimSpace(right) + "`?"
				break
			}
		}
		return nil
	}
	if c == nil {
		known := b.knownNames("connection")
		at := *ref.Node
		at.Text = conn
		at.Span = ref.Node.Range(0, len(conn))
		dec.Unknown(&at, "connection", known)
		return nil
	}
	op := c.Operations[name]
	if op == nil && c.Settings == nil {
		return nil // its type is wrong or missing, so its operations were not read
	}
	if op == nil {
		at := *ref.Node
		at.Text = name
		at.Span = ref.Node.Range(len(conn)+1, len(ref.Node.Text))
		dec.Unknown(&at, "operation", sortedKeys(c.Operations))
		f := &b.diags[len(b.diags)-1]
		f.Message, f.Missing = "the connection "+conn+" has no operation `"+name+"`", "operation "+ref.Value
		if len(c.Operations) == 0 {
			f.Hint = "it has no operations yet: add them below `operations:`"
		}
	}
	return op
}

// connectionRef resolves the name of a connection; nil where there is none.
func (b *builder) connectionRef(name string) *Connection {
	for _, name := range b.candidates(name) {
		if c := b.ask(aConnection, name).(*Connection); c != nil {
			return c
		}
	}
	return nil
}

// targetOf is the name by which running finds the operation that ref means: a
// client has its own.
func (b *builder) targetOf(ref spec.Text, op *Operation) string {
	if op != nil && b.client != "" && strings.HasPrefix(op.Connection, b.client+"/") {
		return op.Ref()
	}
	return ref.Value
}

// someOperation is an example, of the connection conn where it has any.
func (b *builder) someOperation(conn string) string {
	for _, name := range append([]string{conn}, b.knownNames("connection")...) {
		c := b.connectionRef(name)
		if c == nil {
			continue
		}
		for _, op := range sortedKeys(c.Operations) {
			return name + "." + op
		}
	}
	return "tms.create_shipment"
}

// rows compiles rows outside a mapping, such as `with`, as a small mapping.
func (b *builder) rows(dec *spec.Decoder, name string, at cell.Context, rows spec.Fields[spec.Row], out *Schema) *mapping.Mapping {
	if len(rows) == 0 {
		return nil
	}
	m := &mapping.Mapping{Name: name, Params: b.params}
	b.object(dec, &m.Object, rows, rowContext{Context: at, vars: mappingVars(nil), prefix: "", out: out})
	return m
}
