package http_test

import (
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/connectortest"
	"crossdock/connectors/http"
)

// TestOwnAddresses: what belongs to crossdock itself is called by no
// definition, however allow_private names it and however the address is
// written.
func TestOwnAddresses(t *testing.T) {
	var reached atomic.Int64
	srv := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { reached.Add(1) }))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(srv.URL, "http://"))
	own := func(at netip.AddrPort) string {
		if at.Addr().Unmap().IsLoopback() || at.Addr().IsUnspecified() {
			return "the admin address of crossdock"
		}
		return ""
	}
	for _, host := range []string{"127.0.0.1", "localhost", "LOCALHOST.", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "127.1", "2130706433", "0x7f.1"} {
		for _, allow := range []string{"127.0.0.0/8, 0.0.0.0/0, '::/0'", "'" + strings.ToLower(host) + ":" + port + "'"} {
			text := "connection: x\ntype: http\nbase_url: \"http://" + host + ":" + port + "\"\nallow_private: [" + allow + "]\noperations: {a: {post: /a}}\n"
			config, _ := connectortest.Decode(t, http.Connector{}, text, nil)
			s, err := http.Connector{}.Open(config, connectors.Env{Own: own})
			if err != nil {
				continue // not even an address
			}
			_, err = s.Deliver(t.Context(), requestFor("a"))
			if class, _ := connectors.ClassOf(err); err == nil || class != connectors.ClassPermanent && class != connectors.ClassNotSent ||
				class == connectors.ClassPermanent && !strings.Contains(err.Error(), "the admin address of crossdock") {
				t.Errorf("%s with %s: %v", host, allow, err)
			}
			s.Close()
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d requests reached it", n)
	}
}
