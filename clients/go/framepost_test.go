package framepost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver answers as the handler says, and gives a client of it.
func receiver(t *testing.T, handler http.HandlerFunc) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := NewClient(Config{URL: server.URL + "/", Camera: "cam.1-x_", Token: "open"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func accept(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	w.WriteHeader(http.StatusAccepted)
	fmt.Fprintf(w, `{"state": "accepted", "seq": %s}`, r.Header.Get("X-Frame-Seq"))
}

func TestAReplyHasWhatTheHookReturned(t *testing.T) {
	client := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Control", "fps=7.5; size=640x360; quality=70; mood=good")
		fmt.Fprint(w, `{"state": "processed", "seq": 0, "result": {"faces": [1, 2]}, "error": null,
			"timings": {"queue": 0.1, "decode": 2.5, "hook": 4, "total": 6.6}}`)
	})
	reply, err := client.Send(context.Background(), Frame{Data: []byte("jpeg"), Wait: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if reply.Status != 200 || reply.State != Processed || string(reply.Result) != `{"faces": [1, 2]}` {
		t.Errorf("got %+v", reply)
	}
	if want := (Control{FPS: 7.5, Width: 640, Height: 360, Quality: 70}); reply.Control != want {
		t.Errorf("control: got %+v, want %+v", reply.Control, want)
	}
	if reply.Timings.Decode != 2500*time.Microsecond || reply.Timings.Total != 6600*time.Microsecond {
		t.Errorf("timings: got %+v", reply.Timings)
	}
}

func TestRefusalsAndTroubleAreToldApart(t *testing.T) {
	client := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Frame-Seq") == "1" {
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("Retry-After", "100")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"title": "Service Unavailable", "detail": "not now"}`)
	})
	var refused *RefusedError
	_, err := client.Send(context.Background(), Frame{})
	if !errors.As(err, &refused) || refused.Status != 503 || refused.Detail != "not now" ||
		refused.RetryAfter != time.Minute {
		t.Errorf("got %#v", err)
	}
	var silent *NoReplyError
	if _, err := client.Send(context.Background(), Frame{}); !errors.As(err, &silent) {
		t.Errorf("got %#v", err)
	}
}

func TestItsContextEndsAnExchange(t *testing.T) {
	came, end := make(chan struct{}), make(chan struct{})
	client := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		close(came)
		<-end
	})
	defer close(end)
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-came
		cancel()
	}()
	_, err := client.Send(ctx, Frame{Data: []byte("jpeg"), Wait: time.Hour})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %#v", err)
	}
}

func TestATimeoutIsKnownAsOne(t *testing.T) {
	end := make(chan struct{})
	client := receiver(t, func(w http.ResponseWriter, r *http.Request) { <-end })
	defer close(end)
	client.timeout = 50 * time.Millisecond
	_, err := client.Send(context.Background(), Frame{})
	var silent *NoReplyError
	if !errors.As(err, &silent) || !silent.Timeout() {
		t.Errorf("got %#v", err)
	}
}

func TestManyGoroutinesSendAndEachFrameHasItsNumber(t *testing.T) {
	var mu sync.Mutex
	seen := map[string]bool{}
	client := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen[r.Header.Get("X-Frame-Seq")] = true
		mu.Unlock()
		w.Header().Set("X-Received-At", "1.5")
		w.Header().Set("X-Replied-At", "1.6")
		accept(w, r)
	})
	var group sync.WaitGroup
	for i := 0; i < 40; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			if _, err := client.Send(context.Background(), Frame{Data: []byte("jpeg")}); err != nil {
				t.Error(err)
			}
		}()
	}
	group.Wait()
	if len(seen) != 40 {
		t.Errorf("got %d numbers", len(seen))
	}
}

func TestTheEndOfItsContextEndsASenderAtOnce(t *testing.T) {
	came, end := make(chan struct{}), make(chan struct{})
	client := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		close(came)
		<-end
	})
	defer close(end)
	ctx, cancel := context.WithCancel(context.Background())
	sender := NewLatestFrameSender(ctx, client, LatestOptions{})
	sender.Offer(Frame{Wait: time.Hour})
	<-came
	sender.Offer(Frame{Wait: time.Hour})
	sender.Offer(Frame{Wait: time.Hour})
	if got, want := sender.Counts(), (Counts{Captured: 3, Superseded: 1, Waiting: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	cancel()
	<-sender.done
	if got, want := sender.Counts(), (Counts{Captured: 3, Superseded: 1, Failed: 2}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := sender.Offer(Frame{}); err != ErrClosed {
		t.Errorf("got %v", err)
	}
	sender.Close()
}

func TestCloseSendsWhatWaitsAndMayBeCalledTwice(t *testing.T) {
	client := receiver(t, accept)
	seqs := make(chan int64, 10)
	sender := NewLatestFrameSender(context.Background(), client, LatestOptions{
		OnReply: func(frame Frame, reply *Reply, err error) { seqs <- frame.Seq },
	})
	for i := 0; i < 5; i++ {
		if err := sender.Offer(Frame{Data: []byte("jpeg")}); err != nil {
			t.Fatal(err)
		}
	}
	sender.Close()
	sender.Close()
	close(seqs)
	last := int64(-1)
	for last = range seqs {
	}
	if last != 4 {
		t.Errorf("the last frame sent was %d", last)
	}
}

func TestCloseGivesTheLastFrameNoMoreThanWhatIsLeft(t *testing.T) {
	answer, end := make(chan struct{}), make(chan struct{})
	client := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Frame-Seq") == "0" {
			<-answer
			accept(w, r)
			return
		}
		<-end
	})
	defer close(end)
	client.timeout = 2 * time.Second
	errs := make(chan error, 2)
	sender := NewLatestFrameSender(context.Background(), client, LatestOptions{
		OnReply: func(frame Frame, reply *Reply, err error) { errs <- err },
	})
	sender.Offer(Frame{})
	for len(sender.wake) > 0 { // until it is in flight
		time.Sleep(time.Millisecond)
	}
	sender.Offer(Frame{})
	go func() {
		<-sender.closing
		time.Sleep(100 * time.Millisecond)
		close(answer)
	}()
	sender.Close()
	if err := <-errs; err != nil {
		t.Error(err)
	}
	if err := <-errs; !errors.Is(err, context.Canceled) {
		t.Errorf("the second exchange had all its time: %v", err)
	}
}

func TestWrongSettingsAreToldAtOnce(t *testing.T) {
	for _, wrong := range []struct {
		name   string
		config Config
	}{
		{"url", Config{URL: "127.0.0.1:8000", Camera: "a"}},
		{"url", Config{URL: "ftp://x", Camera: "a"}},
		{"url", Config{URL: "http://", Camera: "a"}},
		{"camera", Config{URL: "http://x", Camera: "a/b"}},
		{"camera", Config{URL: "http://x"}},
		{"token", Config{URL: "http://x", Camera: "a", Token: "two\nlines"}},
	} {
		_, err := NewClient(wrong.config)
		if err == nil || !strings.HasPrefix(err.Error(), wrong.name+": expected") {
			t.Errorf("%+v: got %v", wrong.config, err)
		}
	}
}
