package framepost;

import java.io.ByteArrayOutputStream;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A reply's body that goes on, piece by piece: the next one is read when this one was taken. */
final class EventBody implements HttpResponse.BodySubscriber<EventBody> {
  private static final byte[] END = new byte[0];

  private final CompletableFuture<Flow.Subscription> subscription = new CompletableFuture<>();
  private final BlockingQueue<byte[]> pieces = new LinkedBlockingQueue<>();

  /** Waits for the next piece; returns null at the end, and after {@code silence}. */
  byte[] take(Duration silence) throws InterruptedException {
    byte[] piece = pieces.poll(silence.toMillis(), TimeUnit.MILLISECONDS);
    if (piece == null || piece == END) {
      return null;
    }
    subscription.thenAccept(line -> line.request(1));
    return piece;
  }

  /** Hangs up; whoever waits in {@link #take} gets its null. */
  void close() {
    subscription.thenAccept(Flow.Subscription::cancel);
    pieces.add(END);
  }

  @Override
  public CompletionStage<EventBody> getBody() {
    return CompletableFuture.completedFuture(this);
  }

  @Override
  public void onSubscribe(Flow.Subscription line) {
    subscription.complete(line);
    line.request(1);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    ByteArrayOutputStream piece = new ByteArrayOutputStream();
    for (ByteBuffer buffer : buffers) {
      byte[] bytes = new byte[buffer.remaining()];
      buffer.get(bytes);
      piece.write(bytes, 0, bytes.length);
    }
    pieces.add(piece.toByteArray());
  }

  @Override
  public void onError(Throwable trouble) {
    pieces.add(END);
  }

  @Override
  public void onComplete() {
    pieces.add(END);
  }
}
