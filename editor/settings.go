package editor

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// Settings puts members into the object under key of a settings file as editors
// have them, JSON with comments and commas too many. Everything else stays as it
// is, to the letter. An empty text is a file that is not there yet.
func Settings(text, key string, members map[string]any, order []string) (string, error) {
	if strings.TrimSpace(text) == "" {
		text = "{\n}\n"
	}
	top, err := membersOf(text, 0)
	if err != nil {
		return "", err
	}
	at, there := top.find(key)
	if !there {
		body, err := written(members, order, "    ", "  ")
		if err != nil {
			return "", err
		}
		return top.insert(text, "  ", quote(key)+": "+body), nil
	}
	for _, name := range slices.Backward(order) { // each goes to the front
		inner, err := membersOf(text, at.from)
		if err != nil {
			return "", err
		}
		value, err := json.Marshal(members[name])
		if err != nil {
			return "", err
		}
		if have, ok := inner.find(name); ok {
			if !sameJSON(text[have.from:have.to], value) {
				text = text[:have.from] + string(value) + text[have.to:]
			}
			continue
		}
		text = inner.insert(text, "    ", quote(name)+": "+string(value))
	}
	return text, nil
}

func quote(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

func written(members map[string]any, order []string, indent, last string) (string, error) {
	var lines []string
	for _, name := range order {
		value, err := json.Marshal(members[name])
		if err != nil {
			return "", err
		}
		lines = append(lines, indent+quote(name)+": "+string(value))
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n" + last + "}", nil
}

func sameJSON(text string, want []byte) bool {
	var v any
	if json.Unmarshal([]byte(text), &v) != nil {
		return false
	}
	have, err := json.Marshal(v)
	return err == nil && string(have) == string(want)
}

// member is a value of an object by its name.
type member struct {
	name     string
	from, to int // of the value
}

// members are those of one object, and where it ends.
type members struct {
	all  []member
	open int // behind the bracket that opens it
}

func (m members) find(name string) (member, bool) {
	for _, one := range m.all {
		if one.name == name {
			return one, true
		}
	}
	return member{}, false
}

// insert puts a member at the beginning of the object: there, no comma can be
// missing before it.
func (m members) insert(text, indent, line string) string {
	after := "\n"
	if len(m.all) > 0 {
		after = ","
	}
	rest := text[m.open:]
	if after == "\n" {
		rest = strings.TrimLeft(rest, " \t\r\n")
	}
	return text[:m.open] + "\n" + indent + line + after + rest
}

var errSettings = errors.New("the settings cannot be read: they are no object of JSON")

// membersOf reads the object that begins at or behind from.
func membersOf(text string, from int) (members, error) {
	s := &jsonScanner{text: text, at: from}
	s.space()
	if !s.take('{') {
		return members{}, errSettings
	}
	m := members{open: s.at}
	for {
		s.space()
		if s.take('}') {
			return m, nil
		}
		if s.take(',') {
			continue
		}
		nameFrom := s.at
		if !s.value() {
			return m, errSettings
		}
		var name string
		if json.Unmarshal([]byte(text[nameFrom:s.at]), &name) != nil {
			return m, errSettings
		}
		s.space()
		if !s.take(':') {
			return m, errSettings
		}
		s.space()
		valueFrom := s.at
		if !s.value() {
			return m, errSettings
		}
		m.all = append(m.all, member{name, valueFrom, s.at})
	}
}

// jsonScanner steps over the values of JSON with comments.
type jsonScanner struct {
	text string
	at   int
}

func (s *jsonScanner) take(c byte) bool {
	if s.at < len(s.text) && s.text[s.at] == c {
		s.at++
		return true
	}
	return false
}

// space steps over blanks, comments and a byte order mark.
func (s *jsonScanner) space() {
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case strings.ContainsRune(" \t\r\n", rune(rest[0])):
			s.at++
		case strings.HasPrefix(rest, "\uFEFF"):
			s.at += len("\uFEFF")
		case strings.HasPrefix(rest, "//"):
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			s.at += end
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest, "*/")
			if end < 0 {
				s.at = len(s.text)
				return
			}
			s.at += end + 2
		default:
			return
		}
	}
}

// value steps over one value; false where there is none.
func (s *jsonScanner) value() bool {
	if s.at >= len(s.text) {
		return false
	}
	switch c := s.text[s.at]; {
	case c == '"':
		for i := s.at + 1; i < len(s.text); i++ {
			if s.text[i] == '\\' {
				i++
			} else if s.text[i] == '"' {
				s.at = i + 1
				return true
			}
		}
		return false
	case c == '{' || c == '[':
		return s.nested(c + 2)
	}
	from := s.at
	for s.at < len(s.text) && !strings.ContainsRune(" \t\r\n,:{}[]/", rune(s.text[s.at])) {
		s.at++
	}
	return s.at > from
}

// nested steps over an object or a list up to the bracket that closes it.
func (s *jsonScanner) nested(end byte) bool {
	s.at++
	for {
		s.space()
		switch {
		case s.at >= len(s.text):
			return false
		case s.take(end):
			return true
		case s.take(',') || s.take(':'):
		case !s.value():
			return false
		}
	}
}
