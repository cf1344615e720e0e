package framepost;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Makes events of the bytes of a stream, however they are cut into pieces.
 *
 * <p>The form is that of the HTML standard, section 9.2.6.
 */
final class EventReader {
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private final Queue<Event> events = new ArrayDeque<>();
  private StringBuilder data;
  private String type = "message";
  private String id;
  private boolean afterReturn;

  /** Goes on behind the event {@code id}; empty for none. */
  EventReader(String id) {
    this.id = id;
  }

  /** Returns the newest id that came, an event with it or not. */
  String id() {
    return id;
  }

  void add(byte[] bytes) {
    for (byte b : bytes) {
      boolean secondHalf = b == '\n' && afterReturn;
      afterReturn = b == '\r';
      if (b != '\n' && b != '\r') {
        line.write(b);
      } else if (!secondHalf) {
        take(line.toString(StandardCharsets.UTF_8));
        line.reset();
      }
    }
  }

  /** Returns the next event that came whole; null for none. */
  Event poll() {
    return events.poll();
  }

  private void take(String text) {
    if (text.isEmpty()) {
      if (data != null) {
        events.add(new Event(id, type, value(data.toString())));
      }
      data = null;
      type = "message";
      return;
    }
    int colon = text.indexOf(':');
    String name = colon < 0 ? text : text.substring(0, colon);
    String value = colon < 0 ? "" : text.substring(colon + 1);
    value = value.startsWith(" ") ? value.substring(1) : value;
    if (name.equals("data")) {
      data = data == null ? new StringBuilder(value) : data.append('\n').append(value);
    } else if (name.equals("event")) {
      type = value;
    } else if (name.equals("id") && value.matches("[\\x20-\\x7e]*")) {
      id = value;
    }
  }

  private static Object value(String text) {
    try {
      return Json.parse(text);
    } catch (IllegalArgumentException e) {
      return text;
    }
  }
}
