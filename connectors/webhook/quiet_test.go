package webhook

import (
	"bytes"
	"errors"
	"log/slog"
	nethttp "net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestStrangersDoNotFillTheLog: whoever may call a webhook without being known
// may not write the log full; the calls are counted all the same.
func TestStrangersDoNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		table, err := NewTable(nil, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		route := &Route{Name: "orders", Verifier: &Verifier{}, strangers: &quiet{}}
		call := func() { table.unauthorised(nethttp.NewRecorder(), route, errors.New("the signature is wrong")) }
		for range 1000 {
			call()
		}
		if n := strings.Count(log.String(), "not recognised"); n != 1 {
			t.Errorf("%d lines after 1000 calls", n)
		}
		time.Sleep(every)
		call()
		if n := strings.Count(log.String(), "not recognised"); n != 2 || !strings.Contains(log.String(), "unlogged=999") {
			t.Errorf("%d lines; the log:\n%s", n, log.String())
		}
	})
}

// TestTwoPlaceholdersInOneSegment are refused in words that say what to write.
func TestTwoPlaceholdersInOneSegment(t *testing.T) {
	err := CheckPath("/orders/{a}{b}")
	if err == nil || !strings.Contains(err.Error(), "`{a}{b}`") || !strings.Contains(err.Error(), "{a}/{b}") {
		t.Errorf("got %v", err)
	}
	for _, path := range []string{"/orders/{a}/{b}", "/{a}"} {
		if err := CheckPath(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
