package flow

import "strings"

// OfClient reports whether a name is that of a definition of a client, whose names
// begin with its code; every name is, where no client is asked for.
func OfClient(name, client string) bool {
	return strings.HasPrefix(name, NamesOf(client))
}

// NamesOf is what the names of the definitions of a client begin with; "" where
// no client is asked for.
func NamesOf(client string) string {
	if client == "" {
		return ""
	}
	return client + "/"
}
