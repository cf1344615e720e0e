package framepost;

import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.ProtocolException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/** Why a frame brought no {@link Reply}: one of the three kinds below. */
public abstract class FramepostException extends IOException {
  private static final long serialVersionUID = 1;

  private final long seq;

  private FramepostException(long seq, String message, Throwable cause) {
    super(message, cause);
    this.seq = seq;
  }

  /** The frame's number. */
  public long seq() {
    return seq;
  }

  /** The receiver said no. */
  public static final class Refused extends FramepostException {
    private static final long serialVersionUID = 1;

    private final int status;
    private final String detail;
    private final Duration retryAfter;

    Refused(long seq, int status, String detail, Duration retryAfter) {
      super(seq, status + ": " + detail, null);
      this.status = status;
      this.detail = detail;
      this.retryAfter = retryAfter;
    }

    /** The HTTP status, such as 413 or 503. */
    public int status() {
      return status;
    }

    /** The receiver's own sentence. */
    public String detail() {
      return detail;
    }

    /** How long the receiver asks to be left alone; a minute at most. */
    public Optional<Duration> retryAfter() {
      return Optional.ofNullable(retryAfter);
    }
  }

  /**
   * Network trouble: no whole, legible reply came. The receiver may have taken the frame all the
   * same.
   */
  public static final class NoReply extends FramepostException {
    private static final long serialVersionUID = 1;

    private final Reason reason;

    NoReply(long seq, Reason reason, String message, Throwable cause) {
      super(seq, message, cause);
      this.reason = reason;
    }

    /** Says in one sentence what HttpClient says in a chain of causes. */
    static NoReply of(long seq, IOException e, Duration timeout) {
      if (e instanceof HttpConnectTimeoutException) {
        return new NoReply(seq, Reason.TIMEOUT, "no connection in time", e);
      }
      if (e instanceof HttpTimeoutException || has(e, TimeoutException.class)) {
        String within = "no whole reply within " + Seconds.of(timeout) + " s";
        return new NoReply(seq, Reason.TIMEOUT, within, e);
      }
      if (has(e, SSLException.class)) {
        return new NoReply(seq, Reason.TLS, "no TLS connection: " + e.getMessage(), e);
      }
      if (e instanceof ConnectException || e instanceof NoRouteToHostException) {
        String why = e.getMessage() == null ? "Connection refused" : e.getMessage();
        why = has(e, UnresolvedAddressException.class) ? "no such host" : why;
        return new NoReply(seq, Reason.CONNECT, "no connection: " + why, e);
      }
      if (has(e, ProtocolException.class)) {
        String why = "no HTTP reply that is legible: " + e.getMessage();
        return new NoReply(seq, Reason.PROTOCOL, why, e);
      }
      String how = has(e, EOFException.class) ? "" : ": " + e.getMessage();
      return new NoReply(seq, Reason.RESET, "the connection ended before the reply did" + how, e);
    }

    private static boolean has(Throwable e, Class<?> kind) {
      return e != null && (kind.isInstance(e) || has(e.getCause(), kind));
    }

    /** What the trouble was. */
    public Reason reason() {
      return reason;
    }
  }

  /** What network trouble can be. */
  public enum Reason {
    /** There was no connection to be had. */
    CONNECT,
    /** The time was over. */
    TIMEOUT,
    /** The connection ended before the reply did. */
    RESET,
    /** The receiver's certificate, or something else about TLS, is wrong. */
    TLS,
    /** What came was not the reply of a Framepost receiver. */
    PROTOCOL
  }

  /** The encoder that was given to a {@link LatestFrameSender} threw; see the cause. */
  public static final class NotEncoded extends FramepostException {
    private static final long serialVersionUID = 1;

    NotEncoded(long seq, Throwable cause) {
      super(seq, "a frame could not be encoded: " + cause, cause);
    }
  }
}
