"""Fixtures of the integration tests. ../README.md shows them."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from harness import processes, settings
from harness.application import Application
from harness.fake_redis import FakeRedis
from harness.nginx import Nginx
from harness.redis_server import RedisServer


def pytest_configure():
    processes.adopt_orphans()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    setattr(item, "report_" + call.when, outcome.get_result())


@pytest.fixture
def folder(request):
    """A short-named folder of the test's own, kept where the test fails."""
    path = Path(tempfile.mkdtemp(prefix="ig-"))
    path.chmod(0o755)
    yield path
    report = getattr(request.node, "report_call", None)
    if os.environ.get("IG_KEEP") or report is None or report.failed \
            or getattr(request.node, "oracle_failed", False):
        print(f"kept: {path}")
    else:
        shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def started_nginx(request, folder, redis, fake_redis, app):
    """Every Nginx of the test; ends them and asks the oracles.

    It depends on the other servers so that they outlive nginx.
    """
    started = []
    yield started
    problems = []
    for instance in reversed(started):
        problems += instance.finish()
    if problems:
        request.node.oracle_failed = True
        pytest.fail("after the test:\n" + "\n".join(problems), pytrace=False)


@pytest.fixture
def nginx(folder, started_nginx):
    """A factory: nginx(http=…, server=…) starts one and returns it.

    Other parts: main, events, workers=1, level="info", user, module=False for
    one without the module, conf= for a whole nginx.conf, start=False to only
    write it. Further NAME=value replace %%NAME%%, in capital letters.
    """
    def make(start=True, conf=None, **parts):
        if parts.get("module", True) and not settings.MODULE.exists():
            pytest.fail(f"no module at {settings.MODULE}: make build")
        values = {name: parts.pop(name) for name in list(parts)
                  if name.isupper()}
        place = folder
        if started_nginx:
            place = folder / f"nginx{len(started_nginx) + 1}"
            place.mkdir()
        instance = Nginx(place, conf, values, **parts)
        started_nginx.append(instance)
        return instance.start() if start else instance

    return make


@pytest.fixture
def redis(folder):
    """A factory: redis(tcp=False, password=None, user=None, config=())."""
    servers = []

    def make(**arguments):
        place = folder / f"redis{len(servers)}"
        place.mkdir()
        servers.append(RedisServer(place, **arguments))
        return servers[-1].start()

    yield make
    for server in servers:
        server.stop()


@pytest.fixture
def fake_redis(folder):
    """A factory of scripted servers; see harness/fake_redis.py."""
    fakes = []

    def make(*scripts, **arguments):
        place = folder / f"fake{len(fakes)}"
        place.mkdir()
        fakes.append(FakeRedis(place, *scripts, **arguments))
        return fakes[-1]

    yield make
    for fake in fakes:
        fake.stop()
    problems = [problem for fake in fakes for problem in fake.problems]
    if problems:
        pytest.fail("the scripted Redis: " + "; ".join(problems),
                    pytrace=False)


@pytest.fixture
def app():
    """The stub application behind nginx."""
    application = Application()
    yield application
    application.stop()
