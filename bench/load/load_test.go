package load

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"crossdock/bench/order"
)

// relay takes orders over net/http and posts shipments to the target, some
// wrongly.
func relay(t *testing.T, target string, change func(n int, body string) []string) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var n int
		if _, err := fmt.Sscanf(string(raw[strings.Index(string(raw), "SO-2026-"):]), "SO-2026-%07d", &n); err != nil {
			t.Error(err)
		}
		for _, body := range change(n, fmt.Sprintf(`{"shipmentId":"SHP-SO-2026-%07d"}`, n)) {
			resp, err := http.Post("http://"+target+"/in", "application/json", strings.NewReader(body))
			if err != nil {
				t.Error(err)
				continue
			}
			resp.Body.Close()
		}
		if n%2 == 0 { // an answer in chunks, too
			w.(http.Flusher).Flush()
			fmt.Fprint(w, strings.Repeat("y", 5000))
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func run(t *testing.T, n int, check Check, change func(n int, body string) []string) *Ledger {
	t.Helper()
	target, err := Listen("127.0.0.1:0", check)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	l := NewLedger(100, n)
	target.Expect(l)
	s := relay(t, target.Addr(), change)
	sent, err := Send(t.Context(), Job{Addr: s.Listener.Addr().String(), Path: "/orders", Connections: 4, Ledger: l})
	if err != nil || sent.Accepted != n || sent.Refused != 0 || len(sent.Answers) != n {
		t.Fatalf("sent %d, refused %d: %v", sent.Accepted, sent.Refused, err)
	}
	return l
}

func good(body []byte, n int) error {
	if order.Number(body) != n {
		return errors.New("another order")
	}
	return nil
}

func TestLedgerCountsEveryOrderOnce(t *testing.T) {
	l := run(t, 300, good, func(_ int, body string) []string { return []string{body} })
	select {
	case <-l.Done():
	case <-time.After(10 * time.Second):
		t.Fatalf("%d are missing", l.Missing())
	}
	if err := l.Err(); err != nil || l.Duplicates.Load() != 0 || l.Foreign.Load() != 0 || len(l.Latencies()) != 300 {
		t.Errorf("%v, %d duplicates, %d foreign", err, l.Duplicates.Load(), l.Foreign.Load())
	}
}

func TestLedgerSeesWhatIsWrong(t *testing.T) {
	l := run(t, 50, good, func(n int, body string) []string {
		switch n {
		case 110:
			return nil
		case 120:
			return []string{body, body}
		case 130:
			return []string{body, `{"shipmentId":"SHP-SO-2026-0000001"}`}
		}
		return []string{body}
	})
	if l.Missing() != 1 || l.Duplicates.Load() != 1 || l.Foreign.Load() != 1 {
		t.Errorf("%d missing, %d duplicates, %d foreign", l.Missing(), l.Duplicates.Load(), l.Foreign.Load())
	}
}

func TestLedgerSeesWrongShipments(t *testing.T) {
	l := run(t, 20, good, func(n int, body string) []string {
		if n == 115 {
			return []string{body + " "}
		}
		return []string{body}
	})
	if l.Err() == nil {
		t.Error("a shipment of another length was not noticed")
	}
	l = run(t, 5, func([]byte, int) error { return errors.New("wrong weight") }, func(_ int, body string) []string { return []string{body} })
	if l.Err() == nil || l.Err().Error() != "wrong weight" {
		t.Errorf("the check was not heard: %v", l.Err())
	}
}

func TestSilence(t *testing.T) {
	l, err := Silence("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the silent target said something: %v", err)
	}
}
