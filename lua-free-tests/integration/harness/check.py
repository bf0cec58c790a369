"""integrityctl check over configurations of a test's own."""

import os
import subprocess

from . import settings

POLICY = """
    integrity_field account $http_x_account private;
    integrity_field rating json:/rating;
    integrity_counter account_1h on=review.create key=account window=1h;
    integrity_threshold limit 10;
    integrity_rule too_fast "account_1h > limit" then=throttle;
"""

GROUND = """
    integrity_zone integrity:4m;
    integrity_secret integrity.key;
"""

KEY = "k1:" + "QUFB" * 10 + "QUE=\n"


def http(text):
    """A right configuration around text, which begins on line 3."""
    before = " ".join((GROUND + POLICY).split("\n"))
    return f"events {{ }}\nhttp {{ {before}\n" + text.lstrip("\n") + "}\n"


class Checked:
    """What it said, with the names of the folder's files alone."""

    def __init__(self, folder, done):
        self.code = done.returncode
        self.out = done.stdout
        self.errors = [line.replace(f"{folder}/", "")
                       for line in done.stderr.splitlines()]


class Checker:
    """checker("…") checks main.conf with that text; files={name: text} too."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, text, files=None, arguments=None, user=None):
        for name, content in {"main.conf": text, **(files or {})}.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        done = subprocess.run(
            [settings.CTL, "check",
             *(arguments or [self.folder / "main.conf"])],
            capture_output=True, text=True, timeout=20 * settings.PATIENCE,
            env={**os.environ, **settings.SANITIZER_ENVIRONMENT}, user=user)
        assert "Sanitizer" not in done.stderr, done.stderr
        assert "runtime error" not in done.stderr, done.stderr
        return Checked(self.folder, done)
