using System;
using System.Diagnostics;
using System.Threading;
using System.Threading.Tasks;

namespace Framepost
{
    /// <summary>
    /// Of one moment: Captured = Posted + Superseded + Refused + Failed + Waiting.
    /// </summary>
    public struct Counts
    {
        public long Captured;

        /// <summary>The receiver took them; what its hook made of them is in the replies.</summary>
        public long Posted;

        /// <summary>Replaced by a newer one before they were sent.</summary>
        public long Superseded;

        public long Refused;

        /// <summary>No reply came, or the end did first.</summary>
        public long Failed;

        /// <summary>One to be sent, one in flight.</summary>
        public long Waiting;

        /// <summary>Left out because the receiver wished fewer; not captured.</summary>
        public long Thinned;
    }

    /// <summary>
    /// Sends the newest frame in the background; one that waits gives way to a newer one. No frame is
    /// sent again for a refusal or a lost reply: after trouble it pauses, 0.1 s doubling to 1 s or as
    /// long as the receiver asks, and goes on with what is newest then.
    /// </summary>
    public sealed class LatestFrameSender : IDisposable
    {
        private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.1);
        private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);

        private readonly FramepostClient _client;
        private readonly Action<Frame, Reply> _onReply;
        private readonly Action<Frame, FramepostException> _onTrouble;
        private readonly bool _obey;
        private readonly Random _jitter = new Random();
        private readonly Stopwatch _clock = Stopwatch.StartNew();
        private readonly SemaphoreSlim _wake = new SemaphoreSlim(0);
        private readonly CancellationTokenSource _closing = new CancellationTokenSource();
        private readonly CancellationTokenSource _overdue = new CancellationTokenSource();
        private readonly Task _running;

        private readonly object _lock = new object(); // over what follows
        private Frame _newest;
        private TimeSpan _wait; // of the frame offered last
        private TimeSpan _due; // when the receiver wishes the next frame
        private TimeSpan _backoff;
        private Control _control;
        private Counts _counts;
        private bool _isClosed;

        /// <summary>
        /// Start; from here on the client is this sender's. The callbacks run between two frames, on
        /// a thread of the pool; what they throw ends the sender, and comes out of its closing.
        /// </summary>
        /// <param name="obey">Leave frames out when the receiver wishes fewer a second.</param>
        public LatestFrameSender(
            FramepostClient client,
            Action<Frame, Reply> onReply = null,
            Action<Frame, FramepostException> onTrouble = null,
            bool obey = true)
        {
            _client = client;
            _onReply = onReply;
            _onTrouble = onTrouble;
            _obey = obey;
            _running = Task.Run(RunAsync);
        }

        public Counts Counts
        {
            get
            {
                lock (_lock)
                {
                    return _counts;
                }
            }
        }

        /// <summary>
        /// What the newest reply wished; null for nothing. Size and quality are yours to follow.
        /// </summary>
        public Control Control
        {
            get
            {
                lock (_lock)
                {
                    return _control;
                }
            }
        }

        /// <summary>Make this the frame to be sent next; never blocks.</summary>
        /// <exception cref="ObjectDisposedException">The sender was closed.</exception>
        public void Offer(Frame frame)
        {
            lock (_lock)
            {
                if (_isClosed)
                {
                    throw new ObjectDisposedException(nameof(LatestFrameSender));
                }
                if (!IsDue(_clock.Elapsed))
                {
                    _counts.Thinned++;
                    return;
                }
                var numbered = _client.Capture(frame);
                _counts.Captured++;
                if (_newest == null)
                {
                    _counts.Waiting++;
                    _wake.Release();
                }
                else
                {
                    _counts.Superseded++;
                }
                _newest = numbered;
                _wait = frame.Wait;
            }
        }

        /// <summary>
        /// Send what waits, unless there is trouble, and end, all within the client's timeout and
        /// what the last frame waits for.
        /// </summary>
        public Task CloseAsync()
        {
            lock (_lock)
            {
                if (!_isClosed)
                {
                    _isClosed = true;
                    _overdue.CancelAfter(_client.Timeout + _wait);
                    _wake.Release();
                }
            }
            _closing.Cancel();
            return _running;
        }

        /// <summary>Close, and wait for the end. Not from a callback.</summary>
        public void Dispose()
        {
            CloseAsync().GetAwaiter().GetResult();
            _client.Dispose();
        }

        private async Task RunAsync()
        {
            try
            {
                while (true)
                {
                    await _wake.WaitAsync().ConfigureAwait(false);
                    var frame = Take();
                    if (frame != null)
                    {
                        await PauseAsync(await PostAsync(frame).ConfigureAwait(false))
                            .ConfigureAwait(false);
                    }
                    else if (IsOver())
                    {
                        return;
                    }
                }
            }
            finally
            {
                lock (_lock)
                {
                    _isClosed = true; // after a bug in a callback too, so that Offer says so
                    Drop();
                }
            }
        }

        private bool IsOver()
        {
            lock (_lock)
            {
                return _isClosed && _newest == null;
            }
        }

        private Frame Take()
        {
            lock (_lock)
            {
                if (_overdue.IsCancellationRequested)
                {
                    Drop();
                }
                var frame = _newest;
                _newest = null;
                return frame;
            }
        }

        /// <summary>Return how long to pause.</summary>
        private async Task<TimeSpan> PostAsync(Frame frame)
        {
            FramepostException trouble;
            try
            {
                var reply = await _client.PostAsync(frame, _overdue.Token).ConfigureAwait(false);
                lock (_lock)
                {
                    _counts.Posted++;
                    _counts.Waiting--;
                    _control = reply.Control;
                    _backoff = TimeSpan.Zero;
                }
                _onReply?.Invoke(frame, reply);
                return reply.RetryAfter;
            }
            catch (FramepostException exc)
            {
                trouble = exc;
            }
            catch (OperationCanceledException exc) when (_overdue.IsCancellationRequested)
            {
                trouble = new NoReplyException("the sender was closed before one came", exc);
            }
            var refused = trouble as RefusedException;
            lock (_lock)
            {
                _counts.Refused += refused != null ? 1 : 0;
                _counts.Failed += refused != null ? 0 : 1;
                _counts.Waiting--;
            }
            _onTrouble?.Invoke(frame, trouble);
            return PauseAfter(refused);
        }

        private TimeSpan PauseAfter(RefusedException refused)
        {
            switch (refused?.Status)
            {
                case 413:
                case 415:
                case 422:
                    return TimeSpan.Zero; // about that frame alone: the next may go at once
            }
            var doubled = TimeSpan.FromTicks(_backoff.Ticks * 2);
            _backoff = doubled < FirstPause ? FirstPause
                : doubled > LongestPause ? LongestPause : doubled;
            var pause = TimeSpan.FromTicks(
                (long)(_backoff.Ticks * (0.5 + _jitter.NextDouble() / 2)));
            return refused != null && refused.RetryAfter > pause ? refused.RetryAfter : pause;
        }

        /// <summary>What still waits when the end comes first is not sent.</summary>
        private async Task PauseAsync(TimeSpan length)
        {
            if (length <= TimeSpan.Zero)
            {
                return;
            }
            try
            {
                await Task.Delay(length, _closing.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                lock (_lock)
                {
                    Drop();
                }
            }
        }

        private void Drop()
        {
            if (_newest != null)
            {
                _newest = null;
                _counts.Failed++;
                _counts.Waiting--;
            }
        }

        private bool IsDue(TimeSpan now)
        {
            if (!_obey || _control?.Fps == null)
            {
                return true;
            }
            if (now < _due)
            {
                return false;
            }
            // From one due time to the next, so that the rate does not sag; anew after a gap.
            var interval = TimeSpan.FromSeconds(1 / _control.Fps.Value);
            _due = (_due > now - interval ? _due : now - interval) + interval;
            return true;
        }
    }
}
