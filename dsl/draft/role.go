package draft

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"crossdock/dsl/likeness"
	"crossdock/dsl/profile"
)

// maxRoles bounds the values of a field that tells items of a list apart.
const maxRoles = 12

// qualifiers are the words of fields that tell what an item of a list is: the
// type of an address, the role of a partner.
var qualifiers = []string{"type", "role", "qualifier", "qual", "qualf", "function", "purpose", "use", "usage", "code", "parvw", "relation"}

// roles are codes that documents of the trade have for parties: those of X12 and
// EDIFACT, and the partner functions of SAP.
var roles = map[string]string{
	"ST": "ship_to", "CN": "consignee", "DP": "ship_to", "WE": "ship_to",
	"SF": "ship_from", "SH": "shipper", "CZ": "consignor",
	"BT": "bill_to", "IV": "bill_to", "RE": "bill_to", "RG": "payer", "PR": "payer",
	"BY": "buyer", "SO": "sold_to", "AG": "sold_to",
	"CA": "carrier", "SP": "carrier",
}

// qualifier returns the field that tells the items of a list apart, "" for none:
// named as one, a text in every item, with few values.
func qualifier(item *profile.Node) string {
	best := ""
	for _, name := range item.Order {
		f := item.Fields[name]
		words := likeness.Concepts(name)
		if f.Texts != item.Objects || f.Empty > 0 || f.More || len(f.Values) > maxRoles || !slices.ContainsFunc(words, func(w string) bool { return slices.Contains(qualifiers, w) }) {
			continue
		}
		if slices.ContainsFunc(f.Values, func(v profile.Value) bool { return len(v.Text) > 24 || likeness.Words(v.Text) == nil }) {
			continue
		}
		// The shorter name says nothing else: type before addressTypeText.
		if best == "" || len(words) < len(likeness.Concepts(best)) {
			best = name
		}
	}
	return best
}

// withRole offers the fields of the first item of each role.
func withRole(item *profile.Node, at source, tells string, scalar func(source)) {
	for _, v := range item.Fields[tells].Values {
		meant, how := v.Text, fmt.Sprintf("the item whose %s is %s", tells, v.Text)
		if word, known := roles[v.Text]; known {
			meant, how = word, how+", a code for "+strings.ReplaceAll(word, "_", " ")
		}
		pick := "first(" + at.expr + "[]? | select(" + field(tells) + " == " + strconv.Quote(v.Text) + ") | "
		walkObject(item, "", below(at.path, meant), 0.9, how, func(src source) {
			if src.path[len(at.path)+1] == tells {
				return // that it is this one is known
			}
			src.expr, src.role = pick+src.expr+")", meant
			scalar(src)
		}, nil)
	}
}

// suits reports whether a source with a role is meant for a target: what the
// role says stands in the target, too.
func (s source) suits(target []string) bool {
	if s.role == "" {
		return true
	}
	wanted := likeness.Concepts(s.role)
	return slices.ContainsFunc(target, func(name string) bool { return likeness.Has(name, wanted...) })
}
