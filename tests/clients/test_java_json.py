from __future__ import annotations

import json
import math
import random
from pathlib import Path
from typing import Any

import pytest

from tests.clients.java import Scripts

#: Reads each line of a file, hexadecimal UTF-16, as JSON; tells what it is, or what is wrong.
READER = """
for (String line : Files.readAllLines(Path.of("%s"))) {
  char[] text = new char[line.length() / 4];
  for (int i = 0; i < text.length; i++)
    text[i] = (char) Integer.parseInt(line.substring(4 * i, 4 * i + 4), 16);
  try {
    tell("is", Json.parse(new String(text)));
  } catch (IllegalArgumentException e) {
    tell("wrong", e.getMessage());
  }
}
"""
GOOD = [
    *("null", "true", "false", "0", "-0", "7", "-12", "1.5", "-0.25", "1e3", "1E+3", "12.5e-2"),
    *("9223372036854775807", "-9223372036854775808", "9223372036854775808", "1" * 900),
    *("1e400", "-1e400", "1e-400", "0.1", "123456789.123456789", "5e-324", "NaN", "-Infinity"),
    *("[]", "{}", "[ ]", "{ }", "[1,[2,[3]],{}]", '{"a":{"b":[null]},"":0}', '{"a":1,"a":2}'),
    *(' \t\r\n{ "a" : [ 1 , 2 ] , "b" : "c" }\n', "[" * 400 + "]" * 400),
    *('""', '"a"', r'"\"\\\/\b\f\n\r\t"', r'"\u00e9\u20AC\u0000"', r'"\ud83d\ude00"', '"é€😀"'),
    *(r'"\ud83d"', r'"\ude00x"', '"\x7f\u2028"', '"\ud800"', r'["\\u0041", "\\"]'),
]
BAD = [
    *("", " ", "nul", "nulll", "True", "tru", "falsee", "undefined", "nan", "Inf", "-Inf", "-NaN"),
    *("01", "-", "+1", "1.", ".5", "1e", "1e+", "--1", "0x10", "1_000", "1 2", "00", "-01", "٣"),
    *("[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "}", "{]", '{"a"', '{"a":'),
    *('{"a":1', '{"a":1,', '{"a":1,}', '{"a" 1}', "{a:1}", "{1:2}", "{'a':1}", '{,"a":1}'),
    *('"', '"a', "'a'", '"\n"', '"\t"', '"\x00"', r'"\x41"', r'"\u12"', r'"\u12g4"', r'"\u+123"'),
    *(r'"\u١٢٣٤"', '"\\', '"a" "b"', "\ufeff1", "\u00a01", "[1]x", "//\n1", "1;"),
]


def read(java: Scripts, folder: Path, texts: list[str]) -> list[tuple[str, Any]]:
    cases = folder / "cases"
    lines = [text.encode("utf-16-be", "surrogatepass").hex() for text in texts]
    cases.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    told = java.run("", READER % cases)
    assert len(told) == len(texts)
    return [(verdict, value) for verdict, value in told]


def same(ours: Any, theirs: Any) -> bool:
    """Tell whether two values are equal in type too, NaN equal to NaN."""
    if isinstance(ours, float) and isinstance(theirs, float):
        return ours == theirs or (math.isnan(ours) and math.isnan(theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return list(ours) == list(theirs) and all(same(ours[key], theirs[key]) for key in ours)
    if isinstance(ours, list) and isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return type(ours) is type(theirs) and bool(ours == theirs)


def test_what_is_json_is_read_as_python_reads_it(java: Scripts, tmp_path: Path) -> None:
    for text, (verdict, value) in zip(GOOD, read(java, tmp_path, GOOD), strict=True):
        assert verdict == "is", (text, value)
        assert same(value, json.loads(text)), (text, value)


def test_what_is_no_json_is_refused_with_the_place(java: Scripts, tmp_path: Path) -> None:
    for text, (verdict, value) in zip(BAD, read(java, tmp_path, BAD), strict=True):
        with pytest.raises(ValueError, match=r"."):
            json.loads(text)
        assert verdict == "wrong", (text, value)
        assert value.startswith("JSON: expected "), (text, value)
        assert " at character " in value


def test_a_refusal_names_what_was_expected_where_and_what_came(
    java: Scripts, tmp_path: Path
) -> None:
    texts = ['{"a": [1 2]}', '{"a"}', '"\x01"', r'"\q"', "[1", "[] []", r'"\u00"', "-x"]
    assert [value for _, value in read(java, tmp_path, texts)] == [
        "JSON: expected ',' or ']' at character 9, got \"2\"",
        "JSON: expected ':' at character 4, got \"}\"",
        r"""JSON: expected '"' at character 1, got "\u0001\"""".replace(r"\"", '"'),
        r'JSON: expected an escape such as \n or \u00e9 at character 2, got "q"',
        "JSON: expected ',' or ']' at character 2, got the end",
        'JSON: expected the end at character 3, got "["',
        'JSON: expected four hexadecimal digits at character 5, got "\\""',
        'JSON: expected a digit at character 1, got "x"',
    ]


def test_no_text_exhausts_the_stack_or_the_time(java: Scripts, tmp_path: Path) -> None:
    texts = ["[" * 1_000_000, '{"a":' * 200_000, "9" * 1_000_000, '["' + "\\u0041" * 100_000 + '"]']
    deep, deep_object, long_number, long_string = read(java, tmp_path, texts)

    assert deep == deep_object == ("wrong", "JSON: expected at most 500 levels")
    assert long_number == ("is", math.inf)
    assert long_string == ("is", ["A" * 100_000])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_takes_what_python_takes_and_refuses_what_python_refuses(
    seed: int, java: Scripts, tmp_path: Path
) -> None:
    rng = random.Random(seed)
    texts = [
        json.dumps(invented(rng), ensure_ascii=rng.random() < 0.5, indent=rng.choice([None, 1]))
        for _ in range(200)
    ]
    texts += [maimed(text, rng) for text in texts for _ in range(20)]
    taken = 0
    for text, (verdict, value) in zip(texts, read(java, tmp_path, texts), strict=True):
        try:
            expected = json.loads(text)
        except ValueError:
            assert verdict == "wrong", (text, value)
        else:
            taken += 1
            assert verdict == "is", (text, value)
            assert same(value, expected), (text, value)
    assert 400 < taken < len(texts) - 400


def invented(rng: random.Random, depth: int = 0) -> Any:
    """Return some value that JSON can say."""
    kind = rng.randrange(8 if depth < 4 else 6)
    if kind == 0:
        return rng.choice([None, True, False])
    if kind == 1:
        return rng.randrange(-(10 ** rng.randrange(1, 25)), 10 ** rng.randrange(1, 25))
    if kind == 2:
        return rng.choice([rng.random(), rng.gauss(0, 1) * 10.0 ** rng.randrange(-300, 300)])
    if kind < 6:
        letters = [
            '"',
            "\\",
            "\n",
            "\x00",
            "\x7f",
            "é",
            "€",
            "😀",
            "\ud800",
            "\u2028",
            *"abc {}[]:,/",
        ]
        return "".join(rng.choices(letters, k=rng.randrange(8)))
    items = [invented(rng, depth + 1) for _ in range(rng.randrange(5))]
    return items if kind == 6 else {f"{i * 7 % 5}": item for i, item in enumerate(items)}


def maimed(text: str, rng: random.Random) -> str:
    """Return the text with a character or two lost, doubled, or replaced."""
    for _ in range(rng.randint(1, 2)):
        at = rng.randrange(len(text) + 1)
        new = rng.choice(["", text[at : at + 1] * 2, *'{}[]",:.-+eE019nNI\\ut/ \n\x00\x7f'])
        text = text[:at] + new + text[at + 1 :]
    return text


def test_parts_are_found_by_their_path_and_nothing_leads_nowhere(java: Scripts) -> None:
    script = r"""
    Object value = Json.parse("{\"faces\": [{\"name\": \"Ann\"}, [1, 2.5]], \"no\": null}");
    tell(Json.at(value), Json.at(value, "faces", 0, "name"), Json.at(value, "faces", 1, 1));
    tell(Json.at(value, "faces", 2), Json.at(value, "faces", -1), Json.at(value, "x", "y"),
        Json.at(value, "no", 0), Json.at(null, "a"), Json.at(value, 0),
        Json.at(value, "faces", "0"));
    """
    whole = {"faces": [{"name": "Ann"}, [1, 2.5]], "no": None}
    assert java.run("", script) == [[whole, "Ann", 2.5], [None] * 7]


def test_what_cannot_be_written_is_told(java: Scripts) -> None:
    script = """
    try { Json.write(List.of(new Object[] {new StringBuilder("ok"), Optional.empty()})); }
    catch (IllegalArgumentException e) { tell(e.getMessage()); }
    """
    assert java.run("", script) == [
        ["JSON: expected a map, iterable, string, number, boolean or null, got java.util.Optional"]
    ]
