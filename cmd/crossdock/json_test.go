package main

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"crossdock/dsl/contract"
	"crossdock/dsl/draft"
	"crossdock/runtime"
	"crossdock/runtime/access"
	"crossdock/runtime/admin"
	"crossdock/runtime/audit"
	"crossdock/runtime/deadletter"
	"crossdock/runtime/journal"
	"crossdock/runtime/plan"
	"crossdock/runtime/policy"
	"crossdock/runtime/publication"
	"crossdock/runtime/queue"
)

// What --json prints is read by programs: every name in it is chosen, none is that
// of a field of ours.
func TestNamesInJSON(t *testing.T) {
	seen := map[reflect.Type]bool{}
	for _, v := range []any{
		[]queue.Entry{}, deadletter.Letter{}, deadletter.Change{}, deadletter.Group{}, deadletter.BoxInfo{}, deadletter.Preview{}, deadletter.Outlook{},
		policy.Shown{}, admin.Lane{}, admin.DeadPage{}, runtime.Status{}, journal.Balance{}, plan.Plan{}, publication.Book{}, admin.PublishAnswer{}, admin.ReloadAnswer{},
		[]access.Token{}, admin.NewToken{}, []audit.Line{}, rebased{}, rendered{}, runtime.Finding{}, drifted{}, draft.Guess{}, event{}, contract.Change{},
	} {
		checkNames(t, reflect.TypeOf(v), reflect.TypeOf(v).String(), seen)
	}
}

func checkNames(t *testing.T, typ reflect.Type, at string, seen map[reflect.Type]bool) {
	t.Helper()
	for _, own := range []reflect.Type{reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextMarshaler]()} {
		if typ.Implements(own) || reflect.PointerTo(typ).Implements(own) {
			return // it says itself how it is written
		}
	}
	switch typ.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		checkNames(t, typ.Elem(), at, seen)
		return
	case reflect.Struct:
	default:
		return
	}
	if seen[typ] {
		return
	}
	seen[typ] = true
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case !f.IsExported() && !f.Anonymous, name == "-":
			continue
		case f.Anonymous && name == "":
		case name == "" || name != strings.ToLower(name):
			t.Errorf("%s: the field %s is written as %q", at, f.Name, name)
		}
		checkNames(t, f.Type, at+"."+f.Name, seen)
	}
}
