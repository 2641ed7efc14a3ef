package value

import (
	"path"
	"regexp"
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

// foreignZones are zones by what Windows, and people who shorten them, call them.
var foreignZones = map[string]string{
	"mez": "Europe/Berlin", "mesz": "Europe/Berlin", "cest": "Europe/Berlin", "cet": "Europe/Berlin", "eet": "Europe/Helsinki", "wet": "Europe/Lisbon", "est": "America/New_York", "mst": "America/Denver", "w. europe standard time": "Europe/Berlin", "central european time": "Europe/Berlin",
	"romance standard time": "Europe/Paris", "central european standard time": "Europe/Warsaw", "central europe standard time": "Europe/Budapest",
	"gmt standard time": "Europe/London", "bst": "Europe/London", "greenwich standard time": "UTC", "fle standard time": "Europe/Helsinki", "gtb standard time": "Europe/Bucharest",
	"eest": "Europe/Helsinki", "oez": "Europe/Helsinki", "turkey standard time": "Europe/Istanbul",
	"eastern standard time": "America/New_York", "edt": "America/New_York", "eastern": "America/New_York", "us eastern standard time": "America/Indiana/Indianapolis",
	"central standard time": "America/Chicago", "cst": "America/Chicago", "cdt": "America/Chicago", "central": "America/Chicago",
	"mountain standard time": "America/Denver", "mdt": "America/Denver", "us mountain standard time": "America/Phoenix",
	"pacific standard time": "America/Los_Angeles", "pst": "America/Los_Angeles", "pdt": "America/Los_Angeles", "pacific": "America/Los_Angeles",
	"e. south america standard time": "America/Sao_Paulo", "china standard time": "Asia/Shanghai", "india standard time": "Asia/Kolkata", "tokyo standard time": "Asia/Tokyo", "jst": "Asia/Tokyo",
	"singapore standard time": "Asia/Singapore", "arabian standard time": "Asia/Dubai", "aus eastern standard time": "Australia/Sydney", "aest": "Australia/Sydney", "new zealand standard time": "Pacific/Auckland",
	"z": "UTC", "zulu time": "UTC",
}

var offset = regexp.MustCompile(`^(?i:utc|gmt)?\s*[+-]\s*\d{1,2}(:?\d{2})?$`)

// IsOffset reports whether a name of a zone is a distance from UTC: GMT+2, +01:00.
func IsOffset(name string) bool { return offset.MatchString(strings.TrimSpace(name)) }

// NearZone returns the zone that is meant by a name that is not quite right, ""
// where that cannot be told: of the same city, of one that is spelt nearly so, or
// of what others call it.
func NearZone(name string) string {
	if zone := foreignZones[strings.ToLower(strings.TrimSpace(name))]; zone != "" {
		return zone
	}
	for _, z := range usualZones {
		_, city, _ := strings.Cut(z, "/")
		if first, _, _ := strings.Cut(name, "/"); city != "" && (strings.EqualFold(city, strings.TrimSpace(name)) || strings.EqualFold(city, first)) {
			return z
		}
	}
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
