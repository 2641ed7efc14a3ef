package lsp

import (
	"net/url"
	"path/filepath"
	"strings"
)

// fileOf returns the path that a file: address stands for; false for others.
func fileOf(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return "", false
	}
	p := u.Path
	if len(p) > 2 && p[0] == '/' && p[2] == ':' { // /C:/...
		p = p[1:]
	}
	return filepath.FromSlash(p), true
}

// uriOf is the address of a file.
func uriOf(file string) string {
	p := filepath.ToSlash(file)
	if !strings.HasPrefix(p, "/") {
		p = "/" + p
	}
	return (&url.URL{Scheme: "file", Path: p}).String()
}
