package framepost;

import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;

/** Seconds as text, with a decimal point whatever the user's locale. */
final class Seconds {
  private Seconds() {}

  /** Returns Unix seconds with six decimals. */
  static String unix(Instant instant) {
    String micros = Integer.toString(1_000_000 + instant.getNano() / 1000).substring(1);
    return instant.getEpochSecond() + "." + micros;
  }

  /** Returns seconds with as many decimals as it takes, three at most: 1 or 0.25. */
  static String of(Duration duration) {
    return BigDecimal.valueOf(duration.toMillis(), 3).stripTrailingZeros().toPlainString();
  }
}
