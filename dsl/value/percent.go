package value

import "strings"

// percents are the conversions of strftime, of which Python, C and databases make
// their patterns.
var percents = map[byte]string{
	'Y': "yyyy", 'y': "yy", 'm': "MM", 'd': "dd", 'e': "d", 'H': "HH", 'I': "hh", 'M': "mm", 'S': "ss", 'f': "SSSSSS", 'p': "a",
	'b': "MMM", 'B': "MMMM", 'a': "EEE", 'A': "EEEE", 'j': "DDD", 'z': "Z", 'F': "yyyy-MM-dd", 'T': "HH:mm:ss", 'R': "HH:mm", 'D': "MM/dd/yy",
}

// OfPercents writes a pattern of strftime as the language does, "" where a part of
// it has no counterpart.
func OfPercents(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		c := p[i]
		switch {
		case c == '%' && i+1 < len(p):
			i++
			bare := p[i] == '-' && i+1 < len(p) // without a zero in front
			if bare {
				i++
			}
			word := percents[p[i]]
			if bare && len(word) == 2 {
				word = word[:1]
			}
			if word == "" {
				return ""
			}
			b.WriteString(word)
		case c == '%':
			return ""
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			b.WriteString("'" + string(c) + "'")
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
