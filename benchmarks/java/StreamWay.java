import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** All JPEGs in one endless request, each answered with a line; over a plain socket. */
final class StreamWay implements AnswerCaller.Way {
  private static final Pattern RESULT = Pattern.compile("\"result\": ?([0-9]+)");

  private final Socket socket;
  private final OutputStream out;
  private final InputStream in;

  StreamWay(URI url) throws IOException {
    socket = new Socket(url.getHost(), url.getPort());
    socket.setTcpNoDelay(true);
    out = new BufferedOutputStream(socket.getOutputStream(), 1 << 20);
    in = new BufferedInputStream(socket.getInputStream());
    write(
        "POST /cameras/java-stream/stream?mode=every HTTP/1.1\r\nHost: benchmark\r\n"
            + "Content-Type: multipart/x-mixed-replace; boundary=frame\r\n"
            + "Accept: application/x-ndjson\r\nPrefer: wait=10\r\n"
            + "Transfer-Encoding: chunked\r\n\r\n");
  }

  @Override
  public long ask(byte[] picture) throws IOException {
    String head =
        "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: " + picture.length + "\r\n\r\n";
    write(Integer.toHexString(head.length() + picture.length + 2) + "\r\n" + head);
    out.write(picture);
    write("\r\n\r\n");
    out.flush();
    // Between the lines are the reply's head and the sizes of its chunks.
    while (true) {
      String line = readLine();
      if (line.startsWith("{")) {
        Matcher found = RESULT.matcher(line);
        if (!found.find()) {
          throw new IOException(line);
        }
        return Long.parseLong(found.group(1));
      }
    }
  }

  @Override
  public void close() throws IOException {
    write("0\r\n\r\n");
    out.flush();
    socket.close();
  }

  private void write(String text) throws IOException {
    out.write(text.getBytes(StandardCharsets.US_ASCII));
  }

  private String readLine() throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        throw new EOFException("the stream has ended");
      }
      line.append((char) c);
    }
    return line.toString();
  }
}
