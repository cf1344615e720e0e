package framepost;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Goes once through a text of JSON; see {@link Json} for what becomes of it. */
final class JsonReader {
  /** Deeper nesting is refused, so that no reply can exhaust the stack. */
  private static final int MAX_DEPTH = 500;

  /** A longer whole number becomes a double: an exact one costs the square of its length. */
  private static final int MAX_DIGITS = 1000;

  private final String text;
  private int place;
  private int depth;

  JsonReader(String text) {
    this.text = text;
  }

  /** Reads the one value that the text is; throws IllegalArgumentException if it is none. */
  Object read() {
    Object value = value();
    skipSpace();
    if (place < text.length()) {
      throw expected("the end");
    }
    return value;
  }

  private Object value() {
    skipSpace();
    switch (peek()) {
      case '{':
        return object();
      case '[':
        return array();
      case '"':
        return string();
      case 't':
        return literal("true", true);
      case 'f':
        return literal("false", false);
      case 'n':
        return literal("null", null);
      case 'N':
        return literal("NaN", Double.NaN);
      case 'I':
        return literal("Infinity", Double.POSITIVE_INFINITY);
      default:
        return text.startsWith("-I", place)
            ? literal("-Infinity", Double.NEGATIVE_INFINITY)
            : number();
    }
  }

  private Map<String, Object> object() {
    Map<String, Object> members = new LinkedHashMap<>();
    enter();
    skipSpace();
    if (!skip('}')) {
      do {
        skipSpace();
        if (peek() != '"') {
          throw expected("a name in quotes");
        }
        String name = string();
        skipSpace();
        if (!skip(':')) {
          throw expected("':'");
        }
        members.put(name, value());
        skipSpace();
      } while (skip(','));
      if (!skip('}')) {
        throw expected("',' or '}'");
      }
    }
    depth--;
    return members;
  }

  private List<Object> array() {
    List<Object> items = new ArrayList<>();
    enter();
    skipSpace();
    if (!skip(']')) {
      do {
        items.add(value());
        skipSpace();
      } while (skip(','));
      if (!skip(']')) {
        throw expected("',' or ']'");
      }
    }
    depth--;
    return items;
  }

  private String string() {
    StringBuilder out = new StringBuilder();
    place++;
    while (true) {
      int from = place;
      while (peek() >= ' ' && peek() != '"' && peek() != '\\') {
        place++;
      }
      out.append(text, from, place);
      if (skip('"')) {
        return out.toString();
      }
      if (!skip('\\')) {
        throw expected("'\"'");
      }
      out.append(escaped());
    }
  }

  private char escaped() {
    int index = "\"\\/bfnrt".indexOf(peek());
    if (index >= 0) {
      place++;
      return "\"\\/\b\f\n\r\t".charAt(index);
    }
    if (!skip('u')) {
      throw expected("an escape such as \\n or \\u00e9");
    }
    int code = 0;
    for (int i = 0; i < 4; i++, place++) {
      int digit = peek() < 128 ? Character.digit(peek(), 16) : -1;
      if (digit < 0) {
        throw expected("four hexadecimal digits");
      }
      code = code * 16 + digit;
    }
    return (char) code;
  }

  private Number number() {
    int from = place;
    skip('-');
    if (!skip('0')) {
      digits(from == place ? "a value" : "a digit");
    }
    boolean whole = true;
    if (skip('.')) {
      digits("a digit");
      whole = false;
    }
    if (skip('e') || skip('E')) {
      if (!skip('+')) {
        skip('-');
      }
      digits("a digit");
      whole = false;
    }
    String found = text.substring(from, place);
    if (!whole || found.length() > MAX_DIGITS) {
      return Double.valueOf(found);
    }
    try {
      return Long.valueOf(found);
    } catch (NumberFormatException e) {
      return new BigInteger(found);
    }
  }

  private void digits(String what) {
    int from = place;
    while (peek() >= '0' && peek() <= '9') {
      place++;
    }
    if (place == from) {
      throw expected(what);
    }
  }

  private Object literal(String name, Object value) {
    if (!text.startsWith(name, place)) {
      throw expected("a value");
    }
    place += name.length();
    return value;
  }

  private void enter() {
    place++;
    if (++depth > MAX_DEPTH) {
      throw new IllegalArgumentException("JSON: expected at most " + MAX_DEPTH + " levels");
    }
  }

  private void skipSpace() {
    while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') {
      place++;
    }
  }

  private boolean skip(char wanted) {
    if (peek() != wanted) {
      return false;
    }
    place++;
    return true;
  }

  /** Returns the next character, -1 at the end. */
  private int peek() {
    return place < text.length() ? text.charAt(place) : -1;
  }

  private IllegalArgumentException expected(String what) {
    String got = peek() < 0 ? "the end" : Json.write(String.valueOf((char) peek()));
    return new IllegalArgumentException(
        "JSON: expected " + what + " at character " + place + ", got " + got);
  }
}
