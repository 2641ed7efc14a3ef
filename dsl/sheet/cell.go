package sheet

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"
)

// Place is where a cell stands, counted from 0.
type Place struct{ Row, Column int }

// Fact is what is to be known of a cell beside its text.
type Fact struct {
	Shown  string // what a person sees, where the text says the same in another form
	Held   string // the value behind the text, where the text is only a part of it
	Lost   string // why the value is not the one that was meant; "" where it is
	Doubt  string // why it may not be, were it a code; "" where it surely is
	Merged bool   // it is merged with the cell above it and has its text
}

// maxDigits are the digits that a spreadsheet keeps of a number.
const maxDigits = 15

// values reads the cells of one sheet whose text is not all there is to say.
type values struct {
	f      *excelize.File
	sheet  string
	from04 bool         // days are counted from 1904
	forms  map[int]form // by the style
}

func valuesOf(f *excelize.File, sheet string) (*values, error) {
	v := &values{f: f, sheet: sheet, forms: map[int]form{}}
	props, err := f.GetWorkbookProps()
	if err != nil {
		return nil, err
	}
	v.from04 = props.Date1904 != nil && *props.Date1904
	return v, nil
}

var numeric = regexp.MustCompile(`^[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$`)

// text returns a cell as a definition writes it. raw is what the file holds,
// shown what a person sees.
func (v *values) text(at Place, raw, shown string) (string, Fact, error) {
	if raw == shown && raw != "" && !numeric.MatchString(raw) {
		return shown, Fact{}, nil
	}
	name, err := excelize.CoordinatesToCellName(at.Column+1, at.Row+1)
	if err != nil {
		return "", Fact{}, err
	}
	kind, err := v.f.GetCellType(v.sheet, name)
	if err != nil {
		return "", Fact{}, err
	}
	if raw == "" {
		formula, err := v.f.GetCellFormula(v.sheet, name)
		// A formula whose result is an empty text says so by its type.
		if err == nil && formula != "" && kind != excelize.CellTypeFormula {
			return shown, Fact{Lost: "holds a formula whose result is not in the file: open it in a spreadsheet and save it"}, nil
		}
		return shown, Fact{}, err
	}
	if kind != excelize.CellTypeUnset && kind != excelize.CellTypeNumber || !numeric.MatchString(raw) {
		return shown, Fact{}, nil
	}
	style, err := v.f.GetCellStyle(v.sheet, name)
	if err != nil {
		return "", Fact{}, err
	}
	form, known := v.forms[style]
	if !known {
		if form, err = v.form(style); err != nil {
			return "", Fact{}, err
		}
		v.forms[style] = form
	}
	if form.time() {
		text, fact := v.moment(form, raw, shown)
		return text, fact, nil
	}
	text, fact := number(raw, shown)
	return text, fact, nil
}

// form reads the number format of a style.
func (v *values) form(style int) (form, error) {
	s, err := v.f.GetStyle(style)
	if err != nil {
		return form{}, err
	}
	if s.CustomNumFmt != nil {
		return formOf(*s.CustomNumFmt), nil
	}
	return builtIn(s.NumFmt), nil
}

// moment writes a date or a time in the form of ISO 8601, as far as it is shown.
func (v *values) moment(f form, raw, shown string) (string, Fact) {
	days, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return shown, Fact{Lost: "holds " + raw + ", which is no date"}
	}
	if f.elapsed || !f.complete() {
		return shown, Fact{} // 36:05 hours, the year 2026: that is all there is
	}
	t, err := excelize.ExcelDateToTime(days, v.from04)
	if err != nil {
		return shown, Fact{Lost: "holds " + raw + ", which is no date"}
	}
	layout := f.layout(days)
	fact := Fact{Shown: shown}
	if f.short() {
		fact.Doubt = "shows " + shown + ": the spreadsheet made a date of what was perhaps a code; format the column as text and enter it again"
	}
	text := t.Format(layout)
	if text == shown {
		fact.Shown = ""
	}
	return text, fact
}

// number writes a number: as it is shown where that is all of it, with the zeros
// that its format gives it, and in full where its format hides a part.
func number(raw, shown string) (string, Fact) {
	exact, digits, lost := plainForm(raw)
	if lost {
		return shown, Fact{Lost: "is a number of " + strconv.Itoa(digits) + " digits, of which a spreadsheet keeps " + strconv.Itoa(maxDigits) + ": format the column as text and enter it again"}
	}
	bare := strings.TrimSpace(shown)
	if inner, ok := strings.CutPrefix(bare, "("); ok && strings.HasSuffix(inner, ")") {
		if inner = strings.TrimSuffix(inner, ")"); grouped.MatchString(inner) {
			bare = "-" + inner
		}
	}
	percent := strings.HasSuffix(bare, "%")
	bare = strings.TrimSuffix(bare, "%")
	switch {
	case bare == "" || fraction.MatchString(bare):
		return exact, differs(exact, shown)
	case !grouped.MatchString(bare):
		// Words and signs around it: a telephone number, 5 kg, $1,234.50.
		if !sameDigits(bare, exact) {
			return shown, Fact{Held: exact}
		}
		return shown, Fact{}
	}
	bare = strings.ReplaceAll(bare, ",", "")
	want := exact
	if percent {
		want = scaled(exact)
	}
	if same(bare, want) && !strings.ContainsAny(bare, "eE") {
		want = bare
	}
	if percent {
		want += "%"
	}
	return want, differs(want, shown)
}

func differs(text, shown string) Fact {
	if text == strings.TrimSpace(shown) {
		return Fact{}
	}
	return Fact{Shown: shown}
}

var (
	grouped  = regexp.MustCompile(`^-?[0-9,]*\.?[0-9]*([eE][-+]?[0-9]+)?$`)
	fraction = regexp.MustCompile(`^-?([0-9]+ +)?[0-9]+ */ *[0-9]+$`)
)

// plainForm writes a number without exponent, and reports whether it has more
// digits than the file tells. A whole number that is written digit by digit is
// taken by its word, unless all behind the fifteenth are zeros.
func plainForm(raw string) (text string, digits int, lost bool) {
	whole := strings.TrimLeft(raw, "+-0")
	if whole != "" && strings.Trim(whole, "0123456789") == "" {
		sign := ""
		if raw[0] == '-' {
			sign = "-"
		}
		if len(whole) <= maxDigits || strings.Trim(whole[maxDigits:], "0") != "" {
			return sign + whole, len(whole), false
		}
		return raw, len(whole), true
	}
	n, err := strconv.ParseFloat(raw, 64)
	if err != nil {
		return raw, len(raw), true
	}
	text = strconv.FormatFloat(rounded(n), 'f', -1, 64)
	before, _, _ := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	return text, len(before), len(before) > maxDigits
}

// rounded drops what is only the noise of binary fractions.
func rounded(n float64) float64 {
	out, err := strconv.ParseFloat(strconv.FormatFloat(n, 'g', maxDigits, 64), 64)
	if err != nil {
		return n
	}
	return out
}

// scaled is a share in percent.
func scaled(exact string) string {
	n, err := strconv.ParseFloat(exact, 64)
	if err != nil {
		return exact
	}
	return strconv.FormatFloat(rounded(n*100), 'f', -1, 64)
}

func same(a, b string) bool {
	x, err := strconv.ParseFloat(a, 64)
	y, fault := strconv.ParseFloat(b, 64)
	return err == nil && fault == nil && rounded(x) == rounded(y)
}

// sameDigits reports whether a text shows all digits of a number, whatever
// stands between them.
func sameDigits(shown, exact string) bool {
	digits := func(s string) string {
		s = strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r == '.' {
				return r
			}
			return -1
		}, s)
		if before, after, ok := strings.Cut(s, "."); ok {
			s = before + "." + strings.TrimRight(after, "0")
		}
		return strings.Trim(strings.TrimLeft(s, "0"), ".")
	}
	return digits(shown) == digits(exact)
}

// layout is how a moment is written, as far as its format shows it. Formats that
// depend on the country do not say what they show.
func (f form) layout(days float64) string {
	date, clock := f.date(), f.clock()
	if f.local {
		date, clock = days >= 1, days != float64(int64(days))
	}
	switch {
	case date && clock:
		return "2006-01-02T15:04:05"
	case clock:
		return time.TimeOnly
	case f.month && !f.day && !f.local:
		return "2006-01"
	}
	return time.DateOnly
}
