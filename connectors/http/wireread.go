package http

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http/httputil"
	"strings"

	"crossdock/connectors"
)

// maxHead bounds the headers of an answer, maxInterim the 1xx answers before
// it.
const (
	maxHead    = 64 << 10
	maxInterim = 10
)

// head is what an answer begins with.
type head struct {
	status  int
	headers map[string]string // lower-case names
	length  int64             // -1 where it is not announced
	chunked bool
	close   bool // the connection ends with this answer
}

// answer reads one answer. again says that the connection is at a clean end.
func (p *wires) answer(w *wire, method string) (a connectors.Response, again bool, err error) {
	var h head
	for interim := 0; ; interim++ {
		if h, err = readHead(w.in); err != nil {
			return a, false, err
		}
		if h.status >= 200 {
			break
		}
		if h.status == 101 || interim >= maxInterim {
			return a, false, errMalformed
		}
	}
	a.Status, a.Headers = h.status, h.headers
	if method == "HEAD" || h.status == 204 || h.status == 304 {
		return a, !h.close && w.in.Buffered() == 0, nil
	}
	var body io.Reader
	switch {
	case h.chunked:
		body = httputil.NewChunkedReader(w.in)
	case h.length >= 0:
		body = &io.LimitedReader{R: w.in, N: h.length}
	default:
		body, h.close = w.in, true
	}
	if err := readContent(&a, body, h, p.limit); err != nil {
		return a, false, err
	}
	if a.Cut {
		return a, false, nil
	}
	if h.chunked {
		if err := skipTrailer(w.in); err != nil {
			return a, false, eof(err)
		}
	}
	return a, !h.close && w.in.Buffered() == 0, nil
}

// readContent reads and decodes the body of an answer.
func readContent(a *connectors.Response, body io.Reader, h head, limit int64) error {
	length := h.length
	packed := strings.EqualFold(a.Headers["content-encoding"], "gzip")
	if packed {
		if length == 0 {
			return nil
		}
		unpack, err := gzip.NewReader(body)
		if err != nil {
			return fmt.Errorf("unpack the answer: %w", eof(err))
		}
		raw, cut, err := readBounded(unpack, -1, limit)
		if err != nil {
			return err
		}
		a.Raw, a.Cut = raw, cut
		if !cut {
			if _, err := io.Copy(io.Discard, io.LimitReader(body, 1<<10)); err != nil {
				return eof(err)
			}
		}
	} else {
		raw, cut, err := readBounded(body, length, limit)
		if err != nil {
			return eof(err)
		}
		a.Raw, a.Cut = raw, cut
	}
	if !a.Cut {
		a.Body = decodeAnswer(a.Headers["content-type"], a.Raw)
	}
	return nil
}

// readHead reads the status line and headers. All texts of the headers are
// parts of one string.
func readHead(in *bufio.Reader) (head, error) {
	h := head{length: -1}
	block, err := readBlock(in)
	if err != nil {
		return h, err
	}
	line, rest, _ := strings.Cut(block, "\n")
	line = strings.TrimSuffix(line, "\r")
	if len(line) < 12 || line[:7] != "HTTP/1." || line[7] != '0' && line[7] != '1' || line[8] != ' ' || len(line) > 12 && line[12] != ' ' {
		return h, errMalformed
	}
	for _, c := range []byte(line[9:12]) {
		if c < '0' || c > '9' {
			return h, errMalformed
		}
		h.status = 10*h.status + int(c-'0')
	}
	if h.status < 100 {
		return h, errMalformed
	}
	h.close = line[7] == '0'
	h.headers = make(map[string]string, 8)
	for rest != "" {
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !token(name) {
			return h, errMalformed
		}
		value = strings.Trim(value, " \t")
		low, known := lowered[name]
		if !known {
			low = strings.ToLower(name)
		}
		if before, twice := h.headers[low]; twice {
			if low == "content-length" && before != value || low == "transfer-encoding" {
				return h, errMalformed
			}
			if low != "content-length" {
				value = before + ", " + value
			}
		}
		h.headers[low] = value
	}
	return h, h.frame()
}

// frame works out where the body ends.
func (h *head) frame() error {
	if coding, ok := h.headers["transfer-encoding"]; ok {
		if h.close || !strings.EqualFold(coding, "chunked") {
			return errMalformed // HTTP/1.0 knows no codings
		}
		h.chunked = true
		if _, both := h.headers["content-length"]; both {
			h.close = true // somebody between us and the target may see it otherwise
		}
	} else if text, ok := h.headers["content-length"]; ok {
		if text == "" || len(text) > 18 {
			return errMalformed
		}
		h.length = 0
		for _, c := range []byte(text) {
			if c < '0' || c > '9' {
				return errMalformed
			}
			h.length = 10*h.length + int64(c-'0')
		}
	}
	if conn, ok := h.headers["connection"]; ok {
		for word := range strings.SplitSeq(conn, ",") {
			switch strings.ToLower(strings.TrimSpace(word)) {
			case "close":
				h.close = true
				return nil
			case "keep-alive":
				h.close = false
			}
		}
	}
	return nil
}

// readBlock reads up to the blank line behind the headers.
func readBlock(in *bufio.Reader) (string, error) {
	// Nearly always the whole block is there at once.
	if _, err := in.Peek(1); err != nil {
		return "", err // io.EOF: the connection was closed without an answer
	}
	if ready, err := in.Peek(in.Buffered()); err == nil {
		if end := blockEnd(ready); end > 0 {
			block := string(ready[:end])
			_, err := in.Discard(end)
			return block, err
		}
	}
	var block []byte
	for {
		line, err := in.ReadSlice('\n')
		block = append(block, line...)
		if len(block) > maxHead {
			return "", errTooLong
		}
		if err == bufio.ErrBufferFull {
			continue
		}
		if err != nil {
			return "", eof(err)
		}
		if bytes.HasSuffix(block, []byte("\n\r\n")) || bytes.HasSuffix(block, []byte("\n\n")) {
			return string(block), nil
		}
	}
}

// blockEnd returns the offset behind the first blank line, 0 where there is
// none.
func blockEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n
		switch rest := b[i+1:]; {
		case len(rest) > 0 && rest[0] == '\n':
			return i + 2
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			return i + 3
		}
	}
	return 0
}

// skipTrailer reads what may follow the last chunk.
func skipTrailer(in *bufio.Reader) error {
	for total := 0; ; {
		line, err := in.ReadSlice('\n')
		if err != nil && err != bufio.ErrBufferFull {
			return err
		}
		if total += len(line); total > maxHead {
			return errTooLong
		}
		if err == nil && len(bytes.TrimRight(line, "\r\n")) == 0 {
			return nil
		}
	}
}
