package jq

import (
	"strconv"
	"strings"

	"github.com/itchyny/gojq"
)

// borrowed are builtins of the interpreter that compute one value from values
// in a time that their arguments bound. Each is called directly, without the
// watch that other parts in the interpreter need.
var borrowed = strings.Fields(`
	strftime/1 strptime/1 mktime/0 gmtime/0 localtime/0 strflocaltime/1
	todate/0 fromdate/0 todateiso8601/0 fromdateiso8601/0
	pow/2 log/0 log2/0 log10/0 log1p/0 exp/0 exp2/0 exp10/0 expm1/0 cbrt/0
	sin/0 cos/0 tan/0 asin/0 acos/0 atan/0 atan2/2 sinh/0 cosh/0 tanh/0 asinh/0 acosh/0 atanh/0
	nearbyint/0 rint/0 significand/0 logb/0 gamma/0 lgamma/0 tgamma/0 frexp/0 modf/0 hypot/2
	copysign/2 drem/2 fdim/2 fmax/2 fmin/2 fmod/2 fma/3 ldexp/2 scalb/2 scalbln/2 nextafter/2 nexttoward/2 remainder/2
	isfinite/0 isinfinite/0 isnormal/0 bsearch/1
`)

// borrow returns the builtin id of the interpreter as a function of ours.
func borrow(id string) (pure, bool) {
	found := false
	for _, have := range borrowed {
		found = found || have == id
	}
	if !found {
		return nil, false
	}
	name, n, _ := strings.Cut(id, "/")
	arity, err := strconv.Atoi(n)
	if err != nil {
		return nil, false
	}
	var vars []string
	for i := range arity {
		vars = append(vars, "$a"+strconv.Itoa(i))
	}
	if arity > 0 {
		name += "(" + strings.Join(vars, ";") + ")"
	}
	query, err := gojq.Parse(name)
	if err != nil {
		return nil, false
	}
	code, err := gojq.Compile(query, gojq.WithVariables(vars))
	if err != nil {
		return nil, false
	}
	return func(m *machine, in any, args []any) (any, error) {
		m.spend(16)
		v, ok := code.Run(in, args...).Next()
		if !ok {
			return nil, nil
		}
		if err, isErr := v.(error); isErr {
			return nil, err
		}
		if s, isText := v.(string); isText {
			m.grow(len(s))
		}
		return v, nil
	}, true
}
