package recording

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"crossdock/runtime/testrun"
)

// lineWidth is how long a line may be before a value is written below its key.
const lineWidth = 110

// section writes a key with a map below it, or beside it where it holds single
// values only.
func (c *caser) section(indent int, name string, v map[string]any) {
	flat := true
	for _, x := range v {
		switch x.(type) {
		case map[string]any, []any:
			flat = false
		}
	}
	if line := testrun.OneLine(v); flat && indent+len(name)+2+len(line) <= lineWidth {
		fmt.Fprintf(&c.out, "%s%s: %s\n", strings.Repeat(" ", indent), name, line)
		return
	}
	fmt.Fprintf(&c.out, "%s%s:\n", strings.Repeat(" ", indent), name)
	c.fields(indent+2, v)
}

func (c *caser) fields(indent int, m map[string]any) {
	for _, k := range slices.Sorted(maps.Keys(m)) {
		c.value(indent, strings.Repeat(" ", indent)+testrun.Key(k)+":", m[k])
	}
}

// value writes a value after what stands before it on its line.
func (c *caser) value(indent int, head string, v any) {
	line := testrun.OneLine(v)
	m, isMap := v.(map[string]any)
	list, isList := v.([]any)
	switch {
	case len(head)+1+len(line) <= lineWidth, isMap && len(m) == 0, isList && len(list) == 0, !isMap && !isList:
		fmt.Fprintf(&c.out, "%s %s\n", head, line)
	case isMap:
		fmt.Fprintf(&c.out, "%s\n", head)
		c.fields(indent+2, m)
	default:
		fmt.Fprintf(&c.out, "%s\n", head)
		c.items(indent+2, list)
	}
}

func (c *caser) items(indent int, list []any) {
	dash := strings.Repeat(" ", indent) + "-"
	for _, item := range list {
		m, isMap := item.(map[string]any)
		if line := testrun.OneLine(item); len(dash)+1+len(line) <= lineWidth || !isMap || len(m) == 0 {
			fmt.Fprintf(&c.out, "%s %s\n", dash, line)
			continue
		}
		for i, k := range slices.Sorted(maps.Keys(m)) {
			head := strings.Repeat(" ", indent) + "  "
			if i == 0 {
				head = dash + " "
			}
			c.value(indent+2, head+testrun.Key(k)+":", m[k])
		}
	}
}
