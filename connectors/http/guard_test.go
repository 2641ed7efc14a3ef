package http_test

import (
	"io"
	"log"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/http"
)

var quiet = log.New(io.Discard, "", 0)

// TestPrivateAddresses: no spelling of a private address is dialled. The test
// server listens on every address of this machine, so a hole would be seen.
func TestPrivateAddresses(t *testing.T) {
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	var reached atomic.Int64
	srv := &httptest.Server{Listener: l, Config: &nethttp.Server{Handler: nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { reached.Add(1) })}}
	srv.Start()
	defer srv.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:"+port)
	t.Setenv("ALL_PROXY", "http://127.0.0.1:"+port)
	hosts := []string{
		"127.0.0.1", "127.0.0.2", "127.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "0", "2130706433", "0x7f.1", "0x7f000001", "017700000001", "0177.0.0.1",
		"localhost", "LOCALHOST", "localhost.", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255",
		"169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.255",
		"198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.31.196.1", "192.52.193.1", "192.175.48.1",
		"[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:169.254.169.254]", "[::ffff:10.0.0.1]", "[::127.0.0.1]",
		"[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2001::1]", "[2001:0:7f00:1::]", "[2001:db8::1]",
		"[2001:10::1]", "[2001:20::1]", "[fc00::1]", "[fd12:3456:789a::1]", "[fe80::1]", "[febf::1]", "[fec0::1]", "[ff02::1]", "[100::1]", "[3fff::1]", "[5f00::1]", "[4000::1]",
		"[fe80::1%25lo]", "[::ffff:0:127.0.0.1]", "[2620:4f:8000::1]",
	}
	if len(hosts) < 60 {
		t.Fatalf("only %d spellings", len(hosts))
	}
	for _, host := range hosts {
		base := "http://" + host + ":" + port
		text := "connection: x\ntype: http\nbase_url: \"" + base + "\"\nlimits: {timeout: 2s}\noperations: {a: {post: /a, repeat: safe}}\n"
		config, _ := connectortest.Decode(t, http.Connector{}, text, nil) // lint may say so already
		s, err := http.Connector{}.Open(config, connectors.Env{})
		if err != nil {
			continue // not even an address
		}
		_, err = s.Deliver(t.Context(), requestFor("a"))
		class, _ := connectors.ClassOf(err)
		refused := class == connectors.ClassPermanent && strings.Contains(err.Error(), "allow_private")
		unknown := class == connectors.ClassNotSent && strings.Contains(err.Error(), "host name")
		if err == nil || !refused && !unknown {
			t.Errorf("%s: %v (class %d)", host, err, class)
		}
		s.Close()
	}
	if reached.Load() > 0 {
		t.Errorf("%d requests reached this machine", reached.Load())
	}
}

func TestAllowPrivate(t *testing.T) {
	url, _ := target(t, nil)
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(url, "http://"))
	for _, tt := range []struct {
		host, allow string
		want        bool
	}{
		{"127.0.0.1", "127.0.0.0/8", true},
		{"127.0.0.1", "127.0.0.1", true},
		{"127.0.0.1", "127.0.0.1:" + port, true},
		{"localhost", "localhost:" + port, true},
		{"localhost", "127.0.0.0/8, '::1'", true},
		{"127.0.0.1", "127.0.0.1:1", false},
		{"127.0.0.1", "10.0.0.0/8", false},
		{"127.0.0.1", "127.0.0.2/32", false},
	} {
		text := "connection: x\ntype: http\nbase_url: \"http://" + tt.host + ":" + port + "\"\nallow_private: [" + tt.allow + "]\noperations: {a: {post: /a}}\n"
		config, found := connectortest.Decode(t, http.Connector{}, text, nil)
		s, err := http.Connector{}.Open(config, connectors.Env{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Deliver(t.Context(), requestFor("a"))
		if (err == nil) != tt.want || found.HasErrors() == tt.want {
			t.Errorf("%s with %s: %v, lint %v", tt.host, tt.allow, err, found)
		}
		s.Close()
	}
}

// TestRebinding: the address that counts is the dialled one, also where the
// engine lends the dialling.
func TestRebinding(t *testing.T) {
	url, last := target(t, nil)
	host := strings.TrimPrefix(url, "http://")
	text := "connection: x\ntype: http\nbase_url: http://tms.example.com\noperations: {a: {post: /a}}\n"
	env := connectors.Env{Dial: dialTo(host)}
	s, err := http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil), env)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if class, _ := connectors.ClassOf(deliverErr(s, requestFor("a"))); class != connectors.ClassPermanent {
		t.Error("a public name that leads to a private address was called")
	}
	text = strings.Replace(text, "operations", "allow_private: [\"tms.example.com:80\"]\noperations", 1)
	s, err = http.Connector{}.Open(connectortest.Load(t, http.Connector{}, text, nil), env)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	deliver(t, s, requestFor("a"))
	if last().method != "POST" {
		t.Error("not called")
	}
}
