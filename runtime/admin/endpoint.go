package admin

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Endpoint is the note that a running engine leaves in its state folder for
// the command line.
type Endpoint struct {
	Addr string `json:"addr"`           // http://127.0.0.1:8090
	Cert string `json:"cert,omitempty"` // file with the certificate it shows
}

// Announce leaves a note that says where the API is, and which certificate it
// shows; cert is "" without TLS.
func Announce(stateDir string, at net.Addr, cert string) error {
	host, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // the command line is on this machine
	}
	e := Endpoint{Addr: "http://" + net.JoinHostPort(host, port)}
	if cert != "" {
		if e.Cert, err = filepath.Abs(cert); err != nil {
			return err
		}
		e.Addr = "https://" + net.JoinHostPort(host, port)
	}
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(stateDir, "admin.json"), raw, 0o600)
}

// Find reads the note that Announce left.
func Find(stateDir string) (Endpoint, error) {
	var e Endpoint
	raw, err := os.ReadFile(filepath.Join(stateDir, "admin.json"))
	if err != nil {
		return e, err
	}
	return e, json.Unmarshal(raw, &e)
}

// TLS returns how the API is served with a certificate, nil where none is
// given. The files are read again when they change.
func TLS(cert, key string) (*tls.Config, error) {
	if cert == "" {
		return nil, nil
	}
	k := &keyPair{cert: cert, key: key}
	if _, err := k.get(nil); err != nil {
		return nil, fmt.Errorf("the certificate of the admin address cannot be used: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: k.get}, nil
}

// keyPair is a certificate that is read again when its file changes.
type keyPair struct {
	cert, key string

	mu     sync.Mutex
	loaded *tls.Certificate
	stamp  time.Time
}

func (k *keyPair) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
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
	return nil, err
}

// Pinned returns a client that trusts exactly the certificate in a file, as
// the server on this machine shows it, whatever name it was made for.
func Pinned(cert string) (*http.Client, error) {
	raw, err := os.ReadFile(cert)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the admin address: %w", err)
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return nil, fmt.Errorf("there is no certificate in %s", cert)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: true, // the whole certificate is compared instead
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 || !bytes.Equal(s.PeerCertificates[0].Raw, block.Bytes) {
				return errors.New("the admin address shows another certificate than it announced")
			}
			return nil
		}}
	return &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{TLSClientConfig: config}}, nil
}
