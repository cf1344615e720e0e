package framepost;

import java.util.Iterator;
import java.util.List;
import java.util.Map;

/**
 * Reads JSON (RFC 8259) as plain Java values, and writes them.
 *
 * <p>An object is a {@code Map<String, Object>} in the order of its text, an array a {@code
 * List<Object>}, a string a {@code String}; a number is a {@code Long} when it is whole and fits, a
 * {@code BigInteger} when it is whole and does not, else a {@code Double}; then there are {@code
 * Boolean} and {@code null}. {@code NaN} and {@code Infinity}, which Python writes though JSON has
 * no such thing, are read as doubles. Of equal names in an object the last one counts.
 */
public final class Json {
  private Json() {}

  /**
   * Reads one JSON value.
   *
   * @throws IllegalArgumentException if {@code text} is anything else; the message says where
   */
  public static Object parse(String text) {
    return new JsonReader(text).read();
  }

  /**
   * Follows {@code path}, names of objects' members and indices of arrays: {@code at(result,
   * "faces", 0, "name")}.
   *
   * @return what is there, or null where the path leads nowhere
   */
  public static Object at(Object value, Object... path) {
    for (Object step : path) {
      if (value instanceof Map && step instanceof String) {
        value = ((Map<?, ?>) value).get(step);
      } else if (value instanceof List && step instanceof Integer) {
        List<?> list = (List<?>) value;
        int index = (Integer) step;
        value = index >= 0 && index < list.size() ? list.get(index) : null;
      } else {
        return null;
      }
    }
    return value;
  }

  /**
   * Writes maps, iterables, strings, numbers, booleans and null in one line of ASCII.
   *
   * @throws IllegalArgumentException for a value of any other type
   */
  public static String write(Object value) {
    StringBuilder out = new StringBuilder();
    write(value, out);
    return out.toString();
  }

  private static void write(Object value, StringBuilder out) {
    if (value instanceof Map) {
      char before = '{';
      for (Map.Entry<?, ?> member : ((Map<?, ?>) value).entrySet()) {
        out.append(before);
        quote(String.valueOf(member.getKey()), out);
        out.append(':');
        write(member.getValue(), out);
        before = ',';
      }
      out.append(before == '{' ? "{}" : "}");
    } else if (value instanceof Iterable) {
      Iterator<?> items = ((Iterable<?>) value).iterator();
      out.append('[');
      while (items.hasNext()) {
        write(items.next(), out);
        out.append(items.hasNext() ? "," : "");
      }
      out.append(']');
    } else if (value instanceof CharSequence) {
      quote((CharSequence) value, out);
    } else if (value == null || value instanceof Number || value instanceof Boolean) {
      out.append(value);
    } else {
      throw new IllegalArgumentException(
          "JSON: expected a map, iterable, string, number, boolean or null, got "
              + value.getClass().getName());
    }
  }

  private static void quote(CharSequence text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') {
        out.append('\\').append(c);
      } else if (c >= ' ' && c <= '~') {
        out.append(c);
      } else {
        out.append(String.format("\\u%04x", (int) c));
      }
    }
    out.append('"');
  }
}
