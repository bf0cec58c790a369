"""Where the things under test are, and how patient the tests are.

Everything can be pointed elsewhere with IG_* in the environment; run.py uses
that to run the same suite on the sanitized build.
"""

import os
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def _path(name, default):
    return Path(os.environ.get(name, default))


NGINX = _path("IG_NGINX", "/usr/sbin/nginx")
MODULE = _path("IG_MODULE", ROOT / "build" / "ngx_http_integrity_module.so")
CTL = _path("IG_CTL", ROOT / "build" / "integrityctl")
REDIS = _path("IG_REDIS", "/usr/bin/redis-server")
SCHEMA = ROOT / "lua-free-tests" / "schema"

# Labelled event streams, beside the checkout: their licence is not stated,
# so that they are no part of it. Tests of them are skipped without them.
DATA = _path("IG_DATA", ROOT.parent / "shared" / "data")

SANITIZED = os.environ.get("IG_SANITIZED", "0") == "1"

# A sanitized nginx is several times slower; waits, never expectations about
# results, are multiplied by this.
PATIENCE = 3.0 if SANITIZED else 1.0

SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:"
                    "detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "LSAN_OPTIONS": "print_suppressions=0:suppressions="
                    + str(Path(__file__).with_name("leaks.supp")),
}


def wait_until(condition, timeout=10.0, what="the condition"):
    """Polls until condition() is true and returns what it returned."""
    deadline = time.monotonic() + timeout * PATIENCE
    pause = 0.002
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout * PATIENCE:.1f} s for "
                                 f"{what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
