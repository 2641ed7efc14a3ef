// Package draft writes first versions of definitions from samples: schemas,
// mappings and lookups.
//
// A draft is valid and runs. Whatever in it is a guess says so in a comment,
// with the reason, because a person will look at it line by line. All of it is
// pure: the same samples give the same text.
package draft

import (
	"fmt"
	"strings"
	"unicode"

	"crossdock/dsl/format"
	"crossdock/dsl/parser"
)

// laid returns the text in the canonical layout.
func laid(b *strings.Builder) []byte {
	out, _ := format.Format([]byte(b.String()))
	return out
}

// readable refuses rows that do not fit together in one definition, such as a
// target that is a field in one line and a list in another.
func readable(out []byte) error {
	if _, list := parser.Parse("the definition", out); len(list) > 0 {
		return fmt.Errorf("the lines do not fit together: %s", list[0].Message)
	}
	return nil
}

// quote writes a text as a YAML value that is read as exactly this text.
func quote(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80 && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		case !unicode.IsPrint(r) && r <= 0xffff:
			fmt.Fprintf(&b, `\u%04x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// plain reports whether a text needs no quotes, wherever it stands. What YAML
// would take for a number or a word of its own is quoted for the reader's sake.
func plain(s string) bool {
	if s == "" || strings.ContainsAny(s[:1], "0123456789.-+~") {
		return false
	}
	switch strings.ToLower(s) {
	case "true", "false", "null", "yes", "no", "on", "off", "y", "n":
		return false
	}
	for _, r := range s {
		if !(r == '_' || r == '-' || r == '.' || r == '/' || r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r))) {
			return false
		}
	}
	return true
}

// key writes a path as a key in block style, where [] and blanks need no quotes.
func key(s string) string {
	if plain(strings.NewReplacer("[]", "", " ", "").Replace(s)) && !strings.HasPrefix(s, "[") && s == strings.TrimSpace(s) {
		return s
	}
	return quote(s)
}

// cell writes a jq cell inside { }.
func cell(s string) string {
	if strings.ContainsAny(s, "\"'#{}[],:?&*!|>%@`") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	return s
}

// comment cleans a text that stands in a comment: what came with a sample must
// not end the line.
func comment(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
}

// list names some texts for a comment.
func list(texts []string, most int) string {
	more := ""
	if len(texts) > most {
		texts, more = texts[:most], ", ..."
	}
	return comment(strings.Join(texts, ", ")) + more
}

// plural writes a count with its noun.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
