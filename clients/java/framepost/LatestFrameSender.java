package framepost;

import framepost.FramepostException.NotEncoded;
import framepost.FramepostException.Refused;
import java.time.Duration;
import java.time.Instant;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Sends the newest frame on a thread of its own; one that waits gives way to a newer one.
 *
 * <pre>{@code
 * try (FramepostClient client = FramepostClient.builder(url, "door").build();
 *     LatestFrameSender sender = LatestFrameSender.builder(client).onReply(this::show).start()) {
 *   while (running) {
 *     BufferedImage image = camera.next();
 *     sender.offer(() -> Frame.jpeg(image, 80)); // encoded only if it is sent
 *   }
 * }
 * }</pre>
 *
 * <p>Nothing is sent twice. After trouble it pauses, for 0.1 s, then longer, up to 1 s, or for as
 * long as the receiver asks, and goes on with what is newest then. A client belongs to one sender.
 */
public final class LatestFrameSender implements AutoCloseable {
  private static final double FIRST_PAUSE = 0.1;
  private static final double LONGEST_PAUSE = 1.0;

  /** Milliseconds for the thread to put its books in order when it was told to end at once. */
  private static final long GRACE = 500;

  private final FramepostClient client;
  private final Duration wait;
  private final Consumer<Reply> onReply;
  private final Consumer<FramepostException> onTrouble;
  private final boolean obey;
  private final Slot slot;
  private final Thread thread;
  private volatile Control control;
  private volatile Throwable bug;
  private double pause;

  private LatestFrameSender(Builder options) {
    client = options.client;
    wait = options.wait;
    onReply = options.onReply;
    onTrouble = options.onTrouble;
    obey = options.obey;
    slot = new Slot(client::nextSeq, options.clock);
    thread = new Thread(this::run, "framepost sender");
    thread.setDaemon(true);
    thread.start();
  }

  /** Begins a sender that posts through {@code client}. */
  public static Builder builder(FramepostClient client) {
    return new Builder(client);
  }

  /** Makes a JPEG, captured now, the one to be sent next; see {@link #offer(Callable)}. */
  public long offer(byte[] jpeg) {
    return offer(Frame.jpeg(jpeg));
  }

  /** Makes a frame the one to be sent next; see {@link #offer(Callable)}. */
  public long offer(Frame frame) {
    return offer(() -> frame);
  }

  /**
   * Makes what {@code encoder} will return the frame to be sent next, captured now. Never blocks.
   *
   * <p>The encoder runs on the sender's thread, and only if its frame is sent: what it reads, such
   * as an image, must stay as it is until then.
   *
   * @return the frame's number, which its {@link Reply#seq} will be; -1 where it was left out
   *     because the receiver wishes fewer
   * @throws IllegalStateException once the sender is closed, or has ended because a callback threw
   */
  public long offer(Callable<Frame> encoder) {
    Control wish = control;
    long seq = slot.put(encoder, obey && wish != null ? wish.fps() : OptionalDouble.empty());
    if (seq == Slot.CLOSED) {
      throw new IllegalStateException("the sender is closed", bug);
    }
    return seq;
  }

  /** What the newest reply wished; sizes and qualities are yours to follow. */
  public Optional<Control> control() {
    return Optional.ofNullable(control);
  }

  /** What became of the frames so far. */
  public Counts counts() {
    return slot.counts();
  }

  /**
   * Sends what waits, unless there is trouble, and ends, all within the client's timeout and the
   * wait. The client stays open.
   */
  @Override
  public void close() {
    slot.close();
    if (Thread.currentThread() == thread) {
      return;
    }
    try {
      thread.join(client.timeoutWith(wait).toMillis());
      thread.interrupt(); // what has not ended by now, an exchange or an encoder
      thread.join(GRACE);
    } catch (InterruptedException e) {
      thread.interrupt();
      Thread.currentThread().interrupt();
    }
  }

  private void run() {
    try {
      for (Slot.Offered next = slot.take(); next != null; next = slot.take()) {
        deliver(next);
      }
    } catch (InterruptedException e) {
      // By close, which has waited long enough.
    } catch (RuntimeException | Error e) {
      bug = e;
      throw e;
    } finally {
      slot.close();
      slot.drop();
    }
  }

  private void deliver(Slot.Offered offered) throws InterruptedException {
    Slot.Outcome outcome = Slot.Outcome.FAILED;
    Reply reply = null;
    FramepostException trouble = null;
    try {
      reply = post(offered);
      outcome = Slot.Outcome.POSTED;
    } catch (FramepostException e) {
      outcome = e instanceof Refused ? Slot.Outcome.REFUSED : Slot.Outcome.FAILED;
      trouble = e;
    } finally {
      slot.settle(outcome);
    }
    if (reply == null) {
      onTrouble.accept(trouble);
      pauseAfter(trouble);
    } else {
      pause = 0;
      control = reply.control().orElse(null);
      onReply.accept(reply);
    }
  }

  private Reply post(Slot.Offered offered) throws FramepostException, InterruptedException {
    Frame frame;
    try {
      frame = Objects.requireNonNull(offered.encoder.call(), "the encoder returned null");
    } catch (InterruptedException e) {
      throw e;
    } catch (Exception e) {
      throw new NotEncoded(offered.seq, e);
    }
    Instant capturedAt = frame.capturedAtOr(offered.capturedAt);
    return client.post(offered.seq, capturedAt, frame, wait, FramepostClient.Mode.LATEST);
  }

  private void pauseAfter(FramepostException trouble) throws InterruptedException {
    double asked = 0;
    if (trouble instanceof NotEncoded) {
      return;
    }
    if (trouble instanceof Refused) {
      Refused refused = (Refused) trouble;
      if (refused.status() == 413 || refused.status() == 415 || refused.status() == 422) {
        return; // the receiver's word on this one frame: the next may be welcome
      }
      asked = refused.retryAfter().map(Duration::toMillis).orElse(0L) / 1000.0;
    }
    pause = Math.min(LONGEST_PAUSE, pause == 0 ? FIRST_PAUSE : pause * 2);
    // Half of it jitter, so that many clients of one receiver do not come back at once.
    double jittered = pause * ThreadLocalRandom.current().nextDouble(0.5, 1.0);
    slot.pause(Math.max(asked, jittered));
  }

  /** What a sender is to be like. */
  public static final class Builder {
    private final FramepostClient client;
    private Duration wait;
    private Consumer<Reply> onReply = reply -> {};
    private Consumer<FramepostException> onTrouble = trouble -> {};
    private boolean obey = true;
    private LongSupplier clock = System::nanoTime;

    private Builder(FramepostClient client) {
      this.client = client;
    }

    /** How long the receiver may take to answer with each frame's result; otherwise not at all. */
    public Builder waitForResult(Duration wait) {
      this.wait = wait;
      return this;
    }

    /** What is told each reply, on the sender's thread. */
    public Builder onReply(Consumer<Reply> listener) {
      this.onReply = listener;
      return this;
    }

    /** What is told why a frame brought no reply, on the sender's thread. */
    public Builder onTrouble(Consumer<FramepostException> listener) {
      this.onTrouble = listener;
      return this;
    }

    /** Whether frames are left out when the receiver wishes fewer a second: true. */
    public Builder obey(boolean obey) {
      this.obey = obey;
      return this;
    }

    /** What tells the time, in nanoseconds, for tests. */
    public Builder clock(LongSupplier nanoTime) {
      this.clock = nanoTime;
      return this;
    }

    /** Makes the sender and starts its thread. */
    public LatestFrameSender start() {
      return new LatestFrameSender(this);
    }
  }
}
