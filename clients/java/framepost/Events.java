package framepost;

import framepost.FramepostException.Refused;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * A camera's results as they come, whoever sends its frames; see {@link FramepostClient#events}.
 *
 * <p>A line that breaks, or on which nothing comes for as long as the silence may last, is opened
 * anew, and goes on behind the event that came last. For one thread; {@link #close} from any.
 */
public final class Events implements AutoCloseable {
  private static final Set<Integer> AWAY = Set.of(429, 502, 503, 504);
  private static final int MAX_REFUSAL = 1 << 16;
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final HttpClient http;
  private final HttpRequest.Builder request;
  private volatile Duration silence = Duration.ofSeconds(45);
  private final CountDownLatch closed = new CountDownLatch(1);
  private EventReader reader = new EventReader("");
  private volatile EventBody body;
  private double pause;

  Events(HttpClient http, URI target, String token) {
    this.http = http;
    request =
        HttpRequest.newBuilder(target)
            .timeout(PATIENCE)
            .header("User-Agent", "framepost-java")
            .header("Accept", "text/event-stream");
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
  }

  /** How long nothing may come before the line is opened anew: 45 s; receivers say more often. */
  public Events silence(Duration silence) {
    this.silence = silence;
    return this;
  }

  /**
   * Waits for the next event.
   *
   * @return the event; null once these are closed
   * @throws Refused if the receiver has none to give
   */
  public Event next() throws Refused, InterruptedException {
    while (closed.getCount() > 0) {
      Event event = reader.poll();
      if (event != null) {
        pause = 0;
        return event;
      }
      Duration asked = body == null ? open() : Duration.ZERO;
      EventBody line = body; // which close takes away
      byte[] piece = line == null ? null : line.take(silence);
      if (piece != null) {
        reader.add(piece);
      } else {
        hangUp();
        pauseAtLeast(asked);
      }
    }
    return null;
  }

  /** Hangs up; a {@code next} that waits returns. */
  @Override
  public void close() {
    closed.countDown();
    hangUp();
  }

  /** Opens the line, if it can; returns how long the receiver asks to be left alone. */
  private Duration open() throws Refused, InterruptedException {
    reader = new EventReader(reader.id()); // half an event is none
    if (!reader.id().isEmpty()) {
      request.setHeader("Last-Event-ID", reader.id());
    }
    HttpResponse<EventBody> response;
    try {
      response = http.send(request.build(), info -> new EventBody());
    } catch (IOException e) {
      return Duration.ZERO;
    }
    if (response.statusCode() >= 300) {
      return refuse(response);
    }
    String type = response.headers().firstValue("Content-Type").orElse("nothing");
    body = response.body();
    if (closed.getCount() == 0) {
      hangUp(); // close came before it could see this one
    }
    if (!type.startsWith("text/event-stream")) {
      hangUp();
      throw new Refused(-1, response.statusCode(), "expected text/event-stream, got " + type, null);
    }
    return Duration.ZERO;
  }

  /** Throws what the receiver said, unless it is only away. */
  private Duration refuse(HttpResponse<EventBody> response) throws Refused, InterruptedException {
    ByteArrayOutputStream content = new ByteArrayOutputStream();
    byte[] piece = response.body().take(PATIENCE);
    while (piece != null && content.size() < MAX_REFUSAL) {
      content.write(piece, 0, piece.length);
      piece = response.body().take(PATIENCE);
    }
    response.body().close();
    Refused refused =
        Reply.refusal(-1, response.statusCode(), response.headers(), content.toByteArray());
    if (!AWAY.contains(refused.status())) {
      throw refused;
    }
    return refused.retryAfter().orElse(Duration.ZERO);
  }

  private void hangUp() {
    EventBody line = body;
    body = null;
    if (line != null) {
      line.close();
    }
  }

  private void pauseAtLeast(Duration asked) throws InterruptedException {
    pause = Math.min(1.0, pause == 0 ? 0.1 : pause * 2);
    double jittered = pause * ThreadLocalRandom.current().nextDouble(0.5, 1.0);
    closed.await(Math.max(asked.toMillis(), (long) (jittered * 1000)), TimeUnit.MILLISECONDS);
  }
}
