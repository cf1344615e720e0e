package framepost;

/** One of the {@link Events}: a result, in most cases. */
public final class Event {
  private final String id;
  private final String type;
  private final Object data;

  Event(String id, String type, Object data) {
    this.id = id;
    this.type = type;
    this.data = data;
  }

  /** Its place in the receiver's journal. */
  public String id() {
    return id;
  }

  /** {@code "result"}, or {@code "skipped"} where some were lost between this one and the last. */
  public String type() {
    return type;
  }

  /**
   * A result's {@code camera}, {@code epoch}, {@code seq}, {@code captured_at}, {@code state},
   * {@code result}, {@code error} and {@code timings}, in the types that {@link Json} names; the
   * text itself where it is no JSON.
   */
  public Object data() {
    return data;
  }

  /**
   * A part of the data, such as {@code data("result", "faces", 0)}.
   *
   * @param path names of objects' members and indices of arrays
   * @return what is there, or null where the path leads nowhere
   */
  public Object data(Object... path) {
    return Json.at(data, path);
  }
}
