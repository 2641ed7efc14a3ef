package mask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"crossdock/dsl/value"
)

// Disguise puts other values in the place of personal ones and of secrets. The
// other value has the form of the first: as long, letters for letters, digits for
// digits, a date for a date. Under one key the same value always gets the same
// one, so that what belonged together still does. A Disguise is not safe for
// concurrent use.
type Disguise struct {
	key   []byte
	names map[string]bool // of personal fields
	keep  map[string]bool // paths that stay as they are
	turns map[string]int  // by value: how often it was turned away
	forms *strings.Replacer
	seen  map[string]bool // values that are put elsewhere wherever they are found
	other map[string]string
	count int
}

// NewDisguise returns a disguise under a key. keep are the paths of fields that
// stay as they are, such as items[].sku.
func NewDisguise(key []byte, keep []string) *Disguise {
	d := &Disguise{key: key, names: map[string]bool{}, keep: map[string]bool{}, turns: map[string]int{}, seen: map[string]bool{}, other: map[string]string{}}
	for _, path := range keep {
		d.keep[path] = true
	}
	return d
}

// secretField is the name of a field that holds what opens something.
var secretField = regexp.MustCompile(`(?i)(^|[_-])(password|passwd|pwd|secret|api[_-]?key|access[_-]?key|token|authorization|credentials?|signature)s?$|(password|secret|apikey|accesskey|token)$`)

// Names learns the names of personal fields from a schema.
func (d *Disguise) Names(s *value.Shape) {
	m := &Mask{fields: d.names}
	m.learnFields(s, 0)
}

// Learn learns personal values from something that s describes; s is nil for
// what nothing describes. What it learns is known wherever else it stands.
func (d *Disguise) Learn(v any, s *value.Shape) { d.walk(v, s, "", false, true) }

// Secret learns a text that opens something.
func (d *Disguise) Secret(text string) { d.learn(text) }

// Again turns away the values that were given for v, so that others are tried.
// It reports whether there is another one to try.
func (d *Disguise) Again(v any) bool {
	text, ok := plainText(v)
	if !ok {
		return false
	}
	was, ok := d.other[text]
	if !ok || d.turns[was] >= mostTurns {
		return false
	}
	d.turns[was]++
	return true
}

// mostTurns bounds how many values are tried for one.
const mostTurns = 24

// Personal tells whether anything is known to be personal or secret.
func (d *Disguise) Personal() bool { return len(d.names) > 0 || len(d.seen) > 0 }

// Count is how many values the last Value has replaced.
func (d *Disguise) Count() int { return d.count }

// Value returns v, which s describes where it is as received, in disguise.
func (d *Disguise) Value(v any, s *value.Shape) any {
	d.forms, d.count = nil, 0
	return d.walk(v, s, "", false, false)
}

// walk goes through a value; with learning it only notes what is personal.
func (d *Disguise) walk(v any, s *value.Shape, path string, personal, learning bool) any {
	if d.keep[path] && path != "" {
		return v
	}
	personal = personal || s != nil && s.PII
	switch t := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(t))
		for k, x := range t {
			var f *value.Shape
			if s != nil {
				f = s.Fields[k]
			}
			hidden := personal || secretField.MatchString(k) || f == nil && d.names[k]
			out[k] = d.walk(x, f, strings.TrimPrefix(path+"."+k, "."), hidden, learning)
		}
		return out
	case []any:
		var item *value.Shape
		if s != nil {
			item = s.Item
		}
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = d.walk(x, item, path+value.Items, personal, learning)
		}
		return out
	case bool:
		if personal && t {
			d.count++
			return false
		}
		return t
	}
	text, ok := plainText(v)
	switch {
	case !ok:
		return v
	case personal && s != nil && len(s.Options) > 0:
		if learning {
			return v
		}
		d.count++
		return s.Options[d.draw(text, 0)%uint64(len(s.Options))]
	case learning:
		if personal {
			d.learn(text)
		}
		return v
	}
	hidden := d.Text(text)
	if personal && hidden == text {
		hidden = d.stand(text)
	}
	if hidden == text {
		return v
	}
	d.count++
	if _, number := v.(json.Number); number {
		return json.Number(hidden)
	}
	return hidden
}

func plainText(v any) (string, bool) {
	switch t := v.(type) {
	case string:
		return t, t != ""
	case json.Number:
		return t.String(), true
	}
	return "", false
}

// learn notes a text that is put elsewhere wherever it is found. A short one is
// replaced in its own place only: elsewhere it would be found by chance.
func (d *Disguise) learn(text string) {
	if t := strings.TrimSpace(text); len(t) >= shortText && len(d.seen) < 10_000 {
		d.seen[t] = true
		d.forms = nil
	}
}

// Text returns s with other values in the place of those that are known.
func (d *Disguise) Text(s string) string {
	if d.forms == nil {
		known := make([]string, 0, len(d.seen))
		for t := range d.seen {
			known = append(known, t)
		}
		slices.SortFunc(known, func(a, b string) int {
			if len(a) != len(b) {
				return len(b) - len(a)
			}
			return strings.Compare(a, b)
		})
		var pairs []string
		for _, t := range known {
			pairs = append(pairs, t, d.stand(t))
		}
		d.forms = strings.NewReplacer(pairs...)
	}
	return d.forms.Replace(s)
}

// stand returns what stands for a text.
func (d *Disguise) stand(text string) string {
	out, ok := d.day(text)
	if !ok || d.turns[text] > 0 {
		out = d.shuffle(text, d.turns[text])
	}
	for out == text && d.turns[text] < mostTurns {
		d.turns[text]++
		out = d.shuffle(text, d.turns[text])
	}
	d.other[out] = text
	return out
}

// dayForms are the forms of dates that stay dates.
var dayForms = []struct {
	form   string
	length int
}{{"2006-01-02", 10}, {"02.01.2006", 10}, {"02/01/2006", 10}, {"20060102", 8}}

// day moves a date by up to 180 days, and leaves the time of day.
func (d *Disguise) day(text string) (string, bool) {
	for _, f := range dayForms {
		if len(text) < f.length || f.length == 8 && len(text) != 8 {
			continue
		}
		at, err := time.Parse(f.form, text[:f.length])
		if err != nil || at.Year() < 1700 || at.Year() > 2200 {
			continue
		}
		days := int(d.draw(text[:f.length], 0)%180) + 1
		return at.AddDate(0, 0, -days).Format(f.form) + text[f.length:], true
	}
	return "", false
}

// shuffle replaces letters by letters and digits by digits. Later turns leave
// the letters, or the digits, or more and more of the beginning: a pattern may
// ask for those.
func (d *Disguise) shuffle(text string, turn int) string {
	letters, digits := turn%3 != 1, turn%3 != 2
	var number json.Number
	if json.Unmarshal([]byte(text), &number) == nil && text[0] != '"' {
		letters, digits = false, true // the e of 1e5 stays
	}
	base := strings.ToLower(strings.TrimSpace(text))
	n, first := uint64(0), true
	out := []rune(text)
	keep := min(turn/3, len(out)/2)
	for i, r := range out {
		switch {
		case i < keep:
			first, n = false, n+1
		case unicode.IsDigit(r):
			x := d.draw(base, n+1+1000*uint64(turn))
			switch {
			case !digits:
			case first && r == '0': // a number of another length is another number
			case first:
				out[i] = rune('1' + x%9)
			default:
				out[i] = rune('0' + x%10)
			}
			first = false
			n++
		case unicode.IsLetter(r):
			x := d.draw(base, n+1+1000*uint64(turn))
			switch {
			case !letters:
			case unicode.IsUpper(r):
				out[i] = rune('A' + x%26)
			default:
				out[i] = rune('a' + x%26)
			}
			n++
		}
	}
	return string(out)
}

// draw returns a number that follows from the key, a text and a position.
func (d *Disguise) draw(text string, at uint64) uint64 {
	h := hmac.New(sha256.New, d.key)
	h.Write([]byte(text))
	h.Write(binary.BigEndian.AppendUint64([]byte{0}, at))
	return binary.BigEndian.Uint64(h.Sum(nil))
}
