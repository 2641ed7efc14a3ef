package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"crossdock/dsl/draft"
	"crossdock/dsl/sheet"
)

// importFlags are the flags of `import`.
type importFlags struct {
	place
	sheet, as, name, key string
	values               []string
	visible              bool
}

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use: "import csv|xlsx FILE --as mapping|lookup", GroupID: "write", Args: cobra.ExactArgs(2),
		Short: "Make a mapping or lookup of a sheet that was kept in a spreadsheet",
		Long: `Make a definition of a sheet. A mapping sheet has a line per target field, with
columns such as target, source, rule, default, required, type, date format, length,
lookup and note; what was understood is said. A lookup has a column of codes, the first unless
--key names it, and one or more of values.

Cells are taken as they are shown: codes keep the zeros that can be seen, formulas
count as their result, merged cells belong to all their rows. Dates and times are
written as 2026-03-07T14:05:00, numbers with all their digits; what is shown
otherwise is said. A cell that cannot be used is named as Sheet!B7: a formula
without a result, a long number of which the spreadsheet has lost digits, a code
of which it has made a date.

Rows that are hidden or filtered away are taken, too, and counted; --visible
leaves them out.`,
		Example: `  crossdock import xlsx mapping.xlsx --sheet Orders --as mapping --name bolt-orders
  crossdock import xlsx codes.xlsx --as lookup --visible
  crossdock import csv codes.csv --as lookup --key Code --value Meaning`,
		RunE: func(_ *cobra.Command, args []string) error { return a.importSheet(args[0], args[1], f) },
	}
	f.place.flags(cmd)
	cmd.Flags().StringVar(&f.sheet, "sheet", "", "sheet of the workbook; the first that is not hidden unless given")
	cmd.Flags().StringVar(&f.as, "as", "", "mapping or lookup")
	cmd.Flags().StringVar(&f.name, "name", "", "name of the definition; by the file unless given")
	cmd.Flags().StringVar(&f.key, "key", "", "lookup: column of the codes")
	cmd.Flags().StringArrayVar(&f.values, "value", nil, "lookup: column of values; may be repeated, all others unless given")
	cmd.Flags().BoolVar(&f.visible, "visible", false, "leave out rows that are hidden or filtered away")
	_ = cmd.MarkFlagRequired("as")
	return cmd
}

func (a *app) importSheet(format, file string, f importFlags) error {
	switch {
	case format != "csv" && format != "xlsx":
		return fmt.Errorf("say csv or xlsx, not `%s`", format)
	case f.as != "mapping" && f.as != "lookup":
		return fmt.Errorf("--as takes mapping or lookup, not `%s`", f.as)
	case f.as == "mapping" && (f.key != "" || len(f.values) > 0):
		return fmt.Errorf("--key and --value belong to --as lookup")
	}
	if f.name == "" {
		f.name = nameOfFile(file)
	}
	if err := checkName(f.as, f.name); err != nil {
		return err
	}
	s, err := readSheet(format, file, f.sheet)
	if err != nil {
		return err
	}
	a.unseen(s, f.visible)
	t, err := draft.TableOf(s)
	if err != nil {
		return failf(exitFindings, "%s: %s", file, err)
	}
	var text []byte
	var said []string
	if f.as == "lookup" {
		text, said, err = draft.LookupSheet(f.name, t, f.key, f.values)
	} else {
		text, said, err = draft.MappingSheet(f.name, t)
	}
	for _, s := range said {
		fmt.Fprintln(a.Stderr, s)
	}
	if err != nil {
		return failf(exitFindings, "%s: %s", file, err)
	}
	_, err = a.write(f.place, f.as, f.name, string(text))
	return err
}

// unseen leaves out rows that people do not see, or says that there are some.
func (a *app) unseen(s sheet.Sheet, leave bool) {
	count, first := 0, 0
	for _, row := range s.Unseen {
		// Behind the last row there is nothing, seen or not.
		if row >= len(s.Rows) || strings.TrimSpace(strings.Join(s.Rows[row], "")) == "" {
			continue
		}
		if count++; first == 0 {
			first = row + 1
		}
		if leave {
			s.Rows[row] = nil // the rows below keep their numbers
		}
	}
	rows, are := "hidden rows", "are"
	if count == 1 {
		rows, are = "hidden row", "is"
	}
	switch {
	case count == 0:
	case leave:
		fmt.Fprintf(a.Stderr, "%d %s %s left out, from row %d on\n", count, rows, are, first)
	default:
		fmt.Fprintf(a.Stderr, "%d %s %s taken, too, from row %d on; --visible leaves them out\n", count, rows, are, first)
	}
}

// readSheet reads one sheet of a file.
func readSheet(format, file, name string) (sheet.Sheet, error) {
	info, err := os.Stat(file)
	if err != nil {
		return sheet.Sheet{}, failf(exitLoad, "the file %s cannot be read: %s", file, plainError(err))
	}
	if info.Size() > maxSampleFile {
		return sheet.Sheet{}, failf(exitLoad, "%s has more than 64 MiB", file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return sheet.Sheet{}, failf(exitLoad, "the file %s cannot be read: %s", file, plainError(err))
	}
	if format == "csv" {
		if name != "" {
			return sheet.Sheet{}, fmt.Errorf("a CSV file has no sheets")
		}
		one, err := sheet.ReadCSV(raw)
		if err != nil {
			return sheet.Sheet{}, failf(exitLoad, "%s: %s", file, err)
		}
		return one, nil
	}
	sheets, err := sheet.Read(bytes.NewReader(raw))
	if err != nil {
		return sheet.Sheet{}, failf(exitLoad, "%s is no XLSX workbook that can be read: %s", file, err)
	}
	return pick(sheets, name)
}

// pick returns the sheet of a name, or the first that people see.
func pick(sheets []sheet.Sheet, name string) (sheet.Sheet, error) {
	names := map[string]bool{}
	for _, s := range sheets {
		names[s.Name] = true
		if name == "" && !s.Hidden || strings.EqualFold(s.Name, name) {
			return s, nil
		}
	}
	there := "there are " + strings.Join(sorted(names), ", ")
	if name == "" {
		return sheet.Sheet{}, failf(exitUsage, "no sheet of the workbook can be seen; name one with --sheet: %s", there)
	}
	return sheet.Sheet{}, failf(exitUsage, "there is no sheet `%s`%s; %s", name, suggestion(name, names), there)
}
