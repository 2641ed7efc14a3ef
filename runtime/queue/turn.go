package queue

import "math/bits"

// turns is the order in which the priorities are served while all of them
// wait: of fifteen turns critical has eight, high four, normal two and low one.
var turns = [...]Priority{
	Critical, High, Critical, Normal, Critical, High, Critical, Low,
	Critical, High, Critical, Normal, Critical, High, Critical,
}

// Turn shares something scarce between the priorities, so that the urgent goes
// first and nothing starves. The zero value begins with Critical. It is not
// safe for concurrent use.
type Turn uint8

// Next returns whose turn it is among the priorities that wait: bit 0 of
// waiting is Critical. A turn that its priority does not need goes to the
// highest one that waits. waiting is not 0.
func (t *Turn) Next(waiting uint8) Priority {
	p := turns[*t]
	*t = (*t + 1) % Turn(len(turns))
	if waiting&(1<<p) != 0 {
		return p
	}
	return Priority(bits.TrailingZeros8(waiting))
}
