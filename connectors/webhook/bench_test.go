package webhook_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	nethttp "net/http"
	"strings"
	"testing"

	"crossdock/connectors"
	"crossdock/connectors/webhook"
	"crossdock/runtime/message"
)

type sinkhole struct{ receipts []connectors.Receipt }

func (s sinkhole) Send(context.Context, ...message.Message) ([]connectors.Receipt, error) {
	return s.receipts, nil
}

type discard struct{ h nethttp.Header }

func (d discard) Header() nethttp.Header      { return d.h }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

type again struct{ bytes.Reader }

func (*again) Close() error { return nil }

func BenchmarkHandler(b *testing.B) {
	body := []byte(`{"pad":"` + strings.Repeat("x", 1500) + `"}`)
	for _, verify := range []string{"none", "hmac"} {
		b.Run(verify, func(b *testing.B) {
			r := request("", "Content-Type", "application/json", "X-Sig", hex.EncodeToString(mac(sha256.New, "n3w-secret", string(body))))
			r.URL.Path, r.URL.RawPath, r.URL.RawQuery = "/hooks/orders", "", ""
			r.ContentLength = int64(len(body))
			route := webhook.Route{Name: "p", Path: "/hooks/orders", Channel: sinkhole{[]connectors.Receipt{{IDs: []string{"01JABC"}}}}}
			if verify == "hmac" {
				route.Verifier = verifier(b, `hmac: {header: X-Sig, secrets: ["${secret.new}"]}`)
			}
			table, err := webhook.NewTable([]webhook.Route{route}, webhook.Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			in := &again{}
			for b.Loop() {
				in.Reset(body)
				r.Body = in
				table.ServeHTTP(discard{nethttp.Header{}}, r)
			}
		})
	}
}
