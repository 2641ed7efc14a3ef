// Command sandbox builds the program that runs in the sandbox of dsl/sandbox,
// or checks that the one beside it is what its sources give:
//
//	go run ./sandbox [-check] FOLDER_OF_THE_PROJECT
package main

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// Below the folder of the project.
const (
	source   = "./dsl/sandbox/guest"
	artefact = "dsl/sandbox/guest.wasm.gz"
	origin   = "dsl/sandbox/guest.txt"
)

func main() {
	check := flag.Bool("check", false, "compare and write nothing")
	flag.Parse()
	root := "."
	if flag.NArg() > 0 {
		root = flag.Arg(0)
	}
	if err := run(root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

func run(root string, check bool) error {
	sources, err := digests(root)
	if err != nil {
		return err
	}
	if check {
		return compare(root, sources)
	}
	raw, err := build(root)
	if err != nil {
		return err
	}
	var packed bytes.Buffer
	w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%s  guest.wasm\n%s", runtime.Version(), sum(raw), sources)
	if err := os.WriteFile(filepath.Join(root, artefact), packed.Bytes(), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, origin), []byte(text), 0o644)
}

// compare holds the artefact against its sources, and where this Go is the one
// that built it, against a new build.
func compare(root, sources string) error {
	text, err := os.ReadFile(filepath.Join(root, origin))
	if err != nil {
		return err
	}
	version, rest, _ := strings.Cut(string(text), "\n")
	built, noted, _ := strings.Cut(rest, "\n")
	if noted != sources {
		return fmt.Errorf("%s was built from other sources: run `make sandbox`", artefact)
	}
	f, err := os.Open(filepath.Join(root, artefact))
	if err != nil {
		return err
	}
	defer f.Close()
	unpacked, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	raw, err := io.ReadAll(unpacked)
	if err != nil {
		return err
	}
	if built != sum(raw)+"  guest.wasm" {
		return fmt.Errorf("%s is not what %s says", artefact, origin)
	}
	if version != runtime.Version() {
		fmt.Printf("%s was built by %s, this is %s: its sources agree, its bytes were not built again\n", artefact, version, runtime.Version())
		return nil
	}
	again, err := build(root)
	if err != nil {
		return err
	}
	if !bytes.Equal(raw, again) {
		return fmt.Errorf("%s is not what its sources give: run `make sandbox`", artefact)
	}
	fmt.Printf("%s is what its sources give: %s\n", artefact, sum(raw))
	return nil
}

// build compiles the program and exports its globals, so that its state can be
// put back.
func build(root string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "sandbox")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, "guest.wasm")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared", "-ldflags=-s -w -buildid=", "-o", out, source)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOWASM=", "CGO_ENABLED=0", "GOFLAGS=")
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("build %s: %w", source, err)
	}
	raw, err := os.ReadFile(out)
	if err != nil {
		return nil, err
	}
	return exportGlobals(raw)
}

// digests lists what the program is made of: its files with their digests, and
// the modules with theirs.
func digests(root string) (string, error) {
	cmd := exec.Command("go", "list", "-deps", "-f",
		`{{if not .Standard}}{{$p := .}}{{if .Module.Main}}{{range .GoFiles}}file {{$p.Dir}}/{{.}}{{"\n"}}{{end}}{{else}}module {{.Module.Path}} {{.Module.Version}}{{end}}{{end}}`, source)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOFLAGS=")
	list, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("list the sources of %s: %w", source, err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		return "", err
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	var out []string
	for _, line := range strings.Split(string(list), "\n") {
		kind, what, _ := strings.Cut(line, " ")
		switch kind {
		case "file":
			raw, err := os.ReadFile(what)
			if err != nil {
				return "", err
			}
			name, err := filepath.Rel(abs, what)
			if err != nil {
				return "", err
			}
			out = append(out, sum(raw)+"  "+filepath.ToSlash(name))
		case "module":
			for _, s := range strings.Split(string(sums), "\n") {
				if strings.HasPrefix(s, what+" ") {
					out = append(out, s)
				}
			}
		}
	}
	slices.SortFunc(out, func(a, b string) int { return strings.Compare(last(a), last(b)) })
	return strings.Join(slices.Compact(out), "\n") + "\n", nil
}

func last(s string) string { return s[strings.LastIndexByte(s, ' ')+1:] }

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}
