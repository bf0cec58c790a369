"""A real browser, told what to do over a pipe (Chromium's DevTools protocol).

    with Browser(folder) as browser:
        page = browser.open(path, width=375, dark=True)
        page.value("document.title"); page.picture(png); page.pdf(pdf)

No port, no library: messages are JSON, each ends with a zero byte.
"""

import base64
import json
import os
import select
import signal
import subprocess
import time

from harness.settings import PATIENCE

CHROMIUM = os.environ.get("IG_CHROMIUM", "/usr/bin/chromium")
LIMIT = 60 * PATIENCE

# A sandbox needs namespaces, which root and containers do not have.
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu",
             "--remote-debugging-pipe", "--no-first-run",
             "--disable-dev-shm-usage", "--hide-scrollbars",
             "--disable-background-networking", "--disable-extensions",
             "--disable-sync", "--no-default-browser-check"]


class Browser:
    """One Chromium, ended with everything it started."""

    def __init__(self, folder):
        self.folder = folder
        self._count = 0
        self._rest = b""
        self.events = []

    def __enter__(self):
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()

        def pipes():
            # they are 3 and 4 there, whatever they are here
            spare = os.dup(theirs_out), os.dup(theirs_in)
            os.dup2(spare[1], 3)
            os.dup2(spare[0], 4)

        home = self.folder / "chromium"
        home.mkdir(exist_ok=True)
        self._process = subprocess.Popen(
            [CHROMIUM, *ARGUMENTS, f"--user-data-dir={home}"],
            pass_fds=(3, 4), preexec_fn=pipes, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(home), "LANG": "C.UTF-8"})
        os.close(theirs_in)
        os.close(theirs_out)
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self._process.wait(20)
        except (OSError, TimeoutError, subprocess.TimeoutExpired):
            pass
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self._process.wait(20)
        os.close(self._out)
        os.close(self._in)

    def _message(self, deadline):
        while b"\0" not in self._rest:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._in], [], [], max(left, 0))
            if not ready:
                raise TimeoutError("the browser does not answer")
            data = os.read(self._in, 1 << 20)
            if not data:
                raise OSError("the browser has ended")
            self._rest += data
        text, _, self._rest = self._rest.partition(b"\0")
        return json.loads(text)

    def call(self, method, session=None, **params):
        """The answer's result; events that come meanwhile are kept."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + LIMIT
        while True:
            answer = self._message(deadline)
            if answer.get("id") == self._count:
                if "error" in answer:
                    raise OSError(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def wait(self, method):
        """Until such an event has come."""
        deadline = time.monotonic() + LIMIT
        while all(event.get("method") != method for event in self.events):
            self.events.append(self._message(deadline))

    def open(self, path, width=900, height=900, dark=False):
        self.events.clear()
        target = self.call("Target.createTarget", url="about:blank")
        session = self.call("Target.attachToTarget", flatten=True,
                            targetId=target["targetId"])["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Log", "Network", "Runtime"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=2 if width < 600 else 1,
                  mobile=width < 600)
        page.medium("screen", dark)
        page.call("Page.navigate", url=path.resolve().as_uri())
        self.wait("Page.loadEventFired")
        return page


class Page:
    def __init__(self, browser, session):
        self.browser = browser
        self._session = session

    def call(self, method, **params):
        return self.browser.call(method, self._session, **params)

    def medium(self, medium, dark):
        self.call("Emulation.setEmulatedMedia", media=medium, features=[
            {"name": "prefers-color-scheme",
             "value": "dark" if dark else "light"}])

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression,
                           returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def picture(self, path):
        """The whole page, however long."""
        data = self.call("Page.captureScreenshot",
                         captureBeyondViewport=True)["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    def pdf(self, path, dark=False):
        """On paper as the page's own style sheet says."""
        self.medium("print", dark)
        data = self.call("Page.printToPDF", preferCSSPageSize=True,
                         printBackground=True)["data"]
        path.write_bytes(base64.b64decode(data))
        return path

    def requests(self):
        """What it asked for, itself included."""
        return [event["params"]["request"]["url"]
                for event in self.browser.events
                if event.get("method") == "Network.requestWillBeSent"]

    def complaints(self):
        """Errors and warnings, breaches of its own policy among them."""
        return [event["params"] for event in self.browser.events
                if event.get("method") in ("Log.entryAdded",
                                           "Runtime.exceptionThrown",
                                           "Runtime.consoleAPICalled",
                                           "Page.javascriptDialogOpening")]
