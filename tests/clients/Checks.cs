// Uses the C# client as a program would: Checks NAME URL. Ends with 0, or says which check failed.

using System;
using System.Globalization;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Framepost;

internal static class Checks
{
    private static readonly byte[] Jpeg = { 1, 2, 3 };

    private static int Main(string[] args)
    {
        try
        {
            var method = typeof(Checks).GetMethod(args[0]);
            ((Task)method.Invoke(null, new object[] { args[1] })).GetAwaiter().GetResult();
            return 0;
        }
        catch (Exception exc)
        {
            Console.WriteLine(exc);
            return 1;
        }
    }

    /// <summary>The receiver answers: processed, with a wish.</summary>
    public static async Task Replies(string url)
    {
        // Where 1.5 is written 1,5.
        Thread.CurrentThread.CurrentCulture = new CultureInfo("de-DE");
        CultureInfo.DefaultThreadCurrentCulture = new CultureInfo("de-DE");
        using (var client = new FramepostClient(url + "/", "cam.1-x_"))
        {
            var reply = await client.SendAsync(Jpeg, TimeSpan.FromSeconds(1.5));
            Check(reply.Status == 200 && reply.State == "processed" && reply.Seq == 0, "state");
            Check(FramepostJson.Number(FramepostJson.Member(reply.Result, "faces")) == 2, "result");
            Check(reply.Error == null, "error");
            Check(reply.Timings.Decode == 2.31 && reply.Timings.Total == 6.7, "timings");
            Check(reply.Control.Fps == 7.5 && reply.Control.Width == 640, "fps and width");
            Check(reply.Control.Height == 360 && reply.Control.Quality == 70, "height and quality");
        }
    }

    /// <summary>The receiver answers: 503 with Retry-After: 100, then it is silent.</summary>
    public static async Task Errors(string url)
    {
        using (var client = new FramepostClient(url, "a", timeout: TimeSpan.FromSeconds(30)))
        using (var cancel = new CancellationTokenSource())
        {
            try
            {
                await client.SendAsync(Jpeg);
                Check(false, "a refusal");
            }
            catch (RefusedException exc)
            {
                Check(exc.Status == 503 && exc.Detail == "not now", exc.Message);
                Check(exc.RetryAfter == TimeSpan.FromSeconds(60), "retry after");
            }
            cancel.CancelAfter(100);
            try
            {
                await client.SendAsync(new Frame(Jpeg), cancel.Token);
                Check(false, "a cancellation");
            }
            catch (OperationCanceledException exc)
            {
                Check(exc.CancellationToken == cancel.Token, "the token");
            }
        }
    }

    public static Task Settings(string url)
    {
        Throws("url: expected", () => new FramepostClient("127.0.0.1:8000", "a"));
        Throws("url: expected", () => new FramepostClient("ftp://x", "a"));
        Throws("url: expected", () => new FramepostClient("http://", "a"));
        Throws("camera: expected", () => new FramepostClient("http://x", "a/b"));
        Throws("camera: expected", () => new FramepostClient("http://x", ""));
        Throws("camera: expected", () => new FramepostClient("http://x", "a\n"));
        Throws("token: expected", () => new FramepostClient("http://x", "a", "two\nlines"));
        return Task.CompletedTask;
    }

    public static Task Json(string url)
    {
        var text = "{\"a\\u0062\": [1, {\"c\": 2}] , \"c\":3 }";
        Check(FramepostJson.Member(text, "ab") == "[1, {\"c\": 2}]", "ab");
        Check(FramepostJson.Member(text, "c") == "3", "c");
        foreach (var none in new[]
        {
            null, "", "{", "{}", "[]", "null", "{\"a\"", "{\"a\":", "{\"a\":}", "{a:1}",
            "{\"b\":1 \"a\":2}", "{\"b\":[,\"a\":2}", "{\"b\":\"\\\"", "\"a\"",
        })
        {
            Check(FramepostJson.Member(none, "a") == null, none);
        }
        var escaped = "\"\\\"\\\\\\/\\b\\f\\n\\r\\tA\\u00e9\\u20ac\\ud83d\\ude00\"";
        Check(FramepostJson.String(escaped) == "\"\\/\b\f\n\r\tAé€😀", escaped);
        foreach (var none in new[] { null, "", "\"", "a", "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u12\"" })
        {
            Check(FramepostJson.String(none) == null, none);
        }
        Check(FramepostJson.Number("-12.5e1") == -125, "a number");
        foreach (var none in new[] { null, "", "1,5", "NaN", "0x10", "1 ", "\"1\"", "-", "1\n" })
        {
            Check(FramepostJson.Number(none) == null, none);
        }
        return Task.CompletedTask;
    }

    /// <summary>The receiver answers: accepted, for ever.</summary>
    public static async Task Closing(string url)
    {
        var sender = new LatestFrameSender(new FramepostClient(url, "a"));
        for (var number = 0; number < 100; number++)
        {
            sender.Offer(new Frame(Jpeg));
        }
        await Task.WhenAll(sender.CloseAsync(), sender.CloseAsync());
        sender.Dispose();
        var counts = sender.Counts;
        Check(counts.Captured == 100 && counts.Posted + counts.Superseded == 100, "the books");
        ThrowsClosed(() => sender.Offer(new Frame(Jpeg)));
    }

    /// <summary>The receiver answers: accepted, for ever.</summary>
    public static async Task Bugs(string url)
    {
        var sender = new LatestFrameSender(
            new FramepostClient(url, "a"), (frame, reply) => throw new FormatException("my own bug"));
        sender.Offer(new Frame(Jpeg));
        ThrowsClosed(() =>
        {
            for (var deadline = DateTime.UtcNow.AddSeconds(20); DateTime.UtcNow < deadline;)
            {
                sender.Offer(new Frame(Jpeg)); // until the bug has come
            }
        });
        try
        {
            await sender.CloseAsync();
            Check(false, "the bug");
        }
        catch (FormatException exc)
        {
            Check(exc.Message == "my own bug", "its message");
        }
    }

    /// <summary>The receiver answers: accepted, for ever.</summary>
    public static async Task Many(string url)
    {
        using (var client = new FramepostClient(url, "a"))
        {
            var replies = await Task.WhenAll(
                Enumerable.Range(0, 40).Select(_ => client.SendAsync(Jpeg)));
            Check(replies.Select(reply => reply.Seq).Distinct().Count() == 40, "numbers");
        }
    }

    /// <summary>
    /// The receiver answers once it knows that we are closing, and then never again.
    /// </summary>
    public static async Task Deadline(string url)
    {
        FramepostException trouble = null;
        var sender = new LatestFrameSender(
            new FramepostClient(url, "a", timeout: TimeSpan.FromSeconds(2)),
            onTrouble: (frame, exc) => trouble = exc);
        while (sender.Counts.Waiting < 2) // one is in flight then
        {
            sender.Offer(new Frame(Jpeg));
        }
        var closing = sender.CloseAsync();
        Console.WriteLine("closing");
        await closing;
        Check(sender.Counts.Posted == 1 && sender.Counts.Failed == 1, "the books");
        // The second exchange had but the rest of the 2 s.
        Check(trouble.Message == "no reply, the sender was closed before one came", trouble.Message);
    }

    private static void Throws(string beginning, Func<object> call)
    {
        try
        {
            call();
        }
        catch (ArgumentException exc)
        {
            Check(exc.Message.StartsWith(beginning, StringComparison.Ordinal), exc.Message);
            return;
        }
        Check(false, "an exception that begins: " + beginning);
    }

    private static void ThrowsClosed(Action call)
    {
        try
        {
            call();
        }
        catch (ObjectDisposedException)
        {
            return;
        }
        Check(false, "that the sender is closed");
    }

    private static void Check(bool condition, string what)
    {
        if (!condition)
        {
            throw new InvalidOperationException("expected: " + what);
        }
    }
}
