package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/dsl/spec"
	"crossdock/runtime"
	"crossdock/runtime/access"
	"crossdock/runtime/admin"
	"crossdock/runtime/telemetry"
	"crossdock/runtime/testrun"
	"crossdock/runtime/worker"
)

type runFlags struct {
	state, env, store, http, admin, durability string
	noWatch, published, acceptStore            bool
	unsafe, insecureAdmin, allowExec           bool
	vars                                       map[string]string
	lease, drain                               time.Duration
	auditKey, auditHead                        string
	auditEvery                                 time.Duration
	issuer, audience, roles                    string
	adminCert, adminKey, probe                 string
	traces, sandbox, history                   string
	ratio                                      float64
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "run [DIR]", GroupID: "run", Args: cobra.MaximumNArgs(1),
		Short: "Run the workspace in DIR and reload it when its files change",
		Long: `Run the workspace in DIR (the current folder unless named) until it is stopped.

Messages are kept in an embedded store below DIR/.crossdock, or on a Redis that
several replicas share. Definitions are reloaded when their files change, on
SIGHUP and by ` + "`crossdock reload`" + `; a faulty change leaves the last good revision
at work. What ` + "`crossdock publish`" + ` put into the store counts instead of the folder,
on all replicas.

Every flag can also be given as a variable: --store as CROSSDOCK_STORE.`,
		Example: `  crossdock run
  crossdock run examples/01-spare-parts --env demo
  crossdock run --store redis://127.0.0.1:6379 --http :8080
  crossdock run --admin :8443 --admin-cert admin.crt --admin-key admin.key`,
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd.Context(), dir(args), f) },
	}
	cmd.Flags().StringVar(&f.env, "env", "", "environment to run in")
	cmd.Flags().StringVar(&f.state, "state", "", "folder for the store, the token and the last good revision (default DIR/.crossdock)")
	cmd.Flags().StringVar(&f.store, "store", "", "embedded:PATH, redis://..., rediss://... or memory:")
	cmd.Flags().StringVar(&f.http, "http", "127.0.0.1:8080", "address for webhooks")
	cmd.Flags().StringVar(&f.admin, "admin", "127.0.0.1:8090", "address for status, metrics and operation")
	cmd.Flags().StringVar(&f.durability, "durability", "fsync", "fsync, process, or replicated on Redis; see doctor")
	cmd.Flags().StringVar(&f.history, "history", "30d", "how long the story of a message is kept for trace, such as 90d or 12h")
	cmd.Flags().BoolVar(&f.noWatch, "no-watch", false, "do not reload when files change")
	cmd.Flags().BoolVar(&f.published, "published", false, "run only what was published into the store")
	cmd.Flags().DurationVar(&f.drain, "drain", 0, "how long webhooks are served after /readyz says no, for balancers to notice")
	cmd.Flags().BoolVar(&f.acceptStore, "accept-store", false, "go on with a Redis that was emptied, replaced or put back")
	cmd.Flags().BoolVar(&f.unsafe, "unsafe", false, "start on a store whose settings break the promises")
	cmd.Flags().BoolVar(&f.insecureAdmin, "insecure-admin", false, "serve the admin address without TLS beyond this machine")
	cmd.Flags().StringToStringVar(&f.vars, "var", nil, "value of a variable of the environment, as name=value")
	cmd.Flags().StringVar(&f.adminCert, "admin-cert", "", "file with the certificate of the admin address (PEM)")
	cmd.Flags().StringVar(&f.adminKey, "admin-key", "", "file with the private key of that certificate (PEM)")
	cmd.Flags().BoolVar(&f.allowExec, "allow-exec", false, "let an environment name a program that prints secrets")
	cmd.Flags().StringVar(&f.sandbox, "sandbox", "", "strict runs all jq cells in a sandbox, whatever the definitions say; else as they say")
	cmd.Flags().StringVar(&f.issuer, "oidc-issuer", "", "identity provider whose tokens the admin API takes, such as https://login.example.com")
	cmd.Flags().StringVar(&f.audience, "oidc-audience", "", "name of crossdock at the identity provider")
	cmd.Flags().StringVar(&f.roles, "oidc-roles", "roles", "claim with the roles, such as realm_access.roles")
	cmd.Flags().StringVar(&f.auditKey, "audit-key", "", "file with the key of the audit log, best on another disk (default in the state folder)")
	cmd.Flags().StringVar(&f.auditHead, "audit-head", "", "file in a second place to which the head of the audit log is exported")
	cmd.Flags().DurationVar(&f.auditEvery, "audit-every", time.Minute, "how often the head of the audit log is exported")
	cmd.Flags().StringVar(&f.probe, "probe", "", "address for health, readiness and metrics alone, for everybody; none")
	cmd.Flags().StringVar(&f.traces, "traces", "", "collector of traces (OTLP over HTTP), such as http://127.0.0.1:4318; else as OTEL_* say")
	cmd.Flags().Float64Var(&f.ratio, "trace-ratio", 0, "share of traces that are kept, from 0 to 1, where the sender does not decide; failed work always; 1")
	cmd.Flags().DurationVar(&f.lease, "lease", 0, "how long work outlives a replica that went away; 10s")
	_ = cmd.Flags().MarkHidden("lease")
	return cmd
}

// shortestHistory leaves time to look at what has just happened.
const shortestHistory = time.Minute

// stateDir is where the token and the note for the command line lie.
func (f runFlags) stateDir(dir string) string {
	if f.state != "" {
		return f.state
	}
	return filepath.Join(dir, runtime.StateDir)
}

// signIn is what checks the tokens of the identity provider, nil where there
// is none.
func (f runFlags) signIn() (*access.SignIn, error) {
	if f.issuer == "" {
		return nil, nil
	}
	return access.NewSignIn(access.SignInOptions{Issuer: f.issuer, Audience: f.audience, Claim: f.roles})
}

func (a *app) run(ctx context.Context, dir string, f runFlags) error {
	if f.sandbox != "" && f.sandbox != "strict" {
		return failf(exitUsage, "--sandbox %s: it is strict, or left out", f.sandbox)
	}
	if (f.adminCert == "") != (f.adminKey == "") {
		return failf(exitUsage, "--admin-cert and --admin-key belong together: give both")
	}
	if !admin.Loopback(f.admin) && f.adminCert == "" && !f.insecureAdmin {
		return failf(exitUsage, "the admin address %s can be reached from other machines without TLS; give --admin-cert and --admin-key,\nuse 127.0.0.1, or say --insecure-admin", f.admin)
	}
	if _, err := admin.TLS(f.adminCert, f.adminKey); err != nil {
		return failf(exitUsage, "%s", err)
	}
	if f.issuer != "" {
		if _, err := f.signIn(); err != nil {
			return failf(exitUsage, "%s", err)
		}
	}
	if f.auditEvery < time.Second {
		return failf(exitUsage, "--audit-every %s is too short: 1s is the shortest", f.auditEvery)
	}
	if !slices.Contains([]string{"fsync", "process", "replicated"}, f.durability) {
		return failf(exitUsage, "there is no durability `%s`: use fsync, process or replicated", f.durability)
	}
	history, ok := spec.ParseDuration(f.history)
	if !ok || history < shortestHistory {
		return failf(exitUsage, "--history %s: it is a length of time such as 30d or 12h, at least 1m", f.history)
	}
	var tuning sync.WaitGroup
	defer tuning.Wait()
	tuned, stop := context.WithCancel(ctx)
	defer stop()
	tuning.Go(func() { a.tuneMemory(tuned) })
	log := logTo(a.Stderr)
	tracer, err := telemetry.New(ctx, telemetry.Options{Endpoint: f.traces, Ratio: f.ratio, Version: runtime.Version, Log: log, Env: os.Getenv})
	if err != nil {
		return failf(exitUsage, "%s", err)
	}
	defer closeTracer(tracer, log)
	memory := a.boundMemory(log)
	aside, closeAside := a.aside(memory, log)
	defer closeAside()
	var t trail
	e, err := runtime.New(ctx, runtime.Options{
		Dir: dir, State: f.state, Environment: f.env, Vars: f.vars, Std: std(), Store: f.store, Durability: f.durability, History: history,
		HTTP: f.http, Watch: !f.noWatch, Published: f.published, AcceptStore: f.acceptStore, Drain: f.drain, AllowExec: f.allowExec, Strict: f.sandbox == "strict", Unsafe: f.unsafe, Log: log, Gate: gate,
		Memory: memory, Aside: aside, Worker: worker.Options{LeaseTTL: f.lease, Tracer: tracer}, Switched: func(before string, r runtime.Report) { t.switched(before, r, log); keepSchemas(dir, f.env, log) },
	})
	var list diag.List
	if errors.As(err, &list) {
		a.print(list, dir, "text")
		return failf(exitLoad, "the definitions are not fit to run")
	}
	if err != nil {
		return failf(exitLoad, "%s", err)
	}
	if err := t.open(f.stateDir(dir), f); err != nil {
		return failf(exitLoad, "%s", errors.Join(err, e.Driver().Close()))
	}
	defer t.close(log)
	if err := a.serve(ctx, e, dir, f, log, &t); err != nil {
		return failf(exitLoad, "%s", err)
	}
	return nil
}

// closeTracer sends the spans that are left.
func closeTracer(t *telemetry.Tracer, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := t.Close(ctx); err != nil {
		log.Warn("the last traces could not be sent", "error", err)
	}
}

// serve runs an engine with its admin API until ctx ends.
func (a *app) serve(ctx context.Context, e *runtime.Engine, dir string, f runFlags, log *slog.Logger, t *trail) error {
	state := f.stateDir(dir)
	token, err := admin.Token(state)
	if err != nil {
		return errors.Join(err, e.Driver().Close())
	}
	secure, err := admin.TLS(f.adminCert, f.adminKey)
	if err != nil {
		return errors.Join(err, e.Driver().Close())
	}
	sign, err := f.signIn()
	if err != nil {
		return errors.Join(err, e.Driver().Close())
	}
	l, err := net.Listen("tcp", f.admin)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for the admin API: %w", err), e.Driver().Close())
	}
	if err := e.Listen(); err != nil {
		return errors.Join(err, l.Close(), e.Driver().Close())
	}
	var probe net.Listener
	if f.probe != "" {
		if probe, err = net.Listen("tcp", f.probe); err != nil {
			return errors.Join(fmt.Errorf("listen for probes: %w", err), l.Close(), e.Driver().Close())
		}
	}
	e.Own(l.Addr(), "the admin address of crossdock")
	if probe != nil {
		e.Own(probe.Addr(), "the probe address of crossdock")
	}
	if err := admin.Announce(state, l.Addr(), f.adminCert); err != nil {
		return errors.Join(fmt.Errorf("leave a note for the command line: %w", err), l.Close(), e.Driver().Close())
	}
	log.Info("admin API", "address", l.Addr().String(), "tls", secure != nil, "token", filepath.Join(state, "admin.token"))
	api := admin.New(e, admin.Options{Token: token, TLS: secure, SignIn: sign, Log: log, Audit: t.log, AuditLines: t.last})
	var running sync.WaitGroup
	// The admin API answers "not ready" while the engine stops.
	apiCtx, stopAPI := context.WithCancel(context.WithoutCancel(ctx))
	running.Go(func() {
		if err := api.Serve(apiCtx, l); err != nil {
			log.Error("the admin API ended", "error", err)
		}
	})
	if probe != nil {
		running.Go(func() {
			if err := api.ServeProbe(apiCtx, probe); err != nil {
				log.Error("health and metrics cannot be asked for any more", "error", err)
			}
		})
	}
	if f.auditHead != "" {
		running.Go(func() { t.export(apiCtx, f, log) })
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	running.Go(func() {
		for {
			select {
			case <-apiCtx.Done():
				return
			case <-hup:
				e.Reload(apiCtx)
			}
		}
	})
	err = e.Run(ctx)
	signal.Stop(hup)
	stopAPI()
	running.Wait()
	return err
}

// gate runs the tests of a workspace before it goes live.
func gate(ctx context.Context, ws *dsl.Workspace, fsys fs.FS) error {
	var failed []string
	runner := &testrun.Runner{WS: ws, FS: fsys, Std: std()}
	runner.All(ctx, nil, func(r testrun.Result) {
		if !r.Passed() {
			failed = append(failed, fmt.Sprintf("%s: %s: %s", r.Of, r.Case, r.Failures[0]))
		}
	})
	if len(failed) > 0 {
		return fmt.Errorf("%s failed; the first: %s", plural(len(failed), "test", "tests"), failed[0])
	}
	return nil
}
