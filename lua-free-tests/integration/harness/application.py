"""A stub of the application behind nginx: records calls, answers as told.

It speaks HTTP/1.1 with keepalive on an event loop in a thread of its own.
"""

import asyncio
import json
import threading
from collections import deque
from dataclasses import dataclass, field


@dataclass
class Call:
    """One request as the application received it; header names in lower case.

    `raw_headers` keeps order and repetition.
    """

    method: str
    target: str
    raw_headers: list
    body: bytes = b""

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def headers(self):
        return {name.lower(): value for name, value in self.raw_headers}

    def json(self):
        return json.loads(self.body)


@dataclass
class Reply:
    status: int = 200
    headers: dict = field(default_factory=dict)
    body: bytes = b"ok\n"
    delay: float = 0.0
    abort: bool = False     # close the connection instead of answering


class Application:
    """str() is host:port, for proxy_pass.

    `requests` are the calls so far. `answer(...)` sets the default reply,
    `answer(..., path=P)` the one for a path, `answer_once(...)` the next one,
    `on(function)` asks a function of the call, which returns a Reply or None.
    """

    def __init__(self):
        self.requests = []
        self._default = Reply()
        self._by_path = {}
        self._once = deque()
        self._function = None
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def __str__(self):
        return f"127.0.0.1:{self.port}"

    def answer(self, status=200, headers=None, body=b"ok\n", delay=0.0,
               abort=False, path=None):
        reply = Reply(status, headers or {}, body, delay, abort)
        if path is None:
            self._default = reply
        else:
            self._by_path[path] = reply

    def answer_once(self, status=200, headers=None, body=b"ok\n", delay=0.0,
                    abort=False):
        self._once.append(Reply(status, headers or {}, body, delay, abort))

    def on(self, function):
        self._function = function

    def of(self, path):
        """The calls to one path."""
        return [call for call in self.requests if call.path == path]

    def clear(self):
        self.requests.clear()

    def stop(self):
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    # The event loop's side

    def _run(self):
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(
            asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()

    async def _serve(self, reader, writer):
        try:
            while call := await _read_call(reader, writer):
                self.requests.append(call)
                if not await self._reply(call, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _reply_for(self, call):
        reply = self._function(call) if self._function else None
        if reply is None and self._once:
            reply = self._once.popleft()
        return reply or self._by_path.get(call.path, self._default)

    async def _reply(self, call, writer):
        reply = self._reply_for(call)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.abort:
            return False
        headers = {"Content-Type": "text/plain", **reply.headers}
        body = b"" if reply.status in (204, 304) else reply.body
        if reply.status != 204:
            headers["Content-Length"] = len(body)
        head = "".join(f"{name}: {value}\r\n"
                       for name, value in headers.items())
        writer.write(f"HTTP/1.1 {reply.status} Stub\r\n{head}\r\n".encode())
        if call.method != "HEAD":
            writer.write(body)
        await writer.drain()
        return call.headers.get("connection", "").lower() != "close"


async def _read_call(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    pairs = [tuple(part.strip() for part in line.split(":", 1))
             for line in lines]
    call = Call(method, target, pairs)
    if call.headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    call.body = await _read_body(reader, call.headers)
    return call


async def _read_body(reader, headers):
    if "chunked" not in headers.get("transfer-encoding", "").lower():
        return await reader.readexactly(int(headers.get("content-length", 0)))
    parts = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readline()
    while (await reader.readline()).strip():
        pass
    return b"".join(parts)
