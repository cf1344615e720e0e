package framepost;

import java.net.http.HttpRequest;
import java.nio.ByteBuffer;
import java.util.concurrent.Flow;

/**
 * A request's body in one piece.
 *
 * <p>{@code BodyPublishers.ofByteArray} makes pieces of 16 KiB, each copied and written for itself.
 */
final class FrameBody implements HttpRequest.BodyPublisher {
  private final byte[] data;

  FrameBody(byte[] data) {
    this.data = data;
  }

  @Override
  public long contentLength() {
    return data.length;
  }

  @Override
  public void subscribe(Flow.Subscriber<? super ByteBuffer> subscriber) {
    subscriber.onSubscribe(
        new Flow.Subscription() {
          private boolean done;

          @Override
          public void request(long n) {
            if (!done) {
              done = true;
              subscriber.onNext(ByteBuffer.wrap(data));
              subscriber.onComplete();
            }
          }

          @Override
          public void cancel() {
            done = true;
          }
        });
  }
}
