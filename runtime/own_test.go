package runtime

import (
	"net"
	"net/netip"
	"testing"
)

func TestOwnAddressesOfTheEngine(t *testing.T) {
	var o own
	o.listener(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8090}, "admin")
	o.listener(&net.TCPAddr{IP: net.IPv6unspecified, Port: 8080}, "webhooks")
	o.store(t.Context(), "redis://:secret@127.0.0.1:6380/0")
	o.store(t.Context(), "redis+sentinel://198.51.100.7:26379,198.51.100.8:26379/m")
	for at, want := range map[string]string{
		"127.0.0.1:8090":          "admin",
		"[::ffff:127.0.0.1]:8090": "admin",
		"127.0.0.1:8091":          "",
		"198.51.100.1:8090":       "",
		"127.0.0.1:8080":          "webhooks",
		"127.9.9.9:8080":          "webhooks",
		"[::1]:8080":              "webhooks",
		"0.0.0.0:8080":            "webhooks",
		"198.51.100.1:8080":       "",
		"127.0.0.1:6380":          "the store of crossdock",
		"[::1]:6380":              "the store of crossdock",
		"198.51.100.7:26379":      "the store of crossdock",
		"198.51.100.9:26379":      "",
		"198.51.100.7:6379":       "",
	} {
		if got := o.is(netip.MustParseAddrPort(at)); got != want {
			t.Errorf("%s is %q, want %q", at, got, want)
		}
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil {
			ip, _ := netip.AddrFromSlice(n.IP.To4())
			if got := o.is(netip.AddrPortFrom(ip, 8080)); got != "webhooks" {
				t.Errorf("%s:8080 is %q although all addresses of this machine are served", ip, got)
			}
		}
	}
}
