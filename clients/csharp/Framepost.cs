using System;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;
using System.Threading;
using System.Threading.Tasks;

namespace Framepost
{
    /// <summary>The root of what a client throws for a frame.</summary>
    public abstract class FramepostException : Exception
    {
        protected FramepostException(string message, Exception inner) : base(message, inner) { }
    }

    /// <summary>
    /// Network trouble: no whole, legible reply came. The receiver may have taken the frame all the
    /// same; the next one may do better.
    /// </summary>
    public sealed class NoReplyException : FramepostException
    {
        public NoReplyException(string message, Exception inner = null)
            : base("no reply, " + message, inner) { }
    }

    /// <summary>The receiver said no.</summary>
    public sealed class RefusedException : FramepostException
    {
        public RefusedException(int status, string detail, TimeSpan retryAfter)
            : base("refused (" + status + "): " + detail, null)
        {
            Status = status;
            Detail = detail;
            RetryAfter = retryAfter;
        }

        public int Status { get; }

        /// <summary>The receiver's own sentence.</summary>
        public string Detail { get; }

        /// <summary>How long the receiver asks to send nothing; zero where it does not.</summary>
        public TimeSpan RetryAfter { get; }
    }

    /// <summary>A picture on its way.</summary>
    public sealed class Frame
    {
        public Frame(byte[] data, string contentType = "image/jpeg")
        {
            Data = data ?? throw new ArgumentNullException(nameof(data));
            ContentType = contentType;
        }

        /// <summary>
        /// Pixels without a codec, for a receiver on the same host: 3 bytes a pixel, rows without
        /// padding.
        /// </summary>
        public static Frame RawBgr(byte[] pixels, int width, int height)
        {
            return new Frame(pixels, "application/x-raw-bgr; width=" + width + "; height=" + height);
        }

        /// <summary>Not to be changed while it is being sent.</summary>
        public byte[] Data { get; }

        public string ContentType { get; }

        /// <summary>Now, where not given.</summary>
        public DateTimeOffset? CapturedAt { get; set; }

        /// <summary>How long the reply may wait for the hook's result; zero does not wait.</summary>
        public TimeSpan Wait { get; set; }

        /// <summary>To be processed even if newer frames come.</summary>
        public bool Every { get; set; }

        /// <summary>Set by the client, which counts its frames from 0.</summary>
        public long Seq { get; private set; }

        internal Frame Numbered(long seq)
        {
            var numbered = (Frame)MemberwiseClone();
            numbered.Seq = seq;
            numbered.CapturedAt = CapturedAt ?? DateTimeOffset.UtcNow;
            return numbered;
        }
    }

    /// <summary>Where the time went at the receiver, in milliseconds.</summary>
    public sealed class Timings
    {
        internal Timings(string json)
        {
            Queue = FramepostJson.Number(FramepostJson.Member(json, "queue")) ?? 0;
            Decode = FramepostJson.Number(FramepostJson.Member(json, "decode")) ?? 0;
            Hook = FramepostJson.Number(FramepostJson.Member(json, "hook")) ?? 0;
            Total = FramepostJson.Number(FramepostJson.Member(json, "total")) ?? 0;
        }

        public double Queue { get; }
        public double Decode { get; }
        public double Hook { get; }
        public double Total { get; }
    }

    /// <summary>What the receiver can use; null where it has no wish.</summary>
    public sealed class Control
    {
        private Control(string text)
        {
            var fps = Find(text, @"fps\s*=\s*([0-9]{1,4}(?:\.[0-9]{1,6})?)");
            var size = Find(text, @"size\s*=\s*([0-9]{1,5})x([0-9]{1,5})");
            var quality = Find(text, @"quality\s*=\s*([0-9]{1,3})");
            if (fps.Success)
            {
                var wished = double.Parse(fps.Groups[1].Value, CultureInfo.InvariantCulture);
                Fps = wished > 0 ? wished : (double?)null;
            }
            if (size.Success)
            {
                Width = int.Parse(size.Groups[1].Value, CultureInfo.InvariantCulture);
                Height = int.Parse(size.Groups[2].Value, CultureInfo.InvariantCulture);
            }
            if (quality.Success)
            {
                Quality = int.Parse(quality.Groups[1].Value, CultureInfo.InvariantCulture);
            }
        }

        public double? Fps { get; }
        public int? Width { get; }
        public int? Height { get; }

        /// <summary>Of JPEG, 1 to 100.</summary>
        public int? Quality { get; }

        /// <summary>
        /// Read <c>fps=5; size=640x360; quality=70</c>, of which any part may be missing or unknown.
        /// </summary>
        internal static Control Read(string text)
        {
            var control = new Control(text ?? "");
            var isEmpty = control.Fps == null && control.Width == null && control.Quality == null;
            return isEmpty ? null : control;
        }

        private static Match Find(string text, string wish)
        {
            return Regex.Match(text, @"(?:^|;)\s*" + wish + @"\s*(?:;|$)");
        }
    }

    /// <summary>What became of a frame.</summary>
    public sealed class Reply
    {
        internal Reply(int status, string body, TimeSpan retryAfter, Control control)
        {
            Status = status;
            Body = body;
            RetryAfter = retryAfter;
            Control = control;
            State = FramepostJson.String(FramepostJson.Member(body, "state"));
            Seq = (long)(FramepostJson.Number(FramepostJson.Member(body, "seq")) ?? 0);
            Result = FramepostJson.Member(body, "result");
            Error = FramepostJson.String(FramepostJson.Member(body, "error"));
            var timings = FramepostJson.Member(body, "timings");
            Timings = timings == null ? null : new Timings(timings);
        }

        /// <summary>Of HTTP: 200, 202, or 500 when the hook failed.</summary>
        public int Status { get; }

        /// <summary>accepted, processed, superseded, duplicate or failed.</summary>
        public string State { get; }

        public long Seq { get; }

        /// <summary>What the hook returned, as JSON; null if there is none.</summary>
        public string Result { get; }

        /// <summary>One sentence when the hook failed, else null.</summary>
        public string Error { get; }

        /// <summary>Null without a result.</summary>
        public Timings Timings { get; }

        /// <summary>How long the receiver asks to send nothing.</summary>
        public TimeSpan RetryAfter { get; }

        /// <summary>What the receiver can use; null where it has no wish.</summary>
        public Control Control { get; }

        /// <summary>The whole reply, as JSON.</summary>
        public string Body { get; }
    }

    /// <summary>
    /// Sends one camera's frames over one kept connection, and brings back what the receiver's hook
    /// made of them. It follows no redirects and uses no proxies. Any thread may send; frames are
    /// numbered in the order of their sending.
    /// </summary>
    public sealed class FramepostClient : IDisposable
    {
        /// <summary>A longer reply, in bytes, is somebody else's.</summary>
        private const int MaxReply = 16 << 20;

        /// <summary>In bytes; no JPEG is.</summary>
        private const int LargeBody = 8 << 20;

        private const string Ended = "the connection ended before the reply did";

        private static readonly TimeSpan MaxRetryAfter = TimeSpan.FromSeconds(60);

        private readonly object _lock = new object();
        private readonly HttpClient _http;
        private readonly string _target;
        private readonly string _token;
        private readonly string _epoch = Guid.NewGuid().ToString("N");
        private long _nextSeq;
        private string _lastExchange;

        /// <param name="url">The receiver, such as http://127.0.0.1:8000.</param>
        /// <param name="camera">1 to 64 letters, digits, '_', '.' or '-'.</param>
        /// <param name="token">Sent as Authorization: Bearer, unless null.</param>
        /// <param name="timeout">
        /// For a whole exchange: connecting, sending, the reply's last byte; 5 seconds unless given.
        /// What a frame waits for comes on top.
        /// </param>
        /// <param name="handler">One of your own, for certificates and the like.</param>
        public FramepostClient(
            string url, string camera, string token = null, TimeSpan? timeout = null,
            HttpMessageHandler handler = null)
        {
            if (!Uri.TryCreate(url, UriKind.Absolute, out var address)
                || (address.Scheme != "http" && address.Scheme != "https"))
            {
                throw new ArgumentException("url: expected http://HOST:PORT, got '" + url + "'");
            }
            if (!Regex.IsMatch(camera, @"\A[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\z"))
            {
                throw new ArgumentException(
                    "camera: expected 1 to 64 letters, digits, '_', '.' or '-', "
                    + "the first a letter or digit, got '" + camera + "'");
            }
            if (!Regex.IsMatch(token ?? "", @"\A[\x21-\x7e]*\z"))
            {
                throw new ArgumentException("token: expected printable ASCII without spaces");
            }
            Timeout = timeout ?? TimeSpan.FromSeconds(5);
            _target = url.TrimEnd('/') + "/cameras/" + camera + "/frames";
            _token = token;
            _http = new HttpClient(handler ?? NewHandler(address), handler == null)
            {
                Timeout = System.Threading.Timeout.InfiniteTimeSpan, // ours is for the whole exchange
            };
        }

        /// <summary>For an exchange, without what a frame waits for.</summary>
        public TimeSpan Timeout { get; }

        /// <summary>Send one JPEG, and wait so long for its result; see the other one.</summary>
        public Task<Reply> SendAsync(byte[] jpeg, TimeSpan wait = new TimeSpan())
        {
            return SendAsync(new Frame(jpeg) { Wait = wait });
        }

        /// <summary>Send one frame.</summary>
        /// <exception cref="NoReplyException">No whole, legible reply came.</exception>
        /// <exception cref="RefusedException">The receiver said no.</exception>
        /// <exception cref="OperationCanceledException">By <paramref name="cancel"/>.</exception>
        public Task<Reply> SendAsync(
            Frame frame, CancellationToken cancel = new CancellationToken())
        {
            return PostAsync(Capture(frame), cancel);
        }

        public void Dispose()
        {
            _http.Dispose();
        }

        /// <summary>Give a frame its number; one that is never posted tells of a loss.</summary>
        internal Frame Capture(Frame frame)
        {
            lock (_lock)
            {
                return frame.Numbered(_nextSeq++);
            }
        }

        internal async Task<Reply> PostAsync(Frame frame, CancellationToken cancel)
        {
            var limit = Timeout + frame.Wait;
            var sentAt = UnixSeconds(DateTimeOffset.UtcNow);
            using (var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel))
            using (var request = NewRequest(frame, sentAt))
            {
                deadline.CancelAfter(limit);
                try
                {
                    return await ExchangeAsync(request, sentAt, deadline.Token).ConfigureAwait(false);
                }
                // An exchange that is broken off fails in one way or another.
                catch (Exception) when (cancel.IsCancellationRequested)
                {
                    throw new OperationCanceledException(cancel);
                }
                catch (Exception exc) when (
                    deadline.IsCancellationRequested && !(exc is FramepostException))
                {
                    throw new NoReplyException(
                        "no whole reply within " + Seconds(limit) + " s", exc);
                }
                catch (Exception exc) when (
                    exc is HttpRequestException || exc is WebException || exc is IOException
                    || exc is OperationCanceledException) // no connection in time
                {
                    throw new NoReplyException(Describe(exc), exc);
                }
            }
        }

        private async Task<Reply> ExchangeAsync(
            HttpRequestMessage request, string sentAt, CancellationToken deadline)
        {
            using (var response = await _http
                .SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline)
                .ConfigureAwait(false))
            {
                var body = await ReadAsync(response.Content, deadline).ConfigureAwait(false);
                Remember(sentAt, response.Headers);
                return ReadReply(response, body);
            }
        }

        private static async Task<string> ReadAsync(HttpContent content, CancellationToken deadline)
        {
            using (var stream = await content.ReadAsStreamAsync().ConfigureAwait(false))
            using (var body = new MemoryStream())
            {
                var buffer = new byte[16 << 10];
                int read;
                while ((read = await stream
                    .ReadAsync(buffer, 0, buffer.Length, deadline).ConfigureAwait(false)) > 0)
                {
                    body.Write(buffer, 0, read);
                    if (body.Length > MaxReply)
                    {
                        throw new NoReplyException("the reply is longer than " + MaxReply + " bytes");
                    }
                }
                return Encoding.UTF8.GetString(body.GetBuffer(), 0, (int)body.Length);
            }
        }

        private HttpRequestMessage NewRequest(Frame frame, string sentAt)
        {
            var request = new HttpRequestMessage(
                HttpMethod.Post, _target + (frame.Every ? "?mode=every" : ""));
            request.Content = new ByteArrayContent(frame.Data);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", frame.ContentType);
            var headers = request.Headers;
            // To ask first costs a round trip; but while it sends, HttpClient hears no refusal, and
            // a receiver that finds the body too large does not read it to its end.
            headers.ExpectContinue = frame.Data.Length > LargeBody;
            headers.TryAddWithoutValidation("User-Agent", "framepost-csharp");
            headers.TryAddWithoutValidation("X-Frame-Epoch", _epoch);
            headers.TryAddWithoutValidation(
                "X-Frame-Seq", frame.Seq.ToString(CultureInfo.InvariantCulture));
            headers.TryAddWithoutValidation("X-Timestamp", UnixSeconds(frame.CapturedAt.Value));
            if (frame.Wait > TimeSpan.Zero)
            {
                headers.TryAddWithoutValidation("Prefer", "wait=" + Seconds(frame.Wait));
            }
            if (_token != null)
            {
                headers.TryAddWithoutValidation("Authorization", "Bearer " + _token);
            }
            lock (_lock)
            {
                if (_lastExchange != null)
                {
                    headers.TryAddWithoutValidation("X-Last-Exchange", _lastExchange);
                    _lastExchange = null;
                }
            }
            headers.TryAddWithoutValidation("X-Sent-At", sentAt);
            return request;
        }

        /// <summary>Keep the four times from which the receiver learns this clock's offset.</summary>
        private void Remember(string sentAt, HttpResponseHeaders headers)
        {
            var received = Header(headers, "X-Received-At");
            var replied = Header(headers, "X-Replied-At");
            if (received == null || replied == null)
            {
                return;
            }
            lock (_lock)
            {
                _lastExchange = "sent=" + sentAt + "; received=" + received + "; replied=" + replied
                    + "; seen=" + UnixSeconds(DateTimeOffset.UtcNow);
            }
        }

        private static Reply ReadReply(HttpResponseMessage response, string body)
        {
            var status = (int)response.StatusCode;
            var retryAfter = ReadRetryAfter(response.Headers.RetryAfter);
            var control = Control.Read(Header(response.Headers, "X-Frame-Control"));
            var reply = new Reply(status, body, retryAfter, control);
            if (!string.IsNullOrEmpty(reply.State))
            {
                return reply;
            }
            if (status < 300)
            {
                throw new NoReplyException("expected a Framepost receiver's reply, got " + status
                    + " '" + Beginning(body, 80) + "'");
            }
            throw new RefusedException(status, ReadDetail(response, body), retryAfter);
        }

        /// <summary>The receiver's sentence (RFC 9457), else how the body begins.</summary>
        private static string ReadDetail(HttpResponseMessage response, string body)
        {
            if ((int)response.StatusCode < 400)
            {
                return "redirects to '" + Header(response.Headers, "Location")
                    + "', which is not followed";
            }
            var detail = FramepostJson.String(FramepostJson.Member(body, "detail"));
            var words = detail ?? Beginning(body, 300);
            return words.Length > 0 ? words : response.ReasonPhrase;
        }

        /// <summary>Say in one sentence what .NET says in a chain of exceptions.</summary>
        private static string Describe(Exception exc)
        {
            var cause = exc.GetBaseException();
            switch ((cause as SocketException)?.SocketErrorCode)
            {
                case null:
                    return cause is TimeoutException ? "no connection in time"
                        : cause is IOException ? Ended : cause.Message;
                case SocketError.ConnectionReset:
                case SocketError.ConnectionAborted:
                case SocketError.Shutdown:
                    return Ended;
                default:
                    return "no connection: " + cause.Message;
            }
        }

        private static TimeSpan ReadRetryAfter(RetryConditionHeaderValue asked)
        {
            var span = asked?.Delta ?? asked?.Date - DateTimeOffset.UtcNow ?? TimeSpan.Zero;
            return span < TimeSpan.Zero ? TimeSpan.Zero : span > MaxRetryAfter ? MaxRetryAfter : span;
        }

        private static string Header(HttpHeaders headers, string name)
        {
            return headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;
        }

        /// <summary>How a body begins, fit for one line of a log.</summary>
        private static string Beginning(string text, int length)
        {
            var begin = text.Substring(0, Math.Min(text.Length, length));
            return Regex.Replace(begin, @"[\s\p{C}]+", " ").Trim();
        }

        private static string Seconds(TimeSpan span)
        {
            return span.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
        }

        private static string UnixSeconds(DateTimeOffset at)
        {
            var micros = (at.UtcTicks - new DateTime(1970, 1, 1).Ticks) / 10;
            return (micros / 1000000m).ToString("0.000000", CultureInfo.InvariantCulture);
        }

        private static HttpMessageHandler NewHandler(Uri address)
        {
#if NET5_0_OR_GREATER
            return new SocketsHttpHandler
            {
                AllowAutoRedirect = false,
                UseProxy = false,
                UseCookies = false,
                ConnectTimeout = TimeSpan.FromSeconds(2),
            };
#else
            // The classic HTTP stack of .NET Framework and Mono.
            var point = ServicePointManager.FindServicePoint(address);
            point.Expect100Continue = false;
            point.UseNagleAlgorithm = false;
            return new HttpClientHandler
            {
                AllowAutoRedirect = false,
                UseProxy = false,
                UseCookies = false,
            };
#endif
        }
    }
}
