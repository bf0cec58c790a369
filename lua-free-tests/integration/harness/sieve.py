"""Finds a value in bytes, whatever form it was written in.

A value is known by its *token*, an unmistakable run of letters and digits in
it, or, without one, as a whole. Keyed hashes are no form of it; hashes that
anybody can compute are.
"""

import base64
import hashlib
import struct
import urllib.parse

DIGESTS = ("md5", "sha1", "sha256", "sha512")


def _base64_cores(data):
    """What base64 of any text with `data` in it contains: for each of three
    alignments, without the characters that its neighbours change."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + data)
        begin = (shift * 8 + 5) // 6
        end = (shift + len(data)) * 8 // 6
        yield text[begin:end]


def _cases(text):
    return {text, text.lower(), text.upper()}


def _encodings(text):
    """(form, bytes, whether upper and lower case are the same)."""
    raw = text.encode()
    yield "clear", raw, True
    yield "percent", "".join(f"%{byte:02x}" for byte in raw).encode(), True
    yield "percent", urllib.parse.quote(text, safe="").encode(), True
    yield "json", "".join(f"\\u{unit:04x}" for unit in struct.unpack(
        f"<{len(text.encode('utf-16-le')) // 2}H",
        text.encode("utf-16-le"))).encode(), True
    for case in _cases(text):
        yield "hex", case.encode().hex().encode(), True
    yield "escaped", "".join(f"\\x{byte:02x}" for byte in raw).encode(), True
    yield "utf-16", text.encode("utf-16-le"), True
    yield "utf-16", text.encode("utf-16-be"), True
    if not text.isascii():
        yield "gb18030", text.encode("gb18030"), False
    for case in _cases(text):
        for core in _base64_cores(case.encode()):
            yield "base64", core, False
            yield "base64", core.replace(b"+", b"-").replace(b"/", b"_"), False


def _digests(text):
    for case in _cases(text):
        for name in DIGESTS:
            digest = hashlib.new(name, case.encode()).digest()
            yield name, digest[:12], False
            yield name, digest.hex()[:24].encode(), True
            core = base64.b64encode(digest)[:16]
            yield name, core, False
            yield name, core.replace(b"+", b"-").replace(b"/", b"_"), False


def _numbers(value):
    for form in "<q", ">q", "<d", ">d":
        yield "binary", struct.pack(form, value), False


class Sieve:
    """values: {name: text or number}; tokens: {name: its unmistakable part}
    for values longer than that. Bytes are looked for as they are and in the
    encodings of secrets."""

    def __init__(self, values, tokens=None):
        self._needles = set()
        for name, value in values.items():
            for form, needle, fold in self._forms(
                    value, (tokens or {}).get(name)):
                self._needles.add((name, form, needle.lower() if fold
                                   else needle, fold))

    @staticmethod
    def _forms(value, token):
        if isinstance(value, bytes):
            yield "clear", value, False
            yield "hex", value.hex().encode(), True
            for core in _base64_cores(value):
                yield "base64", core, False
                yield ("base64", core.replace(b"+", b"-").replace(b"/", b"_"),
                       False)
            return
        text = str(value)
        yield from _encodings(token or text)
        yield from _digests(text)
        if token and token != text:
            yield from _digests(token)
        if isinstance(value, int):
            yield from _numbers(value)

    def find(self, data):
        """{(name, form)} of what is in data."""
        if isinstance(data, str):
            data = data.encode()
        folded = data.lower()
        return {(name, form) for name, form, needle, fold in self._needles
                if needle in (folded if fold else data)}

    def names(self, data):
        return {name for name, _ in self.find(data)}
