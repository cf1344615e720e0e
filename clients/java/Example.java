import static java.util.stream.Collectors.toList;

import framepost.Counts;
import framepost.Frame;
import framepost.FramepostClient;
import framepost.FramepostException;
import framepost.Json;
import framepost.LatestFrameSender;
import framepost.Reply;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import javax.imageio.ImageIO;

/** Sends a folder of pictures and prints what became of each. */
public final class Example {
  private static final String USAGE =
      String.join(
          "\n",
          "usage: java -cp build Example FOLDER [options]",
          "",
          "Sends the JPEG, PNG and WebP files of a folder in the order of their names, and prints",
          "what became of each.",
          "",
          "  --url URL        the receiver (http://127.0.0.1:8000)",
          "  --camera NAME    the name that the frames go by (cam1)",
          "  --fps N          pictures a second; else as fast as they go",
          "  --loop           begin the folder again at its end",
          "  --wait SECONDS   how long to wait for each result",
          "  --timeout S      how long an exchange may take, the wait apart (5)",
          "  --latest         send only what is newest",
          "  --disobey        ignore the receiver's wishes for fewer frames",
          "  --quality N      decode the pictures, encode them again: JPEG, 1 to 100",
          "  --raw            decode the pictures, send their pixels",
          "  --token TOKEN    the receiver's token; better in FRAMEPOST_TOKEN, where others do not",
          "                   see it");

  private static final Set<String> FLAGS =
      Set.of("--loop", "--latest", "--disobey", "--raw", "--help", "-h");
  private static final Set<String> SETTINGS =
      Set.of("--url", "--camera", "--fps", "--wait", "--timeout", "--quality", "--token");

  private final Map<String, String> options = new HashMap<>();
  private Path folder;

  /** Ends with 1 if a frame was refused or its hook failed, with 3 if one had no reply. */
  private int status;

  public static void main(String[] arguments) {
    Thread main = Thread.currentThread();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> endAfter(main))); // Ctrl-C
    Example example = new Example();
    try {
      example.read(arguments);
      if (example.isHelp()) {
        System.out.println(USAGE);
      } else {
        example.run();
      }
    } catch (IllegalArgumentException e) {
      example.fail(e.getMessage() + "; --help says more");
    } catch (NoSuchFileException | NotDirectoryException e) {
      example.fail("expected a folder, got " + e.getFile());
    } catch (IOException e) {
      example.fail(e.toString());
    } catch (InterruptedException e) {
      example.status = 130;
    }
    Runtime.getRuntime().halt(example.status);
  }

  private static void endAfter(Thread main) {
    main.interrupt();
    try {
      main.join();
    } catch (InterruptedException e) {
      // There is nothing left to wait for.
    }
  }

  private void fail(String sentence) {
    System.err.println("Example: " + sentence);
    status = 2;
  }

  private void read(String[] arguments) {
    for (int i = 0; i < arguments.length; i++) {
      String argument = arguments[i];
      if (FLAGS.contains(argument)) {
        options.put(argument, "");
      } else if (SETTINGS.contains(argument) && i + 1 < arguments.length) {
        options.put(argument, arguments[++i]);
      } else if (argument.startsWith("-") || folder != null) {
        throw new IllegalArgumentException("expected one folder and options, got " + argument);
      } else {
        folder = Path.of(argument);
      }
    }
    if (folder == null && !isHelp()) {
      throw new IllegalArgumentException("expected a folder");
    }
  }

  private void run() throws IOException, InterruptedException {
    List<Path> files = pictures();
    FramepostClient.Builder builder =
        FramepostClient.builder(
                options.getOrDefault("--url", "http://127.0.0.1:8000"),
                options.getOrDefault("--camera", "cam1"))
            .timeout(has("--timeout") ? seconds("--timeout") : Duration.ofSeconds(5));
    String token = options.getOrDefault("--token", System.getenv("FRAMEPOST_TOKEN"));
    try (FramepostClient client = (token == null ? builder : builder.token(token)).build()) {
      if (has("--latest")) {
        sendNewest(client, files);
      } else {
        sendEach(client, files);
      }
    }
  }

  private void sendEach(FramepostClient client, List<Path> files)
      throws IOException, InterruptedException {
    Duration wait = has("--wait") ? seconds("--wait") : null;
    long due = System.nanoTime();
    do {
      for (Path file : files) {
        due = pace(due);
        String name = file.getFileName().toString();
        try {
          tell(name, client.send(frame(file), wait));
        } catch (FramepostException trouble) {
          tell(name, trouble);
        }
      }
    } while (has("--loop"));
  }

  private void sendNewest(FramepostClient client, List<Path> files) {
    LatestFrameSender sender =
        LatestFrameSender.builder(client)
            .waitForResult(has("--wait") ? seconds("--wait") : null)
            .obey(!has("--disobey"))
            .onReply(reply -> tell("frame " + reply.seq(), reply))
            .onTrouble(trouble -> tell("frame " + trouble.seq(), trouble))
            .start();
    try (sender) {
      long due = System.nanoTime();
      do {
        for (Path file : files) {
          due = pace(due);
          sender.offer(() -> frame(file)); // read, and perhaps decoded, only if it is sent
        }
      } while (has("--loop"));
    } catch (InterruptedException e) {
      // Ctrl-C: what follows is said all the same.
    }
    Counts counts = sender.counts();
    say(
        String.format(
            "captured=%d posted=%d superseded=%d refused=%d failed=%d thinned=%d",
            counts.captured(),
            counts.posted(),
            counts.superseded(),
            counts.refused(),
            counts.failed(),
            counts.thinned()));
  }

  /** Waits until {@code due} and returns when the next picture is due, by {@code nanoTime}. */
  private long pace(long due) throws InterruptedException {
    if (Thread.interrupted()) {
      throw new InterruptedException();
    }
    if (!has("--fps")) {
      return due;
    }
    long interval = (long) (1e9 / number("--fps"));
    TimeUnit.NANOSECONDS.sleep(due - System.nanoTime());
    return Math.max(due, System.nanoTime() - interval) + interval;
  }

  private Frame frame(Path file) throws IOException {
    if (!has("--quality") && !has("--raw")) {
      return Frame.of(Files.readAllBytes(file), contentType(file));
    }
    BufferedImage image = ImageIO.read(file.toFile());
    if (image == null) {
      throw new IOException(file + ": expected a picture that Java can decode");
    }
    return has("--raw") ? Frame.raw(image) : Frame.jpeg(image, (int) number("--quality"));
  }

  private void tell(String name, Reply reply) {
    if (reply.state().equals("failed")) {
      status = Math.max(status, 1);
    }
    String result = reply.result() == null ? "" : " " + Json.write(reply.result());
    String outcome = reply.error().map(error -> " " + error).orElse(result);
    say(name + ": " + reply.status() + " " + reply.state() + outcome);
  }

  private void tell(String name, FramepostException trouble) {
    if (trouble instanceof FramepostException.Refused) {
      FramepostException.Refused refused = (FramepostException.Refused) trouble;
      status = Math.max(status, 1);
      say(name + ": " + refused.status() + " refused " + refused.detail());
    } else {
      status = 3;
      say(name + ": no reply, " + trouble.getMessage());
    }
  }

  private static void say(String line) {
    System.out.println(line);
    if (System.out.checkError()) {
      Runtime.getRuntime().halt(0); // whoever read our lines, such as head, has seen enough
    }
  }

  private List<Path> pictures() throws IOException {
    List<Path> found;
    try (Stream<Path> files = Files.list(folder)) {
      found = files.filter(file -> contentType(file) != null).sorted().collect(toList());
    }
    if (found.isEmpty()) {
      throw new IllegalArgumentException(folder + ": expected JPEG, PNG or WebP files, found none");
    }
    return found;
  }

  private static String contentType(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".jpg") || name.endsWith(".jpeg")) {
      return "image/jpeg";
    }
    return name.endsWith(".png") ? "image/png" : name.endsWith(".webp") ? "image/webp" : null;
  }

  private boolean isHelp() {
    return has("--help") || has("-h");
  }

  private boolean has(String option) {
    return options.containsKey(option);
  }

  private Duration seconds(String option) {
    return Duration.ofNanos((long) (number(option) * 1e9));
  }

  private double number(String option) {
    try {
      double number = Double.parseDouble(options.get(option));
      if (number > 0 || number == 0 && option.equals("--wait")) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(
        option + ": expected a number above 0, got '" + options.get(option) + "'");
  }
}
