package diag

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode"
)

// Format names a way to write findings.
type Format string

// The formats for people, programs, code scanning, GitHub workflows, merge
// requests of GitLab, and build servers.
const (
	TextFormat   Format = "text"
	JSONFormat   Format = "json"
	SARIFFormat  Format = "sarif"
	GitHubFormat Format = "github"
	GitLabFormat Format = "gitlab"
	JUnitFormat  Format = "junit"
)

// Formats lists every format in the order shown to people.
func Formats() []string {
	return []string{string(TextFormat), string(JSONFormat), string(SARIFFormat), string(GitHubFormat), string(GitLabFormat), string(JUnitFormat)}
}

// Options say how Print writes findings. The zero value writes plain text
// without source lines.
type Options struct {
	Format  Format
	Color   bool                             // text only
	Width   int                              // columns of the screen, 0 for 98; text only
	Sources func(path string) []byte         // the bytes of a file, or nil; text only
	Rules   func(c Code) (title, doc string) // one line about a code and the address of its page
	Version string                           // of crossdock; sarif only
	// Prefix is the folder of the workspace inside of its repository, which
	// sarif, github, gitlab and junit put in front of every path.
	Prefix string
}

// Print writes findings to w in the order given. It returns only errors of w,
// and an error for a format that does not exist.
func Print(w io.Writer, list List, o Options) error {
	switch o.Format {
	case TextFormat, "":
		return printText(w, list, o)
	case JSONFormat:
		return printJSON(w, list, o)
	case SARIFFormat:
		return printSARIF(w, list, o)
	case GitHubFormat:
		return printGitHub(w, list, o)
	case GitLabFormat:
		return printGitLab(w, list, o)
	case JUnitFormat:
		return printJUnit(w, list, o)
	}
	return fmt.Errorf("the format `%s` does not exist; choose one of %s", o.Format, strings.Join(Formats(), ", "))
}

// path is where a file is in its repository.
func (o Options) path(file string) string {
	if o.Prefix == "" || file == "" {
		return file
	}
	return path.Join(o.Prefix, file)
}

func (o Options) rule(c Code) (title, doc string) {
	if o.Rules == nil {
		return "", ""
	}
	return o.Rules(c)
}

// Fingerprint identifies a finding across versions of a file: it is made of
// the code, the definition, the row and the text of the cell, and so survives
// that lines move. A finding outside of any cell is known by its file and
// message.
func (d Diagnostic) Fingerprint() string {
	parts := []string{string(d.Code), d.Name, d.Row, d.Source}
	if d.Source == "" {
		parts = append(parts, d.Span.File, d.Message)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}

// fingerprints returns the fingerprint of each finding. Equal ones are told
// apart by a running number.
func fingerprints(list List) []string {
	seen := map[string]int{}
	out := make([]string, len(list))
	for i, d := range list {
		out[i] = d.Fingerprint()
		seen[out[i]]++
		if n := seen[out[i]]; n > 1 {
			out[i] += fmt.Sprintf("-%d", n)
		}
	}
	return out
}

// printable replaces characters that would move the cursor or colour the
// screen: definitions are not trusted to write to a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069:
			return '\uFFFD'
		}
		return r
	}, s)
}

// oneLine puts a message on one line.
func oneLine(s string) string {
	return printable(strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " "))
}

// sentences are the message of a finding and what to do about it, each on one
// line.
func sentences(d Diagnostic) []string {
	out := []string{oneLine(d.Message)}
	for _, words := range []string{d.Short, d.Hint} {
		if words != "" {
			out = append(out, oneLine(words))
		}
	}
	return out
}

// paragraph is the message of a finding with what to do about it below.
func paragraph(d Diagnostic) string {
	text := d.Message
	for _, words := range []string{d.Short, d.Hint} {
		if words != "" {
			text += "\n" + words
		}
	}
	return text
}
