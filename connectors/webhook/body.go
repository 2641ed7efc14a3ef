package webhook

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"os"
	"strconv"
	"time"
)

// The time a caller may take: a fixed part for everybody, and for large bodies
// what a slow but honest line needs.
const (
	readTime = 15 * time.Second
	minRate  = 16 << 10 // bytes per second
	bigBody  = 64 << 10
	maxRatio = 100 // of unpacked to packed bytes
)

// readBody reads the body of a request, at most limit bytes of it.
func readBody(w nethttp.ResponseWriter, r *nethttp.Request, limit int64) ([]byte, *problem) {
	n := r.ContentLength
	switch {
	case n == 0:
		return nil, nil
	case n > limit:
		w.Header().Set("Connection", "close")
		return nil, tooLarge(fmt.Sprintf("the body has %s bytes", thousands(n)), limit)
	case n > bigBody:
		allow(w, n)
	case n < 0:
		// Where a length was announced beside the chunks, net/http hides it; a
		// proxy in front may have gone by it and take what follows for ours.
		w.Header().Set("Connection", "close")
		allow(w, limit)
	}
	if n > 0 {
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, unreadable(w, err)
		}
		return body, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, unreadable(w, err)
	}
	if int64(len(body)) > limit {
		w.Header().Set("Connection", "close")
		return nil, tooLarge("the body is larger", limit)
	}
	return body, nil
}

// takes is how many bytes a body may take at most, once it is read and unpacked.
func takes(r *nethttp.Request, limit int64) int {
	if r.ContentLength < 0 || r.Header["Content-Encoding"] != nil {
		return int(limit)
	}
	return int(min(r.ContentLength, limit))
}

// allow gives the caller the time that n bytes take at the lowest rate. Where
// the server cannot set a deadline, its own stays.
func allow(w nethttp.ResponseWriter, n int64) {
	deadline := time.Now().Add(readTime + time.Duration(n/minRate)*time.Second)
	c := nethttp.NewResponseController(w)
	_ = c.SetReadDeadline(deadline)
	_ = c.SetWriteDeadline(deadline.Add(time.Minute))
}

func tooLarge(what string, limit int64) *problem {
	return &problem{Status: nethttp.StatusRequestEntityTooLarge, Title: "Body too large",
		Detail: fmt.Sprintf("%s; this webhook takes at most %s", what, thousands(limit))}
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func unreadable(w nethttp.ResponseWriter, err error) *problem {
	w.Header().Set("Connection", "close")
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return &problem{Status: nethttp.StatusRequestTimeout, Title: "Too slow", Detail: "the body did not arrive in time"}
	}
	return &problem{Status: nethttp.StatusBadRequest, Title: "Body incomplete", Detail: "the body ended before its announced length"}
}

// unpack undoes gzip within the limit and a ratio that honest content does not
// reach.
func unpack(packed []byte, limit int64) ([]byte, *problem) {
	broken := &problem{Status: nethttp.StatusBadRequest, Title: "Body broken", Detail: "the body is announced as gzip but cannot be unpacked"}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, broken
	}
	bound := min(limit, max(int64(len(packed))*maxRatio, 64<<10))
	body, err := io.ReadAll(io.LimitReader(r, bound+1))
	if err != nil {
		return nil, broken
	}
	if int64(len(body)) > bound {
		return nil, tooLarge("the unpacked body is larger", bound)
	}
	return body, nil
}
