package redis

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crossdock/runtime/porttest"
	"crossdock/runtime/queue"
	"crossdock/runtime/queue/redis/redistest"
)

// life runs one message through the store.
func life(t *testing.T, d *Driver) {
	t.Helper()
	signals, err := d.Watch(t.Context(), "s")
	if err != nil {
		t.Fatalf("watch: %v", err)
	}
	j := testJob("a")
	j.Dedupe, j.DedupeTTL = "key", time.Hour
	j.Fresh[0].Refs = []queue.Ref{{Type: "order", Value: "SO-1"}}
	for _, want := range []queue.Status{queue.Enqueued, queue.Duplicate} {
		if res := mustApply(t, d, queue.Commit{Jobs: []queue.Job{j}}); res[0].Status != want {
			t.Fatalf("apply: %+v, want status %d", res, want)
		}
		j.ID = "b"
	}
	ls := leaseAll(t, d, 1)
	if len(ls) != 1 || string(ls[0].Body) != "body of a" {
		t.Fatalf("lease: %+v", ls)
	}
	if err := d.Extend(t.Context(), ls, time.Minute); err != nil {
		t.Fatalf("extend: %v", err)
	}
	mustApply(t, d, queue.Commit{
		Finish: []queue.Finish{{Lease: ls[0]}}, Put: []queue.Put{{Key: "s", Value: []byte("v")}},
		History: []queue.Entry{{Message: "a", Kind: queue.Delivered, Pipeline: "orders"}},
	})
	select {
	case <-signals:
	case <-time.After(5 * time.Second):
		t.Error("no signal of the state")
	}
	if _, err := d.Sweep(t.Context(), time.Now().Add(time.Second)); err != nil {
		t.Fatalf("sweep: %v", err)
	}
	page, err := d.Browse(t.Context(), queue.Query{View: queue.ByRef, Ref: queue.Ref{Value: "SO-1"}})
	if err != nil || len(page.Entries) != 2 {
		t.Fatalf("browse: %+v, %v", page, err)
	}
}

func TestOpenRefusesUnsafeServers(t *testing.T) {
	t.Parallel() // mostly waits
	for _, c := range []struct {
		name, want string
		args       []string
	}{
		{"eviction", "maxmemory-policy is allkeys-lru", []string{"--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru"}},
		{"no append-only file", "appendonly is no", []string{"--appendonly", "no"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := redistest.Start(t, c.args...)
			_, err := Open(t.Context(), server.URL(), Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("open: %v", err)
			}
			d := open(t, server.URL(), Options{Unsafe: true})
			defer d.Close()
			life(t, d)
		})
	}
	t.Run("replica", func(t *testing.T) {
		master := redistest.Start(t)
		_, port, _ := net.SplitHostPort(master.Addr)
		replica := redistest.Start(t, "--replicaof", "127.0.0.1 "+port)
		within(t, 10*time.Second, "the replica is in step", func() bool {
			info, err := replica.Client().Info(t.Context(), "replication").Result()
			return err == nil && strings.Contains(info, "master_link_status:up")
		})
		_, err := Open(t.Context(), replica.URL(), Options{})
		if err == nil || !strings.Contains(err.Error(), "leads to a replica") {
			t.Fatalf("open: %v", err)
		}
		d := open(t, master.URL()+"?replicas=1", Options{})
		defer d.Close()
		life(t, d)
		replica.Pause()
		_, err = d.Apply(t.Context(), queue.Commit{Jobs: []queue.Job{testJob("c")}})
		if err == nil || !strings.Contains(err.Error(), "0 of 1 replicas confirmed") {
			t.Errorf("apply without the replica: %v", err)
		}
		replica.Resume()
		if res := mustApply(t, d, queue.Commit{Jobs: []queue.Job{testJob("c")}}); res[0].Status != queue.Enqueued {
			t.Errorf("apply with the replica back: %+v", res)
		}
		if n := counter(t, d, queue.Accepted); n != 2 {
			t.Errorf("%d accepted, want 2", n)
		}
	})
}

func TestCheckTellsTheLevel(t *testing.T) {
	for fsync, want := range map[string]string{
		"always": "survives a power cut", "everysec": "a power cut may take the last two seconds", "no": "last half minute",
	} {
		server := redistest.Start(t, "--appendfsync", fsync)
		d := open(t, server.URL(), Options{})
		findings, err := d.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(findings) != 1 || findings[0].Fatal || !strings.Contains(findings[0].Message, want) {
			t.Errorf("%s: %+v", fsync, findings)
		}
		if err := server.Client().ConfigSet(t.Context(), "maxmemory-policy", "volatile-ttl").Err(); err != nil {
			t.Fatal(err)
		}
		if findings, err = d.Check(t.Context()); err != nil || len(findings) != 2 || findings[0].Fatal {
			t.Errorf("a policy without a limit: %+v, %v", findings, err)
		}
		if err := server.Client().ConfigSet(t.Context(), "maxmemory", "100mb").Err(); err != nil {
			t.Fatal(err)
		}
		if findings, err = d.Check(t.Context()); err != nil || len(findings) != 2 || !findings[0].Fatal {
			t.Errorf("a policy with a limit: %+v, %v", findings, err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestUserWithFewRights(t *testing.T) {
	server := redistest.Start(t)
	rules := []any{"acl", "setuser", "app", "on", ">p:ss/word", "~cd:*", "&cd:*", "-@all"}
	for _, r := range strings.Fields(neededRights) {
		rules = append(rules, r)
	}
	if err := server.Client().Do(t.Context(), rules...).Err(); err != nil {
		t.Fatal(err)
	}
	url := "redis://app:p%3Ass%2Fword@" + server.Addr
	d := open(t, url, Options{})
	defer d.Close()
	life(t, d)
	findings, err := d.Check(t.Context())
	if err != nil || len(findings) != 1 {
		t.Errorf("check with CONFIG GET: %+v, %v", findings, err)
	}
	if err := server.Client().Do(t.Context(), "acl", "setuser", "app", "-config", "-info").Err(); err != nil {
		t.Fatal(err)
	}
	findings, err = d.Check(t.Context())
	if err != nil || !strings.Contains(fmt.Sprint(findings), "may not run CONFIG GET") || !strings.Contains(fmt.Sprint(findings), "may not run INFO") {
		t.Errorf("check without rights: %+v, %v", findings, err)
	}
	_, err = Open(t.Context(), "redis://app:wrong@"+server.Addr, Options{})
	if err == nil || strings.Contains(err.Error(), "wrong@") {
		t.Errorf("a wrong password: %v", err)
	}
}

func TestTLS(t *testing.T) {
	cert, key := certificate(t)
	server := redistest.Start(t, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert,
		"--tls-auth-clients", "no", "--tls-port", "0")
	client := server.Client()
	_, port, err := net.SplitHostPort(porttest.Take(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := client.ConfigSet(t.Context(), "tls-port", port).Err(); err != nil {
		if strings.Contains(err.Error(), "Unknown") {
			t.Skip("this redis-server was built without TLS")
		}
		t.Fatal(err)
	}
	url := "rediss://localhost:" + port
	if _, err := Open(t.Context(), url, Options{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown authority: %v", err)
	}
	d := open(t, url+"?ca="+cert, Options{})
	defer d.Close()
	life(t, d)
	t.Setenv(CAEnv, cert)
	fromEnv := open(t, url, Options{})
	defer fromEnv.Close()
	if _, err := Open(t.Context(), url+"?ca=/nowhere.pem", Options{}); err == nil || !strings.Contains(err.Error(), "/nowhere.pem") {
		t.Errorf("a missing file: %v", err)
	}
}

// certificate makes a self-signed certificate for localhost.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	priv, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, priv.Public(), priv)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{
		cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: keyDER},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func TestCluster(t *testing.T) {
	t.Parallel() // mostly waits
	server := redistest.Start(t, "--cluster-enabled", "yes", "--cluster-port", redistest.FreePort(t))
	if err := server.Client().ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	within(t, 10*time.Second, "the cluster is up", func() bool {
		info, err := server.Client().ClusterInfo(t.Context()).Result()
		return err == nil && strings.Contains(info, "cluster_state:ok")
	})
	d := open(t, "redis+cluster://"+server.Addr, Options{})
	defer d.Close()
	life(t, d)
}

func TestSentinel(t *testing.T) {
	master := redistest.Start(t)
	host, port, _ := net.SplitHostPort(master.Addr)
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, "sentinel monitor main %s %s 1\n", host, port), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := redistest.StartSentinel(t, conf)
	d := open(t, "redis+sentinel://"+sentinel.Addr+"/main", Options{})
	defer d.Close()
	life(t, d)
}

func TestTwoStoresOnOneServer(t *testing.T) {
	server := redistest.Start(t)
	for _, prefix := range []string{"", "other"} {
		d := open(t, server.URL(), Options{Prefix: prefix})
		defer d.Close()
		life(t, d)
	}
	if _, err := Open(t.Context(), server.URL(), Options{Prefix: "a{b}"}); err == nil {
		t.Error("a prefix with braces was taken")
	}
}

func TestURLs(t *testing.T) {
	for url, want := range map[string]string{
		"redis://":                          "[localhost:6379]",
		"redis://h":                         "[h:6379]",
		"redis://h:1/2":                     "[h:1]",
		"redis+cluster://a,b:7":             "[a:6379 b:7]",
		"redis+sentinel://a,b:7/main":       "[a:26379 b:7]",
		"rediss://u:p@h:1?servername=other": "[h:1]",
	} {
		o, _, err := parseURL(url)
		if err != nil || fmt.Sprint(o.Addrs) != want {
			t.Errorf("%s: %v, %v, want %s", url, o, err, want)
		}
	}
	for url, want := range map[string]string{
		"http://h":                    "redis URL begins with",
		"redis+sentinel://a":          "name of the master",
		"redis://h/x":                 "database in a redis URL is a number",
		"redis://h?nope=1":            "unknown parameter",
		"redis://h?replicas=many":     "how many replicas",
		"redis://h?synced=true":       "needs replicas=N",
		"redis://h?synced=perhaps":    "wait for the disks",
		"redis://u:secret%zz@h":       "cannot be read",
		"rediss://h?cert=/a":          "both cert and key",
		"rediss://h?ca=/nowhere":      "/nowhere",
		"redis://u:p@h:1?pool=0":      "how many connections",
		"redis://secret:word@h:port/": "cannot be read",
	} {
		_, _, err := parseURL(url)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}

func TestUnreachable(t *testing.T) {
	begun := time.Now()
	_, err := Open(t.Context(), "redis://127.0.0.1:1", Options{Logger: slog.New(slog.DiscardHandler)})
	if err == nil || time.Since(begun) > 5*time.Second {
		t.Errorf("open: %v after %v", err, time.Since(begun))
	}
}
