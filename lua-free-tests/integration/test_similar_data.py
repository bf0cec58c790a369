"""How well near-duplicates are found on real reviews, over twenty secrets.

The stream is no part of the project (settings.DATA); without it this test is
skipped. Each event goes through the core and the embedded store at its own
time, as in nginx; `jaccard` is the truth, which no rule reads: the largest
Jaccard similarity of 3-token shingles with an earlier text.
"""

import base64
import gzip
import hashlib
import json
import os
import statistics
import subprocess

import pytest

from harness.settings import DATA, SANITIZED, SANITIZER_ENVIRONMENT
from test_stores import PROBE

STREAM = DATA / "zh-texts.jsonl.gz"
SECRETS = 3 if SANITIZED else 20

# A window longer than the stream
POLICY = """
integrity_field    account  $account private
integrity_field    content  json:/content text
integrity_counter  copies   on=review.create window=30d similar=content
integrity_counter  logged   on=review.create window=30d similar=content exact
integrity_counter  writers  on=review.create window=30d similar=content distinct=account
integrity_rule     copied   "copies >= 2" on=review.create then=hold
integrity_rule     read     "logged + writers < 0" then=hold
"""


@pytest.fixture(scope="module")
def reviews():
    if not STREAM.exists():
        pytest.skip(f"no {STREAM.name} in {DATA}")
    with gzip.open(STREAM, "rt", encoding="utf-8") as stream:
        return [json.loads(line) for line in stream]


def secret(number):
    key = hashlib.sha256(f"near duplicates {number}".encode()).digest()
    return f"k{number}:{base64.b64encode(key).decode()}"


def held(folder, reviews, number):
    """Whether each review was held, under one of the secrets."""
    policy = folder / "policy"
    policy.write_text(POLICY)
    lines = "".join(json.dumps({
        "at": review["time"] * 1000, "event": f"{index:026}",
        "action": review["action"], "account": review["account"],
        "content": review["content"], "status": 201}) + "\n"
        for index, review in enumerate(reviews))
    done = subprocess.run(
        [str(PROBE), "--size", "16777216", "--secret", secret(number),
         str(policy)], input=lines, capture_output=True, text=True,
        timeout=120, check=False,
        env={**os.environ, **SANITIZER_ENVIRONMENT})
    assert done.returncode == 0 and not done.stderr, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
    for answer in answers:
        assert (answer["counter"]["copies"] == answer["counter"]["logged"]
                == answer["counter"]["writers"]), answer
    return [answer["decision"] == "hold" for answer in answers]


def measure(reviews, hits):
    """(precision: hits that are alike by half; recall: copies that hit)."""
    alike = [review["jaccard"] for review, hit in zip(reviews, hits) if hit]
    copies = [hit for review, hit in zip(reviews, hits)
              if review["jaccard"] >= 0.7]
    return (sum(jaccard >= 0.5 for jaccard in alike) / len(alike),
            sum(copies) / len(copies))


def test_copies_are_found_and_little_else(folder, reviews, capsys):
    found = [measure(reviews, held(folder, reviews, number))
             for number in range(SECRETS)]
    precision, recall = zip(*found)
    with capsys.disabled():
        print(f"\n{len(reviews)} reviews, {SECRETS} secrets: precision "
              f"{statistics.median(precision):.4f} "
              f"(worst {min(precision):.4f}), recall "
              f"{statistics.median(recall):.4f} (worst {min(recall):.4f})")
    assert statistics.median(precision) >= 0.96
    assert statistics.median(recall) >= 0.98
    # far from what a broken secret or too few bands would give
    assert min(precision) >= 0.94 and min(recall) >= 0.95
