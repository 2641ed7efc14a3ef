package parser

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// checkTraced fails where a scalar has no map, or where the map points at a
// character of the file that is not the character of the text.
func checkTraced(t interface{ Errorf(string, ...any) }, f *ast.File) (scalars int) {
	text := diag.NewText(f.Source)
	walk(f.Root, func(n *ast.Node) {
		if n.Kind != ast.Scalar || n.Empty {
			return
		}
		scalars++
		if len(n.Offsets) == 0 {
			t.Errorf("%s: no map for %q in\n%s", n.Span, n.Text, f.Source)
			return
		}
		for off, r := range n.Text {
			at := n.At(off)
			got := text.Slice(diag.Span{Start: at, End: diag.Point{Line: at.Line, Col: at.Col + 1}})
			switch {
			case got == string(r), r == ' ' || r == '\n', n.Style == ast.DoubleQuoted && got == `\`:
			default:
				t.Errorf("%s: byte %d of %q should stand at %d:%d, but there is %q in\n%q",
					n.Span, off, n.Text, at.Line, at.Col, got, f.Source)
				return
			}
		}
	})
	return scalars
}

// words are what the generator builds scalars from: everything that has a
// meaning in one of the scalar rules, and characters of every width.
var words = []string{
	"a", "bc", ".order", "é", "日本", "🚚", "'", "''", `"`, `\`, "#", "# c", ":", "::", "-", "?", ",", "[", "]", "{", "}", "|", ">",
	"&", "*", "!", "%", "@", "0123", "~", "<<", " ", "  ", "\t", "\n", "\n\n", "\n  ", "\n   ", "\n ", "\n\t", "\r\n", "...", "---",
	`\n`, `\"`, `\u00e9`, `\x41`, `\U0001F69A`, `\/`, `\e`, `\L`, "\\\n", "\\\n\n", `\ `,
}

func genWords(max int) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(words), 0, max).Draw(t, "words"), "")
	})
}

func genScalar(indent int) *rapid.Generator[string] {
	pad := strings.Repeat(" ", indent)
	return rapid.Custom(func(t *rapid.T) string {
		body := genWords(8).Draw(t, "body")
		switch rapid.IntRange(0, 6).Draw(t, "style") {
		case 0:
			return `"` + strings.ReplaceAll(strings.ReplaceAll(body, `"`, ""), "\n", "\n"+pad) + `"`
		case 1:
			return "'" + strings.ReplaceAll(strings.ReplaceAll(body, "'", "''"), "\n", "\n"+pad) + "'"
		case 2, 3:
			head := rapid.SampledFrom([]string{"|", ">", "|-", ">-", "|+", ">+", "|2", ">1", "|3-", ">2+", "|+1", "| # c", ">-\t# c"}).Draw(t, "head")
			deeper := strings.Repeat(" ", rapid.IntRange(0, 4).Draw(t, "deeper"))
			tail := rapid.SampledFrom([]string{"", "\n", "\n\n", "\n \n", "\n     ", "\n  \n\n"}).Draw(t, "tail")
			return head + "\n" + pad + deeper + strings.ReplaceAll(body, "\n", "\n"+pad+deeper) + tail
		case 4:
			return "[" + body + ", " + genWords(3).Draw(t, "more") + "]"
		case 5:
			return "{a: " + body + ", b: 'x'}"
		}
		return "a" + strings.ReplaceAll(body, "\n", "\n"+pad)
	})
}

func genFile() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		if rapid.IntRange(0, 9).Draw(t, "bom") == 0 {
			b.WriteString("\uFEFF")
		}
		indent := 0
		for i := range rapid.IntRange(1, 5).Draw(t, "lines") {
			pad := strings.Repeat(" ", indent)
			switch rapid.IntRange(0, 5).Draw(t, "line") {
			case 0:
				fmt.Fprintf(&b, "%sm%d:\n", pad, i)
				indent += rapid.IntRange(1, 3).Draw(t, "in")
			case 1:
				fmt.Fprintf(&b, "%sl%d:\n%s- %s\n%s- k: %s\n", pad, i, pad, genScalar(indent+1).Draw(t, "item"), pad, genScalar(indent+3).Draw(t, "item"))
			default:
				fmt.Fprintf(&b, "%sk%d: %s\n", pad, i, genScalar(indent+1).Draw(t, "value"))
			}
		}
		if indent > 0 {
			fmt.Fprintf(&b, "%slast: x\n", strings.Repeat(" ", indent))
		}
		s := b.String()
		if rapid.IntRange(0, 4).Draw(t, "crlf") == 0 {
			s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
		}
		if rapid.Bool().Draw(t, "cut") {
			s = strings.TrimRight(s, "\r\n")
		}
		return s
	})
}

func TestEveryScalarIsMapped(t *testing.T) {
	parsed, scalars := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		src := genFile().Draw(t, "file")
		f, _ := Parse("x.yaml", []byte(src))
		if f.Root == nil {
			return
		}
		parsed++
		scalars += checkTraced(t, f)
	})
	t.Logf("%d files parsed, %d scalars, all mapped", parsed, scalars)
	if parsed == 0 || scalars == 0 {
		t.Error("the generator made no file that parses")
	}
}
