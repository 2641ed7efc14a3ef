package lineage

import (
	"strings"

	"crossdock/dsl/value"
)

// String names the place in words of people.
func (p Place) String() string {
	if p.Stage == nil {
		return ""
	}
	s, path := p.Stage, Written(p.Path)
	name := strings.TrimPrefix(s.Name, "std/")
	switch s.Kind {
	case Received:
		return "pipeline " + name + " receives " + path
	case Payload:
		return "payload behind " + s.Step + " of " + name + ": " + path
	case Event:
		return "event " + name + " " + path
	case Body:
		return name + " " + pointer(p.Path)
	case With:
		return name + " {" + Written(p.Path) + "}"
	case Response:
		return "answer of " + name + ": " + path
	case Input:
		return "input of mapping " + name + ": " + path
	case Output:
		return "output of mapping " + name + ": " + path
	case Let:
		return "$" + s.Step + below(p.Path)
	case Items:
		return "items of " + strings.TrimSuffix(strings.TrimSuffix(s.Step, " each"), " from") + below(p.Path)
	case Around:
		return "$" + name + below(p.Path)
	}
	return "lookup " + name
}

func below(path []string) string {
	if len(path) == 0 {
		return ""
	}
	if path[0] == value.Items {
		return Written(path)
	}
	return "." + Written(path)
}

// pointer writes a path as a JSON pointer; items of lists are a star.
func pointer(path []string) string {
	if len(path) == 0 {
		return "/"
	}
	var b strings.Builder
	for _, name := range path {
		if name == value.Items {
			name = "*"
		}
		b.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name))
	}
	return b.String()
}

// String names the use in words of people: where it is written and what it is.
func (u *Use) String() string {
	row := u.Row
	switch {
	case u.Kind == "mapping" && strings.HasPrefix(row, "let "):
	case u.Kind == "mapping" && row == "program":
	case u.Role == "with":
		row = "with " + row
	case u.Kind == "mapping":
		row = "row " + row
	case u.Role == "from" && u.Step != "":
		row = "with " + row
	}
	switch u.Role {
	case "from", "with", "program", row, "":
	case "trace_by", "template":
	case "when":
		if !strings.HasPrefix(row, "rule ") && row != "when" {
			row += " when"
		}
	default:
		if row != u.Role {
			row += " " + u.Role
		}
	}
	return u.Kind + " " + strings.TrimPrefix(u.Name, "std/") + ", " + row
}
