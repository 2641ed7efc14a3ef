package value

import (
	"path"
	"strings"

	"crossdock/dsl/diag"
)

// usualZones are those that are offered for a name that is not quite right.
var usualZones = strings.Fields(`
	Europe/Amsterdam Europe/Athens Europe/Belgrade Europe/Berlin Europe/Brussels Europe/Bucharest Europe/Budapest Europe/Copenhagen Europe/Dublin
	Europe/Helsinki Europe/Istanbul Europe/Kyiv Europe/Lisbon Europe/Ljubljana Europe/London Europe/Luxembourg Europe/Madrid Europe/Oslo Europe/Paris
	Europe/Prague Europe/Riga Europe/Rome Europe/Sofia Europe/Stockholm Europe/Tallinn Europe/Vienna Europe/Vilnius Europe/Warsaw Europe/Zagreb Europe/Zurich
	America/Anchorage America/Argentina/Buenos_Aires America/Bogota America/Chicago America/Denver America/Halifax America/Lima America/Los_Angeles
	America/Mexico_City America/New_York America/Phoenix America/Santiago America/Sao_Paulo America/Toronto America/Vancouver Pacific/Honolulu
	Africa/Cairo Africa/Casablanca Africa/Johannesburg Africa/Lagos Africa/Nairobi Asia/Bangkok Asia/Dubai Asia/Ho_Chi_Minh Asia/Hong_Kong Asia/Jakarta
	Asia/Jerusalem Asia/Karachi Asia/Kolkata Asia/Manila Asia/Riyadh Asia/Seoul Asia/Shanghai Asia/Singapore Asia/Taipei Asia/Tokyo
	Australia/Adelaide Australia/Brisbane Australia/Melbourne Australia/Perth Australia/Sydney Pacific/Auckland Etc/UTC`)

// NearZone returns the zone that is meant by a name that is not quite right, ""
// where that cannot be told: of the same city, or of one that is spelt nearly so.
func NearZone(name string) string {
	if !strings.Contains(name, "/") {
		return ""
	}
	city := strings.ReplaceAll(path.Base(name), " ", "_")
	cities := make([]string, len(usualZones))
	for i, z := range usualZones {
		cities[i] = path.Base(z)
	}
	near := diag.Nearest(city, cities)
	if len(near) == 0 {
		return ""
	}
	for i, c := range cities {
		if c == near[0] {
			return usualZones[i]
		}
	}
	return ""
}
