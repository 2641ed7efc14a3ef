package sheet

import "strings"

// form is what a number format shows of a moment.
type form struct {
	year, month, day bool
	hour, second     bool
	elapsed          bool // hours that do not end at 24
	local            bool // a date or a time, as the country has it
}

func (f form) date() bool  { return f.year || f.month || f.day }
func (f form) clock() bool { return f.hour || f.second }
func (f form) time() bool  { return f.date() || f.clock() || f.elapsed || f.local }

// complete reports whether what is shown is more than the name of a month, of a
// weekday or a year.
func (f form) complete() bool {
	return f.local || f.clock() || f.month && (f.day || f.year)
}

// short recognises 2-Jan and Jan-26: what spreadsheets make of codes such as 1-2
// and JAN26 on their own.
func (f form) short() bool {
	return !f.local && !f.clock() && f.month && f.day != f.year
}

// builtIn are the number formats that have a number and no text.
func builtIn(id int) form {
	switch {
	case id == 14 || id == 15:
		return form{year: true, month: true, day: true}
	case id == 16:
		return form{month: true, day: true}
	case id == 17:
		return form{year: true, month: true}
	case id >= 18 && id <= 21 || id == 45 || id == 47:
		return form{hour: true, second: true}
	case id == 22:
		return form{year: true, month: true, day: true, hour: true}
	case id == 46:
		return form{elapsed: true}
	case id >= 27 && id <= 36 || id >= 50 && id <= 58:
		return form{local: true}
	}
	return form{}
}

// formOf reads the first section of a number format, which is that of what is
// not negative.
func formOf(code string) form {
	if strings.EqualFold(code, "General") {
		return form{}
	}
	var f form
	var last rune // of the letters of times
	months := false
	runes := []rune(strings.ToLower(code))
	for i := 0; i < len(runes); i++ {
		switch c := runes[i]; c {
		case ';':
			i = len(runes)
		case '\\', '_', '*':
			i++
		case '"':
			for i++; i < len(runes) && runes[i] != '"'; i++ {
			}
		case '[':
			from := i + 1
			for i++; i < len(runes) && runes[i] != ']'; i++ {
			}
			if strings.Trim(string(runes[from:min(i, len(runes))]), "hms") == "" {
				f.elapsed = true
			}
		case 'y':
			f.year, last = true, c
		case 'd':
			f.day, last = true, c
		case 'h':
			f.hour, last = true, c
		case 's':
			f.second, last = true, c
		case 'm':
			run := i
			for i+1 < len(runes) && runes[i+1] == 'm' {
				i++
			}
			// Behind hours and before seconds, they are minutes.
			if i-run > 1 || last != 'h' && !beforeSeconds(runes[i+1:]) {
				months = true
			}
			last = c
		}
	}
	f.month = months
	// Hours that a clock does not show still make a moment of it.
	if f.elapsed {
		f.hour, f.second = false, false
	}
	return f
}

// beforeSeconds reports whether the next letter of a time is that of seconds.
func beforeSeconds(rest []rune) bool {
	for _, c := range rest {
		switch c {
		case 's':
			return true
		case 'y', 'd', 'h', 'm', ';':
			return false
		}
	}
	return false
}
