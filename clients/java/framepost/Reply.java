package framepost;

import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What became of a frame. */
public final class Reply {
  private static final long MAX_RETRY_AFTER = 60;

  private final int status;
  private final long seq;
  private final String body;
  private final Map<?, ?> said;
  private final Control control;

  private Reply(int status, long seq, String body, Map<?, ?> said, Control control) {
    this.status = status;
    this.seq = seq;
    this.body = body;
    this.said = said;
    this.control = control;
  }

  static Reply read(long seq, int status, HttpHeaders headers, byte[] content)
      throws FramepostException {
    String body = new String(content, StandardCharsets.UTF_8);
    Object said = json(body);
    if (Json.at(said, "state") instanceof String) {
      Optional<Control> control = headers.firstValue("X-Frame-Control").flatMap(Control::read);
      return new Reply(status, seq, body, (Map<?, ?>) said, control.orElse(null));
    }
    if (status < 300) {
      throw new FramepostException.NoReply(
          seq,
          FramepostException.Reason.PROTOCOL,
          "expected a Framepost receiver's reply, got " + status + " '" + start(body, 80) + "'",
          null);
    }
    throw refusal(seq, status, headers, content);
  }

  /** Returns the receiver's no with its own words: a problem's detail, else how the body begins. */
  static FramepostException.Refused refusal(
      long seq, int status, HttpHeaders headers, byte[] content) {
    String body = new String(content, StandardCharsets.UTF_8);
    String detail = body.isBlank() ? "no reason given" : start(body, 300);
    if (status < 400) {
      String where = headers.firstValue("Location").orElse("nowhere");
      detail = "redirects to '" + start(where, 200) + "', which is not followed";
    } else if (Json.at(json(body), "detail") instanceof String) {
      detail = (String) Json.at(json(body), "detail");
    }
    Duration retryAfter = headers.firstValue("Retry-After").map(Reply::readRetryAfter).orElse(null);
    return new FramepostException.Refused(seq, status, detail, retryAfter);
  }

  /** The HTTP status: 202, 200 or, where the hook failed, 500. */
  public int status() {
    return status;
  }

  /**
   * {@code "accepted"} (not processed yet), {@code "processed"}, {@code "superseded"} (a newer
   * frame took its place), {@code "duplicate"} (seen before) or {@code "failed"} (see {@link
   * #error}).
   */
  public String state() {
    return (String) said.get("state");
  }

  /** The frame's number, as {@link LatestFrameSender#offer} returned it. */
  public long seq() {
    return seq;
  }

  /**
   * What the hook returned, in the types that {@link Json} names; null if it was not waited for.
   */
  public Object result() {
    return said.get("result");
  }

  /**
   * A part of the result, such as {@code result("faces", 0, "name")}.
   *
   * @param path names of objects' members and indices of arrays
   * @return what is there, or null where the path leads nowhere
   */
  public Object result(Object... path) {
    return Json.at(result(), path);
  }

  /** The result where it is an object; otherwise an empty map. */
  @SuppressWarnings("unchecked") // Json makes no other maps
  public Map<String, Object> resultMap() {
    Object result = result();
    return result instanceof Map ? (Map<String, Object>) result : Collections.emptyMap();
  }

  /** What went wrong in the hook, in one sentence. */
  public Optional<String> error() {
    Object error = said.get("error");
    return error instanceof String ? Optional.of((String) error) : Optional.empty();
  }

  /** Milliseconds: {@code queue}, {@code decode}, {@code hook}, {@code total}; may be empty. */
  public Map<String, Double> timings() {
    Map<String, Double> timings = new LinkedHashMap<>();
    if (said.get("timings") instanceof Map) {
      ((Map<?, ?>) said.get("timings"))
          .forEach(
              (name, value) -> {
                if (value instanceof Number) {
                  timings.put((String) name, ((Number) value).doubleValue());
                }
              });
    }
    return timings;
  }

  /** What the receiver can use, if it has a wish. */
  public Optional<Control> control() {
    return Optional.ofNullable(control);
  }

  /** The body as it came: JSON. */
  public String body() {
    return body;
  }

  /** Reads seconds or a date (RFC 9110, section 10.2.3); returns null where it is neither. */
  private static Duration readRetryAfter(String text) {
    text = text.trim();
    long seconds;
    if (text.matches("[0-9]{1,9}")) {
      seconds = Long.parseLong(text);
    } else {
      try {
        Instant until = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        seconds = Math.max(0, Duration.between(Instant.now(), until).getSeconds() + 1);
      } catch (DateTimeException e) {
        return null;
      }
    }
    return Duration.ofSeconds(Math.min(seconds, MAX_RETRY_AFTER));
  }

  /** Reads JSON; returns null for what is none, such as a proxy's page. */
  private static Object json(String body) {
    try {
      return Json.parse(body);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static String start(String text, int length) {
    String line = text.strip().replaceAll("\\s+", " ");
    return line.substring(0, Math.min(length, line.length()));
  }
}
