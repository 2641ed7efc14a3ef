package admin

import (
	"net/http"
	"net/http/pprof"
	"slices"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"crossdock/runtime/access"
)

// route is one way into the API and the rule that guards it. A route without a
// rule cannot be written: the zero rule lets nobody in.
type route struct {
	pattern string // method and path
	rule    rule
	// changes is the word of the audit log for what the route changes; "" for
	// routes that only look.
	changes string
	// answer makes the answer, which is written as JSON.
	answer func(*call) (any, error)
	// serve writes the answer itself, instead of answer.
	serve http.HandlerFunc
}

// rule says who may call a route.
type rule struct {
	role  access.Role // the lowest that may; Nobody = see open
	open  bool        // anybody may, without a token
	local bool        // anybody on this machine may, others need the role
	near  bool        // only from this machine, with the role
}

// The rules.
var (
	anybody   = rule{open: true}
	scrapers  = rule{role: access.Viewer, local: true}
	viewers   = rule{role: access.Viewer}
	operators = rule{role: access.Operator}
	editors   = rule{role: access.Editor}
	admins    = rule{role: access.Admin}
	nearby    = rule{role: access.Admin, near: true}
)

// routes is everything the API answers.
func (a *API) routes() []route {
	metrics := promhttp.HandlerFor(a.engine.Meter().Registry, promhttp.HandlerOpts{EnableOpenMetrics: true}).ServeHTTP
	return []route{
		{pattern: "GET /healthz", rule: anybody, serve: a.health},
		{pattern: "GET /readyz", rule: anybody, serve: a.readiness},
		{pattern: "GET /metrics", rule: scrapers, serve: metrics},

		{pattern: "GET /v1/status", rule: viewers, answer: a.status},
		{pattern: "GET /v1/queues", rule: viewers, answer: a.queues},
		{pattern: "GET /v1/top", rule: viewers, answer: a.top},
		{pattern: "GET /v1/balance", rule: viewers, answer: a.balance},
		{pattern: "GET /v1/trace", rule: viewers, answer: a.trace},
		{pattern: "GET /v1/trace/now", rule: viewers, answer: a.traceNow},
		{pattern: "GET /v1/history", rule: viewers, answer: a.history},

		{pattern: "GET /v1/recordings", rule: viewers, answer: a.record},

		{pattern: "GET /v1/dead", rule: viewers, answer: a.deadList},
		{pattern: "GET /v1/dead/groups", rule: viewers, answer: a.deadGroups},
		{pattern: "GET /v1/dead/boxes", rule: viewers, answer: a.deadBoxes},
		{pattern: "GET /v1/dead/{id}", rule: viewers, answer: a.deadShow},
		{pattern: "GET /v1/dead/{id}/outlook", rule: viewers, answer: a.deadOutlook},
		{pattern: "POST /v1/dead/{id}/compare", rule: editors, changes: "dead.compare", answer: a.deadCompare},
		{pattern: "POST /v1/dead/{id}/replay", rule: operators, changes: "dead.replay", answer: a.deadReplay},
		{pattern: "POST /v1/dead/{id}/edit", rule: editors, changes: "dead.edit", answer: a.deadEdit},
		{pattern: "POST /v1/dead/{id}/discard", rule: operators, changes: "dead.discard", answer: a.deadDiscard},

		{pattern: "GET /v1/changes", rule: viewers, answer: a.changes},
		{pattern: "GET /v1/changes/preview", rule: viewers, answer: a.changePreview},
		{pattern: "GET /v1/changes/{id}", rule: viewers, answer: a.changeShow},
		{pattern: "POST /v1/changes/replay", rule: operators, changes: "dead.replay.many", answer: a.changeReplay},
		{pattern: "POST /v1/changes/discard", rule: operators, changes: "dead.discard.many", answer: a.changeDiscard},
		{pattern: "POST /v1/changes/fix", rule: editors, changes: "dead.fix.many", answer: a.changeFix},
		{pattern: "POST /v1/changes/{id}/stop", rule: operators, changes: "dead.change.stop", answer: a.changeStop},
		{pattern: "POST /v1/changes/{id}/resume", rule: operators, changes: "dead.change.resume", answer: a.changeResume},

		{pattern: "POST /v1/plan", rule: viewers, changes: "plan", answer: a.plan},
		{pattern: "POST /v1/approvals", rule: viewers, changes: "approve", answer: a.approve},
		{pattern: "POST /v1/apply", rule: editors, changes: "apply", answer: a.apply},
		{pattern: "GET /v1/revisions", rule: viewers, answer: a.revisions},
		{pattern: "POST /v1/revisions", rule: editors, changes: "publish", answer: a.publish},
		{pattern: "POST /v1/revisions/rollback", rule: editors, changes: "rollback", answer: a.rollback},
		{pattern: "POST /v1/reload", rule: editors, changes: "reload", answer: a.reload},
		{pattern: "POST /v1/pipelines/{name}/pause", rule: operators, changes: "pipeline.pause", answer: a.pause},
		{pattern: "POST /v1/pipelines/{name}/resume", rule: operators, changes: "pipeline.resume", answer: a.resume},

		{pattern: "GET /v1/connections", rule: viewers, answer: a.connections},
		{pattern: "POST /v1/connections/{name}/maintenance", rule: operators, changes: "maintenance.start", answer: a.maintenanceStart},
		{pattern: "POST /v1/connections/{name}/maintenance/stop", rule: operators, changes: "maintenance.stop", answer: a.maintenanceStop},

		{pattern: "GET /v1/tokens", rule: admins, answer: a.tokenList},
		{pattern: "POST /v1/tokens", rule: admins, changes: "token.create", answer: a.tokenCreate},
		{pattern: "POST /v1/tokens/{what}/revoke", rule: admins, changes: "token.revoke", answer: a.tokenRevoke},

		{pattern: "GET /v1/audit", rule: admins, answer: a.auditList},

		{pattern: "GET /debug/pprof/", rule: nearby, serve: pprof.Index},
		{pattern: "GET /debug/pprof/profile", rule: nearby, serve: pprof.Profile},
		{pattern: "GET /debug/pprof/trace", rule: nearby, serve: pprof.Trace},
	}
}

// Rule is a route and who may call it, for people and tests.
type Rule struct {
	Pattern string
	Role    access.Role
	Open    bool   // anybody may
	Local   bool   // anybody on this machine may
	Near    bool   // only from this machine
	Changes string // word of the audit log, "" where the route only looks
}

// Rules returns the rules of all routes, in the order of their patterns.
func (a *API) Rules() []Rule {
	var out []Rule
	for _, r := range a.routes() {
		out = append(out, Rule{r.pattern, r.rule.role, r.rule.open, r.rule.local, r.rule.near, r.changes})
	}
	slices.SortFunc(out, func(a, b Rule) int {
		if a.Pattern < b.Pattern {
			return -1
		}
		return 1
	})
	return out
}
