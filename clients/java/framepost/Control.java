package framepost;

import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the receiver can use of a stream; what is empty is as you like. */
public final class Control {
  private static final Pattern FPS =
      Pattern.compile("(?:^|;)\\s*fps\\s*=\\s*([0-9]{1,4}(?:\\.[0-9]{1,6})?)\\s*(?:;|$)");
  private static final Pattern SIZE =
      Pattern.compile("(?:^|;)\\s*size\\s*=\\s*([0-9]{1,5})x([0-9]{1,5})\\s*(?:;|$)");
  private static final Pattern QUALITY =
      Pattern.compile("(?:^|;)\\s*quality\\s*=\\s*([0-9]{1,3})\\s*(?:;|$)");

  private final OptionalDouble fps;
  private final OptionalInt width;
  private final OptionalInt height;
  private final OptionalInt quality;

  private Control(String text) {
    Matcher found = FPS.matcher(text);
    double rate = found.find() ? Double.parseDouble(found.group(1)) : 0;
    fps = rate > 0 ? OptionalDouble.of(rate) : OptionalDouble.empty();
    found = SIZE.matcher(text);
    boolean hasSize = found.find();
    width = hasSize ? OptionalInt.of(Integer.parseInt(found.group(1))) : OptionalInt.empty();
    height = hasSize ? OptionalInt.of(Integer.parseInt(found.group(2))) : OptionalInt.empty();
    found = QUALITY.matcher(text);
    quality = found.find() ? OptionalInt.of(Integer.parseInt(found.group(1))) : OptionalInt.empty();
  }

  /** Reads {@code fps=5; size=640x360; quality=70}, of which any part may be missing or unknown. */
  static Optional<Control> read(String header) {
    Control control = new Control(header);
    boolean says =
        control.fps.isPresent() || control.width.isPresent() || control.quality.isPresent();
    return says ? Optional.of(control) : Optional.empty();
  }

  /** Frames a second; above 0. */
  public OptionalDouble fps() {
    return fps;
  }

  /** Pixels across. */
  public OptionalInt width() {
    return width;
  }

  /** Pixels down. */
  public OptionalInt height() {
    return height;
  }

  /** JPEG quality, 1 to 100. */
  public OptionalInt quality() {
    return quality;
  }
}
