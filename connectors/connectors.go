// Package connectors is the contract between the engine and the outside world:
// the Channel Adapters of Enterprise Integration Patterns.
//
// A Source brings messages in, a Sink carries effects out. One folder below
// this package is one connector; it may import this package, connectors/format,
// runtime/message, dsl/spec, dsl/ast and dsl/diag, and nothing else of crossdock.
package connectors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/runtime/message"
)

// Source receives messages until its context ends.
type Source interface {
	// Run blocks. It hands messages to out, acknowledges upstream only what out
	// has taken, and cleans up before it returns nil (context ended) or the
	// error that keeps it from working at all. The engine calls it once.
	Run(ctx context.Context, out Channel) error
}

// Channel takes messages into the durable queue.
type Channel interface {
	// Send returns when every message is durable: only then may the source
	// answer 2xx, acknowledge or move a cursor. All or nothing. A *Rejection
	// means the content was refused and nothing was stored as work; any other
	// error means "not now": try again later. Safe for concurrent use.
	Send(ctx context.Context, m ...message.Message) ([]Receipt, error)
}

// Stager is a Channel that can do its part of the work ahead: decode and identify
// messages while those before them are being stored.
type Stager interface {
	Channel
	// Stage makes messages ready to be stored and has no effect. It may hold up
	// the caller while messages that it took before wait for their turn.
	Stage(ctx context.Context, m ...message.Message) (Staged, error)
}

// Staged are messages that are ready to be stored.
type Staged interface {
	// Send is Send of the Channel. Messages are in the order of the calls.
	Send(ctx context.Context) ([]Receipt, error)
}

// Receipt is the answer for one message handed to a Channel. A message that a
// pipeline splits has one ID per item.
type Receipt struct {
	IDs       []string
	Duplicate bool // all of it was known: nothing will be done again
	Filtered  bool // nothing to do: an empty split
}

// Rejection refuses the content of a message. Status is the HTTP status that
// fits: 400 not readable, 409 same key with another content, 413, 415, 422.
type Rejection struct {
	Status   int
	Message  string
	Problems []Problem
}

// Problem is one reason of a Rejection. Field is a path such as items[0].qty.
type Problem struct {
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`
}

// Error returns the message and the first problem.
func (r *Rejection) Error() string {
	if len(r.Problems) == 0 {
		return r.Message
	}
	p := r.Problems[0]
	if p.Field == "" {
		return r.Message + ": " + p.Message
	}
	return fmt.Sprintf("%s: %s: %s", r.Message, p.Field, p.Message)
}

// Sink carries out the operations of one connection. All methods are safe for
// concurrent use; Close waits for nothing and lets deliveries under way end.
type Sink interface {
	// Deliver makes exactly one attempt. It never repeats by itself. It returns
	// the answer whatever its status; the engine judges it. An error says that
	// there was no complete answer, and is classed by Permanent, After,
	// Ambiguous or NotSent; an unclassed error counts as Ambiguous.
	Deliver(ctx context.Context, r Request) (Response, error)
	Close() error
}

// Gatherer is a Sink that can carry out many requests in one go, such as lines
// of one file that share a write.
type Gatherer interface {
	Sink
	// Gathers tells whether requests of an operation gain from it.
	Gathers(operation string) bool
	// DeliverAll is Deliver for many requests. It returns one Answer for each:
	// one that fails does not keep the others from being carried out.
	DeliverAll(ctx context.Context, rs []Request) []Answer
}

// Forwarder is a Sink that sends the payload of some operations as JSON and does
// not look into it.
type Forwarder interface {
	Sink
	// Forwards tells whether requests of an operation may come with Encoded
	// and without Body.
	Forwards(operation string) bool
}

// Answer is what Deliver returns.
type Answer struct {
	Response Response
	Err      error
}

// Request is one attempt of one effect.
type Request struct {
	Operation string
	Key       string         // idempotency key: the same for every attempt, whatever replica, revision or replay
	Attempt   int            // from 1
	With      map[string]any // bound to {name} placeholders
	Body      any            // JSON value; nil = no body, unless there is Encoded
	Encoded   []byte         // Body as JSON, where the engine has it already; nil otherwise
	MessageID string
	Meta      *message.Meta
	// Page replaces path and query: the address of the next page as the other
	// side gave it, absolute or relative. It must stay on the same scheme and
	// host. "" everywhere but on the later pages of a list.
	Page string
}

// Response is what the other side answered. Sinks that know no status numbers
// answer 200. Body is the decoded JSON, or a string for other text.
type Response struct {
	Status  int
	Headers map[string]string // lower-case names
	Body    any
	Raw     []byte // at most the connection's response limit
	Cut     bool   // Raw is incomplete: the answer was larger than the limit
}

// Connector is one kind of connection, such as "http".
type Connector interface {
	// Type is the word behind `type:`.
	Type() string
	// Settings returns a pointer to a fresh struct for the keys of a connection
	// that belong to this connector (see dsl/spec for the tags).
	Settings() any
	// Operation returns the same for one entry of `operations:`.
	Operation() any
	// Check looks at decoded settings together and reports what is wrong.
	Check(c Config) diag.List
	// Open builds the sink of a connection. It must not need the other side to
	// be reachable.
	Open(c Config, env Env) (Sink, error)
}

// Previewer is implemented by connectors that can show what their connections
// would send, so that two definitions can be compared by what leaves.
type Previewer interface {
	// Preview returns a function that renders requests of a connection as they
	// would leave. It sends nothing, needs no secret and touches no file. The
	// function is safe for concurrent use.
	Preview(c Config) (func(Request) (Preview, error), error)
}

// Preview is a request as the other side would see it, without credentials and
// without the idempotency key. What an operation does not have is empty.
type Preview struct {
	Method  string
	Address string // where it goes: scheme and host, or the folder
	Path    string
	Query   map[string]any // a text, or a list of texts where a name comes twice
	Headers map[string]string
	Body    any    // before it is encoded, so that its fields can be compared
	Form    string // how Body is written: json, form, text ...
}

// Wide is implemented by connectors whose sinks gain from many deliveries at the
// same time, such as those that gather them into one write.
type Wide interface {
	// Concurrency is how many deliveries are made at the same time where the
	// definition does not say.
	Concurrency() int
}

// Config is one connection as decoded: Settings and each Operation are the
// pointers that the Connector returned, filled.
type Config struct {
	Name       string
	Settings   any
	Operations map[string]Operation
	Limits     Limits
}

// Limits is what `limits:` of a connection says; zero means the default.
type Limits struct {
	Concurrency int           // deliveries at the same time; 64
	Timeout     time.Duration // of one delivery, where its context has no deadline; 10 s
	Response    int64         // bytes of an answer that are read; 1 MiB
}

// WithDefaults returns the limits with every zero replaced by its default.
func (l Limits) WithDefaults() Limits {
	if l.Concurrency <= 0 {
		l.Concurrency = 64
	}
	if l.Timeout <= 0 {
		l.Timeout = 10 * time.Second
	}
	if l.Response <= 0 {
		l.Response = 1 << 20
	}
	return l
}

// Operation is one operation of a connection: what the language says for all
// connectors and what is the connector's own.
type Operation struct {
	Name   string
	Keyed  bool   // repeat: keyed; the key goes into KeyHeader
	Header string // key_header
	Own    any
}

// Env is what the engine lends to connectors.
type Env struct {
	Log       *slog.Logger
	Dial      func(ctx context.Context, network, addr string) (net.Conn, error) // nil: the system's
	Own       func(at netip.AddrPort) string                                    // what of crossdock itself listens there, "" for everything else; nil: nothing does
	Secret    spec.Finder                                                       // resolves ${secret.name} now
	Dir       string                                                            // folder of the workspace
	UserAgent string
}

// Fault is an error with a class. Class says what the engine may do next.
type Fault struct {
	Class Class
	Wait  time.Duration // After: at least this long
	Err   error
}

// Class sorts the ways a delivery can fail without a complete answer.
type Class uint8

// The classes of faults.
const (
	ClassAmbiguous Class = iota // the effect may have happened
	ClassNotSent                // certainly no effect: repeat freely
	ClassPermanent              // repeating cannot help
	ClassAfter                  // certainly no effect, and the other side named a time
)

// Error returns the text of the cause.
func (f *Fault) Error() string { return f.Err.Error() }

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// Permanent marks err as one that no repetition can cure.
func Permanent(err error) error { return &Fault{Class: ClassPermanent, Err: err} }

// NotSent marks err as a failure before anything reached the other side.
func NotSent(err error) error { return &Fault{Class: ClassNotSent, Err: err} }

// After marks err as one to repeat not before d has passed.
func After(d time.Duration, err error) error { return &Fault{Class: ClassAfter, Wait: d, Err: err} }

// Ambiguous marks err as one after which the effect may or may not have happened.
func Ambiguous(err error) error { return &Fault{Class: ClassAmbiguous, Err: err} }

// ClassOf returns the class of err; an unclassed error is ambiguous.
func ClassOf(err error) (Class, time.Duration) {
	var f *Fault
	if errors.As(err, &f) {
		return f.Class, f.Wait
	}
	return ClassAmbiguous, 0
}
