package partner_test

import (
	"context"
	"strings"
	"testing"

	"crossdock/runtime/partner"
	"crossdock/runtime/porttest"
)

// A token endpoint at an address of its own is played, too.
func TestTokenURL(t *testing.T) {
	files := func(base, address string) map[string]string {
		return map[string]string{
			"crossdock.yaml": "crossdock: 1\n",
			"erp.connection.yaml": "connection: erp\ntype: http\nbase_url: " + base + "\nallow_private: [127.0.0.0/8]\n" +
				"auth: {oauth2: {token_url: '" + address + "', client_id: a, client_secret: '${secret.b}'}}\n" +
				"operations:\n  create: {post: /orders, repeat: safe}\n",
		}
	}
	if _, err := partner.Open(load(t, files("http://127.0.0.1:1", "https://id.example.com/token")), false); err == nil || !strings.Contains(err.Error(), "token_url of the connection erp leads to id.example.com, which is not this machine") {
		t.Errorf("a token endpoint elsewhere: %v", err)
	}
	for _, apart := range []bool{true, false} {
		base := "http://" + porttest.Take(t)
		address := base + "/oauth/token"
		if apart {
			address = "http://" + porttest.Take(t) + "/oauth/token"
		}
		stage, err := partner.Open(load(t, files(base, address)), false)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- stage.Serve(ctx) }()
		if status, text := ask(t, "POST", address, "grant_type=client_credentials"); status != 200 || !strings.Contains(text, `"access_token"`) {
			t.Errorf("%s: %d %s", address, status, text)
		}
		if status, _ := ask(t, "POST", base+"/orders", "{}"); status != 200 {
			t.Errorf("the partner itself: %d", status)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}
