package diag

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

// The part of a JUnit report that build servers read: a file is a suite, a
// finding is a test that failed.
type (
	junitReport struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Line    int           `xml:"line,attr,omitempty"`
		Failure *junitFailure `xml:"failure,omitempty"`
	}
	junitFailure struct {
		Type    string `xml:"type,attr"`
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// printJUnit writes a report in which no finding is one test that passed:
// build servers take a report without any test for a broken build.
func printJUnit(w io.Writer, list List, o Options) error {
	var report junitReport
	at := map[string]int{}
	for _, d := range list {
		file := o.path(d.Span.File)
		i, there := at[file]
		if !there {
			i = len(report.Suites)
			at[file] = i
			report.Suites = append(report.Suites, junitSuite{Name: file})
		}
		s := &report.Suites[i]
		s.Tests++
		s.Failures++
		span := d.Span
		span.File = file
		s.Cases = append(s.Cases, junitCase{
			Name: string(d.Code) + " " + span.String(), Class: file, File: file, Line: d.Span.Start.Line,
			Failure: &junitFailure{Type: d.Severity.String(), Message: oneLine(d.Message), Text: strings.Join(sentences(d), "\n")},
		})
	}
	report.Tests, report.Failures = len(list), len(list)
	if len(list) == 0 {
		report.Tests = 1
		report.Suites = []junitSuite{{Name: "crossdock lint", Tests: 1, Cases: []junitCase{{Name: "no findings", Class: "crossdock lint"}}}}
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	enc := xml.NewEncoder(&out)
	enc.Indent("", "  ")
	if err := enc.Encode(report); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err := w.Write(out.Bytes())
	return err
}
