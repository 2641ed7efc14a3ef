package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"crossdock/runtime/queue"
)

// errUnknown marks a call of which it is not known whether Redis carried it out.
var errUnknown error = away("redis did not answer")

// away is an error that callers know as queue.ErrAway.
type away string

func (a away) Error() string { return string(a) }

// Is implements the protocol of errors.Is.
func (away) Is(target error) bool { return target == queue.ErrAway }

const lostMessage = "the Redis store was emptied, replaced or restored while it was in use; " +
	"nothing is sent until it is looked into. Restore the data and restart, or restart to begin with what is there now"

// run calls a script on the shard.
func (d *Driver) run(ctx context.Context, s *script, args []any) (any, error) {
	return d.loaded(ctx, func() (any, error) { return d.transact(ctx, d.rdb, s, args, nil) })
}

// runWith calls a script in one transaction behind an MSETNX of its bodies, and
// waits for the replicas that must confirm it.
func (d *Driver) runWith(ctx context.Context, s *script, args, bodies []any) (any, error) {
	if d.opts.Replicas > 0 {
		return d.runReplicated(ctx, s, args, bodies)
	}
	return d.loaded(ctx, func() (any, error) { return d.transact(ctx, d.rdb, s, args, bodies) })
}

// transactor is what a client and a single connection have in common.
type transactor interface {
	Do(ctx context.Context, args ...any) *goredis.Cmd
	TxPipelined(ctx context.Context, fn func(goredis.Pipeliner) error) ([]goredis.Cmder, error)
}

// transact sends a script call, in one transaction with its bodies if it has any.
func (d *Driver) transact(ctx context.Context, c transactor, s *script, args, bodies []any) (any, error) {
	eval := append([]any{"evalsha", s.sha, 1, d.keys.prefix}, args...)
	if len(bodies) == 0 {
		return c.Do(ctx, eval...).Result()
	}
	var set, answer *goredis.Cmd
	_, err := c.TxPipelined(ctx, func(p goredis.Pipeliner) error {
		set = p.Do(ctx, append([]any{"msetnx"}, bodies...)...)
		answer = p.Do(ctx, eval...)
		return nil
	})
	if err != nil && strings.HasPrefix(err.Error(), "EXECABORT") {
		// One of the two says why it was refused, or EXEC itself does.
		for _, c := range []*goredis.Cmd{set, answer} {
			if why := c.Err(); why != nil && !strings.HasPrefix(why.Error(), "EXECABORT") {
				return nil, why
			}
		}
		return nil, err
	}
	if err != nil && strings.HasPrefix(err.Error(), "CDLOST") {
		d.dropBodies(ctx, bodies)
	}
	if err != nil {
		return nil, err
	}
	return answer.Val(), nil
}

// loaded calls do, and once more with fresh scripts when Redis does not know them.
func (d *Driver) loaded(ctx context.Context, do func() (any, error)) (any, error) {
	v, err := do()
	if err != nil && strings.HasPrefix(err.Error(), "NOSCRIPT") {
		if err = d.loadScripts(ctx); err == nil {
			v, err = do()
		}
	}
	if err != nil {
		return nil, d.verdict(err)
	}
	return v, nil
}

func (d *Driver) loadScripts(ctx context.Context) error {
	for _, s := range allScripts {
		sha, err := d.rdb.ScriptLoad(ctx, s.text).Result()
		if err != nil {
			return fmt.Errorf("load script %s: %w", s.name, err)
		}
		if sha != s.sha {
			return fmt.Errorf("load script %s: redis answered another digest", s.name)
		}
	}
	return nil
}

// verdict sorts an error: ErrFull, ErrFailed, a refusal (nothing was done), or
// errUnknown (perhaps it was).
func (d *Driver) verdict(err error) error {
	var answer goredis.Error
	if !errors.As(err, &answer) || errors.Is(err, goredis.Nil) {
		return fmt.Errorf("%w: %w", errUnknown, err)
	}
	word, _, _ := strings.Cut(answer.Error(), " ")
	switch word {
	case "CDLOST":
		return d.fail(lostMessage)
	case "EXECABORT":
		if strings.Contains(answer.Error(), "OOM") {
			return fmt.Errorf("%w: redis has reached maxmemory", queue.ErrFull)
		}
	case "OOM":
		return fmt.Errorf("%w: redis has reached maxmemory", queue.ErrFull)
	case "ERR":
		if strings.Contains(answer.Error(), "user_script") || strings.Contains(answer.Error(), "script:") {
			d.log.Error("a script failed inside redis", "error", answer.Error())
			return fmt.Errorf("%w: %w", errUnknown, err)
		}
	}
	return fmt.Errorf("redis refused: %w", err)
}

// attempt repeats do, which must be safe to repeat, while Redis gives no answer
// or is still loading, for at most ioTimeout and at least twice. Once an answer
// was missing, a later refusal does not tell what the first try did: the error
// stays errUnknown.
func (d *Driver) attempt(ctx context.Context, do func(ctx context.Context) error) error {
	begun := time.Now()
	pause := 20 * time.Millisecond
	doubt := false
	for {
		one, cancel := context.WithTimeout(ctx, ioTimeout)
		err := do(one)
		cancel()
		doubt = doubt || errors.Is(err, errUnknown)
		if err != nil && doubt && !errors.Is(err, errUnknown) && !errors.Is(err, queue.ErrFailed) {
			err = fmt.Errorf("%w at first; then: %v", errUnknown, err)
		}
		if err == nil || !again(err) || ctx.Err() != nil || time.Since(begun) > ioTimeout {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		case <-d.closing:
			return err
		}
		pause = min(2*pause, 500*time.Millisecond)
	}
}

func again(err error) bool {
	if errors.Is(err, errUnknown) {
		return true
	}
	var answer goredis.Error
	if !errors.As(err, &answer) {
		return false
	}
	for _, word := range []string{"LOADING", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "MOVED", "ASK"} {
		if strings.HasPrefix(answer.Error(), word) {
			return true
		}
	}
	return false
}
