// Package keypair reads a certificate with its key from files, and again when
// they change, so that a renewal needs no restart.
package keypair

import (
	"crypto/tls"
	"os"
	"sync"
	"time"
)

// Pair is a certificate in files. It is safe for concurrent use.
type Pair struct {
	cert, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  time.Time
}

// Open reads the files. The error is that of the one that cannot be used.
func Open(cert, key string) (*Pair, error) {
	p := &Pair{cert: cert, key: key}
	_, err := p.get()
	return p, err
}

// Server is for tls.Config.GetCertificate.
func (p *Pair) Server(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.get() }

// Client is for tls.Config.GetClientCertificate.
func (p *Pair) Client(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.get() }

func (p *Pair) get() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	info, err := os.Stat(p.cert)
	if err == nil && p.loaded != nil && info.ModTime().Equal(p.stamp) {
		return p.loaded, nil
	}
	if err == nil {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(p.cert, p.key); err == nil {
			p.loaded, p.stamp = &pair, info.ModTime()
			return p.loaded, nil
		}
	}
	if p.loaded != nil {
		return p.loaded, nil // half-written renewal: the old one is still good
	}
	return nil, err
}
