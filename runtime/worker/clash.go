package worker

import (
	"context"
	"strings"
	"time"

	"crossdock/connectors"
	"crossdock/runtime/flow"
	"crossdock/runtime/queue"
)

// clash begins what is said of a message whose key came before with another
// content.
const clash = "this key was used before with another content; the first one stands"

// Clashes reports whether a dead letter is one for that reason.
func Clashes(run *flow.Run) bool { return strings.HasPrefix(run.Fault, clash) }

// ClashJobs returns jobs for those of a commit that the store did not take because
// their key was known with another content. They end as dead letters: nobody
// waits for an answer, and what was sent must not vanish. The same content once
// more is a repeat.
func ClashJobs(jobs []queue.Job, results []queue.Result) []queue.Job {
	var out []queue.Job
	for i, res := range results {
		run, known := jobs[i].Hint.(*flow.Run)
		if res.Status != queue.Conflict || !known {
			continue
		}
		r := *run
		r.Key, r.OrderKey = r.ID, ""
		r.Fault = clash + ", as message " + res.ID
		job := queue.Job{ID: r.ID, Lane: jobs[i].Lane, Priority: jobs[i].Priority, DedupeTTL: jobs[i].DedupeTTL,
			Dedupe: dedupeKey(r.Pipeline, []byte("clash "+jobs[i].Dedupe+" "+jobs[i].Digest))}
		job.Body, job.Hint = flow.Encode(nil, &r), &r
		// That it came is written already, with what became of it.
		job.Fresh = []queue.Entry{{Message: r.ID, At: time.Now(), Kind: queue.Accepted, Pipeline: r.Pipeline, Revision: r.Revision, Refs: r.Trace}}
		job.Again = job.Fresh
		out = append(out, job)
	}
	return out
}

// clashed stores the jobs of ClashJobs after a commit of a worker. The result of
// that commit stands, so this is tried as long as the lease is held.
func (t *task) clashed(work context.Context, jobs []queue.Job, results []queue.Result) {
	more := ClashJobs(jobs, results)
	if len(more) == 0 {
		return
	}
	var err error
	for attempt := 1; attempt <= 20 && work.Err() == nil; attempt++ {
		if _, err = t.w.driver.Apply(work, queue.Commit{Jobs: more}); err == nil {
			return
		}
		pause(work, min(time.Duration(attempt)*100*time.Millisecond, 2*time.Second))
	}
	t.w.log.Error("a message with a known key and another content could not be kept as a dead letter; its history says what it was",
		"message", more[0].ID, "pipeline", more[0].Lane, "error", err)
}

// Anew makes a job of a message whose key is known with another content: a person
// has decided that it is one of its own.
func (in *Intake) Anew(ctx context.Context, id string, run *flow.Run) (queue.Job, *connectors.Rejection) {
	r := *run
	r.ID, r.Revision, r.Fault, r.Cause, r.Step = id, in.WS.Revision, "", nil, ""
	if r.Body == nil && r.Raw != nil {
		body, err := in.Decode(r.Raw, &r.Meta)
		if err != nil {
			return queue.Job{}, rejected(400, "the body cannot be read", "", err.Error())
		}
		r.Body, r.Original = body, body
	}
	job, rej := in.job(flow.Scope(ctx, in.WS, in.P, &r, 1), r, nil, nil)
	if rej != nil {
		return job, rej
	}
	own := job.Hint.(*flow.Run) // wrap has put it there
	own.Key = own.ID
	job.Dedupe, job.Digest, job.DedupeTTL = "", "", 0
	in.wrap(&job, own)
	return job, nil
}
