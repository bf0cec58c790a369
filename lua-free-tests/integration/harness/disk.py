"""A small disk of its own (tmpfs), to be filled to the last byte."""

import os
import subprocess

from .settings import wait_until


class Disk:
    """`problem` says why there is none: only root can mount."""

    def __init__(self, path, size="4m"):
        self.path = path
        self._ballast = path / "ballast"
        path.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "tmpfs",
             str(path)], capture_output=True, text=True, check=False)
        self.problem = done.stderr.strip() if done.returncode else None

    def fill(self, pages=0):
        """Leaves so many pages free."""
        with open(self._ballast, "ab", buffering=0) as ballast:
            try:
                while ballast.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        os.truncate(self._ballast,
                    self._ballast.stat().st_size - 4096 * pages)

    def empty(self):
        os.truncate(self._ballast, 0)

    def unmount(self):
        if self.problem is None:
            wait_until(lambda: subprocess.run(
                ["umount", str(self.path)], check=False,
                stderr=subprocess.DEVNULL).returncode == 0,
                what="the disk to be free")
