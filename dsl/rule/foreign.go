package rule

import "strings"

// strange are operators of other languages, the longest first, and what they are
// called here.
var strange = []struct{ theirs, ours string }{
	{"===", "=="}, {"!==", "!="}, {"=>", ">="}, {"=<", "<="}, {"<>", "!="}, {"=!", "!="},
}

// operator words a problem that stands in an operator of another language.
func (c *compilation) operator(p *Problem) bool {
	for _, o := range strange {
		n := len(o.theirs)
		for from := max(0, p.From-n+1); from <= p.From && from+n <= len(c.src); from++ {
			if c.src[from:from+n] != o.theirs || from+n < len(c.src) && strings.IndexByte("=!<>", c.src[from+n]) >= 0 {
				continue
			}
			p.From, p.To, p.Replace = from, from+n, o.ours
			p.Message, p.Hint = "`"+o.theirs+"` is no operator here", "write `"+o.ours+"`"
			return true
		}
	}
	return false
}
