// Package order makes the orders that are measured: one everyday ERP order of
// five lines and 1.5 KB, with a number of its own in each copy.
package order

import (
	"bytes"
	_ "embed"
	"strconv"
)

//go:embed order.json
var template []byte

const prefix = "SO-2026-"

// Digits is the length of the running number of an order.
const Digits = 7

var at = bytes.Index(template, []byte(prefix)) + len(prefix)

// Size is the length of an order in bytes.
func Size() int { return len(template) }

// Append appends order number n.
func Append(dst []byte, n int) []byte {
	start := len(dst)
	dst = append(dst, template...)
	Renumber(dst[start:], n)
	return dst
}

// Renumber turns an order into order number n.
func Renumber(o []byte, n int) {
	for i := at + Digits - 1; i >= at; i-- {
		o[i] = byte('0' + n%10)
		n /= 10
	}
}

var shipment = []byte(`"shipmentId":"SHP-` + prefix)

// Number returns the number of the order that a shipment was made of, -1 where
// it cannot be found.
func Number(shipmentBody []byte) int {
	i := bytes.Index(shipmentBody, shipment)
	if i < 0 || i+len(shipment)+Digits > len(shipmentBody) {
		return -1
	}
	n, err := strconv.Atoi(string(shipmentBody[i+len(shipment):][:Digits]))
	if err != nil {
		return -1
	}
	return n
}
