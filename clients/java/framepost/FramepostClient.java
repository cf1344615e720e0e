package framepost;

import framepost.FramepostException.NoReply;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Sends one camera's frames to a Framepost receiver, and brings back what its hook made of them.
 *
 * <pre>{@code
 * FramepostClient client = FramepostClient.builder("http://127.0.0.1:8000", "door").build();
 * Reply reply = client.send(jpeg, Duration.ofSeconds(1));
 * System.out.println(reply.state() + " " + reply.result("faces"));
 * }</pre>
 *
 * <p>Connections are kept: one, as long as one thread sends; any number of threads may. Nothing is
 * redirected, sent through a proxy, or sent twice: the next frame is the retry.
 */
public final class FramepostClient implements AutoCloseable {
  /** Which frames the receiver processes. */
  public enum Mode {
    /** The newest; one that waits gives way to it. */
    LATEST,
    /** Each, in turn; 503 when too many wait, 409 where no hook runs. */
    EVERY
  }

  private static final Pattern TIME = Pattern.compile("[0-9]{1,12}(\\.[0-9]{1,9})?");

  private final String epoch = Long.toHexString(new SecureRandom().nextLong());
  private final AtomicLong captured = new AtomicLong();
  private final AtomicReference<String> lastExchange = new AtomicReference<>();
  private final Builder options;
  private volatile HttpClient http;

  private FramepostClient(Builder options) {
    this.options = options;
    http = options.newHttpClient();
  }

  /**
   * Begins a client for the camera {@code camera} at the receiver {@code url}.
   *
   * @throws IllegalArgumentException if one of them cannot be a receiver or a camera's name
   */
  public static Builder builder(String url, String camera) {
    return new Builder(url, camera);
  }

  /** Sends a JPEG, captured now. */
  public Reply send(byte[] jpeg) throws FramepostException, InterruptedException {
    return send(Frame.jpeg(jpeg), null);
  }

  /** Sends a JPEG, captured now, and waits up to {@code wait} for the hook's result. */
  public Reply send(byte[] jpeg, Duration wait) throws FramepostException, InterruptedException {
    return send(Frame.jpeg(jpeg), wait);
  }

  /** Sends a frame. */
  public Reply send(Frame frame) throws FramepostException, InterruptedException {
    return send(frame, null);
  }

  /** Sends a frame and waits up to {@code wait} for the hook's result. */
  public Reply send(Frame frame, Duration wait) throws FramepostException, InterruptedException {
    return send(frame, wait, Mode.LATEST);
  }

  /**
   * Sends a frame.
   *
   * @param wait how long the receiver may take to answer with the hook's result, null for not at
   *     all; when it is over, the reply's state is {@code accepted}
   * @throws FramepostException.Refused if the receiver said no
   * @throws FramepostException.NoReply if no whole reply came within the timeout and {@code wait}
   */
  public Reply send(Frame frame, Duration wait, Mode mode)
      throws FramepostException, InterruptedException {
    Instant now = frame.capturedAtOr(Instant.now());
    return post(nextSeq(), now, frame, wait, mode);
  }

  /** What frames of this client are told apart by from those of others, and of earlier starts. */
  public String epoch() {
    return epoch;
  }

  /**
   * Opens this camera's results as they come, whoever sends its frames; nothing is connected before
   * the first {@link Events#next}.
   */
  public Events events() {
    return new Events(options.newHttpClient(), options.target.events, options.token);
  }

  /** Closes the connections; a later {@code send} throws IllegalStateException. */
  @Override
  public void close() {
    Object closing = http;
    http = null;
    if (closing instanceof AutoCloseable) { // from Java 21 on; before, the collector does it
      try {
        ((AutoCloseable) closing).close();
      } catch (Exception e) {
        throw new IllegalStateException(e);
      }
    }
  }

  long nextSeq() {
    return captured.getAndIncrement();
  }

  Duration timeoutWith(Duration wait) {
    return wait == null ? options.timeout : options.timeout.plus(wait);
  }

  Reply post(long seq, Instant capturedAt, Frame frame, Duration wait, Mode mode)
      throws FramepostException, InterruptedException {
    HttpClient http = this.http;
    if (http == null) {
      throw new IllegalStateException("the client is closed");
    }
    Duration timeout = timeoutWith(wait);
    ReplyBody body = new ReplyBody(System.nanoTime() + timeout.toNanos());
    String sent = Seconds.unix(Instant.now());
    HttpRequest.Builder request =
        HttpRequest.newBuilder(mode == Mode.EVERY ? options.target.every : options.target.latest)
            .timeout(timeout)
            .POST(new FrameBody(frame.data()))
            .header("User-Agent", "framepost-java")
            .header("Content-Type", frame.contentType())
            .header("X-Frame-Epoch", epoch)
            .header("X-Frame-Seq", Long.toString(seq))
            .header("X-Timestamp", Seconds.unix(capturedAt))
            .header("X-Sent-At", sent);
    String exchange = lastExchange.getAndSet(null);
    if (exchange != null) {
      request.header("X-Last-Exchange", exchange);
    }
    if (wait != null) {
      request.header("Prefer", "wait=" + Seconds.of(wait));
    }
    if (options.token != null) {
      request.header("Authorization", "Bearer " + options.token);
    }
    HttpResponse<byte[]> response;
    try {
      response = http.send(request.build(), body);
    } catch (IOException e) {
      throw NoReply.of(seq, e, timeout);
    }
    remember(sent, response, body.seen());
    return Reply.read(seq, response.statusCode(), response.headers(), response.body());
  }

  /** Keeps the four times from which the receiver learns how this clock differs from its own. */
  private void remember(String sent, HttpResponse<?> response, Instant seen) {
    String received = response.headers().firstValue("X-Received-At").orElse("");
    String replied = response.headers().firstValue("X-Replied-At").orElse("");
    if (TIME.matcher(received).matches() && TIME.matcher(replied).matches()) {
      lastExchange.set(
          String.format(
              "sent=%s; received=%s; replied=%s; seen=%s",
              sent, received, replied, Seconds.unix(seen)));
    }
  }

  /** What a client is to be like. */
  public static final class Builder {
    private final Target target;
    private String token;
    private Duration timeout = Duration.ofSeconds(5);
    private Duration connectTimeout = Duration.ofSeconds(2);
    private Consumer<HttpClient.Builder> configuration = builder -> {};

    private Builder(String url, String camera) {
      target = new Target(url, camera);
    }

    /** The receiver's token. */
    public Builder token(String token) {
      if (!token.matches("[\\x21-\\x7e]+")) {
        throw new IllegalArgumentException("token: expected printable ASCII without spaces");
      }
      this.token = token;
      return this;
    }

    /**
     * How long a whole exchange may take, from connecting to the reply's last byte: 5 s. What is
     * waited for comes on top.
     */
    public Builder timeout(Duration timeout) {
      this.timeout = positive("timeout", timeout);
      return this;
    }

    /** How long connecting may take: 2 s. */
    public Builder connectTimeout(Duration timeout) {
      this.connectTimeout = positive("connectTimeout", timeout);
      return this;
    }

    /** Changes the HttpClient that is about to be built, such as its SSLContext or its proxy. */
    public Builder configure(Consumer<HttpClient.Builder> configuration) {
      this.configuration = configuration;
      return this;
    }

    private HttpClient newHttpClient() {
      HttpClient.Builder builder =
          HttpClient.newBuilder()
              // Otherwise each request to an http: address asks for an upgrade to HTTP/2.
              .version(HttpClient.Version.HTTP_1_1)
              .followRedirects(HttpClient.Redirect.NEVER)
              .proxy(HttpClient.Builder.NO_PROXY)
              .connectTimeout(connectTimeout);
      configuration.accept(builder);
      return builder.build();
    }

    /** Makes the client; nothing is connected before the first frame. */
    public FramepostClient build() {
      return new FramepostClient(this);
    }

    private static Duration positive(String name, Duration duration) {
      if (duration.isZero() || duration.isNegative()) {
        throw new IllegalArgumentException(name + ": expected more than 0 s, got " + duration);
      }
      return duration;
    }
  }
}
