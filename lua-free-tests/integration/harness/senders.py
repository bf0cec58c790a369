"""Requests written to a socket by hand: slow, in pieces, cut off, reset."""

import socket
import struct
import time

from .answer import read_answer


def head(method, path, headers=None, host="localhost"):
    """A request head; `headers` may be a dict or a list of pairs."""
    pairs = headers.items() if isinstance(headers, dict) else headers or []
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n".encode()


def chunked(body, size=1):
    """The body in chunks of `size` bytes, each a bytes of its own."""
    for start in range(0, len(body), size):
        part = body[start:start + size]
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"


def pieces(data, size):
    for start in range(0, len(data), size):
        yield data[start:start + size]


def send_slowly(sock, parts, pause=0.0):
    """Each part in a segment of its own, `pause` seconds apart."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for part in parts:
        sock.sendall(part)
        if pause:
            time.sleep(pause)


def post_chunked(nginx, path, body, headers=None, size=1, pause=0.0):
    """POST with Transfer-Encoding: chunked, `size` bytes a chunk."""
    fields = {"Content-Type": "application/json", **(headers or {}),
              "Transfer-Encoding": "chunked"}
    with nginx.connect() as sock:
        sock.sendall(head("POST", path, fields))
        send_slowly(sock, chunked(body, size), pause)
        return read_answer(sock)


def post_slowly(nginx, path, body, headers=None, size=1, pause=0.001):
    """POST with Content-Length, `size` bytes a segment."""
    fields = {"Content-Type": "application/json", **(headers or {}),
              "Content-Length": len(body)}
    with nginx.connect() as sock:
        sock.sendall(head("POST", path, fields))
        send_slowly(sock, pieces(body, size), pause)
        return read_answer(sock)


def post_request(path, body, headers=None):
    """The bytes of a whole POST, for Nginx.raw and for resets."""
    fields = {"Content-Type": "application/json", **(headers or {}),
              "Content-Length": len(body)}
    return head("POST", path, fields) + body


def reset(sock):
    """Closes with RST, as a client that vanishes does."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()
