package flow_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"crossdock/runtime/flow"
	"crossdock/runtime/message"
)

func decodeJSON(raw []byte, _ *message.Meta) (any, error) {
	return message.Decode(raw, message.Unlimited)
}

// body draws any JSON value with exact numbers.
func body() *rapid.Generator[any] {
	return rapid.Custom(func(t *rapid.T) any {
		switch rapid.IntRange(0, 6).Draw(t, "kind") {
		case 0:
			return nil
		case 1:
			return rapid.Bool().Draw(t, "bool")
		case 2:
			return json.Number(rapid.SampledFrom([]string{"0", "1.10", "-7", "12345678901234567890", "1e2", "0.000"}).Draw(t, "number"))
		case 3:
			return []any{rapid.String().Draw(t, "item"), json.Number("1.0")}
		case 4:
			return map[string]any{rapid.String().Draw(t, "key"): map[string]any{"x": nil}}
		}
		return strings.ToValidUTF8(rapid.String().Draw(t, "text"), "?")
	})
}

func run() *rapid.Generator[flow.Run] {
	return rapid.Custom(func(t *rapid.T) flow.Run {
		text := func(name string) string { return rapid.String().Draw(t, name) }
		moment := func(name string) time.Time {
			return time.Unix(0, rapid.Int64Range(-1<<60, 1<<60).Draw(t, name)).UTC()
		}
		texts := func(name string) map[string]string {
			m := rapid.MapOfN(rapid.String(), rapid.String(), 0, 3).Draw(t, name)
			if len(m) == 0 {
				return nil
			}
			return m
		}
		r := flow.Run{ID: text("id"), Pipeline: text("pipeline"), Revision: text("revision"), Key: text("key"), OrderKey: text("order"),
			Step: text("step"), Now: moment("now"), Priority: rapid.IntRange(0, 3).Draw(t, "priority"),
			Effects: rapid.IntRange(0, 1000).Draw(t, "effects"), Ambiguous: rapid.Bool().Draw(t, "ambiguous"), Alone: rapid.IntRange(0, 3).Draw(t, "alone"),
			Meta: message.Meta{Source: text("source"), Path: text("path"), Consumer: text("consumer"), Type: text("type"),
				ReceivedAt: moment("received"), Headers: texts("headers"), Query: texts("query")}}
		for range rapid.IntRange(0, 3).Draw(t, "refs") {
			r.Trace = append(r.Trace, message.Ref{Type: text("ref"), Value: text("value")})
		}
		if rapid.Bool().Draw(t, "file") {
			r.Meta.File = &message.File{Name: text("name"), SHA256: text("sha"), Size: rapid.Int64().Draw(t, "size"), Record: rapid.IntRange(0, 1<<40).Draw(t, "record")}
		}
		if rapid.Bool().Draw(t, "event") {
			r.Meta.Event = &message.Event{ID: text("eventid"), Name: text("eventname")}
		}
		if rapid.Bool().Draw(t, "steps") {
			r.Steps = map[string]any{"a": body().Draw(t, "a"), "b": body().Draw(t, "b")}
		}
		if rapid.Bool().Draw(t, "cause") {
			r.Cause = &flow.Cause{Code: "map", Message: strings.ToValidUTF8(text("message"), "?"), Step: "x", Status: 503, At: time.Unix(17, 0).UTC()}
		}
		r.Original = body().Draw(t, "original")
		if rapid.Bool().Draw(t, "raw") {
			r.Raw = message.Marshal(r.Original)
		}
		r.Body = r.Original
		if r.Mapped = rapid.Bool().Draw(t, "mapped"); r.Mapped {
			r.Body = body().Draw(t, "body")
		}
		return r
	})
}

// TestRecord: what is written is read again, whatever it is.
func TestRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := run().Draw(t, "run")
		b := flow.Encode(nil, &in)
		out, err := flow.Decode(b, decodeJSON)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, out); diff != "" {
			t.Fatalf("-written +read:\n%s", diff)
		}
		if got := flow.PipelineOf(b); got != in.Pipeline {
			t.Fatalf("PipelineOf gives %q, not %q", got, in.Pipeline)
		}
		again, err := flow.Decode(flow.Encode([]byte("before"), &out)[len("before"):], decodeJSON)
		if err != nil || !cmp.Equal(out, again) {
			t.Fatalf("the second round differs: %v", err)
		}
	})
}

// TestRecordCut: no prefix of a record is taken for a whole one.
func TestRecordCut(t *testing.T) {
	r := flow.Run{ID: "m1", Pipeline: "p", Key: "k", Step: "send:a.b", Now: time.Unix(1, 0), Steps: map[string]any{"x": "y"}, Effects: 300,
		Trace: []message.Ref{{Type: "order", Value: "1"}}, Body: map[string]any{"a": json.Number("1")}, Mapped: true, Raw: []byte(`{"b":2}`), Cause: &flow.Cause{Code: "c"},
		Meta: message.Meta{Headers: map[string]string{"a": "b"}, File: &message.File{Name: "f"}, Event: &message.Event{ID: "e"}}}
	b := flow.Encode(nil, &r)
	for n := range b {
		if _, err := flow.Decode(b[:n], decodeJSON); err == nil {
			t.Errorf("%d of %d bytes were taken for the whole", n, len(b))
		}
	}
}

func TestRecordVersion(t *testing.T) {
	b := flow.Encode(nil, &flow.Run{ID: "m1"})
	for _, v := range []byte{0, 1, 9, 255} {
		b[0] = v
		_, err := flow.Decode(b, decodeJSON)
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("format %d", v)) {
			t.Errorf("version %d: %v", v, err)
		}
	}
}

// TestUnreadablePayload: bytes that cannot be decoded stay visible.
func TestUnreadablePayload(t *testing.T) {
	b := flow.Encode(nil, &flow.Run{ID: "m1", Pipeline: "p", Raw: []byte("not json")})
	r, err := flow.Decode(b, decodeJSON)
	if err == nil || string(r.Raw) != "not json" || r.ID != "m1" {
		t.Errorf("%+v %v", r, err)
	}
	b = flow.Encode(nil, &flow.Run{ID: "m1", Raw: []byte("not json"), Fault: "the body cannot be read"})
	if r, err := flow.Decode(b, decodeJSON); err != nil || r.Fault == "" || string(r.Raw) != "not json" {
		t.Errorf("%+v %v", r, err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(flow.Encode(nil, &flow.Run{ID: "m1", Pipeline: "p", Raw: []byte(`{"a":1}`)}))
	f.Add(flow.Encode(nil, &flow.Run{ID: "m1", Steps: map[string]any{"a": json.Number("1")}, Body: "x", Mapped: true, Cause: &flow.Cause{Code: "x"}}))
	f.Add([]byte{1, 255, 0, 255, 255, 255, 255, 15})
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		flow.PipelineOf(b)
		before := bytes.Clone(b)
		r, err := flow.Decode(b, func(raw []byte, _ *message.Meta) (any, error) {
			if len(raw) > len(b) {
				t.Fatal("more bytes than there are")
			}
			v, err := message.Decode(raw, message.Unlimited)
			if err != nil {
				return nil, errors.New("no JSON")
			}
			return v, nil
		})
		if !bytes.Equal(before, b) {
			t.Fatal("the record was changed")
		}
		if err != nil {
			return
		}
		if len(r.Trace) > len(b) || len(r.Meta.Headers) > len(b) {
			t.Fatal("more entries than bytes")
		}
		out := flow.Encode(nil, &r)
		again, err := flow.Decode(out, decodeJSON)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if diff := cmp.Diff(r, again); diff != "" {
			t.Fatalf("-first +second:\n%s", diff)
		}
	})
}
