package framepost

import (
	"context"
	"errors"
	"math/rand"
	"sync"
	"time"
)

// ErrClosed is what Offer returns once the sender was closed.
var ErrClosed = errors.New("framepost: the sender is closed")

// Counts of one moment: Captured = Posted + Superseded + Refused + Failed + Waiting.
type Counts struct {
	Captured   int64
	Posted     int64 // the receiver took them; what its hook made of them is in the replies
	Superseded int64 // replaced by a newer one before they were sent
	Refused    int64
	Failed     int64 // no reply came, or the end did first
	Waiting    int64 // one to be sent, one in flight
	Thinned    int64 // left out because the receiver wished fewer; not captured, without a number
}

// LatestOptions are those of a LatestFrameSender; all may be left out.
type LatestOptions struct {
	// OnReply is told of each frame that was sent, and gets a reply or an error as Client.Send
	// gives them. It runs between frames, on the sender's goroutine, and must not call Close.
	OnReply func(Frame, *Reply, error)
	// Disobey sends every frame, however few a second the receiver wishes.
	Disobey bool
}

// LatestFrameSender sends the newest frame from a goroutine of its own; one that waits gives way to
// a newer one. No frame is sent again for a refusal or a lost reply: after trouble the sender pauses,
// 0.1 s doubling to 1 s or as long as the receiver asks, and goes on with what is newest then.
type LatestFrameSender struct {
	client  *Client
	options LatestOptions
	ctx     context.Context
	cancel  context.CancelFunc
	backoff time.Duration
	jitter  *rand.Rand
	wake    chan struct{} // holds one: a frame may be waiting
	closing chan struct{}
	done    chan struct{}

	mu      sync.Mutex
	newest  *Frame
	closed  bool
	wait    time.Duration // of the frame offered last
	due     time.Time     // when the receiver wishes the next frame
	control Control
	counts  Counts // but Waiting
}

// NewLatestFrameSender starts a sender. The end of ctx ends it at once; Close lets the last frame go.
// The client may not send by other ways meanwhile, or frames are numbered in the wrong order.
func NewLatestFrameSender(
	ctx context.Context, client *Client, options LatestOptions,
) *LatestFrameSender {
	ctx, cancel := context.WithCancel(ctx)
	s := &LatestFrameSender{
		client:  client,
		options: options,
		ctx:     ctx,
		cancel:  cancel,
		jitter:  rand.New(rand.NewSource(time.Now().UnixNano())),
		wake:    make(chan struct{}, 1),
		closing: make(chan struct{}),
		done:    make(chan struct{}),
	}
	go s.run()
	return s
}

// Offer makes this the frame to be sent next, and never blocks. Its Data is the sender's from here
// on. The error is ErrClosed.
func (s *LatestFrameSender) Offer(frame Frame) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if !s.isDue(time.Now()) {
		s.counts.Thinned++
		return nil
	}
	s.counts.Captured++
	if s.newest != nil {
		s.counts.Superseded++
	}
	frame = s.client.capture(frame)
	s.newest, s.wait = &frame, frame.Wait
	select {
	case s.wake <- struct{}{}:
	default:
	}
	return nil
}

// Counts returns the books of this moment.
func (s *LatestFrameSender) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := s.counts
	counts.Waiting = counts.Captured -
		counts.Posted - counts.Superseded - counts.Refused - counts.Failed
	return counts
}

// Control returns what the newest reply wished. FPS is obeyed here, unless told otherwise; size and
// quality are the caller's to follow.
func (s *LatestFrameSender) Control() Control {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.control
}

// Close sends what waits, unless there is trouble, and ends, all within the client's timeout and
// what the last frame waits for.
func (s *LatestFrameSender) Close() {
	s.mu.Lock()
	first := !s.closed
	s.closed = true
	limit := s.client.timeout + s.wait
	s.mu.Unlock()
	if first {
		defer time.AfterFunc(limit, s.cancel).Stop()
		close(s.closing)
	}
	<-s.done
}

func (s *LatestFrameSender) isDue(now time.Time) bool {
	if s.options.Disobey || s.control.FPS == 0 {
		return true
	}
	if now.Before(s.due) {
		return false
	}
	// From one due time to the next, so that the rate does not sag; anew after a gap.
	interval := time.Duration(float64(time.Second) / s.control.FPS)
	if earliest := now.Add(-interval); s.due.Before(earliest) {
		s.due = earliest
	}
	s.due = s.due.Add(interval)
	return true
}

func (s *LatestFrameSender) run() {
	defer close(s.done)
	defer s.client.Close()
	defer s.cancel()
	for {
		select {
		case <-s.wake:
		case <-s.closing:
		case <-s.ctx.Done():
		}
		if frame := s.take(); frame != nil {
			s.pause(s.post(*frame))
		} else if s.isOver() {
			return
		}
	}
}

// take returns the frame to send, or nil.
func (s *LatestFrameSender) take() *Frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		s.drop()
	}
	frame := s.newest
	s.newest = nil
	return frame
}

// isOver tells whether nothing will come any more, and sees to it when ctx has ended.
func (s *LatestFrameSender) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		s.closed = true
		s.drop()
	}
	return s.closed && s.newest == nil
}

// post returns how long to pause.
func (s *LatestFrameSender) post(frame Frame) time.Duration {
	reply, err := s.client.post(s.ctx, frame)
	pause := s.enter(reply, err)
	if s.options.OnReply != nil {
		s.options.OnReply(frame, reply, err)
	}
	return pause
}

func (s *LatestFrameSender) enter(reply *Reply, err error) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.counts.Posted++
		s.control = reply.Control
		s.backoff = 0
		return reply.RetryAfter
	}
	var asked time.Duration
	var refused *RefusedError
	if errors.As(err, &refused) {
		s.counts.Refused++
		switch refused.Status {
		case 413, 415, 422: // about this frame alone: the next may go at once
			return 0
		}
		asked = refused.RetryAfter
	} else {
		s.counts.Failed++
	}
	if pause := s.nextBackoff(); pause > asked {
		return pause
	}
	return asked
}

// nextBackoff returns pauses that double from 0.1 s to 1 s; half of each is jitter.
func (s *LatestFrameSender) nextBackoff() time.Duration {
	s.backoff *= 2
	if s.backoff == 0 {
		s.backoff = 100 * time.Millisecond
	} else if s.backoff > time.Second {
		s.backoff = time.Second
	}
	return s.backoff/2 + time.Duration(s.jitter.Int63n(int64(s.backoff/2)))
}

// pause waits; what still waits when the end comes first is not sent.
func (s *LatestFrameSender) pause(length time.Duration) {
	if length <= 0 {
		return
	}
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.closing:
		s.mu.Lock()
		s.drop()
		s.mu.Unlock()
	case <-s.ctx.Done():
	}
}

func (s *LatestFrameSender) drop() {
	if s.newest != nil {
		s.newest = nil
		s.counts.Failed++
	}
}
