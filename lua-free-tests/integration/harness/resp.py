"""Redis' protocol as far as a scripted server needs it: RESP2 framing."""


class Stream:
    """Reads whole commands and replies from a socket."""

    def __init__(self, sock):
        self._sock = sock
        self._buffer = b""

    def _more(self):
        data = self._sock.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data

    def line(self):
        """One line with its CRLF."""
        while b"\r\n" not in self._buffer:
            self._more()
        end = self._buffer.index(b"\r\n") + 2
        line, self._buffer = self._buffer[:end], self._buffer[end:]
        return line

    def exactly(self, size):
        while len(self._buffer) < size:
            self._more()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def command(self):
        """One command as a list of bytes; the name in upper case."""
        first = self.line()
        if not first.startswith(b"*"):
            words = first.split()
        else:
            words = []
            for _ in range(int(first[1:])):
                size = int(self.line()[1:])
                words.append(self.exactly(size + 2)[:-2])
        return [words[0].upper(), *words[1:]] if words else []

    def reply(self):
        """One reply, its bytes unchanged."""
        first = self.line()
        kind, rest = first[:1], first[1:]
        if kind == b"$" and int(rest) >= 0:
            return first + self.exactly(int(rest) + 2)
        if kind == b"*" and int(rest) > 0:
            return first + b"".join(self.reply() for _ in range(int(rest)))
        return first


def encode(words):
    """A command as the client writes it."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"".join(parts)
