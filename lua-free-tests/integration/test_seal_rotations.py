"""The seal where a log is rotated faster than it looks, and where it is killed
between: nobody is accused, and every line is sealed."""

import os
import signal

import pytest

from harness.chain import Chain
from harness.sealing import Seal
from harness.settings import wait_until


@pytest.fixture
def seal(folder):
    one = Seal(folder, folder / "audit.log")
    yield one
    one.kill()


class Writer:
    """Chains in one log, and its rotations."""

    def __init__(self, path, *chains):
        self.path = path
        self.chains = chains
        self.clock = 0
        self.segments = []
        self.write("open")

    def write(self, *kinds):
        """One line of each kind by every chain, in the log's own time."""
        with self.path.open("ab") as file:
            for kind in kinds:
                for chain in self.chains:
                    self.clock += 1
                    chain.clock = self.clock
                    file.write(getattr(chain, kind)())

    def rotate(self):
        self.write("outcome", "segment_end")
        self.segments.append(self.path.with_name(
            f"audit.log.{len(self.segments)}"))
        self.path.rename(self.segments[-1])
        self.write("segment_start")

    def files(self):
        return [*self.segments, self.path]

    def lines(self):
        return sum(chain.seq for chain in self.chains)


def freeze(one):
    os.kill(one.process.pid, signal.SIGSTOP)


def thaw(one):
    os.kill(one.process.pid, signal.SIGCONT)


@pytest.mark.parametrize("rotations", [2, 20])
def test_many_between_two_looks(folder, seal, rotations):
    """More than it reads at once: it goes on from file to file."""
    writer = Writer(folder / "audit.log", Chain("edge-1/0"), Chain("edge-1/1"))
    seal.start()
    seal.wait_for(writer.lines())
    freeze(seal)
    for _ in range(rotations):
        writer.rotate()
    thaw(seal)
    writer.write("outcome", "close")
    seal.wait_for(writer.lines())
    assert seal.stop() == 0
    assert seal.findings() == []
    code, said = seal.verify(*writer.files())
    assert code == 0, said


def test_names_that_move_on(folder, seal):
    """As logrotate has it: LOG.1 becomes LOG.2, and so on."""
    writer = Writer(folder / "audit.log", Chain("edge-1/0"))
    seal.start()
    seal.wait_for(writer.lines())
    freeze(seal)
    for number in range(5):
        writer.rotate()
        older = sorted(writer.segments, reverse=True)
        writer.segments = [path.rename(folder / f"audit.log.{10 + number}."
                                       f"{place}")
                           for place, path in enumerate(older)][::-1]
    thaw(seal)
    writer.write("outcome")
    seal.wait_for(writer.lines())
    assert seal.stop() == 0
    assert seal.findings() == []
    code, said = seal.verify(*writer.files())
    assert code == 0, said


def test_a_restart_with_one_that_nobody_ended(folder, seal):
    """A worker was killed in the oldest file, which is therefore read again;
    the next one was finished, and is not."""
    killed, chain = Chain("edge-1/1"), Chain("edge-1/0")
    log = folder / "audit.log"
    log.write_bytes(killed.open() + killed.outcome())
    writer = Writer(log, chain)
    seal.start()
    seal.wait_for(writer.lines() + 2)
    for _ in range(2):
        writer.rotate()
        seal.wait_for(writer.lines() + 2)
    wait_until(lambda: any(part.get("done") for line in seal.lines()
                           for part in line.get("log", ())))
    seal.kill()
    seal.start()
    writer.write("outcome", "close")
    seal.wait_for(writer.lines() + 2)
    assert seal.stop() == 0, seal.said
    assert seal.findings() == []
    code, said = seal.verify(*writer.files())
    assert code == 0, said
