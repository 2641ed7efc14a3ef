package value

import "time"

// DateMeant says how a day is written that somebody wrote in the form of their
// country, "" where it is not clear which day that is: 03/04/2027 is two.
func DateMeant(text string) string {
	if day, err := time.Parse("2.1.2006", text); err == nil {
		return "write " + day.Format(time.DateOnly)
	}
	first, ofMonth := time.Parse("2/1/2006", text)
	other, ofDay := time.Parse("1/2/2006", text)
	switch {
	case ofMonth == nil && (ofDay != nil || first.Equal(other)):
		return "write " + first.Format(time.DateOnly)
	case ofMonth != nil && ofDay == nil:
		return "write " + other.Format(time.DateOnly)
	}
	return ""
}
