package http

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	nethttp "net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"

	"crossdock/connectors"
	"crossdock/runtime/keypair"
)

// counted is a network connection that knows how much was written to it, which
// tells a request that never left from one that may have had its effect.
type counted struct {
	net.Conn
	written atomic.Int64
}

// Write implements net.Conn.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.written.Add(int64(n))
	return n, err
}

// newTransport returns the way to the target, and one for token requests,
// which go through the same guard.
func newTransport(s *Settings, at base, limits connectors.Limits, env connectors.Env) (*wires, *nethttp.Transport, error) {
	entries := make([]string, 0, len(s.AllowPrivate))
	for _, a := range s.AllowPrivate {
		entries = append(entries, a.Value)
	}
	g, err := newGuard(entries)
	if err != nil {
		return nil, nil, fmt.Errorf("allow_private: %w", err)
	}
	g.own = env.Own
	config, err := tlsConfig(s.TLS, env.Dir)
	if err != nil {
		return nil, nil, err
	}
	target := &url.URL{Scheme: at.scheme, Host: at.host}
	w := &wires{host: at.host, addr: canonical(target), dial: g.dialer(env.Dial), limit: limits.Response, keep: limits.Concurrency}
	if at.scheme == "https" {
		w.secure = config.Clone()
		if w.secure.ServerName == "" {
			w.secure.ServerName = target.Hostname()
		}
	}
	tokens := &nethttp.Transport{
		DialContext: w.dial, TLSClientConfig: config, DisableKeepAlives: true, TLSHandshakeTimeout: handshakeTime,
		MaxResponseHeaderBytes: maxHead,
	}
	return w, tokens, nil
}

func tlsConfig(s *TLS, dir string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if s == nil {
		return c, nil
	}
	if s.MinVersion.Value == "1.3" {
		c.MinVersion = tls.VersionTLS13
	}
	c.ServerName = s.ServerName.Value
	if s.CAFile.Set() {
		pem, err := os.ReadFile(within(dir, s.CAFile.Value))
		if err != nil {
			return nil, fmt.Errorf("ca_file: %w", reason(err))
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("ca_file: there is no certificate in %s", s.CAFile.Value)
		}
	}
	if s.CertFile.Set() {
		pair, err := keypair.Open(within(dir, s.CertFile.Value), within(dir, s.KeyFile.Value))
		if err != nil {
			return nil, fmt.Errorf("cert_file: %w", reason(err))
		}
		c.GetClientCertificate = pair.Client
	}
	return c, nil
}

func within(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

// reason strips the system call from a file error.
func reason(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Path, p.Err)
	}
	return err
}
