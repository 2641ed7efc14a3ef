package admin_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/runtime"
	"crossdock/runtime/admin"
)

// certificate writes a certificate for a name and its key, and returns their files.
func certificate(t *testing.T, name string) (cert, key string) {
	t.Helper()
	dir := t.TempDir()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	shape := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, shape, shape, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "admin.crt"), filepath.Join(dir, "admin.key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// serve runs the API of o on a listener of its own until the test ends.
func (o *office) serve(api *admin.API) net.Addr {
	o.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		o.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- api.Serve(ctx, l) }()
	o.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			o.t.Error(err)
		}
	})
	return l.Addr()
}

// TestTLS: the command line finds the API by the note, trusts exactly the
// certificate it names, and nothing speaks to it without TLS.
func TestTLS(t *testing.T) {
	o := newOffice(t)
	cert, key := certificate(t, "admin.example")
	secure, err := admin.TLS(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	at := o.serve(admin.New(o.engine, admin.Options{Token: token, TLS: secure, Log: slog.New(slog.DiscardHandler)}))
	state := t.TempDir()
	if err := admin.Announce(state, at, cert); err != nil {
		t.Fatal(err)
	}
	note, err := admin.Find(state)
	if err != nil || note.Addr != "https://"+at.String() {
		t.Fatalf("%+v %v", note, err)
	}
	pinned, err := admin.Pinned(note.Cert)
	if err != nil {
		t.Fatal(err)
	}
	c := &admin.Client{Base: note.Addr, Token: token, HTTP: pinned}
	var s runtime.Status
	if err := c.Get(t.Context(), "/v1/status", nil, &s); err != nil {
		t.Error(err)
	}
	resp, err := pinned.Get(note.Addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.Header.Get("Strict-Transport-Security") == "" {
		t.Error("TLS without Strict-Transport-Security")
	}
	other, _ := certificate(t, "admin.example")
	wrong, err := admin.Pinned(other)
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP = wrong
	if err := c.Get(t.Context(), "/v1/status", nil, &s); err == nil {
		t.Error("another certificate is trusted")
	}
	plain, err := http.Get("http://" + at.String() + "/v1/status")
	if err == nil {
		answer, _ := io.ReadAll(plain.Body)
		plain.Body.Close()
		if plain.StatusCode != 400 || strings.Contains(string(answer), "revision") {
			t.Errorf("without TLS: %d %s", plain.StatusCode, answer)
		}
	}
	for _, files := range [][2]string{{cert, cert}, {key, key}, {"none", key}} {
		if _, err := admin.TLS(files[0], files[1]); err == nil {
			t.Errorf("%v is taken for a certificate", files)
		}
	}
}

// TestSlowAndLargeClients: who does not finish its headers, or sends too many
// of them, does not keep others from being served.
func TestSlowAndLargeClients(t *testing.T) {
	o := newOffice(t)
	at := o.serve(o.api).String()
	for range 200 {
		c, err := net.Dial("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, "GET /v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: "); err != nil {
			t.Fatal(err)
		}
	}
	c := &admin.Client{Base: "http://" + at, Token: token}
	for range 50 {
		var s runtime.Status
		if err := c.Get(t.Context(), "/v1/status", nil, &s); err != nil {
			t.Fatalf("beside slow clients: %v", err)
		}
	}
	req, err := http.NewRequest("GET", "http://"+at+"/v1/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Bomb", strings.Repeat("x", 64<<10))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return // the connection was closed at once
	}
	resp.Body.Close()
	if resp.StatusCode != 431 {
		t.Errorf("64 KiB of headers: %d", resp.StatusCode)
	}
}
