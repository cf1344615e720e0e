package framepost;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.regex.Pattern;

/** Where a camera's frames go, and where its results come from. */
final class Target {
  private static final Pattern CAMERA = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");

  final URI latest;
  final URI every;
  final URI events;

  /** Throws IllegalArgumentException for what cannot be a receiver's or a camera's name. */
  Target(String url, String camera) {
    if (!CAMERA.matcher(camera).matches()) {
      throw new IllegalArgumentException(
          "camera: expected 1 to 64 letters, digits, '_', '.' or '-', the first a letter or"
              + " digit, got '"
              + camera
              + "'");
    }
    String base = url.replaceAll("/+$", "");
    try {
      latest = new URI(base + "/cameras/" + camera + "/frames");
    } catch (URISyntaxException e) {
      throw noUrl(url);
    }
    boolean isHttp = "http".equals(latest.getScheme()) || "https".equals(latest.getScheme());
    boolean hasMore =
        latest.getRawUserInfo() != null
            || latest.getRawQuery() != null
            || latest.getRawFragment() != null;
    if (!isHttp || hasMore || latest.getHost() == null || latest.getPort() > 65535) {
      throw noUrl(url);
    }
    every = URI.create(latest + "?mode=every");
    events = URI.create(base + "/events?camera=" + camera);
  }

  private static IllegalArgumentException noUrl(String url) {
    // Not repeated where it might hold a password.
    String got = url.contains("@") ? "one with an '@'" : "'" + url + "'";
    String hint = url.contains("_") ? " (Java takes no '_' in a host's name)" : "";
    return new IllegalArgumentException("url: expected http://HOST:PORT, got " + got + hint);
  }
}
