"""The marketplace behind nginx: a stub that believes nothing but a verdict.

It knows who is logged in, takes orders and reviews, and shows what an
application does with X-Integrity: check the signature, then publish a
review or hand it to a moderator.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERDICT_AGE = 60        # seconds; an older one may have been recorded


class Verdict:
    """What nginx decided, as X-Integrity tells it.

        decision;action=..;method=..;score=..;id=..;t=..;sig=..

    `keys` are the verdict keys of `integrityctl keys verdict`, newest first;
    ValueError says what is wrong with the text.
    """

    def __init__(self, text, keys, method):
        signed, _, signature = text.rpartition(";sig=")
        if not any(hmac.compare_digest(signature, self._sign(key, signed))
                   for key in keys):
            raise ValueError("the verdict's signature is not nginx's")
        self.decision, *rest = signed.split(";")
        fields = dict(part.split("=", 1) for part in rest)
        self.action = fields["action"]
        self.event = fields["id"]
        if fields["method"] != method:
            raise ValueError("the verdict is about another call")
        if abs(time.time() - int(fields["t"])) > VERDICT_AGE:
            raise ValueError("the verdict is too old")

    @staticmethod
    def _sign(key, text):
        digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


class Application:
    """A server on a free loopback port. `catalogue`: {product: merchant}."""

    def __init__(self, catalogue):
        self.catalogue = catalogue
        self.keys = []
        self.refused_verdicts = []      # sentences
        self._sessions = {}             # token: account
        self._orders = 0
        self._lock = threading.Lock()
        application = self

        class Handler(_Handler):
            """One request; it answers for this application."""

            owner = application

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever,
                                        kwargs={"poll_interval": 0.05},
                                        daemon=True)

    def start(self, keys):
        self.keys = keys
        self._thread.start()

    def stop(self):
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    # What it does

    def account(self, authorization):
        """Who is logged in with this Authorization header, or None."""
        scheme, _, token = (authorization or "").partition(" ")
        return self._sessions.get(token) if scheme == "Bearer" else None

    def log_in(self, name):
        if not isinstance(name, str) or not name:
            return 400, {"error": "who is it?"}
        token = secrets.token_hex(16)
        with self._lock:
            self._sessions[token] = name
        return 200, {"token": token}

    def order(self, body):
        if not all(self.catalogue.get(item.get("sku"))
                   == body.get("merchant_id") for item in body["items"]):
            return 422, {"error": "no such product of this merchant"}
        with self._lock:
            self._orders += 1
            return 201, {"order": self._orders}

    def review(self, product, body, verdict):
        if self.catalogue.get(product) != body.get("merchant_id"):
            return 422, {"error": "no such product of this merchant"}
        if verdict.decision == "hold":
            return 202, {"review": "waits for a moderator"}
        return 201, {"review": "published"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        """A connection that nginx closed is no error; all else is told."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner = None

    def log_message(self, format, *args):
        """Nothing: nginx has the logs."""

    def do_GET(self):
        """The session question of auth_request."""
        account = self.owner.account(self.headers.get("Authorization"))
        if self.path != "/session":
            self._answer(404, {"error": "nothing here"})
        elif account is None:
            self._answer(401, {"error": "log in first"})
        else:
            self._answer(200, {}, account)

    def do_POST(self):
        """A call that nginx let through, with its verdict."""
        length = int(self.headers.get("Content-Length", 0))
        data = self.rfile.read(length)
        try:
            body = json.loads(data)
            verdict = Verdict(self.headers.get("X-Integrity", ""),
                              self.owner.keys, self.command)
        except (ValueError, KeyError) as error:
            self.owner.refused_verdicts.append(str(error))
            self._answer(400, {"error": str(error)})
            return
        status, answer = self._do(body, verdict)
        self._answer(status, {**answer, "decision": verdict.decision,
                              "event": verdict.event})

    def _do(self, body, verdict):
        owner = self.owner
        review = re.fullmatch(r"/v1/products/([^/]+)/reviews", self.path)
        if self.path == "/v1/login":
            return owner.log_in(body.get("account"))
        if self.path == "/v1/merchants/login":
            return owner.log_in(body.get("merchant_id"))
        if self.path == "/v1/orders":
            return owner.order(body)
        if review:
            return owner.review(review.group(1), body, verdict)
        return 404, {"error": "nothing here"}

    def _answer(self, status, body, account=None):
        data = json.dumps(body).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if account:
            self.send_header("X-Account", account)
        self.end_headers()
        self.wfile.write(data)
