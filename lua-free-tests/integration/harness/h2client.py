"""HTTP/2 with prior knowledge over cleartext (`listen … http2`)."""

import h2.config
import h2.connection
import h2.events

from .answer import Answer


class H2Connection:
    """One connection, any number of streams.

    with H2Connection(nginx) as h2: answer = h2.request("POST", "/", body=b"x")
    or: stream = h2.send(...); ...; answer = h2.wait(stream)
    """

    def __init__(self, nginx, port=None):
        self._sock = nginx.connect(port)
        self._h2 = h2.connection.H2Connection(
            h2.config.H2Configuration(client_side=True,
                                      header_encoding="utf-8"))
        self._answers = {}
        self._ended = {}
        self._h2.initiate_connection()
        self._flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sock.close()

    @property
    def socket(self):
        return self._sock

    def _flush(self):
        self._sock.sendall(self._h2.data_to_send())

    def start(self, method, path, headers=None, end=False):
        """Sends the header block; returns the stream's number."""
        stream = self._h2.get_next_available_stream_id()
        fields = [(":method", method), (":path", path), (":scheme", "http"),
                  (":authority", "localhost")]
        fields += [(name.lower(), str(value))
                   for name, value in (headers or {}).items()]
        self._h2.send_headers(stream, fields, end_stream=end)
        self._answers[stream] = Answer(0)
        self._flush()
        return stream

    def data(self, stream, data, end=False):
        """Sends DATA, waiting for window as needed."""
        while data:
            room = min(self._h2.local_flow_control_window(stream),
                       self._h2.max_outbound_frame_size)
            if room <= 0:
                self._receive()
                continue
            part, data = data[:room], data[room:]
            self._h2.send_data(stream, part, end_stream=end and not data)
            self._flush()

    def end(self, stream):
        """An empty DATA frame that ends the stream."""
        self._h2.end_stream(stream)
        self._flush()

    def raw_data(self, stream, data):
        """One last DATA frame, whatever content-length has promised."""
        self._h2.streams[stream]._expected_content_length = None
        self._h2.send_data(stream, data, end_stream=True)
        self._flush()

    def send(self, method, path, headers=None, body=b"", size=None):
        """Sends a whole request, `size` body bytes a frame."""
        fields = dict(headers or {})
        if body:
            fields.setdefault("content-type", "application/json")
        stream = self.start(method, path, fields, end=not body)
        step = size or len(body) or 1
        for begin in range(0, len(body), step):
            self.data(stream, body[begin:begin + step],
                      end=begin + step >= len(body))
        return stream

    def request(self, method, path, headers=None, body=b"", size=None):
        return self.wait(self.send(method, path, headers, body, size))

    def send_and_cancel(self, method, path, headers, body):
        """A whole request and its RST_STREAM in one segment."""
        flush, self._flush = self._flush, lambda: None
        try:
            stream = self.send(method, path, headers, body)
            self._h2.reset_stream(stream, error_code=8)
        finally:
            self._flush = flush
        self._flush()

    def cancel(self, stream):
        """RST_STREAM: the client gives up this one request."""
        self._h2.reset_stream(stream, error_code=8)
        self._flush()

    def wait(self, stream):
        """The stream's Answer; ConnectionError where it was reset."""
        while stream not in self._ended:
            self._receive()
        if self._ended[stream] is not None:
            raise ConnectionError(self._ended[stream])
        return self._answers[stream]

    def _receive(self):
        data = self._sock.recv(65536)
        if not data:
            raise ConnectionError("nginx closed the HTTP/2 connection")
        for event in self._h2.receive_data(data):
            self._take(event)
        self._flush()

    def _take(self, event):
        if isinstance(event, h2.events.ResponseReceived):
            answer = self._answers[event.stream_id]
            for name, value in event.headers:
                if name == ":status":
                    answer.status = int(value)
                else:
                    answer.headers[name] = value
        elif isinstance(event, h2.events.DataReceived):
            self._answers[event.stream_id].body += event.data
            self._h2.acknowledge_received_data(event.flow_controlled_length,
                                               event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            self._ended[event.stream_id] = None
        elif isinstance(event, h2.events.StreamReset):
            # NO_ERROR after a whole answer: no more of the body is wanted.
            self._ended.setdefault(event.stream_id,
                                   f"RST_STREAM {event.error_code}")
        elif isinstance(event, h2.events.ConnectionTerminated):
            for stream in self._answers:
                self._ended.setdefault(stream, f"GOAWAY {event.error_code}")
