package redis

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Times after which a call to Redis counts as failed. Together they keep a
// caller from hanging on a server that is gone.
const (
	dialTimeout = 2 * time.Second
	ioTimeout   = 3 * time.Second
)

// CAEnv names the environment variable that holds the path of a PEM file with
// certificate authorities to trust for rediss, where the URL names none.
const CAEnv = "CROSSDOCK_REDIS_CA"

// sureness is what a URL asks for before a write counts.
type sureness struct {
	replicas int  // that must confirm it
	synced   bool // and have it on disk
}

// Hosts returns the servers that a store URL names, as host:port; nil for other
// stores. Those that a cluster or Sentinels tell of are not among them.
func Hosts(raw string) []string {
	o, _, err := parseURL(raw)
	if err != nil {
		return nil
	}
	return o.Addrs
}

// parseURL turns a store URL into client options and what it asks for.
func parseURL(raw string) (*goredis.UniversalOptions, sureness, error) {
	var none sureness
	u, err := url.Parse(raw)
	if err != nil {
		// The error of url.Parse repeats the URL, which may hold a password.
		return nil, none, errors.New("the redis URL cannot be read: write redis://user:password@host:6379/0, with special characters in the password percent-encoded")
	}
	o := &goredis.UniversalOptions{
		Protocol:              2,
		DialTimeout:           dialTimeout,
		ReadTimeout:           ioTimeout,
		WriteTimeout:          ioTimeout,
		PoolTimeout:           ioTimeout + time.Second,
		ContextTimeoutEnabled: true,
		MaxRetries:            -1, // this package repeats calls itself, under their number
		DialerRetries:         1,
		DisableIdentity:       true,
		MaintNotificationsConfig: &maintnotifications.Config{
			Mode: maintnotifications.ModeDisabled,
		},
	}
	switch u.Scheme {
	case "redis", "rediss":
	case "redis+sentinel", "rediss+sentinel":
		o.MasterName = firstPath(u.Path)
		if o.MasterName == "" {
			return nil, none, errors.New("a redis+sentinel URL needs the name of the master: redis+sentinel://host1:26379,host2:26379/mymaster")
		}
		u.Path = strings.TrimPrefix(u.Path, "/"+o.MasterName)
	case "redis+cluster", "rediss+cluster":
		o.IsClusterMode = true
	default:
		return nil, none, fmt.Errorf("a redis URL begins with redis://, rediss:// (TLS), redis+sentinel:// or redis+cluster://, not %q", u.Scheme+"://")
	}
	port := "6379"
	if o.MasterName != "" {
		port = "26379"
	}
	for host := range strings.SplitSeq(u.Host, ",") {
		if host == "" {
			host = "localhost"
		}
		if _, _, err := net.SplitHostPort(host); err != nil {
			host = net.JoinHostPort(strings.Trim(host, "[]"), port)
		}
		o.Addrs = append(o.Addrs, host)
	}
	if u.User != nil {
		o.Username = u.User.Username()
		o.Password, _ = u.User.Password()
	}
	if db := firstPath(u.Path); db != "" {
		if o.DB, err = strconv.Atoi(db); err != nil || o.DB < 0 {
			return nil, none, fmt.Errorf("the database in a redis URL is a number, as in redis://host:6379/0, not %q", db)
		}
	}
	sure, err := parseQuery(u, o)
	return o, sure, err
}

func firstPath(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}

// parseQuery applies the parameters of the URL to o.
func parseQuery(u *url.URL, o *goredis.UniversalOptions) (sure sureness, err error) {
	ca := os.Getenv(CAEnv)
	var cert, key, serverName string
	for name, values := range u.Query() {
		v := values[len(values)-1]
		switch name {
		case "ca":
			ca = v
		case "cert":
			cert = v
		case "key":
			key = v
		case "servername":
			serverName = v
		case "replicas":
			if sure.replicas, err = strconv.Atoi(v); err != nil || sure.replicas < 0 {
				return sure, fmt.Errorf("replicas=%s in the redis URL: write how many replicas must confirm each write, such as replicas=1", v)
			}
		case "synced":
			if sure.synced, err = strconv.ParseBool(v); err != nil {
				return sure, fmt.Errorf("synced=%s in the redis URL: write synced=true to wait for the disks of the replicas too", v)
			}
		case "pool":
			if o.PoolSize, err = strconv.Atoi(v); err != nil || o.PoolSize < 1 {
				return sure, fmt.Errorf("pool=%s in the redis URL: write how many connections may be open, such as pool=20", v)
			}
		case "sentinel_user":
			o.SentinelUsername = v
		case "sentinel_password":
			o.SentinelPassword = v
		default:
			return sure, fmt.Errorf("the redis URL has the unknown parameter %q; known are ca, cert, key, servername, replicas, synced, pool, sentinel_user, sentinel_password", name)
		}
	}
	if sure.synced && sure.replicas == 0 {
		return sure, errors.New("synced=true in the redis URL needs replicas=N")
	}
	if !strings.HasPrefix(u.Scheme, "rediss") {
		return sure, nil
	}
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: serverName}
	if ca != "" {
		if o.TLSConfig.RootCAs, err = readCA(ca); err != nil {
			return sure, err
		}
	}
	if (cert == "") != (key == "") {
		return sure, errors.New("the redis URL needs both cert and key, or neither")
	}
	if cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return sure, fmt.Errorf("read the client certificate for redis: %w", err)
		}
		o.TLSConfig.Certificates = []tls.Certificate{pair}
	}
	return sure, nil
}

func readCA(path string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authority for redis: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("the file %s holds no PEM certificate", path)
	}
	return pool, nil
}
