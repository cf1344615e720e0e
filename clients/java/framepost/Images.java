package framepost;

import java.awt.Graphics2D;
import java.awt.image.BufferedImage;
import java.awt.image.DataBufferByte;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.MemoryCacheImageOutputStream;

/** Makes bytes of images; apart from Frame, which so works where there is no java.desktop. */
final class Images {
  private Images() {}

  static boolean isGray(BufferedImage image) {
    return image.getType() == BufferedImage.TYPE_BYTE_GRAY;
  }

  /** Returns a JPEG; {@code quality} is 1 to 100. */
  static byte[] jpeg(BufferedImage image, int quality) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream(1 << 16);
    ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
    try (MemoryCacheImageOutputStream stream = new MemoryCacheImageOutputStream(out)) {
      ImageWriteParam how = writer.getDefaultWriteParam();
      how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
      how.setCompressionQuality(quality / 100f);
      writer.setOutput(stream);
      // The writer takes these as they are; with others, alpha above all, it fails or errs.
      boolean plain = isGray(image) || image.getType() == BufferedImage.TYPE_3BYTE_BGR;
      writer.write(null, new IIOImage(plain ? image : toBgr(image), null, null), how);
    } finally {
      writer.dispose();
    }
    return out.toByteArray();
  }

  /** Returns the pixels: one byte each of a grey image, otherwise blue, green and red. */
  static byte[] pixels(BufferedImage image) {
    boolean gray = isGray(image);
    boolean usable = gray || image.getType() == BufferedImage.TYPE_3BYTE_BGR;
    byte[] data = bytes(usable ? image : toBgr(image));
    if (data.length != image.getWidth() * image.getHeight() * (gray ? 1 : 3)) {
      data = bytes(gray ? copy(image) : toBgr(image)); // a part has the whole image's buffer
    }
    return data;
  }

  private static byte[] bytes(BufferedImage image) {
    return ((DataBufferByte) image.getRaster().getDataBuffer()).getData();
  }

  private static BufferedImage toBgr(BufferedImage image) {
    BufferedImage bgr =
        new BufferedImage(image.getWidth(), image.getHeight(), BufferedImage.TYPE_3BYTE_BGR);
    Graphics2D graphics = bgr.createGraphics();
    graphics.drawImage(image, 0, 0, null);
    graphics.dispose();
    return bgr;
  }

  private static BufferedImage copy(BufferedImage gray) {
    BufferedImage whole =
        new BufferedImage(gray.getWidth(), gray.getHeight(), BufferedImage.TYPE_BYTE_GRAY);
    gray.copyData(whole.getRaster());
    return whole;
  }
}
