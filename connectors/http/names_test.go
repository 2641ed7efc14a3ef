package http_test

import (
	"context"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/http"

	"golang.org/x/net/dns/dnsmessage"
)

// nameServer answers for tms.test over UDP, as say tells: an address, or a code
// of failure; nothing at all for the empty answer.
type nameServer struct {
	addr string
	say  atomic.Value // func(*dnsmessage.Message), nil = silence
}

func newNameServer(t *testing.T) *nameServer {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &nameServer{addr: conn.LocalAddr().String()}
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			say := s.say.Load().(func(*dnsmessage.Message))
			if m.Unpack(buf[:n]) != nil || say == nil {
				continue
			}
			m.Response, m.Additionals = true, nil
			say(&m)
			if raw, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(raw, from) // a lost answer is asked for again
			}
		}
	}()
	return s
}

func fails(code dnsmessage.RCode) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) { m.RCode = code }
}

func leadsTo(a, b, c, d byte) func(*dnsmessage.Message) {
	return func(m *dnsmessage.Message) {
		if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
			m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 1}, Body: &dnsmessage.AResource{A: [4]byte{a, b, c, d}}}}
		}
	}
}

// TestNameServer: whatever is wrong with the name server, nothing was sent and
// the call may be made again; when it answers again, it is made. A name that
// leads to a private address is refused there, whatever it led to before.
func TestNameServer(t *testing.T) {
	names := newNameServer(t)
	calls := 0
	srv := httptest.NewUnstartedServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		calls++
		w.Header().Set("Connection", "close") // the name is looked up for each call
	}))
	all, err := net.Listen("tcp4", "0.0.0.0:0") // 127.0.0.2, too
	if err != nil {
		t.Fatal(err)
	}
	srv.Listener.Close()
	srv.Listener = all
	srv.Start()
	defer srv.Close()
	_, port, err := net.SplitHostPort(srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", names.addr)
	}}
	text := "connection: x\ntype: http\nbase_url: http://tms.test:" + port + "\nallow_private: [127.0.0.1/32]\nlimits: {timeout: 300ms}\noperations: {a: {post: /a}}\n"
	s, err := http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil), connectors.Env{Dir: t.TempDir(), Dial: (&net.Dialer{Resolver: resolver}).DialContext})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, tt := range []struct {
		name  string
		say   func(*dnsmessage.Message)
		class connectors.Class
		words string // "" = delivered
	}{
		{"no such name", fails(dnsmessage.RCodeNameError), connectors.ClassNotSent, "the host name tms.test is not known"},
		{"it fails", fails(dnsmessage.RCodeServerFailure), connectors.ClassNotSent, "could not be looked up"},
		{"it refuses", fails(dnsmessage.RCodeRefused), connectors.ClassNotSent, "could not be looked up"},
		{"silence", nil, connectors.ClassNotSent, "tms.test"},
		{"an answer", leadsTo(127, 0, 0, 1), 0, ""},
		{"gone again", fails(dnsmessage.RCodeNameError), connectors.ClassNotSent, "not known"},
		{"to a private address", leadsTo(127, 0, 0, 2), connectors.ClassPermanent, "127.0.0.2"},
		{"and back", leadsTo(127, 0, 0, 1), 0, ""},
	} {
		names.say.Store(tt.say)
		_, err := s.Deliver(t.Context(), requestFor("a"))
		if tt.words == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
			continue
		}
		if class, _ := connectors.ClassOf(err); err == nil || class != tt.class || !strings.Contains(err.Error(), tt.words) {
			t.Errorf("%s: %v (class %d), want %q", tt.name, err, class, tt.words)
		}
	}
	if calls != 2 {
		t.Errorf("the target was called %d times", calls)
	}
}
