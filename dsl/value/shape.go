package value

import "slices"

// Shape is what a schema knows of a value: its type, its fields, its items.
// Shapes may form a cycle where a schema refers to itself. A nil Shape, like
// one of type Any without fields, says that nothing is known. Shapes are
// immutable once built and safe for concurrent use.
type Shape struct {
	Type     Type
	Required bool // by its parent; false also where null is allowed
	Closed   bool // Object: no other fields than those listed can occur
	Open     bool // Object: other fields than those listed are expected
	PII      bool // personal data, to be masked
	// Protected says that nobody changes the value that is sent unseen, or
	// that anybody may; nil says nothing.
	Protected *bool
	// Owner is the system of record of the value; "" says nothing. Owners are
	// those of single options, where states belong to different systems.
	Owner   string
	Owners  map[string]string
	Fields  map[string]*Shape
	Order   []string // the names in Fields, in the order of the schema
	Item    *Shape   // List: what each item looks like
	Options []string // the only texts that can occur; none: any
	Note    string
}

// Known reports whether the shape says anything.
func (s *Shape) Known() bool {
	return s != nil && (s.Type.Base != Any || s.Fields != nil || s.Item != nil || len(s.Options) > 0)
}

// Items is the path segment that stands for every item of a list.
const Items = "[]"

// Step is the result of following a path through a shape.
type Step struct {
	Shape *Shape // nil where nothing is known from here on
	// Optional is set where the value, or something on the way to it, may be
	// missing.
	Optional bool
	// PII is set where the value, or something on the way to it, is personal.
	PII bool
}

// At follows a path, whose segments are field names and Items. Where a segment
// cannot exist it returns false and the index of that segment; where nothing
// is known it returns true with a nil Shape.
func (s *Shape) At(path []string) (step Step, bad int, ok bool) {
	step = Step{Shape: s}
	if s != nil {
		step.PII = s.PII
	}
	for i, name := range path {
		cur := step.Shape
		if !cur.Known() {
			return Step{Optional: true, PII: step.PII}, -1, true
		}
		if name == Items {
			if cur.Type.Base != List && cur.Type.Base != Any {
				return step, i, false
			}
			step.Shape = cur.Item
		} else {
			next, found := cur.Fields[name]
			if !found {
				if cur.mayHave() {
					return Step{Optional: true, PII: step.PII}, -1, true
				}
				return step, i, false
			}
			step.Shape = next
			step.Optional = step.Optional || !next.Required
		}
		if step.Shape != nil {
			step.PII = step.PII || step.Shape.PII
		}
	}
	return step, -1, true
}

// mayHave reports whether fields that are not listed are plausible: they are
// expected, or nothing is listed and the value may be an object. A schema that lists fields is taken
// at its word even where it is open, because a reference to an unlisted field
// is nearly always a slip.
func (s *Shape) mayHave() bool {
	return s.Open || len(s.Fields) == 0 && !s.Closed && (s.Type.Base == Object || s.Type.Base == Any)
}

// Names returns the field names in the order of the schema.
func (s *Shape) Names() []string {
	if s == nil {
		return nil
	}
	return slices.Clone(s.Order)
}
