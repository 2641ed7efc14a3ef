package profile

import (
	"regexp"
	"slices"
	"strings"

	"crossdock/dsl/value"
)

// Form is what the texts or numbers of a place are, beyond their kind.
type Form string

// The forms that are recognised.
const (
	NoForm      Form = ""
	Date        Form = "date"     // ISO 8601
	DateTime    Form = "datetime" // ISO 8601 with an offset
	Local       Form = "local"    // a date and time without an offset; Pattern reads it, and a zone is needed
	PatternDate Form = "pattern"  // a date in another notation, which Pattern reads
	PatternTime Form = "moment"   // a date, time and offset in another notation, which Pattern reads
	Clock       Form = "time"     // a time of day
	URL         Form = "url"
	Email       Form = "email"
	UUID        Form = "uuid"
	LeadingZero Form = "zeros"   // digits, some of which begin with a zero
	IntegerText Form = "integer" // whole numbers written as text
	DecimalText Form = "decimal" // numbers with a point written as text
	Notation    Form = "number"  // numbers in another notation, which Pattern reads
	Phone       Form = "phone"   // an international number
)

// form is a form with the pattern that reads it.
type form struct {
	Form    Form
	pattern string
	fits    func(string) bool
}

// forms are all forms, the most special first: the first one that fits all
// values of a place is what they are.
var forms = slices.Concat([]form{
	{Form: UUID, fits: regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`).MatchString},
	{Form: Date, fits: func(s string) bool { return len(s) == len("2026-05-16") && converts(value.Date, "", "")(s) }},
	{Form: DateTime, fits: converts(value.DateTime, "", "")},
	{Form: Local, fits: converts(value.DateTime, "", "UTC")},
	{Form: Clock, fits: converts(value.Time, "", "")},
}, patterns(), []form{
	{Form: Email, fits: regexp.MustCompile(`^[^@\s"<>,;]+@[^@\s"<>,;]+\.[A-Za-z]{2,}$`).MatchString},
	{Form: URL, fits: converts(value.URL, "", "")},
	{Form: Phone, fits: regexp.MustCompile(`^\+[0-9][0-9 ()./-]{6,20}$`).MatchString},
	{Form: LeadingZero, fits: regexp.MustCompile(`^[0-9]+$`).MatchString},
	{Form: DecimalText, fits: regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?$`).MatchString},
}, notations())

// notations are the notations of numbers that are tried.
func notations() []form {
	var out []form
	for _, p := range value.Notations(value.Type{Base: value.Number}) {
		out = append(out, form{Notation, p, converts(value.Number, p, "")})
	}
	return out
}

// patterns are the notations of dates and times that are tried.
func patterns() []form {
	var out []form
	for _, p := range []string{
		"yyyy-MM-dd'T'HH:mm:ss.SSSZ", "EEE, dd MMM yyyy HH:mm:ss Z", "yyyyMMddHHmmssZ", "yyyy-MM-dd HH:mm:ss Z", "odata",
	} {
		out = append(out, form{PatternTime, p, converts(value.DateTime, p, "")})
	}
	for _, p := range []string{
		"dd.MM.yyyy HH:mm:ss", "dd.MM.yyyy HH:mm", "dd-MM-yyyy HH:mm:ss", "dd-MM-yyyy HH:mm", "dd/MM/yyyy HH:mm:ss", "dd/MM/yyyy HH:mm", "MM/dd/yyyy HH:mm:ss", "MM/dd/yyyy HH:mm",
		"MM/dd/yyyy hh:mm:ss a", "MM/dd/yyyy hh:mm a", "M/d/yyyy h:mm a", "yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd HH:mm", "yyyyMMddHHmmss", "yyyyMMddHHmm", "yyyyMMdd HHmmss", "yyyyMMdd HH:mm:ss", "yyyyMMdd'T'HHmmss",
		"dd MM yyyy HH:mm:ss", "dd MM yyyy HH:mm", "dd.MM.yy HH:mm", "M/d/yyyy h:mm:ss a", "dd MMM yyyy HH:mm:ss", "dd MMM yyyy HH:mm", "d MMM yyyy HH:mm:ss", "d MMM yyyy HH:mm", "MMM dd, yyyy HH:mm", "yyyy-MM-dd-HH.mm.ss",
	} {
		out = append(out, form{Local, p, converts(value.DateTime, p, "UTC")})
	}
	for _, p := range []string{"dd.MM.yyyy", "dd-MM-yyyy", "dd/MM/yyyy", "MM/dd/yyyy", "M/d/yyyy", "yyyy/MM/dd", "yyyyMMdd", "dd.MM.yy", "MM/dd/yy", "dd MMM yyyy", "d MMM yyyy", "MMM dd, yyyy", "MMM d, yyyy"} {
		out = append(out, form{PatternDate, p, converts(value.Date, p, "")})
	}
	return out
}

// converts is a test that a text can be converted.
func converts(base value.Base, parse, zone string) func(string) bool {
	c, err := value.NewConverter(value.Type{Base: base}, value.Options{Parse: parse, Zone: zone})
	if err != nil {
		return func(string) bool { return false }
	}
	return func(s string) bool {
		if len(s) > 60 && base != value.URL {
			return false
		}
		if parse != "" && (parse[0] == 'y' && !digitsFirst(s) || !plausible(s, parse)) {
			return false
		}
		return c.Check(s) == nil
	}
}

func digitsFirst(s string) bool { return len(s) >= 4 && strings.Trim(s[:4], "0123456789") == "" }

// plausible refuses years that no business document is about: eight digits are
// far more often a number than a date.
func plausible(s, parse string) bool {
	if !strings.HasPrefix(parse, "yyyyMMdd") {
		return true
	}
	return s[:4] >= "1950" && s[:4] <= "2099"
}

// recognise keeps the forms that this value has too.
func (n *Node) recognise(s string) {
	from := n.forms
	if !n.anyTexts {
		n.anyTexts, from = true, forms
	}
	if len(from) == 0 {
		return
	}
	left := make([]form, 0, 4)
	for _, f := range from {
		if f.fits(s) {
			left = append(left, f)
		}
	}
	n.forms = left
}

// Form returns what all values of the place are, and for dates and numbers in
// their own notation the pattern that reads them.
func (n *Node) Form() (Form, string) {
	for _, f := range n.forms {
		switch {
		case f.Form == LeadingZero && !n.leadingZero():
			if n.Texts > 0 {
				return IntegerText, ""
			}
		case f.Form == DecimalText && n.Texts == 0:
		case f.Form == Notation && !n.marked(f.pattern):
		default:
			return f.Form, f.pattern
		}
	}
	return NoForm, ""
}

// marked reports whether values that a notation reads are written in it, and not
// as JSON writes numbers. Digits with blanks between them are far more often a
// number of somebody than one that is counted, unless there are decimals.
func (n *Node) marked(pattern string) bool {
	plain, decimals := true, false
	for _, v := range n.Values {
		_, err := value.ParseDecimal(strings.TrimSpace(v.Text))
		plain = plain && err == nil
		decimals = decimals || strings.ContainsAny(v.Text, ".,")
	}
	return n.Texts > 0 && !plain && (decimals || !strings.Contains(pattern, " "))
}

// Notation returns the pattern of the numbers whose notation is certain; "" where
// there are none, or several notations. The same sender hardly writes others in
// another way.
func (p *Profile) Notation() string {
	found := map[string]bool{}
	var walk func(n *Node)
	walk = func(n *Node) {
		if n == nil {
			return
		}
		if kind, pattern := n.Form(); kind == Notation && n.Ambiguous() == "" {
			found[pattern] = true
		}
		for _, f := range n.Fields {
			walk(f)
		}
		walk(n.Item)
	}
	if walk(p.Root); len(found) != 1 {
		return ""
	}
	for pattern := range found {
		return pattern
	}
	return ""
}

// Ambiguous returns the other pattern that reads all values as well: day and
// month could be exchanged, or groups and decimals of a number.
func (n *Node) Ambiguous() string {
	kind, first := n.Form()
	if kind == Notation {
		var texts []string
		for _, v := range n.Values {
			texts = append(texts, v.Text)
		}
		if found := value.Readings(value.Type{Base: value.Number}, texts...); len(found) > 1 {
			return found[1].Pattern
		}
		return ""
	}
	for _, f := range n.forms {
		if f.pattern != "" && f.pattern != first && len(f.pattern) == len(first) && dayFirst(f.pattern) != dayFirst(first) {
			return f.pattern
		}
	}
	return ""
}

func dayFirst(p string) bool { return strings.HasPrefix(p, "dd") }

func (n *Node) leadingZero() bool {
	for _, v := range n.Values {
		if len(v.Text) > 1 && v.Text[0] == '0' {
			return true
		}
	}
	return false
}

// yesNo are the pairs of texts with which systems write yes and no.
var yesNo = [][2]string{{"Y", "N"}, {"X", ""}, {"true", "false"}, {"yes", "no"}, {"J", "N"}, {"T", "F"}, {"on", "off"}}

// YesNo returns the text that means yes where all texts are yes or no; empty
// texts are no.
func (n *Node) YesNo() (string, bool) {
	if n.Texts == 0 || n.Numbers > 0 || len(n.Values) == 0 || len(n.Values) > 2 {
		return "", false
	}
	for _, pair := range yesNo {
		all, yes := true, ""
		for _, v := range n.Values {
			switch {
			case strings.EqualFold(v.Text, pair[0]):
				yes = v.Text
			case pair[1] == "" || !strings.EqualFold(v.Text, pair[1]):
				all = false
			}
		}
		// One value alone may be anything: only a cross with nothing beside it
		// is a habit.
		if all && yes != "" && (len(n.Values) == 2 || n.Empty > 0 || pair[0] == "true") {
			return yes, true
		}
	}
	return "", false
}

// Codes reports whether the texts are a small set of codes, with enough evidence
// that others are not to be expected: each was there four times on average.
func (n *Node) Codes() bool {
	if !n.codeLike() || n.Empty > 0 || n.More || n.Numbers > 0 {
		return false
	}
	total := 0
	for _, v := range n.Values {
		total += v.Count
	}
	return total >= 8 && len(n.Values) <= 20 && total >= 4*len(n.Values)
}

var code = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,39}$`)

// codeLike reports whether every text could be a code: short and without blanks.
func (n *Node) codeLike() bool {
	if f, _ := n.Form(); f != NoForm && f != IntegerText && f != LeadingZero {
		return false
	}
	return n.Texts > 0 && len(n.Values) > 0 && !slices.ContainsFunc(n.Values, func(v Value) bool { return !code.MatchString(v.Text) })
}

// CodeLike reports whether the texts look like codes of a list: short, without
// blanks, at least one of them in letters.
func (n *Node) CodeLike() bool {
	return n.codeLike() && len(n.Values) <= 12 && slices.ContainsFunc(n.Values, func(v Value) bool {
		return strings.ContainsAny(v.Text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
	})
}

var dataKey = regexp.MustCompile(`^([0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}.*|[0-9a-fA-F]{8}-[0-9a-fA-F-]{27})$`)

// Keyed reports whether the names of the fields are data, such as numbers or
// dates, and not the same in every document.
func (n *Node) Keyed() bool {
	if len(n.Order) == 0 {
		return false
	}
	if !slices.ContainsFunc(n.Order, func(name string) bool { return !dataKey.MatchString(name) }) {
		return true
	}
	if len(n.Order) < 60 || n.Objects < 2 {
		return false
	}
	seen := 0
	for _, f := range n.Fields {
		seen += f.Seen
	}
	return seen*4 < len(n.Order)*n.Objects
}
