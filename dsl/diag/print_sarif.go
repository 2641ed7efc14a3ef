package diag

import (
	"encoding/json"
	"io"
	"net/url"
	"slices"
	"strings"
)

// The part of SARIF 2.1.0 that code scanning tools read.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version,omitempty"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               Code          `json:"id"`
		ShortDescription *sarifMessage `json:"shortDescription,omitempty"`
		HelpURI          string        `json:"helpUri,omitempty"`
		Help             *sarifMessage `json:"help,omitempty"`
	}
	sarifMessage struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID       Code              `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifMessage      `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Related      []sarifLocation   `json:"relatedLocations,omitempty"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Fixes        []sarifFix        `json:"fixes,omitempty"`
	}
	sarifLocation struct {
		ID       *int          `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifMessage `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   *sarifRegion  `json:"region,omitempty"`
	}
	sarifArtifact struct {
		URI string `json:"uri"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn"`
		EndLine     int `json:"endLine"`
		EndColumn   int `json:"endColumn"`
	}
	sarifFix struct {
		Description sarifMessage  `json:"description"`
		Changes     []sarifChange `json:"artifactChanges"`
	}
	sarifChange struct {
		Artifact     sarifArtifact      `json:"artifactLocation"`
		Replacements []sarifReplacement `json:"replacements"`
	}
	sarifReplacement struct {
		Deleted  sarifRegion   `json:"deletedRegion"`
		Inserted *sarifMessage `json:"insertedContent,omitempty"`
	}
)

func printSARIF(w io.Writer, list List, o Options) error {
	run := sarifRun{ColumnKind: "unicodeCodePoints", Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "crossdock", Version: o.Version, Rules: []sarifRule{}}
	var codes []Code
	for _, d := range list {
		codes = append(codes, d.Code)
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	for _, c := range codes {
		rule := sarifRule{ID: c, Help: &sarifMessage{"run `crossdock explain " + string(c) + "`"}}
		title, doc := o.rule(c)
		if title != "" {
			rule.ShortDescription = &sarifMessage{title}
		}
		if strings.HasPrefix(doc, "http://") || strings.HasPrefix(doc, "https://") {
			rule.HelpURI = doc
		}
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	prints := fingerprints(list)
	for i, d := range list {
		index, _ := slices.BinarySearch(codes, d.Code)
		run.Results = append(run.Results, o.result(d, index, prints[i]))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(sarifLog{
		Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []sarifRun{run},
	})
}

func (o Options) result(d Diagnostic, rule int, print string) sarifResult {
	r := sarifResult{
		RuleID: d.Code, RuleIndex: rule, Level: d.Severity.String(), Message: sarifMessage{paragraph(d)},
		Locations:    []sarifLocation{{Physical: o.physical(d.Span)}},
		Fingerprints: map[string]string{"crossdock/v1": print},
	}
	for i, rel := range d.Related {
		r.Related = append(r.Related, sarifLocation{ID: &i, Physical: o.physical(rel.Span), Message: &sarifMessage{rel.Message}})
	}
	for _, f := range d.Fixes {
		if len(f.Edits) > 0 {
			r.Fixes = append(r.Fixes, sarifFix{Description: sarifMessage{f.Title}, Changes: o.changes(f)})
		}
	}
	return r
}

// changes groups the edits of a fix by file, in the order of their first edit.
func (o Options) changes(f Fix) []sarifChange {
	var out []sarifChange
	for _, e := range f.Edits {
		uri := o.artifact(e.Span.File)
		i := slices.IndexFunc(out, func(c sarifChange) bool { return c.Artifact == uri })
		if i < 0 {
			i = len(out)
			out = append(out, sarifChange{Artifact: uri})
		}
		change := sarifReplacement{Deleted: region(e.Span)}
		if e.Text != "" {
			change.Inserted = &sarifMessage{e.Text}
		}
		out[i].Replacements = append(out[i].Replacements, change)
	}
	return out
}

func (o Options) physical(s Span) sarifPhysical {
	p := sarifPhysical{Artifact: o.artifact(s.File)}
	if s.Start.Line > 0 {
		r := region(s)
		p.Region = &r
	}
	return p
}

func (o Options) artifact(path string) sarifArtifact {
	return sarifArtifact{URI: (&url.URL{Path: o.path(path)}).String()}
}

func region(s Span) sarifRegion {
	if s.End.Less(s.Start) {
		s.End = s.Start
	}
	return sarifRegion{s.Start.Line, max(1, s.Start.Col), s.End.Line, max(1, s.End.Col)}
}
