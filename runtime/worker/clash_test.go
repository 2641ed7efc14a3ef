package worker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/message"
)

// TestAKnownKeyWithAnotherContentIsADeadLetter where nobody is told: an event,
// a file, one item among others. The same content once more is a repeat.
func TestAKnownKeyWithAnotherContentIsADeadLetter(t *testing.T) {
	for name, tt := range map[string]struct {
		steps   string
		bodies  []string
		refuses bool
	}{
		"an event":              {"  - {emit: thing@1}\n", []string{`{"n":1,"k":"a"}`, `{"n":1,"k":"b"}`, `{"n":1,"k":"c"}`}, true},
		"from a file":           {"key: [.n]\nsteps:\n  - {send: t.safe}\n", []string{`{"n":1,"k":"a"}`, `{"n":1,"k":"b"}`, `{"n":1,"k":"b"}`}, false},
		"one item among others": {"split: .l\nkey: [.n]\nsteps:\n  - {send: t.safe}\n", []string{`{"l":[{"n":1,"k":"a"}]}`, `{"l":[{"n":1,"k":"b"},{"n":2,"k":"c"}]}`, `{"l":[{"n":1,"k":"b"},{"n":2,"k":"c"}]}`}, true},
	} {
		t.Run(name, func(t *testing.T) {
			text := "pipeline: p\ntrigger: {http: {path: /p, verify: none}}\n"
			if strings.HasPrefix(tt.steps, "  -") {
				text += "key: .k\nsteps:\n"
			}
			f := newFixture(t, operations, text+tt.steps, nil)
			ch := f.worker.Channel("p", tt.refuses)
			for _, b := range tt.bodies {
				if _, err := ch.Send(context.Background(), message.Message{Raw: []byte(b), Meta: message.Meta{Source: "http", ReceivedAt: time.Now()}}); err != nil {
					t.Fatal(err)
				}
			}
			f.drain()
			dead := f.dead()
			want := 1
			if name == "an event" {
				want = 2 // two different contents
			}
			if len(dead) != want {
				t.Fatalf("dead letters: %+v; %s", dead, f.kinds())
			}
			if !strings.HasPrefix(dead[0].Reason, "this key was used before with another content") {
				t.Errorf("the dead letter says %q", dead[0].Reason)
			}
			if b := f.balanced(); b.Dead != int64(want) || b.Conflicts == 0 {
				t.Errorf("balance %+v", b)
			}
		})
	}
}

// TestASenderIsToldOfAKnownKey: then there is no dead letter.
func TestASenderIsToldOfAKnownKey(t *testing.T) {
	f := newFixture(t, operations, "pipeline: p\ntrigger: {http: {path: /p, verify: none}}\nkey: [.n]\nsteps:\n  - {send: t.safe}\n", nil)
	ch := f.worker.Channel("p", true)
	send := func(body string) error {
		_, err := ch.Send(context.Background(), message.Message{Raw: []byte(body), Meta: message.Meta{Source: "http", ReceivedAt: time.Now()}})
		return err
	}
	if err := send(`{"n":1,"k":"a"}`); err != nil {
		t.Fatal(err)
	}
	if err := send(`{"n":1,"k":"b"}`); err == nil || !strings.Contains(err.Error(), "this key was used before") {
		t.Errorf("told: %v", err)
	}
	f.drain()
	if dead := f.dead(); len(dead) != 0 {
		t.Errorf("dead letters: %+v", dead)
	}
}
