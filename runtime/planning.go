package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"crossdock/dsl"
	"crossdock/runtime/message"
	"crossdock/runtime/plan"
	"crossdock/runtime/publication"
	"crossdock/runtime/queue"
	"crossdock/runtime/worker"
)

// recent is what is kept of messages that are done.
func recent(ws *dsl.Workspace) worker.Recent {
	r := worker.Recent{Messages: 100, For: 7 * 24 * time.Hour}
	if ws.Spec == nil {
		return r
	}
	if n := ws.Spec.Recent.Messages; n != nil {
		r.Messages = *n
	}
	if ws.Spec.Recent.For.D > 0 {
		r.For = ws.Spec.Recent.For.D
	}
	return r
}

// Planning says what a plan is made of.
type Planning struct {
	Pack     *publication.Pack // what is to run
	Name     string            // as people call it
	Against  int               // a publication; 0: what runs
	Base     *publication.Pack // compare with these instead; nil: with what Against says
	BaseName string            // as people call them
	Messages int               // real ones of each pipeline, at most
	Waivers  []plan.Waiver
	Reveal   plan.Reveal
}

// Plan says what definitions would do in the place of those that run, or that
// were published. Nothing changes. Where the new ones are not fit to run the
// error is a *Refused.
func (e *Engine) Plan(ctx context.Context, in Planning) (*plan.Plan, error) {
	old, err := e.planned(ctx, in)
	if err != nil {
		return nil, err
	}
	next, err := e.planSide(in.Pack.FS(), in.Name)
	if err != nil {
		return nil, err
	}
	input := plan.Input{Old: old, New: next, Waivers: in.Waivers, Preview: e.catalog.Preview, Reveal: in.Reveal}
	if input.Waiting, err = e.waiting(ctx); err != nil {
		return nil, err
	}
	kept := e.Worker().Live().Recent
	for name := range old.WS.Pipelines {
		list, err := worker.RecentMessages(ctx, e.driver, name, kept, in.Messages)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			input.Messages = append(input.Messages, e.real(ctx, name, m))
		}
	}
	p, err := plan.Make(ctx, input)
	if err != nil {
		return nil, err
	}
	p.Messages = in.Messages
	if in.Base != nil && old.WS.Revision != e.Worker().Live().WS.Revision {
		p.Notes = append(p.Notes, in.BaseName+" is not what runs: real messages are those of what runs, and this plan cannot be applied before it does")
	}
	return p, nil
}

// real is a message that was kept, with what it was answered.
func (e *Engine) real(ctx context.Context, pipeline string, m message.Message) plan.Message {
	return plan.Message{ID: m.ID, Origin: plan.Real, Pipeline: pipeline, In: m,
		Recall: func(key string) (any, bool) { return worker.RecentAnswer(ctx, e.driver, key) }}
}

// planned loads what is compared with: what runs, a publication, or other files.
func (e *Engine) planned(ctx context.Context, in Planning) (plan.Side, error) {
	if in.Base != nil {
		return e.planSide(in.Base.FS(), in.BaseName)
	}
	if in.Against == 0 {
		files, name, err := e.runningFiles(ctx)
		if err != nil {
			return plan.Side{}, err
		}
		side, err := e.planSide(files, name)
		if live := e.Worker().Live().WS.Revision; err == nil && side.WS.Revision != live {
			err = errors.New("the files of what runs are not at hand any more; publish it, or compare with a folder")
		}
		return side, err
	}
	book, err := publication.Read(ctx, e.driver)
	if err != nil {
		return plan.Side{}, err
	}
	entry, ok := book.Find(in.Against)
	if !ok {
		return plan.Side{}, publication.ErrUnknown
	}
	pack, err := publication.Files(ctx, e.driver, entry)
	if err != nil {
		return plan.Side{}, err
	}
	return e.planSide(pack.FS(), publication.Name(in.Against))
}

// runningFiles are the definitions at work, as they were when they went live,
// and how people call them.
func (e *Engine) runningFiles(ctx context.Context) (fs.FS, string, error) {
	if n := e.running(); n > 0 {
		book, err := publication.Read(ctx, e.driver)
		if err != nil {
			return nil, "", err
		}
		if entry, ok := book.Find(n); ok {
			pack, err := publication.Files(ctx, e.driver, entry)
			if err != nil {
				return nil, "", err
			}
			return pack.FS(), "what runs, " + publication.Name(n), nil
		}
	}
	e.keepStarted()
	dir := filepath.Join(e.opt.State, lastGoodDir)
	if _, err := os.Stat(dir); err != nil {
		return nil, "", errors.New("the files of what runs are not at hand; publish it, or compare with a folder")
	}
	return os.DirFS(dir), "what runs", nil
}

// planSide loads definitions beside what runs, as a reload would.
func (e *Engine) planSide(files fs.FS, name string) (plan.Side, error) {
	how := e.loading()
	how.Cache = nil // it belongs to what runs
	ws, list, err := dsl.Load(files, how)
	if err != nil {
		return plan.Side{}, &Refused{Reason: err.Error()}
	}
	if list.HasErrors() {
		return plan.Side{}, &Refused{Findings: list, Reason: fmt.Sprintf("%s: %s", name, faults(list))}
	}
	return plan.Side{Name: name, WS: ws, FS: files, Std: e.opt.Std}, nil
}

// waiting counts the messages that wait, by pipeline.
func (e *Engine) waiting(ctx context.Context) (map[string]int, error) {
	page, err := e.driver.Browse(ctx, queue.Query{View: queue.Lanes, Limit: 10000})
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	for _, l := range page.Lanes {
		name, ok := strings.CutPrefix(l.Lane, "in/")
		if !ok {
			continue
		}
		out[name] = l.Ready + l.Leased + l.Delayed
		for _, n := range l.Parked {
			out[name] += n
		}
	}
	return out, nil
}

// ErrMoved says that a plan does not stand any more. Its text is for people.
type ErrMoved struct{ Why string }

// Error says why.
func (e *ErrMoved) Error() string { return e.Why + ": make a new plan" }

// Apply publishes what a plan is about, if the plan still stands: it is made
// once more, and whatever has moved since refuses it. Where folder is set, the
// definitions are those in the folder of this replica, and it reloads them
// instead.
func (e *Engine) Apply(ctx context.Context, in Planning, made *plan.Plan, entry publication.Entry, folder bool) (publication.Entry, Report, error) {
	in.Waivers = made.Waivers
	var err error
	if entry.Approved, err = e.approved(ctx, made.Hash, entry.Who); err != nil {
		return entry, Report{}, err
	}
	now, err := e.Plan(ctx, in)
	if err != nil {
		return entry, Report{}, err
	}
	if why := made.Moved(now); why != "" {
		return entry, Report{}, &ErrMoved{why}
	}
	if now.Blocked {
		return entry, Report{}, &ErrMoved{now.Verdict()}
	}
	if folder {
		report, err := e.applyFolder(ctx, now)
		return entry, report, err
	}
	return e.publish(ctx, in.Pack, entry, now.Old.Revision)
}

// applyFolder reloads the folder, if it holds what was planned.
func (e *Engine) applyFolder(ctx context.Context, p *plan.Plan) (Report, error) {
	if e.running() > 0 {
		return Report{}, &ErrMoved{"a published revision is at work, not the folder"}
	}
	side, err := e.planSide(os.DirFS(e.opt.Dir), "the folder")
	if err != nil {
		return Report{}, err
	}
	if side.WS.Revision != p.New.Revision {
		return Report{}, &ErrMoved{"the folder of the running crossdock holds other definitions than the plan"}
	}
	e.mu.Lock()
	e.cleared = p.New.Revision
	e.mu.Unlock()
	return e.Reload(ctx), nil
}
