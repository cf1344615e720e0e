import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The classic form, base64 in the field {@code img}, as a Java program writes it. */
final class Base64Way implements AnswerCaller.Way {
  private static final Pattern RESULT = Pattern.compile("\"result\": ?([0-9]+)");

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final URI uri;

  Base64Way(String url) {
    uri = URI.create(url + "/cameras/java-form/frames?mode=every");
  }

  @Override
  public long ask(byte[] picture) throws IOException, InterruptedException {
    String text = Base64.getEncoder().encodeToString(picture);
    String form = "img=" + URLEncoder.encode(text, StandardCharsets.US_ASCII);
    HttpRequest request =
        HttpRequest.newBuilder(uri)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header("Prefer", "wait=10")
            .POST(HttpRequest.BodyPublishers.ofString(form))
            .build();
    String reply = http.send(request, BodyHandlers.ofString()).body();
    Matcher found = RESULT.matcher(reply);
    if (!found.find()) {
      throw new IOException(reply);
    }
    return Long.parseLong(found.group(1));
  }
}
