// Package all is the list of connectors that this build knows.
package all

import (
	"crossdock/connectors"
	"crossdock/connectors/file"
	"crossdock/connectors/http"
	"crossdock/connectors/log"
)

// All returns every connector that a connection can name as its type.
func All() []connectors.Connector {
	return []connectors.Connector{
		http.Connector{},
		file.Connector{},
		log.Connector{},
	}
}
