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
}

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use: "import csv|xlsx FILE --as mapping|lookup", GroupID: "write", Args: cobra.ExactArgs(2),
		Short: "Make a mapping or lookup of a sheet that was kept in a spreadsheet",
		Long: `Make a definition of a sheet. A mapping sheet has a line per target field, with
columns such as target, source, rule, default, required, type, length, lookup and
note; what was understood is said. A lookup has a column of codes, the first unless
--key names it, and one or more of values.

Cells are taken as they are shown: codes keep the zeros that can be seen, formulas
count as their result. A cell that cannot be used is named as Sheet!B7.`,
		Example: `  crossdock import xlsx mapping.xlsx --sheet Orders --as mapping --name bolt-orders
  crossdock import csv codes.csv --as lookup --key Code --value Meaning`,
		RunE: func(_ *cobra.Command, args []string) error { return a.importSheet(args[0], args[1], f) },
	}
	f.place.flags(cmd)
	cmd.Flags().StringVar(&f.sheet, "sheet", "", "sheet of the workbook; the first unless given")
	cmd.Flags().StringVar(&f.as, "as", "", "mapping or lookup")
	cmd.Flags().StringVar(&f.name, "name", "", "name of the definition; by the file unless given")
	cmd.Flags().StringVar(&f.key, "key", "", "lookup: column of the codes")
	cmd.Flags().StringArrayVar(&f.values, "value", nil, "lookup: column of values; may be repeated, all others unless given")
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
	t, err := readTable(format, file, f.sheet)
	if err != nil {
		return err
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

// readTable reads one sheet of a file.
func readTable(format, file, name string) (*draft.Table, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, failf(exitLoad, "the file %s cannot be read: %s", file, plainError(err))
	}
	if info.Size() > maxSampleFile {
		return nil, failf(exitLoad, "%s has more than 64 MiB", file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, failf(exitLoad, "the file %s cannot be read: %s", file, plainError(err))
	}
	var sheets []sheet.Sheet
	if format == "csv" {
		if name != "" {
			return nil, fmt.Errorf("a CSV file has no sheets")
		}
		one, err := sheet.ReadCSV(raw)
		if err != nil {
			return nil, failf(exitLoad, "%s: %s", file, err)
		}
		sheets = append(sheets, one)
	} else if sheets, err = sheet.Read(bytes.NewReader(raw)); err != nil {
		return nil, failf(exitLoad, "%s is no XLSX workbook that can be read: %s", file, err)
	}
	names := map[string]bool{}
	for _, s := range sheets {
		names[s.Name] = true
		if name == "" || strings.EqualFold(s.Name, name) {
			t, err := draft.TableOf(s)
			if err != nil {
				return nil, failf(exitFindings, "%s: %s", file, err)
			}
			return t, nil
		}
	}
	return nil, failf(exitUsage, "there is no sheet `%s`%s; there are %s", name, suggestion(name, names), strings.Join(sorted(names), ", "))
}
