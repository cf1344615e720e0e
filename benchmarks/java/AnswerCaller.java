import framepost.Frame;
import framepost.FramepostClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * Sends one of the pictures it was started with for each number that it reads from standard input,
 * and writes what the hook read in it and the nanoseconds from picture to result.
 *
 * <p>Arguments: the receiver's URL; how to ask: {@code jpeg}, {@code raw}, {@code stream}, {@code
 * base64}, {@code kserve} or {@code memory}; the pictures' width and height; their files, JPEGs or
 * for raw, kserve and memory BGR pixels.
 */
public final class AnswerCaller {
  /** One way of asking. */
  interface Way extends AutoCloseable {
    /** Has the hook process the picture, and returns the number that it read. */
    long ask(byte[] picture) throws Exception;

    @Override
    default void close() throws IOException {}
  }

  public static void main(String[] arguments) throws Exception {
    List<byte[]> pictures = new ArrayList<>();
    for (int i = 4; i < arguments.length; i++) {
      pictures.add(Files.readAllBytes(Path.of(arguments[i])));
    }
    int width = Integer.parseInt(arguments[2]);
    int height = Integer.parseInt(arguments[3]);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    try (Way way = open(arguments[1], arguments[0], width, height)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        byte[] picture = pictures.get(Integer.parseInt(line));
        long started = System.nanoTime();
        long number = way.ask(picture);
        System.out.println(number + " " + (System.nanoTime() - started));
      }
    }
  }

  private static Way open(String how, String url, int width, int height) throws Exception {
    switch (how) {
      case "stream":
        return new StreamWay(URI.create(url));
      case "base64":
        return new Base64Way(url);
      case "kserve":
        return new KServeWay(url, width, height);
      case "memory":
        return new MemoryWay(url, width, height);
      default:
        return client(how.equals("raw"), url, width, height);
    }
  }

  private static Way client(boolean raw, String url, int width, int height) {
    FramepostClient client =
        FramepostClient.builder(url, raw ? "java-raw" : "java-jpeg").build();
    Duration wait = Duration.ofSeconds(10);
    return picture -> {
      Frame frame = raw ? Frame.rawBgr(picture, width, height) : Frame.jpeg(picture);
      Object number = client.send(frame, wait, FramepostClient.Mode.EVERY).result();
      return ((Number) number).longValue();
    };
  }

  private AnswerCaller() {}
}
