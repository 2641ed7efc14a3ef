package diag

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// The characters that end a workflow command early, in its text and in the
// properties in front of it.
var (
	githubText     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// visible takes escape codes out of a text but leaves its lines.
func visible(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

// printGitHub writes workflow commands that GitHub shows beside the lines of a
// pull request.
func printGitHub(w io.Writer, list List, o Options) error {
	var out bytes.Buffer
	for _, d := range list {
		fmt.Fprintf(&out, "::%s file=%s", d.Severity, githubProperty.Replace(o.path(d.Span.File)))
		if d.Span.Start.Line > 0 {
			fmt.Fprintf(&out, ",line=%d", d.Span.Start.Line)
			// GitHub takes columns only for findings on one line.
			if d.Span.End.Line > d.Span.Start.Line {
				fmt.Fprintf(&out, ",endLine=%d", d.Span.End.Line)
			} else {
				fmt.Fprintf(&out, ",col=%d,endColumn=%d", d.Span.Start.Col, max(d.Span.End.Col, d.Span.Start.Col))
			}
		}
		fmt.Fprintf(&out, ",title=%s::%s\n", githubProperty.Replace(string(d.Code)), githubText.Replace(visible(paragraph(d))))
	}
	_, err := w.Write(out.Bytes())
	return err
}
