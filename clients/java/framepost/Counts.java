package framepost;

/**
 * What became of the frames that a {@link LatestFrameSender} was offered, of one moment: {@code
 * captured = posted + superseded + refused + failed + waiting}.
 */
public final class Counts {
  private final long posted;
  private final long superseded;
  private final long refused;
  private final long failed;
  private final long waiting;
  private final long thinned;
  private final long captured;

  Counts(
      long captured,
      long posted,
      long superseded,
      long refused,
      long failed,
      long waiting,
      long thinned) {
    this.captured = captured;
    this.posted = posted;
    this.superseded = superseded;
    this.refused = refused;
    this.failed = failed;
    this.waiting = waiting;
    this.thinned = thinned;
  }

  /** Offered, and numbered. */
  public long captured() {
    return captured;
  }

  /** Taken by the receiver; what its hook made of them is in the replies. */
  public long posted() {
    return posted;
  }

  /** Replaced by a newer one before they were sent. */
  public long superseded() {
    return superseded;
  }

  /** Answered with a no. */
  public long refused() {
    return refused;
  }

  /** Not encoded, not answered, or not sent before the end. */
  public long failed() {
    return failed;
  }

  /** One to be sent, one on its way. */
  public long waiting() {
    return waiting;
  }

  /** Left out because the receiver wished fewer; neither captured nor numbered. */
  public long thinned() {
    return thinned;
  }

  @Override
  public String toString() {
    return String.format(
        "captured=%d posted=%d superseded=%d refused=%d failed=%d waiting=%d thinned=%d",
        captured, posted, superseded, refused, failed, waiting, thinned);
  }
}
