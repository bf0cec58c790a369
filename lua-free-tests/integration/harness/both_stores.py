"""For modules whose tests shall hold with either store: import `nginx`."""

import pytest


@pytest.fixture(params=["embedded", "redis"])
def nginx(request, nginx, redis):
    """The factory of conftest.py; counters in the zone, then in Redis."""
    def make(http="", **parts):
        if request.param == "redis":
            http += f"\n    integrity_redis {redis()} timeout=2s;\n"
        return nginx(http=http, **parts)

    return make
