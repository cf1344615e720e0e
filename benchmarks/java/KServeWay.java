import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Pixels behind the JSON of a KServe request. */
class KServeWay implements AnswerCaller.Way {
  private static final String LENGTH = "Inference-Header-Content-Length";
  private static final String OUTPUTS =
      "\"outputs\":[{\"name\":\"result\",\"parameters\":{\"binary_data\":true}}]";

  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  private final String url;
  private final String shape;

  KServeWay(String url, int width, int height) {
    this.url = url;
    shape = "[" + height + "," + width + ",3]";
  }

  @Override
  public long ask(byte[] picture) throws IOException, InterruptedException {
    return infer("\"binary_data_size\":" + picture.length, BodyPublishers.ofByteArray(picture));
  }

  /** Asks with these parameters of the input, and these bytes behind the JSON. */
  final long infer(String parameters, BodyPublisher binary)
      throws IOException, InterruptedException {
    byte[] head =
        ("{\"inputs\":[{\"name\":\"image\",\"datatype\":\"UINT8\",\"shape\":"
                + shape
                + ",\"parameters\":{"
                + parameters
                + "}}],"
                + OUTPUTS
                + "}")
            .getBytes(StandardCharsets.US_ASCII);
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + "/v2/models/reading_hook/infer"))
            .header(LENGTH, Integer.toString(head.length))
            .POST(BodyPublishers.concat(BodyPublishers.ofByteArray(head), binary))
            .build();
    HttpResponse<byte[]> reply = http.send(request, BodyHandlers.ofByteArray());
    byte[] body = reply.body();
    if (reply.statusCode() != 200) {
      throw new IOException(new String(body, StandardCharsets.UTF_8));
    }
    // Behind the JSON the element of BYTES: its length in four bytes, and the hook's JSON.
    int start = Integer.parseInt(reply.headers().firstValue(LENGTH).orElseThrow()) + 4;
    byte[] result = Arrays.copyOfRange(body, start, body.length);
    return Long.parseLong(new String(result, StandardCharsets.US_ASCII));
  }

  /** Posts without waiting for more than the status; any but 200 is an error. */
  final void post(String path, String json) throws IOException, InterruptedException {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url + path)).POST(BodyPublishers.ofString(json)).build();
    HttpResponse<String> reply = http.send(request, BodyHandlers.ofString());
    if (reply.statusCode() != 200) {
      throw new IOException(reply.body());
    }
  }
}
