package draft

import (
	"fmt"
	"slices"
	"strings"

	"crossdock/dsl/profile"
)

// Lookup writes a lookup whose codes are known and whose values are to be filled
// in: lint names each that is still empty. columns are the names of its values,
// none for one value.
func Lookup(name string, codes []profile.Value, columns []string, from string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "lookup: %s\n", name)
	fmt.Fprintf(&b, "# %s seen in %s. Write what each means; lint names those that are still empty.\n", plural(len(codes), "code"), comment(from))
	b.WriteString("on_miss: error   # an unknown code is never guessed; or pass, or default\nrows:\n")
	slices.SortFunc(codes, func(x, y profile.Value) int { return strings.Compare(x.Text, y.Text) })
	for _, c := range codes {
		fmt.Fprintf(&b, "  %s:", quote(c.Text))
		if len(columns) > 0 {
			var cells []string
			for _, col := range columns {
				cells = append(cells, quote(col)+": ")
			}
			fmt.Fprintf(&b, " {%s}", strings.Join(cells, ", "))
		}
		fmt.Fprintf(&b, "   # %s\n", times(c.Count))
	}
	return []byte(b.String())
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// maxRows bounds a lookup: larger tables stay in a CSV file.
const maxRows = 5000

// LookupSheet writes a lookup from a crosswalk that was kept in a spreadsheet. key
// and values name its columns; "" and none are the first and all others. It
// returns what was understood, in sentences.
func LookupSheet(name string, t *Table, key string, values []string) ([]byte, []string, error) {
	k, cols, err := lookupColumns(t, key, values)
	if err != nil {
		return nil, nil, err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "lookup: %s\n# Imported from %s.\non_miss: error   # an unknown code is never guessed; or pass, or default\nrows:\n", name, comment(named(t.name)))
	seen, count := map[string]string{}, 0
	for i := range t.rows {
		if t.blank(i) {
			continue
		}
		code := t.text(i, k)
		switch at := t.place(i, k); {
		case code == "" && t.spoiled(i, k) == "":
			return nil, nil, fmt.Errorf("%s is empty, but its row has values: write the code", at)
		case t.spoiled(i, k) != "":
			return nil, nil, fmt.Errorf("%s %s", at, t.spoiled(i, k))
		case t.fact(i, k).Doubt != "":
			return nil, nil, fmt.Errorf("%s %s", at, t.fact(i, k).Doubt)
		case seen[code] != "":
			return nil, nil, fmt.Errorf("%s has the code %s again: it is in %s already%s", at, code, seen[code], t.merged(i, k))
		case count == maxRows:
			return nil, nil, fmt.Errorf("there are more than %d codes: save the sheet as CSV and write `file: codes.csv` in the lookup", maxRows)
		default:
			seen[code] = at
		}
		count++
		row, err := lookupRow(t, i, cols)
		if err != nil {
			return nil, nil, err
		}
		fmt.Fprintf(&b, "  %s: %s\n", quote(code), row)
	}
	if count == 0 {
		return nil, nil, fmt.Errorf("%s has no row below its header", named(t.name))
	}
	var names []string
	for _, c := range cols {
		names = append(names, t.header[c])
	}
	said := fmt.Sprintf("%s; code: %s; value: %s", plural(count, "code"), t.header[k], strings.Join(names, ", "))
	return []byte(b.String()), append([]string{said}, t.remarks(append([]int{k}, cols...))...), nil
}

func lookupColumns(t *Table, key string, values []string) (k int, cols []int, err error) {
	find := func(name string) (int, error) {
		for i, h := range t.header {
			if strings.EqualFold(h, strings.TrimSpace(name)) {
				return i, nil
			}
		}
		return 0, fmt.Errorf("there is no column `%s`; there are %s", name, strings.Join(t.header, ", "))
	}
	if key != "" {
		if k, err = find(key); err != nil {
			return 0, nil, err
		}
	}
	for _, name := range values {
		c, err := find(name)
		if err != nil {
			return 0, nil, err
		}
		cols = append(cols, c)
	}
	if len(values) == 0 {
		for i, h := range t.header {
			if i != k && h != "" {
				cols = append(cols, i)
			}
		}
	}
	if len(cols) == 0 {
		return 0, nil, fmt.Errorf("%s has no column with values beside the codes", named(t.name))
	}
	names := map[string]bool{}
	for _, c := range cols {
		if names[columnName(t.header[c])] {
			return 0, nil, fmt.Errorf("two columns are named %s", columnName(t.header[c]))
		}
		names[columnName(t.header[c])] = true
	}
	return k, cols, nil
}

// columnName is a header as lookup.column reads it.
func columnName(h string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r > 0x7f {
			return r
		}
		return '_'
	}, h), "_")
}

func lookupRow(t *Table, row int, cols []int) (string, error) {
	var out []string
	for _, c := range cols {
		v := t.text(row, c)
		if why := t.spoiled(row, c); why != "" {
			return "", fmt.Errorf("%s %s", t.place(row, c), why)
		}
		if v == "" {
			v = `""`
		} else {
			v = quote(v)
		}
		if len(cols) == 1 {
			if v == `""` {
				return "", fmt.Errorf("%s is empty: the code has no value", t.place(row, c))
			}
			return v, nil
		}
		if v != `""` {
			out = append(out, quote(columnName(t.header[c]))+": "+v)
		}
	}
	if len(out) == 0 {
		return "", fmt.Errorf("%s is empty: the code has no value", t.place(row, cols[0]))
	}
	return "{" + strings.Join(out, ", ") + "}", nil
}
