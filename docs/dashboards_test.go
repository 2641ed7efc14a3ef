package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"go.yaml.in/yaml/v4"

	"crossdock/runtime/journal"
	"crossdock/runtime/queue/memory"
)

// metricLabels returns the labels of every metric, by name. Histograms are
// known by the names of their series, too.
func metricLabels(t *testing.T) map[string][]string {
	t.Helper()
	m := journal.NewMeter()
	d := memory.Open(memory.Options{})
	t.Cleanup(func() { d.Close() })
	m.Watch(d, nil)
	m.Process("test")
	all := make(chan *prometheus.Desc)
	go func() { m.Registry.Describe(all); close(all) }()
	text := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)
	out := map[string][]string{}
	for desc := range all {
		found := text.FindStringSubmatch(desc.String())
		labels := []string{"job", "instance"} // what Prometheus adds
		if found[2] != "" {
			labels = append(labels, strings.Split(found[2], ",")...)
		}
		out[found[1]] = labels
		if strings.HasSuffix(found[1], "_seconds") {
			out[found[1]+"_bucket"] = append(slices.Clone(labels), "le")
			out[found[1]+"_count"], out[found[1]+"_sum"] = labels, labels
		}
	}
	return out
}

// expressions are all queries of the dashboard and of the rules.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	raw, err := os.ReadFile("operations/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dash struct {
		Templating struct {
			List []struct{ Name, Definition string }
		}
		Panels []struct {
			Title   string
			GridPos struct{ X, W int }
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(raw, &dash); err != nil {
		t.Fatal(err)
	}
	for _, p := range dash.Panels {
		if p.GridPos.X+p.GridPos.W > 24 {
			t.Errorf("the panel %s is beyond the edge", p.Title)
		}
		for i, target := range p.Targets {
			out[fmt.Sprintf("panel %s %d", p.Title, i+1)] = target.Expr
		}
	}
	for _, v := range dash.Templating.List {
		if v.Definition != "" {
			out["variable "+v.Name] = v.Definition
		}
	}
	if raw, err = os.ReadFile("operations/alerts.yaml"); err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(raw, &rules); err != nil {
		t.Fatal(err)
	}
	for _, r := range rules.Groups[0].Rules {
		out["alert "+r.Alert] = r.Expr
		if r.Annotations["summary"] == "" || r.Annotations["action"] == "" || !slices.Contains([]string{"critical", "warning"}, r.Labels["severity"]) {
			t.Errorf("alert %s has no summary, no action, or no severity", r.Alert)
		}
	}
	return out
}

// TestDashboards finds metrics and labels in the dashboard and in the rules that
// do not exist, or do not belong together.
func TestDashboards(t *testing.T) {
	metrics := metricLabels(t)
	all := expressions(t)
	if len(all) < 40 {
		t.Fatalf("only %d expressions", len(all))
	}
	for where, expr := range all {
		for _, wrong := range judge(expr, metrics) {
			t.Errorf("%s: %s in\n%s", where, wrong, expr)
		}
	}
}

// TestDashboardsJudge makes sure that mistakes are found.
func TestDashboardsJudge(t *testing.T) {
	metrics := map[string][]string{"a_total": {"x"}, "b": {"y"}}
	for expr, want := range map[string]string{
		`sum by (x) (rate(a_total{x=~"$v", x!="}"}[5m])) / 2 > 0.5`: "",
		`sum by (x) (rate(c_total[5m]))`:                            "there is no metric c_total",
		`sum by (x) (rate(a_total{z="1"}[5m]))`:                     "a_total has no label z",
		`sum by (z) (rate(a_total[5m]))`:                            "no metric here has the label z",
		`sum by (x, y) (a_total) + b`:                               "",
		`sum(a_total`:                                               "brackets do not match",
		`label_values(a_total, x)`:                                  "",
		`label_values(a_total, q)`:                                  "no metric here has the label q",
		`7`:                                                         "no metric",
	} {
		if have := strings.Join(judge(expr, metrics), ", "); have != want {
			t.Errorf("%s: %q, want %q", expr, have, want)
		}
	}
}

var (
	quoted   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	window   = regexp.MustCompile(`\[[^\]]*\]`)
	grouping = regexp.MustCompile(`\b(?:by|on|without|ignoring|group_left|group_right)\s*\(([^)]*)\)`)
	values   = regexp.MustCompile(`^label_values\(([a-z_]+), ([a-z_]+)\)$`)
	selector = regexp.MustCompile(`([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(\(|\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`([a-zA-Z_]+)\s*(?:=~|!~|!=|=)`)
	words    = []string{"and", "or", "unless", "bool", "offset"}
	// aggregations may have their labels between name and bracket.
	aggregations = []string{"sum", "min", "max", "avg", "count", "topk", "group"}
)

// judge says what is wrong with a PromQL expression, as far as names go.
func judge(expr string, metrics map[string][]string) (wrong []string) {
	var labels []string // that are grouped by
	if v := values.FindStringSubmatch(expr); v != nil {
		expr, labels = v[1], []string{v[2]}
	}
	expr = window.ReplaceAllString(quoted.ReplaceAllString(expr, ""), "")
	if strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "{") != strings.Count(expr, "}") {
		return []string{"brackets do not match"}
	}
	for _, g := range grouping.FindAllStringSubmatch(expr, -1) {
		for l := range strings.SplitSeq(g[1], ",") {
			labels = append(labels, strings.TrimSpace(l))
		}
	}
	expr = grouping.ReplaceAllString(expr, "")
	var known []string
	found := 0
	for _, s := range selector.FindAllStringSubmatch(expr, -1) {
		name := s[1]
		if s[2] == "(" || slices.Contains(words, name) || slices.Contains(aggregations, name) {
			continue
		}
		found++
		has, ok := metrics[name]
		if !ok {
			wrong = append(wrong, "there is no metric "+name)
			continue
		}
		known = append(known, has...)
		for _, m := range matcher.FindAllStringSubmatch(s[3], -1) {
			if !slices.Contains(has, m[1]) {
				wrong = append(wrong, name+" has no label "+m[1])
			}
		}
	}
	if found == 0 {
		return append(wrong, "no metric")
	}
	for _, l := range labels {
		if l != "" && len(known) > 0 && !slices.Contains(known, l) {
			wrong = append(wrong, "no metric here has the label "+l)
		}
	}
	return wrong
}
