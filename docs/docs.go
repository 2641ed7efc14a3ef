// Package docs is the documentation. Its tests keep it true: every definition
// shown is linted and tested, every command shown is run, every generated page
// is compared with what it is generated from.
package docs
