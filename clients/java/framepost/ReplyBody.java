package framepost;

import java.io.ByteArrayOutputStream;
import java.net.ProtocolException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;

/**
 * Collects a reply's body, no longer than it may be and no later.
 *
 * <p>The time-out of an HttpRequest ends with the reply's headers; a body that drips would outlast
 * it.
 */
final class ReplyBody
    implements HttpResponse.BodyHandler<byte[]>, HttpResponse.BodySubscriber<byte[]> {
  /** A longer reply, in bytes, is somebody else's. */
  static final int MAX_LENGTH = 16 << 20;

  private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
  private final ByteArrayOutputStream content = new ByteArrayOutputStream();
  private final long deadline;
  private volatile Instant seen;

  /**
   * @param deadline when the body must have come, in {@code System.nanoTime()}
   */
  ReplyBody(long deadline) {
    this.deadline = deadline;
  }

  /** Returns when the reply's headers had come; null before. */
  Instant seen() {
    return seen;
  }

  @Override
  public HttpResponse.BodySubscriber<byte[]> apply(HttpResponse.ResponseInfo info) {
    seen = Instant.now();
    return this;
  }

  @Override
  public CompletionStage<byte[]> getBody() {
    return whole;
  }

  @Override
  public void onSubscribe(Flow.Subscription subscription) {
    whole.orTimeout(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
    whole.whenComplete(
        (body, trouble) -> {
          if (trouble != null) {
            subscription.cancel();
          }
        });
    subscription.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    for (ByteBuffer buffer : buffers) {
      if (content.size() + buffer.remaining() > MAX_LENGTH) {
        whole.completeExceptionally(
            new ProtocolException("the reply is longer than " + MAX_LENGTH + " bytes"));
        return;
      }
      byte[] bytes = new byte[buffer.remaining()];
      buffer.get(bytes);
      content.write(bytes, 0, bytes.length);
    }
  }

  @Override
  public void onError(Throwable trouble) {
    whole.completeExceptionally(trouble);
  }

  @Override
  public void onComplete() {
    whole.complete(content.toByteArray());
  }
}
