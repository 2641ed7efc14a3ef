// Package all is the list of connectors that crossdock ships.
package all

import (
	"crossdock/connectors"
	"crossdock/connectors/http"
	"crossdock/connectors/log"
)

// All returns every connector.
func All() []connectors.Connector {
	return []connectors.Connector{http.Connector{}, log.Connector{}}
}
