// Package framepost sends camera frames to a Framepost receiver, and brings back what its hook
// made of them.
//
//	client, err := framepost.NewClient(framepost.Config{URL: "http://127.0.0.1:8000", Camera: "door"})
//	...
//	reply, err := client.Send(ctx, framepost.Frame{Data: jpeg, Wait: time.Second})
//	fmt.Println(reply.State, string(reply.Result))
//
// A LatestFrameSender sends the newest frame only, in the background. Nothing but the standard
// library is needed.
package framepost

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
)

const (
	defaultTimeout        = 5 * time.Second
	defaultConnectTimeout = 2 * time.Second
	// A longer reply is somebody else's.
	maxReply      = 16 << 20
	maxRetryAfter = time.Minute
	// In bytes; no JPEG is as large.
	largeBody = 8 << 20
)

// What became of a frame: Reply.State.
const (
	Accepted   = "accepted"   // taken, not processed yet
	Processed  = "processed"  // Reply.Result is what the hook returned
	Superseded = "superseded" // a newer frame took its place
	Duplicate  = "duplicate"  // seen before
	Failed     = "failed"     // Reply.Error says how the hook failed
)

var (
	cameraForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)
	tokenForm  = regexp.MustCompile(`^[\x21-\x7e]*$`)
	wishForm   = regexp.MustCompile(`([a-z]+)\s*=\s*([^\s;]+)`)
)

// Config says where frames go. URL and Camera are needed.
type Config struct {
	URL    string // such as http://127.0.0.1:8000
	Camera string // 1 to 64 letters, digits, '_', '.' or '-', the first a letter or digit
	Token  string // sent as Authorization: Bearer, unless empty

	// Timeout is for a whole exchange: connecting, sending, the reply's last byte. What a frame
	// waits for comes on top. 5 seconds where zero.
	Timeout        time.Duration
	ConnectTimeout time.Duration // 2 seconds where zero
	TLS            *tls.Config   // for https; nil trusts what the system trusts
}

// Frame is a picture on its way.
type Frame struct {
	Data        []byte    // not to be changed while it is being sent
	ContentType string    // image/jpeg where empty
	CapturedAt  time.Time // the moment of Send or Offer where zero

	Wait  time.Duration // how long the reply may wait for the hook's result; 0 does not wait
	Every bool          // to be processed even if newer frames come

	Seq int64 // set by the client: counts its frames from 0
}

// RawBGR returns a frame of pixels without a codec, for a receiver on the same host: rows without
// padding, 3 bytes a pixel.
func RawBGR(pixels []byte, width, height int) Frame {
	kind := fmt.Sprintf("application/x-raw-bgr; width=%d; height=%d", width, height)
	return Frame{Data: pixels, ContentType: kind}
}

// Reply says what became of a frame.
type Reply struct {
	Status     int             `json:"-"` // of HTTP: 200, 202, or 500 when the hook failed
	State      string          // Accepted, Processed, Superseded, Duplicate or Failed
	Seq        int64           // the frame's number
	Result     json.RawMessage // what the hook returned, if it was waited for
	Error      string          // one sentence when the hook failed
	Timings    Timings         // zero without a result
	RetryAfter time.Duration   `json:"-"` // how long the receiver asks to send nothing
	Control    Control         `json:"-"` // what the receiver can use
}

// Timings says where the time went, at the receiver.
type Timings struct{ Queue, Decode, Hook, Total time.Duration }

// UnmarshalJSON reads milliseconds, which may have fractions.
func (t *Timings) UnmarshalJSON(text []byte) error {
	var ms struct{ Queue, Decode, Hook, Total float64 }
	if err := json.Unmarshal(text, &ms); err != nil {
		return err
	}
	*t = Timings{millis(ms.Queue), millis(ms.Decode), millis(ms.Hook), millis(ms.Total)}
	return nil
}

func millis(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

// Control is what the receiver can use; zero where it has no wish. Making frames of that size and
// quality is the caller's part.
type Control struct {
	FPS           float64
	Width, Height int
	Quality       int // of JPEG, 1 to 100
}

// NoReplyError tells of network trouble: no whole, legible reply came. The receiver may have taken
// the frame all the same.
type NoReplyError struct {
	Message string
	Err     error // what net/http said; nil for a reply that is illegible
}

func (e *NoReplyError) Error() string { return "no reply, " + e.Message }
func (e *NoReplyError) Unwrap() error { return e.Err }

// Timeout tells whether time ran out.
func (e *NoReplyError) Timeout() bool {
	var timeout interface{ Timeout() bool }
	return errors.As(e.Err, &timeout) && timeout.Timeout()
}

// RefusedError tells that the receiver said no.
type RefusedError struct {
	Status     int
	Detail     string        // the receiver's own sentence
	RetryAfter time.Duration // how long it asks to send nothing; 0 where it does not
}

func (e *RefusedError) Error() string { return fmt.Sprintf("refused (%d): %s", e.Status, e.Detail) }

// Client sends one camera's frames over one kept connection. It follows no redirects and uses no
// proxies. Any goroutine may send; frames are numbered in the order of their Send.
type Client struct {
	target  string
	token   string
	timeout time.Duration
	epoch   string
	http    *http.Client

	mu           sync.Mutex
	nextSeq      int64
	lastExchange string
}

// NewClient returns a client, or an error that says what is wrong with config.
func NewClient(config Config) (*Client, error) {
	base, err := url.Parse(config.URL)
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Hostname() == "" {
		return nil, fmt.Errorf("url: expected http://HOST:PORT, got %q", config.URL)
	}
	if !cameraForm.MatchString(config.Camera) {
		return nil, fmt.Errorf("camera: expected 1 to 64 letters, digits, '_', '.' or '-', "+
			"the first a letter or digit, got %q", config.Camera)
	}
	if !tokenForm.MatchString(config.Token) {
		return nil, errors.New("token: expected printable ASCII without spaces")
	}
	epoch := make([]byte, 8)
	if _, err := rand.Read(epoch); err != nil {
		return nil, err
	}
	connect := orDefault(config.ConnectTimeout, defaultConnectTimeout)
	return &Client{
		target:  strings.TrimRight(config.URL, "/") + "/cameras/" + config.Camera + "/frames",
		token:   config.Token,
		timeout: orDefault(config.Timeout, defaultTimeout),
		epoch:   hex.EncodeToString(epoch),
		http: &http.Client{
			Transport: &http.Transport{
				DialContext:            (&net.Dialer{Timeout: connect}).DialContext,
				TLSClientConfig:        config.TLS,
				TLSHandshakeTimeout:    connect,
				DisableCompression:     true,
				IdleConnTimeout:        time.Minute,
				ExpectContinueTimeout:  time.Second,
				MaxResponseHeaderBytes: 64 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error {
				return http.ErrUseLastResponse
			},
		},
	}, nil
}

func orDefault(given, otherwise time.Duration) time.Duration {
	if given > 0 {
		return given
	}
	return otherwise
}

// Send sends one frame. The error is a *RefusedError or a *NoReplyError; the latter wraps
// ctx.Err() when ctx ended the exchange.
func (c *Client) Send(ctx context.Context, frame Frame) (*Reply, error) {
	return c.post(ctx, c.capture(frame))
}

// Close closes the connection; a later Send opens a new one.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// capture gives a frame its number; one that is never posted tells the receiver of a loss.
func (c *Client) capture(frame Frame) Frame {
	if frame.CapturedAt.IsZero() {
		frame.CapturedAt = time.Now()
	}
	if frame.ContentType == "" {
		frame.ContentType = "image/jpeg"
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	frame.Seq = c.nextSeq
	c.nextSeq++
	return frame
}

func (c *Client) post(ctx context.Context, frame Frame) (*Reply, error) {
	limit := c.timeout + frame.Wait
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := c.request(ctx, frame)
	if err != nil {
		return nil, &NoReplyError{err.Error(), err}
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, noReply(ctx, err, limit)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxReply+1))
	if err != nil {
		return nil, noReply(ctx, err, limit)
	}
	if len(content) > maxReply {
		return nil, &NoReplyError{fmt.Sprintf("the reply is longer than %d bytes", maxReply), nil}
	}
	c.remember(request.Header.Get("X-Sent-At"), response.Header)
	return readReply(response, content)
}

func (c *Client) request(ctx context.Context, frame Frame) (*http.Request, error) {
	target := c.target
	if frame.Every {
		target += "?mode=every"
	}
	request, err := http.NewRequestWithContext(ctx, "POST", target, bytes.NewReader(frame.Data))
	if err != nil {
		return nil, err
	}
	header := request.Header
	header.Set("User-Agent", "framepost-go")
	header.Set("Content-Type", frame.ContentType)
	header.Set("X-Frame-Epoch", c.epoch)
	header.Set("X-Frame-Seq", strconv.FormatInt(frame.Seq, 10))
	header.Set("X-Timestamp", unixSeconds(frame.CapturedAt))
	if frame.Wait > 0 {
		header.Set("Prefer", "wait="+seconds(frame.Wait))
	}
	if c.token != "" {
		header.Set("Authorization", "Bearer "+c.token)
	}
	if len(frame.Data) > largeBody {
		// To ask first costs a round trip; but where a receiver finds a body too large and does not
		// read it to its end, net/http may miss the refusal while it sends.
		header.Set("Expect", "100-continue")
	}
	// Not sent; it tells net/http that the receiver knows a frame that comes twice. So a frame that
	// met a kept connection as the receiver closed it is sent again, over a new one.
	header["Idempotency-Key"] = nil
	c.mu.Lock()
	if c.lastExchange != "" {
		header.Set("X-Last-Exchange", c.lastExchange)
		c.lastExchange = ""
	}
	c.mu.Unlock()
	header.Set("X-Sent-At", unixSeconds(time.Now()))
	return request, nil
}

// remember keeps the four times from which the receiver learns this clock's offset.
func (c *Client) remember(sent string, header http.Header) {
	received, replied := header.Get("X-Received-At"), header.Get("X-Replied-At")
	if received == "" || replied == "" {
		return
	}
	seen := unixSeconds(time.Now())
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastExchange = fmt.Sprintf("sent=%s; received=%s; replied=%s; seen=%s",
		sent, received, replied, seen)
}

func seconds(wait time.Duration) string {
	return strconv.FormatFloat(wait.Round(time.Millisecond).Seconds(), 'f', -1, 64)
}

func unixSeconds(at time.Time) string {
	micros := at.UnixMicro()
	return fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6)
}

// noReply says in one sentence what net/http says in a chain of errors.
func noReply(ctx context.Context, err error, limit time.Duration) error {
	var outer *url.Error
	if errors.As(err, &outer) {
		err = outer.Err // without the URL, which the caller knows
	}
	var line *net.OpError
	isDial := errors.As(err, &line) && line.Op == "dial"
	message := err.Error()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		message = "no whole reply within " + seconds(limit) + " s"
	case isDial && line.Timeout():
		message = "no connection in time"
	case isDial:
		cause := line.Err
		var call *os.SyscallError
		if errors.As(cause, &call) {
			cause = call.Err
		}
		message = "no connection: " + cause.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		message = "the connection ended before the reply did"
	}
	return &NoReplyError{message, err}
}

func readReply(response *http.Response, content []byte) (*Reply, error) {
	reply := &Reply{
		Status:     response.StatusCode,
		RetryAfter: readRetryAfter(response.Header.Get("Retry-After")),
		Control:    readControl(response.Header.Get("X-Frame-Control")),
	}
	if err := json.Unmarshal(content, reply); err == nil && reply.State != "" {
		return reply, nil
	}
	if reply.Status < 300 {
		message := fmt.Sprintf("expected a Framepost receiver's reply, got %d '%s'",
			reply.Status, beginning(content, 80))
		return nil, &NoReplyError{message, nil}
	}
	return nil, &RefusedError{reply.Status, detail(response, content), reply.RetryAfter}
}

// detail returns the receiver's sentence (RFC 9457), else how the body begins.
func detail(response *http.Response, content []byte) string {
	if response.StatusCode < 400 {
		return "redirects to '" + response.Header.Get("Location") + "', which is not followed"
	}
	var problem struct{ Detail string }
	if json.Unmarshal(content, &problem) == nil && problem.Detail != "" {
		return problem.Detail
	}
	if words := beginning(content, 300); words != "" {
		return words
	}
	return http.StatusText(response.StatusCode)
}

// beginning returns a body's first bytes, fit for one line of a log.
func beginning(content []byte, length int) string {
	if len(content) > length {
		content = content[:length]
	}
	printable := func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}
	return strings.Join(strings.Fields(strings.Map(printable, string(content))), " ")
}

// readRetryAfter returns what a Retry-After asks for, in seconds or as a date; 0 where illegible.
func readRetryAfter(text string) time.Duration {
	var asked time.Duration
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		asked = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(text); err == nil {
		asked = time.Until(date)
	}
	if asked < 0 {
		return 0
	}
	if asked > maxRetryAfter {
		return maxRetryAfter
	}
	return asked
}

// readControl reads fps=5; size=640x360; quality=70, of which any part may be missing or unknown.
func readControl(text string) Control {
	var control Control
	for _, wish := range wishForm.FindAllStringSubmatch(text, -1) {
		switch name, value := wish[1], wish[2]; name {
		case "fps":
			if fps, err := strconv.ParseFloat(value, 64); err == nil && fps > 0 && fps < 10000 {
				control.FPS = fps
			}
		case "size":
			width, height, _ := strings.Cut(value, "x")
			w, err1 := strconv.ParseUint(width, 10, 16)
			h, err2 := strconv.ParseUint(height, 10, 16)
			if err1 == nil && err2 == nil {
				control.Width, control.Height = int(w), int(h)
			}
		case "quality":
			if quality, err := strconv.ParseUint(value, 10, 7); err == nil && quality <= 100 {
				control.Quality = int(quality)
			}
		}
	}
	return control
}
