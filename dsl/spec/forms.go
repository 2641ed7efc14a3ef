package spec

import (
	"reflect"
	"strings"

	"crossdock/dsl/ast"
)

// text fills the form of a single value that is read from text, and reports
// whether v is one.
func (f *Form) text(v any, tag reflect.StructTag) bool {
	s := &Scalar{Ref: tag.Get("ref"), Name: tag.Get("names"), Lang: tag.Get("lang")}
	switch v.(type) {
	case Text:
		f.Empty = true
		for _, r := range strings.Split(tag.Get("validate"), ",") {
			if words, ok := strings.CutPrefix(r, "oneof="); ok {
				s.Words, f.Empty = strings.Fields(words), false
			}
			f.Empty = f.Empty && r != "required"
		}
	case Cell:
	case Cells:
		f.Items = &Form{Scalar: s}
	case Duration:
		s.Pattern, s.Takes, s.Examples = "^(?:0|"+strings.Trim(durationParts.String(), "^$")+")$", "a length of time such as 500ms, 5s, 10m, 4h or 30d", []string{"5s", "10m", "4h", "30d"}
		s.Min, s.Max = ptr(0), ptr(0)
	case Size:
		s.Pattern, s.Takes, s.Examples = `^[0-9]+ *(B|KB|MB|GB|KiB|MiB|GiB)?$`, "a size such as 64KB, 10MB or 1GiB", []string{"64KB", "1MiB"}
		s.Min = ptr(0)
	case Rate:
		s.Pattern, s.Takes, s.Examples = rateText.String(), "a rate such as 20/s, 300/m or 5000/h", []string{"20/s"}
	case Quota:
		s.Pattern, s.Takes, s.Examples = quotaText.String(), "a quota such as 5000/hour, 100000/day or 2000000/month", []string{"100000/day"}
	case Percent:
		s.Pattern, s.Takes, s.Examples = percentText.String(), "a share such as 20%", []string{"20%"}
	case Failures:
		s.Pattern, s.Takes, s.Examples = failuresText.String(), "a number of failures within a time, such as 5 in 30s", []string{"5 in 30s"}
	case Secret:
		f.Empty = true
		s.Pattern, s.Takes, s.Examples = `\$\{secret\.`, "a secret, as ${secret.some_name}", []string{"${secret.some_name}"}
	default:
		return false
	}
	f.Scalar = s
	return true
}

// custom fills the form of a type of this package that reads itself, and
// reports whether v is one.
func (f *Form) custom(v any, tag reflect.StructTag) bool {
	switch v.(type) {
	case Value:
		f.Any, f.Empty = true, true
	case *ast.Node, ast.Node:
		f.node(tag.Get("takes"))
	case Row:
		f.union(Row{}, RowOptions{}, &Scalar{Lang: "jq"})
	case Step:
		f.union(Step{}, StepOptions{}, &Scalar{Words: []string{"ignore"}})
	case Otherwise:
		f.union(Otherwise{}, StepOptions{}, &Scalar{Words: []string{"ignore"}})
		f.Keys = append(f.Keys[:len(f.Keys):len(f.Keys)], Key{Name: "to", Doc: "Steps, in order.", Form: formOf(reflect.TypeFor[[]Step](), "")})
	case PolicyRef:
		f.union(Policy{}, Policy{}, &Scalar{Ref: "policy"})
		f.Empty = true
	case VerifyRef:
		f.union(Verify{}, Verify{}, &Scalar{Ref: "verify"})
		f.Empty = true
	case Reply:
		f.union(Reply{}, Reply{}, &Scalar{Pattern: `^2[0-9][0-9]$`, Min: ptr(200), Max: ptr(299), Takes: "a status number from 200 to 299", Examples: []string{"202"}})
	case Stub:
		f.union(Stub{}, stubOptions{}, &Scalar{Pattern: `^(timeout|reset|[1-5][0-9][0-9])$`, Min: ptr(100), Max: ptr(599), Takes: "a status number, timeout, reset or a map with status and body", Examples: []string{"204", "timeout", "reset"}})
	case Stubs:
		one := formOf(reflect.TypeFor[Stub](), "")
		f.Name, f.Scalar, f.Keys, f.Items = "Stubs", one.Scalar, one.Keys, one
	case Operation:
		f.Name, f.Keys = "Operation", keysOf(reflect.TypeFor[OperationOptions]())
	case EventTrigger:
		f.Scalar = &Scalar{Ref: "event"}
		f.Items = &Form{Scalar: f.Scalar}
	case Flag:
		f.Scalar, f.Empty = &Scalar{Never: []string{"false"}, Takes: "true, or a reason", Examples: []string{"true"}}, true
	default:
		return false
	}
	return true
}

// union is a single value, or a map with options.
func (f *Form) union(named, options any, s *Scalar) {
	f.Name, f.Scalar, f.Keys = reflect.TypeOf(named).Name(), s, keysOf(reflect.TypeOf(options))
}

// node fills the form of what is read as a tree, by what it is said to take.
func (f *Form) node(takes string) {
	switch takes {
	case "codes":
		f.Values = &Form{Any: true}
	case "schema":
		field := &Form{Name: "SchemaField", Scalar: &Scalar{Ref: "type"}, Keys: keysOf(reflect.TypeFor[SchemaField]()), Empty: true}
		f.Values, f.Defines = field, "field"
	case "given":
		f.Any = true
		f.Scalar = &Scalar{Ref: "file"}
	default:
		f.Any, f.Empty = true, true
	}
}

func ptr(n int) *int { return &n }

// SchemaField is what a schema says of one field; the short form is its type
// alone. It is read by dsl/schema.
type SchemaField struct {
	Type      Text     `yaml:"type" doc:"string, integer, number, boolean, decimal(n), date, datetime, time, url, choice, list, list(type) or object." ref:"type"`
	Required  bool     `yaml:"required" doc:"It must be there and not null."`
	Options   []Text   `yaml:"options" doc:"The only texts that can occur (type: choice)."`
	PII       bool     `yaml:"pii" doc:"Personal data: masked where people see payloads."`
	Owner     Value    `yaml:"owner" doc:"System of record of the value, or of single options of a choice: {RELEASED: erp}."`
	Protected bool     `yaml:"protected" doc:"No change of definitions alters it in what is sent unless somebody waives it."`
	Pattern   Text     `yaml:"pattern" doc:"Regular expression that a text must match."`
	Min       *float64 `yaml:"min" doc:"Smallest number allowed."`
	Max       *float64 `yaml:"max" doc:"Largest number allowed."`
	MinLength *int     `yaml:"min_length" doc:"Shortest text allowed, in characters." validate:"omitempty,min=0"`
	MaxLength *int     `yaml:"max_length" doc:"Longest text allowed, in characters." validate:"omitempty,min=0"`
	MinItems  *int     `yaml:"min_items" doc:"Fewest items of a list." validate:"omitempty,min=0"`
	MaxItems  *int     `yaml:"max_items" doc:"Most items of a list." validate:"omitempty,min=0"`
	Note      Text     `yaml:"note" doc:"For people."`
	Example   Text     `yaml:"example" doc:"An example, for people."`
}
