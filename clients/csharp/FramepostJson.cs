using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Framepost
{
    /// <summary>
    /// As much of JSON (RFC 8259) as the client needs, for platforms without System.Text.Json.
    /// <code>FramepostJson.Number(FramepostJson.Member(reply.Result, "faces"))</code>
    /// </summary>
    public static class FramepostJson
    {
        private const string Blanks = " \t\r\n";
        private const string Letters = "\"\\/bfnrt";
        private const string Meant = "\"\\/\b\f\n\r\t";

        private static readonly Regex NumberForm = new Regex(
            @"\A-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?\z", RegexOptions.CultureInvariant);

        /// <summary>
        /// The member <paramref name="name"/> of the JSON object <paramref name="text"/>, as JSON;
        /// null where there is none.
        /// </summary>
        public static string Member(string text, string name)
        {
            var at = 0;
            if (text == null || !Take(text, ref at, '{'))
            {
                return null;
            }
            do
            {
                SkipBlanks(text, ref at);
                var key = TakeString(text, ref at);
                if (key == null || !Take(text, ref at, ':'))
                {
                    return null;
                }
                var value = TakeValue(text, ref at);
                if (value == null || String(key) == name)
                {
                    return value;
                }
            }
            while (Take(text, ref at, ','));
            return null;
        }

        /// <summary>The number that <paramref name="text"/> is, or null.</summary>
        public static double? Number(string text)
        {
            var isNumber = text != null && NumberForm.IsMatch(text);
            return isNumber && double.TryParse(
                text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                ? number
                : (double?)null;
        }

        /// <summary>
        /// The string that <paramref name="text"/> is, without quotes and escapes, or null.
        /// </summary>
        public static string String(string text)
        {
            if (text == null || text.Length < 2 || text[0] != '"' || text[text.Length - 1] != '"')
            {
                return null;
            }
            var found = new StringBuilder(text.Length);
            for (var at = 1; at < text.Length - 1; at++)
            {
                if (text[at] != '\\')
                {
                    found.Append(text[at]);
                    continue;
                }
                var letter = text[++at];
                if (letter == 'u' && at + 4 < text.Length - 1 && ushort.TryParse(
                    text.Substring(at + 1, 4), NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture, out var unit))
                {
                    found.Append((char)unit);
                    at += 4;
                    continue;
                }
                var index = Letters.IndexOf(letter);
                if (index < 0 || at == text.Length - 1)
                {
                    return null;
                }
                found.Append(Meant[index]);
            }
            return found.ToString();
        }

        private static void SkipBlanks(string text, ref int at)
        {
            while (at < text.Length && Blanks.IndexOf(text[at]) >= 0)
            {
                at++;
            }
        }

        private static bool Take(string text, ref int at, char wanted)
        {
            SkipBlanks(text, ref at);
            if (at == text.Length || text[at] != wanted)
            {
                return false;
            }
            at++;
            return true;
        }

        /// <summary>With its quotes; null where it does not end.</summary>
        private static string TakeString(string text, ref int at)
        {
            var begin = at;
            if (at == text.Length || text[at] != '"')
            {
                return null;
            }
            for (at++; at < text.Length; at++)
            {
                if (text[at] == '\\')
                {
                    at++;
                }
                else if (text[at] == '"')
                {
                    at++;
                    return text.Substring(begin, at - begin);
                }
            }
            at = text.Length;
            return null;
        }

        /// <summary>Not recursive: a reply may be as deep as it likes.</summary>
        private static string TakeValue(string text, ref int at)
        {
            SkipBlanks(text, ref at);
            var begin = at;
            var depth = 0;
            while (at < text.Length)
            {
                var c = text[at];
                if (c == '"')
                {
                    if (TakeString(text, ref at) == null)
                    {
                        return null;
                    }
                }
                else if (c == '{' || c == '[')
                {
                    depth++;
                    at++;
                }
                else if (c == '}' || c == ']')
                {
                    if (depth-- == 0)
                    {
                        return null;
                    }
                    at++;
                }
                else if (depth > 0)
                {
                    at++;
                }
                else
                {
                    while (at < text.Length && (",]}" + Blanks).IndexOf(text[at]) < 0)
                    {
                        at++;
                    }
                }
                var isInside = depth > 0;
                if (!isInside)
                {
                    return at > begin ? text.Substring(begin, at - begin) : null;
                }
            }
            return null;
        }
    }
}
