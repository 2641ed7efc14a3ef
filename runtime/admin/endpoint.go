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
	"time"

	"crossdock/runtime/keypair"
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
	pair, err := keypair.Open(cert, key)
	if err != nil {
		return nil, fmt.Errorf("the certificate of the admin address cannot be used: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: pair.Server}, nil
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
