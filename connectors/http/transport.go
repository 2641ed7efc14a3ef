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
	"sync"
	"sync/atomic"
	"time"

	"crossdock/connectors"
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
		pair := &keyPair{cert: within(dir, s.CertFile.Value), key: within(dir, s.KeyFile.Value)}
		if _, err := pair.get(nil); err != nil {
			return nil, err
		}
		c.GetClientCertificate = pair.get
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

// keyPair is a client certificate that is read again when its file changes.
type keyPair struct {
	cert, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  time.Time
}

func (k *keyPair) get(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	info, err := os.Stat(k.cert)
	if err == nil && k.loaded != nil && info.ModTime().Equal(k.stamp) {
		return k.loaded, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(k.cert, k.key); err == nil {
			k.loaded, k.stamp = &pair, info.ModTime()
			return k.loaded, nil
		}
	}
	if k.loaded != nil {
		return k.loaded, nil // half-written renewal: the old one is still good
	}
	return nil, fmt.Errorf("cert_file: %w", reason(err))
}
