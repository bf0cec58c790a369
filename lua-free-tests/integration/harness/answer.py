"""Answers of raw sockets: one HTTP/1.1 response, read to its end."""

import json
from dataclasses import dataclass, field
from http.client import HTTPResponse


@dataclass
class Answer:
    """Header names are in lower case; a repeated header is joined by ', '."""

    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        return self.body.decode()


def read_answer(sock, method="POST"):
    """Reads one response; http.client raises where there is none."""
    response = HTTPResponse(sock, method=method)
    response.begin()
    headers = {}
    for name, value in response.getheaders():
        name = name.lower()
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    body = response.read()
    return Answer(response.status, headers, body)


class Answers:
    """The answers of one connection, one after the other, pipelined or not."""

    def __init__(self, sock):
        self._file = sock.makefile("rb")

    def next(self, method="POST"):
        return read_answer(self, method)

    # What http.client wants of a socket, and of its file.

    def makefile(self, *_):
        return self

    def close(self):
        """Kept open: the next answer is in the same buffer."""

    def __getattr__(self, name):
        return getattr(self._file, name)
