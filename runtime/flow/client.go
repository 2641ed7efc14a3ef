package flow

import "strings"

// OfClient reports whether a name is that of a definition of a client, whose names
// begin with its code; every name is, where no client is asked for.
func OfClient(name, client string) bool {
	return client == "" || strings.HasPrefix(name, client+"/")
}
