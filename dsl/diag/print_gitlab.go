package diag

import (
	"encoding/json"
	"io"
	"strings"
)

// The part of the Code Quality report that GitLab reads.
type (
	gitlabIssue struct {
		Description string         `json:"description"`
		Check       Code           `json:"check_name"`
		Fingerprint string         `json:"fingerprint"`
		Severity    string         `json:"severity"`
		Location    gitlabLocation `json:"location"`
	}
	gitlabLocation struct {
		Path  string      `json:"path"`
		Lines gitlabLines `json:"lines"`
	}
	gitlabLines struct {
		Begin int `json:"begin"`
		End   int `json:"end,omitempty"`
	}
)

// gitlabSeverity is how grave GitLab shows a finding: errors stop a definition
// from going live.
var gitlabSeverity = map[Severity]string{Error: "critical", Warning: "minor"}

// printGitLab writes a Code Quality report, which GitLab shows in merge
// requests. GitLab needs a line and shows one finding for each fingerprint.
func printGitLab(w io.Writer, list List, o Options) error {
	issues := []gitlabIssue{}
	prints := fingerprints(list)
	for i, d := range list {
		issue := gitlabIssue{Description: strings.Join(sentences(d), "; "), Check: d.Code, Fingerprint: prints[i], Severity: gitlabSeverity[d.Severity]}
		issue.Location = gitlabLocation{Path: o.path(d.Span.File), Lines: gitlabLines{Begin: max(1, d.Span.Start.Line)}}
		if d.Span.End.Line > d.Span.Start.Line {
			issue.Location.Lines.End = d.Span.End.Line
		}
		issues = append(issues, issue)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(issues)
}
