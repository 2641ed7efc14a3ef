package runtime_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"crossdock/runtime/admin"
	"crossdock/runtime/queue/redis/redistest"
)

// stores runs a test on the store of one process and on the one that processes
// share, where rates, quotas and breakers are kept under names.
func stores(t *testing.T, f func(t *testing.T, store string)) {
	t.Run("embedded", func(t *testing.T) { f(t, "embedded:"+t.TempDir()) })
	t.Run("redis", func(t *testing.T) { f(t, redistest.Start(t).URL()) })
}

// limited are the definitions of clients whose template bounds what the TMS
// of each can take.
func limited(limits, breaker string) map[string]string {
	text := strings.Replace(clientTemplate["templates/client/tms.connection.yaml"], "limits: {concurrency: 2, timeout: 30s}", "limits: "+limits, 1)
	return map[string]string{"templates/client/tms.connection.yaml": strings.Replace(text, "breaker: {open_after: 3 in 1h, probe_after: 1h}\n", breaker, 1)}
}

// held is how many messages of a client are kept back for a reason that holds
// words.
func (s *clients) held(client, words string) int {
	s.t.Helper()
	var lanes []admin.Lane
	s.get("/v1/queues", url.Values{"client": {client}}, &lanes)
	n := 0
	for _, l := range lanes {
		for reason, parked := range l.Parked {
			if strings.Contains(reason, words) {
				n += parked
			}
		}
	}
	return n
}

// What one client has used up of a rate is not missing for the next one; and a
// client may have another rate than its template.
func TestRateOfOneClient(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		files := limited("{rate: 1/h}", "")
		files["clients/coldco.instance.yaml"] = "override:\n  connection/tms: {limits: {rate: 1000/s}}\n"
		s := newClientsWith(t, store, files)
		s.orders("acme", 10)
		s.until("acme has used its rate", func() bool {
			return s.acme.count("/create") == 1 && s.held("acme", "acme/tms: the rate of 1 in 1h0m0s is reached") > 0
		})
		s.orders("bolt", 10)
		s.until("bolt uses one of its own", func() bool {
			return s.bolt.count("/create") == 1 && s.held("bolt", "bolt/tms: the rate of 1 in 1h0m0s is reached") > 0
		})
		s.orders("coldco", 10)
		s.until("coldco is done", func() bool { return s.waits("coldco") == 0 && s.coldco.count("/tell") == 10 })
		for code, p := range map[string]*partner{"acme": s.acme, "bolt": s.bolt} {
			if calls, _, _ := p.seen(); len(calls) != 1 {
				t.Errorf("%s was called with %v; one an hour is its rate", code, calls)
			}
			if n := s.held("coldco", code); n != 0 {
				t.Errorf("%d messages of coldco are held for %s", n, code)
			}
		}
	})
}

// A spent quota is that of its client; what other clients may still call is not
// less.
func TestQuotaOfOneClient(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		s := newClientsWith(t, store, limited("{quota: 6/month}", ""))
		s.orders("acme", 10)
		s.until("acme has spent its quota", func() bool { return s.held("acme", "acme/tms: the quota of 6 a month is spent") > 0 })
		s.orders("bolt", 3) // two calls each
		s.until("bolt is done", func() bool { return s.waits("bolt") == 0 && s.bolt.count("/tell") == 3 })
		for code, p := range map[string]*partner{"acme": s.acme, "bolt": s.bolt} {
			if calls, _, _ := p.seen(); len(calls) != 6 {
				t.Errorf("%s was called %d times; its quota is 6", code, len(calls))
			}
			if c := s.connection(code + "/tms"); c.Used != 6 || c.Quota != 6 {
				t.Errorf("%s has used %d of %d", c.Name, c.Used, c.Quota)
			}
		}
		s.order("bolt", "last", "")
		s.until("now bolt has spent its own", func() bool { return s.held("bolt", "bolt/tms: the quota of 6 a month is spent") == 1 })
	})
}

// The breaker that one partner opened is that of its client, on the store that
// tells other processes of it, too; so is the pause for which it asked.
func TestBreakerAndPauseOfOneClient(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		settings := strings.Replace(clientTemplate["crossdock.yaml"], "connection, 5xx]", "connection, 429, 5xx]", 1)
		s := newClientsWith(t, store, map[string]string{"crossdock.yaml": settings})
		s.acme.does(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		s.orders("acme", 20)
		s.until("acme is cut off", func() bool { return s.held("acme", "acme/tms.create fails and is cut off by its breaker") > 0 })
		s.bolt.does(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/tell" {
				w.Header().Set("Retry-After", "3600")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		})
		s.orders("bolt", 20)
		s.until("bolt is asked for a pause", func() bool {
			return s.bolt.count("/create") == 20 && s.held("bolt", "bolt/tms.tell asked for a pause") > 0
		})
		s.orders("coldco", 20)
		s.until("coldco is done", func() bool { return s.waits("coldco") == 0 && s.coldco.count("/tell") == 20 })
		if c := s.connection("coldco/tms"); c.Operations["create"] != "closed" || c.Operations["tell"] != "closed" || len(c.Notes) != 0 {
			t.Errorf("the connection of coldco: %+v", c)
		}
		if c := s.connection("bolt/tms"); c.Operations["create"] != "closed" || c.Operations["tell"] == "closed" {
			t.Errorf("the connection of bolt: %+v", c)
		}
		if c := s.connection("acme/tms"); c.Operations["create"] == "closed" || c.Operations["tell"] != "closed" {
			t.Errorf("the connection of acme: %+v", c)
		}
	})
}

// A connection that stands beside the template is one for all clients: what it
// can take is counted together.
func TestQuotaOfAllClients(t *testing.T) {
	stores(t, func(t *testing.T, store string) {
		house := strings.Replace(clientTemplate["house.connection.yaml"], "operations:", "limits: {quota: 3/month}\noperations:", 1)
		s := newClientsWith(t, store, map[string]string{"house.connection.yaml": house})
		s.orders("acme", 2)
		s.until("the house hears of acme", func() bool { return s.house.count("/note") == 2 })
		s.orders("bolt", 2)
		s.until("the quota of the house is spent", func() bool { return s.house.count("/note") == 3 })
		s.until("bolt is done", func() bool { return s.waits("bolt") == 0 && s.bolt.count("/tell") == 2 })
		s.until("the fourth event is held", func() bool {
			var lanes []admin.Lane
			s.get("/v1/queues", nil, &lanes)
			held := 0
			for _, l := range lanes {
				for reason, n := range l.Parked {
					if strings.Contains(reason, "house: the quota of 3 a month is spent") {
						held += n
					}
				}
			}
			return held == 1
		})
		if n := s.house.count("/note"); n != 3 {
			t.Errorf("the house heard %d events", n)
		}
	})
}
