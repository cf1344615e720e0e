package framepost;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.time.Instant;
import java.util.Objects;

/**
 * One picture, ready to be sent: its bytes and what they are.
 *
 * <p>Bytes, and the pixels of a {@code BufferedImage} where {@link #raw(BufferedImage)} says so,
 * are not copied: leave them alone until the frame has been sent.
 */
public final class Frame {
  private final byte[] data;
  private final String contentType;
  private final Instant capturedAt;

  private Frame(byte[] data, String contentType, Instant capturedAt) {
    this.data = data;
    this.contentType = contentType;
    this.capturedAt = capturedAt;
  }

  /** A picture in a form of which the name is {@code contentType}, such as {@code image/webp}. */
  public static Frame of(byte[] data, String contentType) {
    if (!contentType.matches("[\\x21-\\x7e][\\x20-\\x7e]*")) {
      throw new IllegalArgumentException(
          "contentType: expected one such as image/jpeg, got '" + contentType + "'");
    }
    return new Frame(Objects.requireNonNull(data, "data"), contentType, null);
  }

  /** A ready JPEG, which goes as it is. */
  public static Frame jpeg(byte[] jpeg) {
    return of(jpeg, "image/jpeg");
  }

  /** A ready PNG, which goes as it is. */
  public static Frame png(byte[] png) {
    return of(png, "image/png");
  }

  /**
   * An image as a JPEG; what is transparent becomes black.
   *
   * @param quality 1 (small) to 100 (good)
   */
  public static Frame jpeg(BufferedImage image, int quality) throws IOException {
    if (quality < 1 || quality > 100) {
      throw new IllegalArgumentException("quality: expected 1 to 100, got " + quality);
    }
    return jpeg(Images.jpeg(image, quality));
  }

  /**
   * Pixels without a codec, for a receiver on the same host: blue, green and red of each, row by
   * row, nothing between the rows.
   */
  public static Frame rawBgr(byte[] pixels, int width, int height) {
    return raw("bgr", 3, pixels, width, height);
  }

  /**
   * An image's pixels without a codec, for a receiver on the same host; what is transparent becomes
   * black.
   *
   * <p>Those of a whole {@code TYPE_3BYTE_BGR} or {@code TYPE_BYTE_GRAY} image are not even copied;
   * any other image is converted.
   */
  public static Frame raw(BufferedImage image) {
    boolean gray = Images.isGray(image);
    byte[] pixels = Images.pixels(image);
    int width = image.getWidth();
    return raw(gray ? "gray" : "bgr", gray ? 1 : 3, pixels, width, image.getHeight());
  }

  /**
   * This picture, captured at {@code instant}; otherwise it counts as captured when it is given.
   */
  public Frame capturedAt(Instant instant) {
    return new Frame(data, contentType, instant);
  }

  byte[] data() {
    return data;
  }

  String contentType() {
    return contentType;
  }

  Instant capturedAtOr(Instant otherwise) {
    return capturedAt == null ? otherwise : capturedAt;
  }

  private static Frame raw(String layout, int channels, byte[] pixels, int width, int height) {
    if (width < 1 || height < 1 || pixels.length != (long) width * height * channels) {
      throw new IllegalArgumentException(
          String.format(
              "pixels: expected %d bytes of %dx%d %s, got %d",
              (long) width * height * channels, width, height, layout, pixels.length));
    }
    String size = "; width=" + width + "; height=" + height;
    return of(pixels, "application/x-raw-" + layout + size);
  }
}
