package jq

// Gives returns the place of the input or of a variable that the cell gives,
// where it gives one as it is or a selection of it: a path, sorted, filtered, the
// first of it. Of a list that the cell builds of items of another list it is that
// one.
func (p *Program) Gives() (Path, bool) {
	f := p.traced()
	if f.gives == nil {
		return Path{}, false
	}
	return *f.gives, true
}

// given is the place that a value surely is, nil where it is none.
func given(v *flow) *Path {
	switch {
	case v.vague || v.row != nil || len(v.fields) > 0:
		return nil
	case len(v.paths) == 1 && v.elem == nil && v.types&^(IsNull|IsArray) == 0:
		return &v.paths[0]
	case len(v.paths) == 0 && v.types == IsArray && v.elem != nil:
		item := given(v.elem)
		if item == nil || len(item.Segments) == 0 || item.Segments[len(item.Segments)-1].Step != Each {
			return nil
		}
		list := *item
		list.Segments = list.Segments[:len(list.Segments)-1]
		return &list
	}
	return nil
}
