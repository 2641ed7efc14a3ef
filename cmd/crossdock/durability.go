package main

// durability is one level and what it promises of messages that were answered
// with 2xx.
type durability struct {
	Level    string `json:"level"`
	Store    string `json:"store"`
	Survives string `json:"survives"`
}

// durabilities are all levels. Which of them a Redis gives is for its own settings
// to say; the findings about the store tell it.
var durabilities = []durability{
	{"fsync", "embedded", "a crash and a power cut"},
	{"process", "embedded", "a crash; not a power cut"},
	{"fsync", "redis, appendfsync always", "a crash and a power cut of Redis; not a failover"},
	{"fsync", "redis, everysec", "a crash of Redis; not the last 2 s of a power cut"},
	{"replicated", "redis, WAIT replicas=N", "a failover to any of the N that confirmed; else 503"},
	{"replicated", "redis, and synced=true", "besides, a power cut of all of them (Redis 7.2)"},
}
