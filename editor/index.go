package editor

// index knows who defines and who uses each name.
type index struct{}
