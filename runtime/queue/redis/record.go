package redis

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strconv"
	"time"

	"crossdock/runtime/queue"
)

// States in a job record. A leased job is in none of its own: it keeps ready
// and has an epoch.
const (
	recReady byte = iota
	recDelayed
	recParked
	recDead
)

// record is a job as the scripts keep it: see prelude.lua.
type record struct {
	State    byte
	Priority queue.Priority
	Seq      uint64
	Enqueued time.Time
	Due      time.Time
	Attempts int
	Crashes  int
	Version  uint32 // of the body; 0 = there is none
	Lane     string
	Slot     uint64
	Key      string
}

var errRecord = errors.New("damaged record")

const recordHead = 32

// parseRecord reads a job record.
func parseRecord(s string) (record, error) {
	if len(s) < recordHead+2 {
		return record{}, errRecord
	}
	r := record{
		State:    s[0],
		Priority: queue.Priority(s[1]),
		Seq:      number(s[2:8]),
		Enqueued: microTime(number(s[8:15])),
		Due:      microTime(number(s[15:22])),
		Attempts: int(number(s[22:26])),
		Crashes:  int(number(s[26:28])),
		Version:  uint32(number(s[28:32])),
	}
	rest := s[recordHead:]
	lane, rest, ok := cut(rest)
	if !ok {
		return record{}, errRecord
	}
	slot, key, ok := cut(rest)
	if !ok {
		return record{}, errRecord
	}
	n, err := strconv.ParseUint(slot, 36, 64)
	if err != nil {
		return record{}, errRecord
	}
	r.Lane, r.Slot, r.Key = lane, n, key
	return r, nil
}

// cut takes a text with a length byte in front off s.
func cut(s string) (head, rest string, ok bool) {
	if s == "" || len(s) < 1+int(s[0]) {
		return "", "", false
	}
	n := 1 + int(s[0])
	return s[1:n], s[n:], true
}

func number(s string) uint64 {
	var n uint64
	for i := range len(s) {
		n = n<<8 | uint64(s[i])
	}
	return n
}

func microTime(us uint64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(int64(us)).UTC()
}

func slotText(slot uint64) string { return strconv.FormatUint(slot, 36) }

// A stored body is a version byte, a checksum over the job's ID and the body,
// and the body.
const (
	bodyVersion = 1
	bodyHead    = 5
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func sealBody(id string, body []byte) []byte {
	b := make([]byte, bodyHead, bodyHead+len(body))
	b[0] = bodyVersion
	b = append(b, body...)
	binary.BigEndian.PutUint32(b[1:], bodySum(id, b[bodyHead:]))
	return b
}

func bodySum(id string, body []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(id), castagnoli), castagnoli, body)
}

// openBody checks a stored body and returns what was sealed.
func openBody(id, stored string) ([]byte, bool) {
	if len(stored) < bodyHead || stored[0] != bodyVersion {
		return nil, false
	}
	body := []byte(stored[bodyHead:])
	return body, bodySum(id, body) == binary.BigEndian.Uint32([]byte(stored[1:bodyHead]))
}
