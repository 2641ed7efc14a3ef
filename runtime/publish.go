package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"crossdock/dsl"
	"crossdock/dsl/diag"
	"crossdock/runtime/publication"
	"crossdock/runtime/queue"
)

// origin is the published revision that definitions are read from. The
// zero value stands for the folder.
type origin struct {
	publication.Entry
	files fs.FS
}

// takePublished finds out what the store says is to run at the start.
func (e *Engine) takePublished(ctx context.Context) error {
	book, err := publication.Read(ctx, e.driver)
	if err != nil {
		return err
	}
	p, err := e.active(ctx, book)
	if err != nil {
		return err
	}
	if err := e.bypassed(ctx, p.Entry); err != nil {
		e.unable = cannotRun(p.Number, err.Error())
		e.log.Error("the published revision is not started", "revision", publication.Name(p.Number), "error", err)
		other, ok, read := e.admitted(ctx, book)
		if !ok {
			return errors.Join(read, err)
		}
		p = other
	}
	if p.Number == 0 && e.opt.Published {
		return fmt.Errorf("%w to this store: run `crossdock publish DIR` first, or start without --published", publication.ErrNone)
	}
	e.published = p
	return nil
}

// cannotRun says that a publication does not run here, and why.
func cannotRun(number int, why string) string {
	return fmt.Sprintf("%s cannot run here: %s", publication.Name(number), why)
}

// activeRevision reads the active publication from the store.
func (e *Engine) activeRevision(ctx context.Context) (origin, error) {
	book, err := publication.Read(ctx, e.driver)
	if err != nil {
		return origin{}, err
	}
	return e.active(ctx, book)
}

func (e *Engine) active(ctx context.Context, book *publication.Book) (origin, error) {
	entry, ok := book.Find(book.Active)
	if !ok {
		return origin{}, nil
	}
	pack, err := publication.Files(ctx, e.driver, entry)
	if err != nil {
		return origin{}, err
	}
	return origin{entry, pack.FS()}, nil
}

// Refused says why definitions were not published: findings, failed tests, or
// something that could not be opened.
type Refused struct {
	Findings diag.List
	Reason   string
}

// Error returns the reason.
func (r *Refused) Error() string { return r.Reason }

// Publish checks the files of a pack as a reload would, and makes them what all
// replicas of the store run. This replica switches before it returns; the others
// do so when they hear of it. Where the files are not fit to run nothing is
// published and the error is a *Refused.
func (e *Engine) Publish(ctx context.Context, pack *publication.Pack, entry publication.Entry) (publication.Entry, Report, error) {
	if err := e.byPlanOnly(); err != nil {
		return entry, Report{}, err
	}
	return e.publish(ctx, pack, entry, "")
}

// publish is Publish, for as long as the revision over is the one at work; "" is
// any.
func (e *Engine) publish(ctx context.Context, pack *publication.Pack, entry publication.Entry, over string) (publication.Entry, Report, error) {
	ws, err := e.rehearse(ctx, pack.FS())
	if err != nil {
		return entry, Report{}, err
	}
	e.following.Lock()
	defer e.following.Unlock()
	if live := e.Worker().Live().WS.Revision; over != "" && live != over {
		return entry, Report{}, &ErrMoved{"what runs is revision " + live + " now"}
	}
	entry.At, entry.Workspace, entry.Admitted = time.Now().UTC(), ws.Revision, true
	if entry, err = publication.Publish(ctx, e.driver, entry, pack); err != nil {
		return entry, Report{}, err
	}
	e.log.Info("published", "revision", publication.Name(entry.Number), "who", entry.Who, "note", entry.Note, "digest", entry.Digest)
	return entry, e.follow(ctx), nil
}

// Rollback publishes an earlier revision once more; 0 means the one before.
func (e *Engine) Rollback(ctx context.Context, number int, who, note string) (publication.Entry, Report, error) {
	book, err := publication.Read(ctx, e.driver)
	if err != nil {
		return publication.Entry{}, Report{}, err
	}
	if number == 0 {
		number = book.Previous()
	}
	old, ok := book.Find(number)
	if !ok {
		return publication.Entry{}, Report{}, publication.ErrUnknown
	}
	asked, _, err := readDemand(ctx, e.driver)
	if err != nil {
		return publication.Entry{}, Report{}, err
	}
	if !asked.admits(old) {
		return publication.Entry{}, Report{}, &Refused{Reason: fmt.Sprintf("%s never ran here: %s has not approved it", publication.Name(number), asked.By)}
	}
	pack, err := publication.Files(ctx, e.driver, old)
	if err != nil {
		return publication.Entry{}, Report{}, err
	}
	return e.publish(ctx, pack, publication.Entry{Who: who, Note: note, Again: number}, "")
}

// Withdraw lets all replicas run their folders again.
func (e *Engine) Withdraw(ctx context.Context, who string) (Report, error) {
	if err := e.byPlanOnly(); err != nil {
		return Report{}, err
	}
	e.following.Lock()
	defer e.following.Unlock()
	if err := publication.Withdraw(ctx, e.driver); err != nil {
		return Report{}, err
	}
	e.log.Info("the publication was withdrawn; replicas run their folders", "who", who)
	return e.follow(ctx), nil
}

// Revisions returns what was published.
func (e *Engine) Revisions(ctx context.Context) (*publication.Book, error) {
	return publication.Read(ctx, e.driver)
}

// rehearse does with files all that bringing them to life would, and lets go of
// it again.
func (e *Engine) rehearse(ctx context.Context, files fs.FS) (*dsl.Workspace, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ws, list, err := dsl.Load(files, e.loading())
	if err != nil {
		return nil, &Refused{Reason: err.Error()}
	}
	if list.HasErrors() {
		return nil, &Refused{Findings: list, Reason: faults(list)}
	}
	if e.opt.Gate != nil {
		if err := e.opt.Gate(ctx, ws, files); err != nil {
			return nil, &Refused{Findings: list, Reason: err.Error()}
		}
	}
	if err := e.checkDurability(ctx, ws); err != nil {
		return nil, &Refused{Findings: list, Reason: err.Error()}
	}
	next, err := e.build(ws, e.current)
	if err != nil {
		return nil, &Refused{Findings: list, Reason: err.Error()}
	}
	next.closeNew(e.current)
	return ws, nil
}

// follow switches to what the store says is active. Where that cannot run here,
// what runs goes on, and the report and the status say why.
func (e *Engine) follow(ctx context.Context) Report {
	want, err := e.activeRevision(ctx)
	if err != nil {
		e.log.Error("the published revision cannot be read", "error", err)
		e.cannot(err.Error())
		return Report{Result: "failed", Error: err.Error()}
	}
	return e.switchTo(ctx, want)
}

func (e *Engine) switchTo(ctx context.Context, want origin) Report {
	if err := e.bypassed(ctx, want.Entry); err != nil {
		return e.turnDown(want, err)
	}
	r := e.reloadFrom(ctx, &want)
	switch {
	case r.Result != "failed":
		e.cannot("")
	case want.Number != e.running():
		e.cannot(cannotRun(want.Number, r.Error))
	}
	return r
}

// turnDown leaves what runs at work, and says so wherever people look.
func (e *Engine) turnDown(want origin, why error) Report {
	e.log.Error("the published revision is not taken up, what runs stays at work", "revision", publication.Name(want.Number), "error", why)
	r := Report{Result: "failed", Error: cannotRun(want.Number, why.Error()), Published: want.Number, At: time.Now()}
	e.status.Lock()
	r.Revision, r.Generation = e.current.ws.Revision, e.current.live.Generation
	e.last, e.checked = r, r
	e.status.Unlock()
	e.meter.Reloaded(r.Result)
	e.cannot(r.Error)
	return r
}

// cannot notes why the active publication does not run here, "" = it does.
func (e *Engine) cannot(why string) {
	e.status.Lock()
	e.unable = why
	e.status.Unlock()
	e.tell()
}

// heed follows publications and pauses of other replicas until ctx ends. What
// cannot be heard of, because the connection to the store was away, is found by
// looking now and then.
func (e *Engine) heed(ctx context.Context) {
	const lookAgain = 5 * time.Second
	var revisions, pauses <-chan struct{}
	tried := -1 // the publication that could not run here
	for ctx.Err() == nil {
		// What changes after this is heard of, what changed before is seen.
		revisions, pauses = e.hear(ctx, revisions, publication.Topic), e.hear(ctx, pauses, pauseTopic)
		if err := e.look(ctx, &tried); err != nil && ctx.Err() == nil && !errors.Is(err, queue.ErrFailed) {
			e.log.Warn("what other replicas have changed cannot be read", "error", err)
		}
		timer := time.NewTimer(lookAgain)
		select {
		case <-ctx.Done():
		case _, ok := <-revisions:
			if !ok {
				revisions = nil
			}
		case _, ok := <-pauses:
			if !ok {
				pauses = nil
			}
		case <-timer.C:
		}
		timer.Stop()
	}
}

// look takes up what the store says is active and paused. tried is the
// publication that could not run here, which is not tried again by itself.
func (e *Engine) look(ctx context.Context, tried *int) error {
	e.following.Lock()
	defer e.following.Unlock()
	book, err := publication.Read(ctx, e.driver)
	if err != nil {
		return err
	}
	switch {
	case book.Active == e.running():
		*tried = -1
	case book.Active != *tried:
		if r := e.follow(ctx); r.Result == "failed" {
			*tried = book.Active
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.restorePauses(ctx, e.current)
}

// hear watches a key unless that is done already; nil where it cannot be done
// now.
func (e *Engine) hear(ctx context.Context, already <-chan struct{}, key string) <-chan struct{} {
	if already != nil {
		return already
	}
	signals, err := e.driver.Watch(ctx, key)
	if err != nil {
		return nil // looking now and then serves until it can
	}
	return signals
}

// running is the number of the publication at work, 0 for the folder.
func (e *Engine) running() int {
	e.status.Lock()
	defer e.status.Unlock()
	return e.current.published
}
