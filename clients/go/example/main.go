// Send a folder of pictures, and print what became of each.
//
//	go run ./example --camera door --wait 1 pictures/
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"framepost"
)

// What the program ends with.
const (
	good        = 0
	notTaken    = 1 // a frame was refused, or its hook failed
	wrongUse    = 2
	noReply     = 3
	interrupted = 130
)

var types = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
	".bgr": "", // raw pixels
}

type options struct {
	folder                       string
	url, camera, token, size     string
	fps, wait, timeout           float64
	loop, latest, every, disobey bool
	width, height                int
}

func readOptions() (options, error) {
	var o options
	flags := flag.NewFlagSet("example", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.url, "url", "http://127.0.0.1:8000", "the receiver")
	flags.StringVar(&o.camera, "camera", "cam1", "the name that the frames go by")
	flags.StringVar(&o.token, "token", "", "the receiver's token; better in FRAMEPOST_TOKEN, where others do not see it")
	flags.Float64Var(&o.fps, "fps", 0, "pictures a second; else as fast as they go")
	flags.BoolVar(&o.loop, "loop", false, "begin the folder again at its end")
	flags.Float64Var(&o.wait, "wait", 0, "seconds to wait for each result")
	flags.Float64Var(&o.timeout, "timeout", 5, "seconds for an exchange")
	flags.BoolVar(&o.every, "every", false, "have every frame processed, even if newer ones come")
	flags.BoolVar(&o.latest, "latest", false, "send only what is newest")
	flags.BoolVar(&o.disobey, "disobey", false, "with --latest: send more frames a second than the receiver wishes")
	flags.StringVar(&o.size, "size", "", "WIDTHxHEIGHT of .bgr files, which hold raw pixels")
	// Options may stand before and behind the folder.
	var rest []string
	for args := os.Args[1:]; ; args = flags.Args()[1:] {
		err := flags.Parse(args)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Println("usage: example [options] FOLDER")
			flags.SetOutput(os.Stdout)
			flags.PrintDefaults()
			os.Exit(good)
		}
		if err != nil {
			return o, err
		}
		if flags.NArg() == 0 {
			break
		}
		rest = append(rest, flags.Arg(0))
	}
	if len(rest) != 1 {
		return o, fmt.Errorf("expected one folder, got %d: %q", len(rest), rest)
	}
	o.folder = rest[0]
	if o.size != "" {
		if n, err := fmt.Sscanf(o.size, "%dx%d", &o.width, &o.height); n != 2 || err != nil {
			return o, fmt.Errorf("--size: expected WIDTHxHEIGHT, got %q", o.size)
		}
	}
	for name, value := range map[string]float64{"fps": o.fps, "wait": o.wait, "timeout": o.timeout} {
		if !(value >= 0 && value < 1e6) {
			return o, fmt.Errorf("--%s: expected a number from 0 to 1000000, got %v", name, value)
		}
	}
	if o.token == "" {
		o.token = os.Getenv("FRAMEPOST_TOKEN")
	}
	return o, nil
}

func (o options) pictures() ([]string, error) {
	entries, err := os.ReadDir(o.folder)
	if err != nil {
		return nil, fmt.Errorf("folder: %w", err)
	}
	var names []string
	for _, entry := range entries {
		if _, known := types[strings.ToLower(filepath.Ext(entry.Name()))]; known {
			names = append(names, entry.Name())
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: expected JPEG, PNG, WebP or BGR files, found none", o.folder)
	}
	sort.Strings(names)
	return names, nil
}

// each reads the pictures at the wished pace, until use says no or ctx ends.
func (o options) each(ctx context.Context, names []string, use func(string, framepost.Frame) bool) error {
	due := time.Now()
	for number := 0; o.loop || number < len(names); number++ {
		if o.fps > 0 {
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
			}
			due = due.Add(time.Duration(float64(time.Second) / o.fps))
			if now := time.Now(); due.Before(now) {
				due = now // it could not keep the pace: no burst to make up for it
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		name := names[number%len(names)]
		frame, err := o.read(name)
		if err != nil {
			return err
		}
		if !use(name, frame) {
			return nil
		}
	}
	return nil
}

func (o options) read(name string) (framepost.Frame, error) {
	data, err := os.ReadFile(filepath.Join(o.folder, name))
	frame := framepost.Frame{Data: data, ContentType: types[strings.ToLower(filepath.Ext(name))]}
	if frame.ContentType == "" {
		frame = framepost.RawBGR(data, o.width, o.height)
	}
	frame.Wait = seconds(o.wait)
	frame.Every = o.every
	return frame, err
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

// printer prints one line for each frame, and knows what the program is to end with.
type printer struct {
	status int
	wish   string
}

func (p *printer) print(name string, reply *framepost.Reply, err error) {
	var refused *framepost.RefusedError
	switch {
	case errors.As(err, &refused):
		p.worse(notTaken)
		fmt.Printf("%s: %d refused %s\n", name, refused.Status, refused.Detail)
	case err != nil:
		p.worse(noReply)
		fmt.Printf("%s: %v\n", name, err)
	case reply.State == framepost.Failed:
		p.worse(notTaken)
		fmt.Printf("%s: %d failed %s\n", name, reply.Status, reply.Error)
	default:
		fmt.Println(strings.TrimSpace(fmt.Sprintf("%s: %d %s %s", name, reply.Status, reply.State, reply.Result)))
	}
	if reply != nil {
		p.wishes(reply.Control)
	}
}

func (p *printer) wishes(control framepost.Control) {
	var wish string
	if control.FPS > 0 {
		wish += fmt.Sprintf(" fps=%g", control.FPS)
	}
	if control.Width > 0 {
		wish += fmt.Sprintf(" size=%dx%d", control.Width, control.Height)
	}
	if control.Quality > 0 {
		wish += fmt.Sprintf(" quality=%d", control.Quality)
	}
	if wish != p.wish && wish != "" {
		fmt.Println("the receiver wishes" + wish)
	}
	p.wish = wish
}

func (p *printer) worse(status int) {
	if status > p.status {
		p.status = status
	}
}

func run() (int, error) {
	o, err := readOptions()
	if err != nil {
		return wrongUse, err
	}
	names, err := o.pictures()
	if err != nil {
		return wrongUse, err
	}
	client, err := framepost.NewClient(framepost.Config{
		URL: o.url, Camera: o.camera, Token: o.token, Timeout: seconds(o.timeout),
	})
	if err != nil {
		return wrongUse, err
	}
	defer client.Close()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	var p printer
	if o.latest {
		err = sendLatest(ctx, o, names, client, &p)
	} else {
		err = o.each(ctx, names, func(name string, frame framepost.Frame) bool {
			reply, err := client.Send(ctx, frame)
			if ctx.Err() == nil || err == nil {
				p.print(name, reply, err)
			}
			return true
		})
	}
	if ctx.Err() != nil {
		if o.latest {
			return p.status, nil // the usual way to end it
		}
		return interrupted, nil
	}
	return p.status, err
}

func sendLatest(ctx context.Context, o options, names []string, client *framepost.Client, p *printer) error {
	sender := framepost.NewLatestFrameSender(context.Background(), client, framepost.LatestOptions{
		OnReply: func(frame framepost.Frame, reply *framepost.Reply, err error) {
			p.print(fmt.Sprintf("frame %d", frame.Seq), reply, err)
		},
		Disobey: o.disobey,
	})
	err := o.each(ctx, names, func(_ string, frame framepost.Frame) bool {
		return sender.Offer(frame) == nil
	})
	sender.Close()
	c := sender.Counts()
	fmt.Printf("captured=%d posted=%d superseded=%d refused=%d failed=%d thinned=%d\n",
		c.Captured, c.Posted, c.Superseded, c.Refused, c.Failed, c.Thinned)
	return err
}

func main() {
	status, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "example:", err)
		if status == good {
			status = wrongUse
		}
	}
	os.Exit(status)
}
