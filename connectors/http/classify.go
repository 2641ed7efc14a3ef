package http

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"crossdock/connectors"
)

// failure is an attempt without a complete answer, told in words that hold
// neither credentials nor query parameters.
type failure struct {
	text  string
	cause error
}

// Error implements error.
func (f *failure) Error() string { return f.text }

// Unwrap returns the cause.
func (f *failure) Unwrap() error { return f.cause }

// classify gives an error of the transport its class and its words. sent says
// that at least one byte of the request was written.
func classify(ctx context.Context, err error, sent bool, host string) error {
	var refused *refusal
	if errors.As(err, &refused) {
		return connectors.Permanent(&failure{fmt.Sprintf("cannot call %s: %s", host, refused), refused})
	}
	f := &failure{describe(ctx, err, sent, host), err}
	if sent {
		return connectors.Ambiguous(f)
	}
	return connectors.NotSent(f)
}

func describe(ctx context.Context, err error, sent bool, host string) string {
	var timeout net.Error
	timedOut := errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &timeout) && timeout.Timeout()
	if sent {
		switch {
		case timedOut:
			return host + " did not answer in time; whether it did the work is not known"
		case errors.Is(err, context.Canceled):
			return "the call to " + host + " was given up while it was under way; whether it did the work is not known"
		case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
			return host + " broke the connection before it answered; whether it did the work is not known"
		case errors.Is(err, io.ErrUnexpectedEOF):
			return host + " stopped in the middle of its answer; whether it did the work is not known"
		}
		return host + " closed the connection without a complete answer; whether it did the work is not known"
	}
	if text := certificate(err, host); text != "" {
		return text
	}
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return "the host name " + dns.Name + " is not known"
	case errors.As(err, &dns):
		return "the host name " + dns.Name + " could not be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		return host + " refuses connections"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way through the network to " + host
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "this process has too many open files to call " + host
	case timedOut:
		return "no connection to " + host + " in time; nothing was sent"
	case errors.Is(err, context.Canceled) || ctx.Err() != nil:
		return "the call to " + host + " was given up before anything was sent"
	}
	return "no connection to " + host + "; nothing was sent"
}

// certificate explains a refused TLS handshake, "" where it was something else.
func certificate(err error, host string) string {
	var (
		invalid  x509.CertificateInvalidError
		name     x509.HostnameError
		unknown  x509.UnknownAuthorityError
		verify   *tls.CertificateVerificationError
		alert    tls.AlertError
		noRecord tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && invalid.Cert != nil:
		if time.Now().Before(invalid.Cert.NotBefore) {
			return fmt.Sprintf("the certificate of %s is not valid before %s", host, invalid.Cert.NotBefore.UTC().Format(time.RFC3339))
		}
		return fmt.Sprintf("the certificate of %s expired on %s", host, invalid.Cert.NotAfter.UTC().Format(time.RFC3339))
	case errors.As(err, &name):
		return "the certificate shown by " + host + " is for another host"
	case errors.As(err, &unknown):
		return "the certificate of " + host + " is signed by an authority that is not trusted; add it with `tls: {ca_file: ...}` if it is yours"
	case errors.As(err, &verify), errors.As(err, &invalid):
		return "the certificate of " + host + " is not valid"
	case errors.As(err, &alert):
		return host + " refused the TLS handshake: " + alert.Error()
	case errors.As(err, &noRecord):
		return host + " does not speak TLS on this port; is it http:// instead of https://?"
	}
	return ""
}
