package value

import "strings"

// OfForeign writes a pattern as the language does, where it has the letters of
// another language, as spreadsheets show them, or is the layout of Go: TT.MM.JJJJ,
// JJ/MM/AAAA, 02.01.2006. It is "" for other patterns.
func OfForeign(p string) string {
	var with []string
	switch {
	case strings.Contains(p, "2006"):
		with = []string{"2006", "yyyy", "01", "MM", "02", "dd", "15", "HH", "04", "mm", "05", "ss", "Z07:00", "XXX", "Z0700", "XX", "-07:00", "xxx", "-0700", "xx", "T", "'T'", "January", "MMMM", "Jan", "MMM"}
	case strings.Contains(p, "AAAA"): // French, Italian, Spanish, Portuguese
		with = []string{"AAAA", "yyyy", "JJ", "dd", "GG", "dd", "DD", "dd"}
	case strings.Contains(p, "JJJJ"), strings.Contains(p, "jjjj"): // German, Dutch
		with = []string{"JJJJ", "yyyy", "jjjj", "yyyy", "TT", "dd", "DD", "dd"}
	case strings.Contains(p, "RRRR"): // Polish
		with = []string{"RRRR", "yyyy", "DD", "dd"}
	case strings.Contains(p, "TT") && strings.Contains(p, "JJ"):
		with = []string{"TT", "dd", "JJ", "yy"}
	default:
		return ""
	}
	out := strings.NewReplacer(with...).Replace(p)
	if !strings.Contains(out, "MM") {
		out = strings.Replace(out, "mm", "MM", 1)
	}
	if !strings.Contains(out, "a") {
		out = strings.ReplaceAll(out, "hh", "HH")
	}
	return out
}
