// Package report collects what was measured and shows it as tables.
package report

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// Report is one run of the measurements.
type Report struct{ sections []*Section }

// Section is one table with a sentence before and notes behind it.
type Section struct {
	Title, Intro string
	Head         []string
	Rows         [][]string
	Notes        []string
}

// Section adds an empty section.
func (r *Report) Section(title, intro string, head ...string) *Section {
	s := &Section{Title: title, Intro: intro, Head: head}
	r.sections = append(r.sections, s)
	return s
}

// Row adds a row.
func (s *Section) Row(cells ...string) { s.Rows = append(s.Rows, cells) }

// Note adds a note.
func (s *Section) Note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// String returns the section as Markdown.
func (s *Section) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "### %s\n\n%s\n\n", s.Title, s.Intro)
	if len(s.Rows) > 0 {
		fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(s.Head, " | "), strings.Repeat("---|", len(s.Head)))
		for _, r := range s.Rows {
			fmt.Fprintf(&b, "| %s |\n", strings.Join(r, " | "))
		}
		b.WriteByte('\n')
	}
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "- %s\n", n)
	}
	if len(s.Notes) > 0 {
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns all sections.
func (r *Report) String() string {
	var b strings.Builder
	for _, s := range r.sections {
		b.WriteString(s.String())
	}
	return b.String()
}

const (
	begin = "<!-- measured: begin -->\n"
	end   = "<!-- measured: end -->"
)

// WriteInto puts the sections of the report between the markers of a document,
// each with head, which says when and where it was measured. Sections that are
// there and were not measured now stay as they are.
func (r *Report) WriteInto(path, head string) error {
	doc, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	before, rest, ok := strings.Cut(string(doc), begin)
	old, after, also := strings.Cut(rest, end)
	if !ok || !also {
		return fmt.Errorf("%s lacks the markers %q and %q", path, strings.TrimSpace(begin), end)
	}
	preface, texts := split(old)
	stays := false
	for _, t := range texts {
		stays = stays || !slices.ContainsFunc(r.sections, func(s *Section) bool { return t.title == s.Title })
	}
	var out strings.Builder
	out.WriteString(before + begin)
	if stays {
		out.WriteString(preface) // it is about those
	}
	for _, s := range r.sections {
		t := text{s.Title, s.String() + head + "\n\n"}
		if i := slices.IndexFunc(texts, func(t text) bool { return t.title == s.Title }); i >= 0 {
			texts[i] = t
		} else {
			texts = append(texts, t)
		}
	}
	for _, t := range texts {
		out.WriteString(t.body)
	}
	out.WriteString(end + after)
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		return fmt.Errorf("write the document: %w", err)
	}
	return nil
}

// text is a section as it stands in a document.
type text struct{ title, body string }

// split takes what stands between the markers apart.
func split(old string) (preface string, texts []text) {
	parts := strings.Split("\n"+old, "\n### ")
	for i, part := range parts[1:] {
		title, _, _ := strings.Cut(part, "\n")
		if i < len(parts)-2 {
			part += "\n"
		}
		texts = append(texts, text{title, "### " + part})
	}
	preface = strings.TrimPrefix(parts[0], "\n")
	if preface != "" {
		preface += "\n"
	}
	return preface, texts
}

// Median returns the middle of v, 0 of nothing.
func Median[T int | int64 | float64 | time.Duration](v []T) T {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// Quantile returns the value below which the share q of v lies.
func Quantile(v []time.Duration, q float64) time.Duration {
	if len(v) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(v))
	return s[min(int(q*float64(len(s))), len(s)-1)]
}

// Millis shows a duration in milliseconds.
func Millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }

// Micros shows a duration in microseconds.
func Micros(d time.Duration) string { return fmt.Sprintf("%.1f µs", float64(d)/1e3) }

// Count shows a number with thousands separators.
func Count(n float64) string {
	s := fmt.Sprintf("%.0f", n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// MB shows bytes in megabytes.
func MB(n int64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
