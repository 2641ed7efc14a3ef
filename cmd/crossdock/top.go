package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"crossdock/runtime/admin"
)

func (a *app) topCommand() *cobra.Command {
	var r remote
	var once bool
	var sort string
	cmd := &cobra.Command{
		Use: "top", GroupID: "operate", Args: cobra.NoArgs,
		Short: "Show live what waits, what is called, and what fails",
		Long: `Show live what waits, what is called, and what fails, once a second.

Lanes: how many messages wait, how many are parked or dead, the age of the oldest,
how many come in and go out in a second, and how long they take. Operations: their
breaker, the calls under way and how many may be, attempts in a second, how many of
them fail, and their time. Rates are those of the process that is asked; what waits is
that of the store.

Keys: q ends it, p holds the picture, s sorts by depth, age, rate or name.`,
		Example: "  crossdock top\n  crossdock top --sort age\n  crossdock top --once",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if sortOf(sort) < 0 {
				return failf(exitUsage, "nothing is sorted by `%s`: use depth, age, rate or name", sort)
			}
			c, err := r.client()
			if err != nil {
				return err
			}
			v := &topView{ask: func(ctx context.Context) (t admin.Top, err error) {
				return t, failed(c.Get(ctx, "/v1/top", nil, &t))
			}, sort: sortOf(sort), width: 100, height: 40}
			if once || r.json {
				return a.topOnce(cmd.Context(), v, r.json)
			}
			return a.topLive(cmd.Context(), v)
		},
	}
	r.flags(cmd)
	cmd.Flags().BoolVar(&once, "once", false, "print one picture and end")
	cmd.Flags().StringVar(&sort, "sort", "depth", "depth, age, rate or name")
	return cmd
}

// topOnce prints one picture, whose rates are those of one second.
func (a *app) topOnce(ctx context.Context, v *topView, asJSON bool) error {
	if err := v.look(ctx); err != nil {
		return err
	}
	if asJSON {
		return a.printJSON(v.now)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(time.Second):
	}
	if err := v.look(ctx); err != nil {
		return err
	}
	fmt.Fprint(a.Stdout, v.frame())
	return nil
}

// topLive shows pictures until q is typed or ctx ends.
func (a *app) topLive(ctx context.Context, v *topView) error {
	in, isFile := a.Stdin.(*os.File)
	out, alsoFile := a.Stdout.(*os.File)
	if !isFile || !alsoFile || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return failf(exitUsage, "this is no terminal; use `crossdock top --once`")
	}
	if err := v.look(ctx); err != nil {
		return err
	}
	raw, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return failf(exitLoad, "the terminal does not give single keys: %s", err)
	}
	fmt.Fprint(out, "\x1b[?1049h\x1b[?25l") // another screen, without cursor
	defer func() {
		fmt.Fprint(out, "\x1b[?25h\x1b[?1049l")
		_ = term.Restore(int(in.Fd()), raw)
	}()
	keys := make(chan byte)
	go read(ctx, in, keys) // ends with the process: a read from a terminal cannot be called off
	v.colour = a.terminal(a.Stdout)
	v.live = true
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if w, h, err := term.GetSize(int(out.Fd())); err == nil {
			v.width, v.height = w, h
		}
		fmt.Fprint(out, "\x1b[H"+v.screen())
		select {
		case <-ctx.Done():
			return nil
		case k := <-keys:
			if v.key(k) {
				return nil
			}
		case <-tick.C:
			if !v.held {
				v.problem = ""
				if err := v.look(ctx); err != nil {
					v.problem = err.Error()
				}
			}
		}
	}
}

// read hands on what is typed.
func read(ctx context.Context, in io.Reader, keys chan<- byte) {
	b := make([]byte, 1)
	for {
		if n, err := in.Read(b); err != nil || n == 0 {
			return
		}
		select {
		case keys <- b[0]:
		case <-ctx.Done():
			return
		}
	}
}
