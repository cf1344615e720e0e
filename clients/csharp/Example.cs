// Sends a folder of pictures, and prints what became of each.
//
//     Example --camera door --wait 1 pictures/

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Text;
using System.Threading;
using System.Threading.Tasks;
using Framepost;

internal static class Example
{
    private const string Usage = @"usage: Example [options] FOLDER
  --url URL        the receiver (http://127.0.0.1:8000)
  --camera NAME    the name that the frames go by (cam1)
  --token TOKEN    the receiver's; better in FRAMEPOST_TOKEN, where others do not see it
  --fps N          pictures a second; else as fast as they go
  --loop           begin the folder again at its end
  --wait S         seconds to wait for each result
  --timeout S      seconds for an exchange (5)
  --every          have every frame processed, even if newer ones come
  --latest         send only what is newest
  --disobey        with --latest: send more frames a second than the receiver wishes
  --size WxH       of .bgr files, which hold raw pixels";

    // What the program ends with.
    private const int Good = 0;
    private const int NotTaken = 1;
    private const int WrongUse = 2;
    private const int NoReply = 3;
    private const int Interrupted = 130;

    private static readonly Dictionary<string, string> Types = new Dictionary<string, string>
    {
        { ".jpg", "image/jpeg" }, { ".jpeg", "image/jpeg" }, { ".png", "image/png" },
        { ".webp", "image/webp" }, { ".bgr", null }, // raw pixels
    };

    private static int Main(string[] args)
    {
        Console.OutputEncoding = new UTF8Encoding(false);
        try
        {
            return RunAsync(Settings.Read(args)).GetAwaiter().GetResult();
        }
        catch (Exception exc) when (exc is ArgumentException || exc is IOException)
        {
            Console.Error.WriteLine("Example: " + exc.Message);
            return WrongUse;
        }
    }

    private static async Task<int> RunAsync(Settings settings)
    {
        if (settings == null)
        {
            Console.WriteLine(Usage);
            return Good;
        }
        using (var client = new FramepostClient(
            settings.Url, settings.Camera, settings.Token, settings.Timeout))
        using (var stop = new CancellationTokenSource())
        {
            ConsoleCancelEventHandler onCtrlC = (_, e) =>
            {
                e.Cancel = !stop.IsCancellationRequested; // a second one ends the program at once
                stop.Cancel();
            };
            Console.CancelKeyPress += onCtrlC;
            var printer = new Printer();
            try
            {
                var sending = settings.Latest
                    ? SendLatestAsync(settings, client, printer, stop.Token)
                    : SendEachAsync(settings, client, printer, stop.Token);
                await sending;
            }
            catch (OperationCanceledException)
            {
                return settings.Latest ? printer.Status : Interrupted;
            }
            finally
            {
                Console.CancelKeyPress -= onCtrlC;
            }
            return printer.Status;
        }
    }

    private static Task SendEachAsync(
        Settings settings, FramepostClient client, Printer printer, CancellationToken stop)
    {
        return EachAsync(settings, stop, async (name, frame) =>
        {
            try
            {
                printer.Print(name, await client.SendAsync(frame, stop));
            }
            catch (FramepostException exc)
            {
                printer.Print(name, exc);
            }
        });
    }

    private static async Task SendLatestAsync(
        Settings settings, FramepostClient client, Printer printer, CancellationToken stop)
    {
        var sender = new LatestFrameSender(
            client,
            (frame, reply) => printer.Print("frame " + frame.Seq, reply),
            (frame, trouble) => printer.Print("frame " + frame.Seq, trouble),
            !settings.Disobey);
        try
        {
            await EachAsync(settings, stop, (name, frame) =>
            {
                sender.Offer(frame);
                return Task.CompletedTask;
            });
        }
        finally
        {
            sender.Dispose();
            var counts = sender.Counts;
            Console.WriteLine(
                "captured=" + counts.Captured + " posted=" + counts.Posted
                + " superseded=" + counts.Superseded + " refused=" + counts.Refused
                + " failed=" + counts.Failed + " thinned=" + counts.Thinned);
        }
    }

    /// <summary>Use each picture, at the wished pace.</summary>
    private static async Task EachAsync(
        Settings settings, CancellationToken stop, Func<string, Frame, Task> use)
    {
        if (!Directory.Exists(settings.Folder))
        {
            throw new ArgumentException(
                "folder: expected one with pictures, got '" + settings.Folder + "'");
        }
        var files = Directory.EnumerateFiles(settings.Folder)
            .Where(file => Types.ContainsKey(Path.GetExtension(file).ToLowerInvariant()))
            .OrderBy(file => file, StringComparer.Ordinal)
            .ToList();
        if (files.Count == 0)
        {
            throw new ArgumentException(
                settings.Folder + ": expected .jpg, .jpeg, .png, .webp or .bgr files, found none");
        }
        var clock = Stopwatch.StartNew();
        var due = TimeSpan.Zero;
        for (var number = 0; settings.Loop || number < files.Count; number++)
        {
            if (settings.Fps > 0)
            {
                var early = due - clock.Elapsed;
                if (early > TimeSpan.Zero)
                {
                    await Task.Delay(early, stop);
                }
                due += TimeSpan.FromSeconds(1 / settings.Fps);
                // Where it cannot keep the pace, no burst makes up for it.
                due = due > clock.Elapsed ? due : clock.Elapsed;
            }
            stop.ThrowIfCancellationRequested();
            var file = files[number % files.Count];
            await use(Path.GetFileName(file), settings.ReadFrame(file));
        }
    }

    private sealed class Settings
    {
        public string Folder;
        public string Url = "http://127.0.0.1:8000";
        public string Camera = "cam1";
        public string Token = Environment.GetEnvironmentVariable("FRAMEPOST_TOKEN");
        public double Fps;
        public bool Loop;
        public TimeSpan Wait;
        public TimeSpan Timeout = TimeSpan.FromSeconds(5);
        public bool Every;
        public bool Latest;
        public bool Disobey;
        public int Width;
        public int Height;

        /// <summary>Return null when help was asked for.</summary>
        public static Settings Read(string[] args)
        {
            var settings = new Settings();
            var rest = new Queue<string>(args);
            while (rest.Count > 0)
            {
                var name = rest.Dequeue();
                if (name == "-h" || name == "--help")
                {
                    return null;
                }
                settings.Set(name, rest);
            }
            if (settings.Folder == null)
            {
                throw new ArgumentException("expected a folder; --help tells more");
            }
            return settings;
        }

        public Frame ReadFrame(string file)
        {
            var data = ReadBytes(file);
            var type = Types[Path.GetExtension(file).ToLowerInvariant()];
            var frame = type == null ? Frame.RawBgr(data, Width, Height) : new Frame(data, type);
            frame.Wait = Wait;
            frame.Every = Every;
            return frame;
        }

        /// <summary>Like File.ReadAllBytes, which wants to know a file's length: not a pipe.</summary>
        private static byte[] ReadBytes(string file)
        {
            using (var stream = File.OpenRead(file))
            using (var bytes = new MemoryStream())
            {
                stream.CopyTo(bytes);
                return bytes.ToArray();
            }
        }

        private void Set(string name, Queue<string> rest)
        {
            switch (name)
            {
                case "--url": Url = Value(name, rest); break;
                case "--camera": Camera = Value(name, rest); break;
                case "--token": Token = Value(name, rest); break;
                case "--fps": Fps = Number(name, rest); break;
                case "--wait": Wait = TimeSpan.FromSeconds(Number(name, rest)); break;
                case "--timeout": Timeout = TimeSpan.FromSeconds(Number(name, rest)); break;
                case "--loop": Loop = true; break;
                case "--every": Every = true; break;
                case "--latest": Latest = true; break;
                case "--disobey": Disobey = true; break;
                case "--size": SetSize(Value(name, rest)); break;
                default:
                    if (name.StartsWith("-", StringComparison.Ordinal) || Folder != null)
                    {
                        throw new ArgumentException(
                            "unknown argument '" + name + "'; --help tells which there are");
                    }
                    Folder = name;
                    break;
            }
        }

        private void SetSize(string text)
        {
            var sides = text.Split('x');
            if (sides.Length != 2 || !int.TryParse(sides[0], out Width)
                || !int.TryParse(sides[1], out Height))
            {
                throw new ArgumentException("--size: expected WIDTHxHEIGHT, got '" + text + "'");
            }
        }

        private static string Value(string name, Queue<string> rest)
        {
            return rest.Count > 0
                ? rest.Dequeue()
                : throw new ArgumentException(name + ": expected a value behind it");
        }

        private static double Number(string name, Queue<string> rest)
        {
            var text = Value(name, rest);
            var isNumber = double.TryParse(
                text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number);
            return isNumber && number >= 0 && number <= 1e6
                ? number
                : throw new ArgumentException(
                    name + ": expected a number from 0 to 1000000, got '" + text + "'");
        }
    }

    /// <summary>Prints one line for each frame, and knows what the program is to end with.</summary>
    private sealed class Printer
    {
        private string _wish = "";

        public int Status { get; private set; }

        public void Print(string name, Reply reply)
        {
            var failed = reply.State == "failed";
            Status = Math.Max(Status, failed ? NotTaken : Good);
            var line = name + ": " + reply.Status + " " + reply.State + " "
                + (failed ? reply.Error : reply.Result);
            Console.WriteLine(line.TrimEnd());
            TellWish(reply.Control);
        }

        public void Print(string name, FramepostException trouble)
        {
            var refused = trouble as RefusedException;
            Status = Math.Max(Status, refused != null ? NotTaken : NoReply);
            Console.WriteLine(name + ": " + (refused == null
                ? trouble.Message
                : refused.Status + " refused " + refused.Detail));
        }

        private void TellWish(Control control)
        {
            var wish = (control?.Fps == null ? "" : FormattableString.Invariant($" fps={control.Fps}"))
                + (control?.Width == null ? "" : $" size={control.Width}x{control.Height}")
                + (control?.Quality == null ? "" : $" quality={control.Quality}");
            if (wish != _wish && wish != "")
            {
                Console.WriteLine("the receiver wishes" + wish);
            }
            _wish = wish;
        }
    }
}
