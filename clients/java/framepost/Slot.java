package framepost;

import java.time.Instant;
import java.util.OptionalDouble;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/** Holds the one frame that is to be sent next, and counts what becomes of all. Any thread. */
final class Slot {
  /** Not a number: the frame came too soon. */
  static final long THINNED = -1;

  /** Not a number: no frames are taken any more. */
  static final long CLOSED = -2;

  /** A frame that was captured but is not encoded yet. */
  static final class Offered {
    final long seq;
    final Instant capturedAt;
    final Callable<Frame> encoder;

    private Offered(long seq, Instant capturedAt, Callable<Frame> encoder) {
      this.seq = seq;
      this.capturedAt = capturedAt;
      this.encoder = encoder;
    }
  }

  /** What can become of a frame that was taken. */
  enum Outcome {
    POSTED,
    REFUSED,
    FAILED
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final LongSupplier numbers;
  private final LongSupplier clock;
  private final long[] outcomes = new long[Outcome.values().length];
  private Offered newest;
  private boolean isTaken;
  private boolean isClosed;
  private long captured;
  private long superseded;
  private long thinned;
  private long due;

  /** Takes each frame's number from {@code numbers}, and nanoseconds from {@code clock}. */
  Slot(LongSupplier numbers, LongSupplier clock) {
    this.numbers = numbers;
    this.clock = clock;
    due = clock.getAsLong();
  }

  /**
   * Makes this the frame to be sent next, unless it comes too soon for {@code fps}.
   *
   * @return its number, or THINNED, or CLOSED
   */
  long put(Callable<Frame> encoder, OptionalDouble fps) {
    Instant now = Instant.now();
    lock.lock();
    try {
      if (isClosed) {
        return CLOSED;
      }
      if (fps.isPresent() && !isDue(fps.getAsDouble())) {
        thinned++;
        return THINNED;
      }
      if (newest != null) {
        superseded++;
      }
      newest = new Offered(numbers.getAsLong(), now, encoder);
      captured++;
      changed.signalAll();
      return newest.seq;
    } finally {
      lock.unlock();
    }
  }

  /** Waits for a frame; returns null when the slot is closed and empty. */
  Offered take() throws InterruptedException {
    lock.lock();
    try {
      while (newest == null && !isClosed) {
        changed.await();
      }
      Offered taken = newest;
      newest = null;
      isTaken = taken != null;
      return taken;
    } finally {
      lock.unlock();
    }
  }

  /** Counts the frame that was taken. */
  void settle(Outcome outcome) {
    lock.lock();
    try {
      isTaken = false;
      outcomes[outcome.ordinal()]++;
    } finally {
      lock.unlock();
    }
  }

  /** Waits that long; once the slot is closed no longer, and what is in it has failed. */
  void pause(double seconds) throws InterruptedException {
    long nanos = (long) (seconds * TimeUnit.SECONDS.toNanos(1));
    lock.lock();
    try {
      while (!isClosed && nanos > 0) {
        nanos = changed.awaitNanos(nanos);
      }
    } finally {
      lock.unlock();
    }
    if (nanos > 0) {
      drop();
    }
  }

  /** Takes no more frames. */
  void close() {
    lock.lock();
    try {
      isClosed = true;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  /** Counts the frame that waits, if any, as failed. */
  void drop() {
    lock.lock();
    try {
      if (newest != null) {
        newest = null;
        outcomes[Outcome.FAILED.ordinal()]++;
      }
    } finally {
      lock.unlock();
    }
  }

  Counts counts() {
    lock.lock();
    try {
      return new Counts(
          captured,
          outcomes[Outcome.POSTED.ordinal()],
          superseded,
          outcomes[Outcome.REFUSED.ordinal()],
          outcomes[Outcome.FAILED.ordinal()],
          (newest == null ? 0 : 1) + (isTaken ? 1 : 0),
          thinned);
    } finally {
      lock.unlock();
    }
  }

  private boolean isDue(double fps) {
    long now = clock.getAsLong();
    if (now - due < 0) {
      return false;
    }
    // From one due time to the next, so that the rate does not sag; anew after a gap.
    long interval = (long) (TimeUnit.SECONDS.toNanos(1) / fps);
    due = (now - due > interval ? now : due) + interval;
    return true;
  }
}
