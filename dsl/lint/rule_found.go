package lint

import (
	"regexp"
	"strings"

	"crossdock/dsl/compile"
	"crossdock/dsl/diag"
	"crossdock/dsl/rule"
	"crossdock/dsl/value"
)

// looked reports a `found_when` that never looks at the answer, and one that is no
// yes or no. d says where it stands.
func (p *pass) looked(d diag.Diagnostic, op *compile.Operation) {
	cell := op.Spec.Check.FoundWhen
	paths := op.Check.FoundWhen.Paths()
	sent, asked := -1, false
	for i, path := range paths {
		switch path.Root {
		case "response":
			asked = true
		case "data":
			if sent < 0 {
				sent = i
			}
		}
	}
	switch src := strings.TrimSpace(cell.Node.Text); {
	case !asked && sent >= 0:
		from := paths[sent]
		d.Span = cell.Node.Range(from.From, from.From+len("data"))
		d.Message = "`data` is what was to be sent; the answer of the look is `response.body`"
		d.Hint = "ask the answer for the effect, such as len(response.body ?? []) > 0"
		if below, bare := strings.CutPrefix(src, "data"); bare && barePath.MatchString(src) {
			d.Hint = "write `len(response.body" + below + " ?? []) > 0` for a list, `response.body" + below + " != nil` for anything else"
		}
	case len(paths) == 1 && bodyPath.MatchString(src):
		is, hint := p.yesNo(op, paths[0], src)
		switch d.Hint = hint; {
		case hint == "":
			return
		case is != "":
			d.Message = "`found_when` must answer yes or no, but `" + src + "` is " + is
		default:
			d.Severity = diag.Warning
			d.Message = "nothing says that `" + src + "` is true or false, and anything else is no answer to `found_when`"
		}
	default:
		return
	}
	p.about(d)
}

var (
	barePath = regexp.MustCompile(`^\w+(\??\.\w+|\[-?\d+\])*$`)
	bodyPath = regexp.MustCompile(`^response\??\.body(\??\.\w+|\[-?\d+\])*$`)
	// yesNoName is a name that reads as if it were true or false.
	yesNoName = regexp.MustCompile(`^(is|has|can|was|does)([A-Z_]\w*)?$|(?i:(ed|found|exists?|ok|done|success|successful|valid|active|true|known|there|present|open|available)$)`)
)

// yesNo says what to type instead of a path that may be no yes or no, and what it
// is where that is known; an empty hint means that nothing is wrong.
func (p *pass) yesNo(op *compile.Operation, path rule.Path, src string) (is, hint string) {
	count, there := "`len("+src+" ?? []) > 0`", "`"+src+" != nil`"
	segs := ruleSegments(path)
	at := place{}
	if by := p.ws.Operation(op.Check.Operation); by != nil {
		at = p.start(by.Answer(), "")
	}
	for _, seg := range segs[1:] { // behind body
		next, v, _ := at.next(seg)
		if v != exists {
			return "", "" // it is told that there is no such field
		}
		at = next
	}
	switch {
	case at.schema != nil && at.shape.Known():
		return "", "" // compiling tells
	case at.shape.Known() && at.shape.Type.Base == value.List:
		return "a list" + in(at.label), "write " + count
	case at.shape.Known():
		return "an object" + in(at.label), "write " + there
	case len(segs) > 1 && yesNoName.MatchString(segs[len(segs)-1].name):
		return "", ""
	}
	return "", "write " + count + " for a list, " + there + " for anything else that is there or not, `" + src + " == true` where it is true or false"
}
