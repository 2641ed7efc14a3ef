package admin_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/access"
	"crossdock/runtime/admin"
	"crossdock/runtime/audit"
	"crossdock/runtime/queue"
)

var auditKey = bytes.Repeat([]byte{3}, 32)

// record gives the API of o an audit log, and returns a function that reads
// the lines written since it was last called.
func (o *office) record() (log *audit.Log, lines func() []audit.Line) {
	o.t.Helper()
	path := filepath.Join(o.t.TempDir(), "audit.log")
	log, err := audit.Open(path, auditKey)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { log.Close() })
	o.api = admin.New(o.engine, admin.Options{Token: token, Log: slog.New(slog.NewTextHandler(o.log, nil)), Audit: log})
	read := 0
	return log, func() []audit.Line {
		o.t.Helper()
		raw, err := os.ReadFile(path)
		if err != nil {
			o.t.Fatal(err)
		}
		all, err := audit.Last(bytes.NewReader(raw), auditKey, 0)
		if err != nil {
			o.t.Fatal(err)
		}
		fresh := all[read:]
		read = len(all)
		return fresh
	}
}

// TestEveryChangeIsRecorded calls each route that changes something: it leaves
// a line that says it is begun and one that says how it came out.
func TestEveryChangeIsRecorded(t *testing.T) {
	o := newOffice(t)
	_, lines := o.record()
	changing := 0
	for _, r := range o.api.Rules() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		if r.Changes == "" {
			continue
		}
		changing++
		o.from("127.0.0.1:9", method, fill(path), "Bearer "+token, `{"who":"anna","reason":"because"}`)
		got := lines()
		if len(got) != 2 || got[0].What != r.Changes || got[0].Result != audit.Begun || got[1].Begun != got[0].Seq || got[1].Result == audit.Begun {
			t.Errorf("%s left %+v", r.Pattern, got)
			continue
		}
		if got[0].Who != "local" || got[0].Via != "local" || got[0].From != "127.0.0.1" || got[0].Why != "because" {
			t.Errorf("%s: %+v", r.Pattern, got[0])
		}
	}
	if changing < 9 {
		t.Errorf("only %d routes change something", changing)
	}
}

// TestNothingIsChangedUnrecorded: where the log cannot be written, every change
// is refused, and nothing has happened.
func TestNothingIsChangedUnrecorded(t *testing.T) {
	o := newOffice(t)
	id := o.letter(`{"n":1}`)
	log, _ := o.record()
	log.Close()
	for _, r := range o.api.Rules() {
		method, path, _ := strings.Cut(r.Pattern, " ")
		path = strings.NewReplacer("{id}", id, "{name}", "in", "{what}", "ci").Replace(path)
		if r.Changes == "" {
			continue
		}
		w := o.from("127.0.0.1:9", method, path, "Bearer "+token, `{"who":"anna","reason":"because"}`)
		if w.Code != 503 || !strings.Contains(w.Body.String(), "nothing is changed") {
			t.Errorf("%s: %d %s", r.Pattern, w.Code, w.Body)
		}
	}
	if w := o.from("127.0.0.1:9", "GET", "/v1/dead/"+id+"?reveal=true", "Bearer "+token, ""); w.Code != 503 || strings.Contains(w.Body.String(), "payload") {
		t.Errorf("a payload was shown unrecorded: %d %s", w.Code, w.Body)
	}
	if o.engine.Worker().Paused("in") {
		t.Error("it was paused")
	}
	page, err := o.engine.Driver().Browse(context.Background(), queue.Query{View: queue.ByID, ID: id})
	if err != nil || len(page.Jobs) != 1 || page.Jobs[0].State != queue.DeadJob {
		t.Errorf("the dead letter moved: %+v %v", page.Jobs, err)
	}
}

func TestWhatALineSays(t *testing.T) {
	o := newOffice(t)
	id := o.letter(`{"n":1,"name":"Ada"}`)
	_, lines := o.record()
	ci, _, err := access.NewTokens(o.engine.Driver()).Create(t.Context(), access.Grant{Name: "ci", Role: access.Editor}, "test", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	ask := func(method, path, bearer, body string) int {
		return o.from("203.0.113.7:1", method, path, "Bearer "+bearer, body).Code
	}
	if status := ask("POST", "/v1/dead/"+id+"/edit", ci, `{"reason":"street","payload":{"n":1,"name":"Eve"}}`); status != 200 {
		t.Fatal(status)
	}
	got := lines()
	if len(got) != 2 || got[1].Who != "ci" || got[1].Via != "token" || got[1].From != "203.0.113.7" || got[1].Of != id || got[0].Why != "street" ||
		got[1].Result != audit.Done || !strings.HasPrefix(got[1].Before, "sha256:") || got[1].Before == got[1].After {
		t.Errorf("%+v", got)
	}
	ask("POST", "/v1/dead/"+id+"/edit", ci, `{"reason":"again","payload":{"n":1,"name":"Ada"}}`)
	if again := lines(); again[1].After != got[1].Before {
		t.Errorf("the digest of the first payload changed: %+v", again)
	}
	if status := ask("POST", "/v1/dead/none/discard", ci, `{"reason":"x"}`); status != 404 {
		t.Error(status)
	}
	if got := lines(); len(got) != 2 || got[1].Result != audit.Failed || got[1].Error == "" {
		t.Errorf("%+v", got)
	}
	// Denied, and revealed.
	ask("GET", "/v1/tokens", ci, "")
	if got := lines(); len(got) != 1 || got[0].What != "denied" || got[0].Result != audit.Refused || got[0].Who != "ci" || got[0].Of != "GET /v1/tokens" {
		t.Errorf("%+v", got)
	}
	o.from("127.0.0.1:1", "GET", "/v1/dead/"+id+"?reveal=true", "Bearer "+token, "")
	if got := lines(); len(got) != 1 || got[0].What != "reveal" || !strings.Contains(got[0].Of, id) {
		t.Errorf("%+v", got)
	}
	// Strangers do not fill the disk.
	for i := range 200 {
		o.from(fmt.Sprintf("198.51.%d.%d:1", i/100, i%100), "GET", "/v1/status", "Bearer wrong", "")
	}
	if got := lines(); len(got) > 60 || len(got) < 50 || got[0].Who != "unknown" || got[0].What != "signin" {
		t.Errorf("200 wrong tokens left %d lines", len(got))
	}
}

// TestAuditHoldsNoContent: neither payloads nor tokens.
func TestAuditHoldsNoContent(t *testing.T) {
	o := newOffice(t)
	id := o.letter(`{"n":1,"name":"Ada Lovelace"}`)
	path := filepath.Join(t.TempDir(), "audit.log")
	log, err := audit.Open(path, auditKey)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	o.api = admin.New(o.engine, admin.Options{Token: token, Log: slog.New(slog.DiscardHandler), Audit: log})
	made := o.from("127.0.0.1:1", "POST", "/v1/tokens", "Bearer "+token, `{"name":"ci","role":"viewer"}`).Body.String()
	o.from("127.0.0.1:1", "POST", "/v1/dead/"+id+"/edit", "Bearer "+token, `{"who":"a","reason":"b","payload":{"n":1,"name":"Ada Lovelace"}}`)
	o.from("127.0.0.1:1", "GET", "/v1/status", "Bearer "+token+"wrong", "")
	raw, err := os.ReadFile(path)
	if err != nil || len(raw) < 500 {
		t.Fatal(err, len(raw))
	}
	secret := made[strings.Index(made, "xd_")+16:][:48]
	for _, bad := range []string{"Lovelace", secret, token} {
		if strings.Contains(string(raw), bad) {
			t.Errorf("the audit log holds %s", bad)
		}
	}
}
