package parser

import (
	"regexp"
	"sort"
	"strings"

	"crossdock/dsl/ast"
	"crossdock/dsl/diag"
)

// comments joins comment texts and takes the "#" off each line.
func comments(parts ...string) string {
	var lines []string
	for _, part := range parts {
		for line := range strings.Lines(part) {
			line = strings.TrimRight(strings.TrimLeft(strings.TrimSpace(line), "#"), " \t")
			if line = strings.TrimPrefix(line, " "); !strings.HasPrefix(line, "crossdock-ignore") {
				lines = append(lines, line)
			}
		}
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

var ignoreComment = regexp.MustCompile(`#[ \t]*crossdock-ignore\b[ \t]*([^ \t]*)[ \t]*(.*)$`)

// ignores collects the "# crossdock-ignore CODE reason" comments. What looks
// like one inside a value is text and no comment.
func (p *parser) ignores() {
	sort.Slice(p.scalar, func(i, j int) bool { return p.scalar[i].Start.Less(p.scalar[j].Start) })
	for n := 1; n <= p.text.Lines(); n++ {
		line := p.text.Line(n)
		m := ignoreComment.FindStringSubmatchIndex(line)
		if m == nil {
			continue
		}
		before := line[:m[0]]
		alone := strings.TrimSpace(before) == ""
		if !alone && !strings.HasSuffix(before, " ") && !strings.HasSuffix(before, "\t") {
			continue
		}
		at := diag.Point{Line: n, Col: len([]rune(before)) + 1}
		if p.insideScalar(at) {
			continue
		}
		end := diag.Point{Line: n, Col: len([]rune(line)) + 1}
		p.file.Ignores = append(p.file.Ignores, ast.Ignore{
			Code:   diag.Code(line[m[2]:m[3]]),
			Reason: strings.TrimSpace(line[m[4]:m[5]]),
			Line:   n,
			Alone:  alone,
			Span:   p.span(at, end),
		})
	}
}

func (p *parser) insideScalar(at diag.Point) bool {
	i := sort.Search(len(p.scalar), func(i int) bool { return at.Less(p.scalar[i].Start) }) - 1
	return i >= 0 && at.Less(p.scalar[i].End)
}
