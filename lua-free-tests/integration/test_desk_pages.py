"""The pages of dossier and report: well-formed, alone, harmless, and as a real
browser shows them on a screen, a phone and paper."""

import base64
import hashlib
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from harness.browser import Browser
from harness.desk_log import Story
from harness.settings import CTL, SANITIZED

EVIL = ("</title><script>document.title='owned';alert(1)</script>"
        "\"'><img src=x onerror=alert(2)>&amp;\u202egnp\x07]]>")
LONG = "m" * 250
SHOP = "玩具旗舰店"
HTML = "{http://www.w3.org/1999/xhtml}"


@pytest.fixture
def pages(folder):
    """{name: page}: a record of each kind of key, and reports."""
    story = Story(8, calls=900, merchants=(EVIL, LONG, SHOP))
    log = story.write(folder / "audit.log")
    made = {}
    for name, arguments in {
            "evil": ("dossier", "merchant", EVIL),
            "long": ("dossier", "merchant", LONG),
            "account": ("dossier", "account", story.accounts[0]),
            "none": ("dossier", "merchant", "m-none"),
            "day": ("report", "--ending", "2026-11-22"),
            "week": ("report", "--period=week", "--ending=2026-11-25")}.items():
        made[name] = folder / f"{name}.html"
        done = subprocess.run(
            [CTL, *arguments, log, "--html", made[name],
             "--time-zone", "+08:00"], capture_output=True, check=False)
        assert done.returncode == (1 if name == "none" else 0), done.stderr
        assert done.stdout == b""
    return made


def test_well_formed_and_alone(pages):
    for name, page in pages.items():
        text = page.read_text()
        root = ElementTree.fromstring(text.replace("<!DOCTYPE html>", ""))
        assert root.get("lang") == "en" and root.find(".//title").text
        assert {node.tag for node in root.iter()
                if node.tag in ("script", "link", "img", "iframe", "object",
                                "a", "base", "form")} == set(), name
        for node in root.iter():
            for attribute, value in node.attrib.items():
                assert not attribute.startswith("on")
                assert attribute not in ("src", "href", "style")
                assert "url(" not in value or value.startswith("url(#")
        assert all(table.find("caption") is not None
                   for table in root.iter("table"))
        for svg in root.iter("{http://www.w3.org/2000/svg}svg"):
            if svg.get("role") == "img":
                inside = [node.get("id") for node in svg]
                assert svg.get("aria-labelledby").split() == inside[:2]
        ids = [node.get("id") for node in root.iter() if node.get("id")]
        assert len(ids) == len(set(ids))


def test_the_policy_allows_its_own_style_and_nothing_else(pages):
    text = pages["day"].read_text()
    root = ElementTree.fromstring(text.replace("<!DOCTYPE html>", ""))
    (policy,) = [meta.get("content") for meta in root.iter("meta")
                 if meta.get("http-equiv")]
    style = root.find(".//style").text
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest())
    assert policy == (f"default-src 'none'; style-src 'sha256-"
                      f"{digest.decode()}'; base-uri 'none'; "
                      "form-action 'none'")


def test_a_hostile_value_is_text(pages):
    text = pages["evil"].read_text()
    assert "<script" not in text and "<img" not in text
    assert "\u202e" not in text and "\x07" not in text
    root = ElementTree.fromstring(text.replace("<!DOCTYPE html>", ""))
    title = "".join(root.find(".//h1").itertext())
    assert "</title><script>document.title='owned'" in title
    assert "&amp;" in title and r"\xe2\x80\xaegnp\x07" in title


@pytest.mark.skipif(SANITIZED, reason="shows the same pages")
def test_in_a_browser(pages, folder):
    with Browser(folder) as browser:
        for name, path in pages.items():
            for width, dark in ((375, False), (320, True), (1200, False)):
                page = browser.open(path, width=width, dark=dark)
                page.value("document.querySelectorAll('details').forEach("
                           "d => d.open = true)")
                assert page.value(
                    "document.documentElement.scrollWidth") <= width, name
                assert page.complaints() == []
                assert page.requests() == [path.as_uri()]
                assert "owned" != page.value("document.title")
                assert page.value(
                    "[...document.querySelectorAll('svg.wide,svg.narrow')]"
                    ".filter(e=>e.getBoundingClientRect().height>0).every("
                    f"e=>e.classList.contains('{'narrow' if width < 600 else 'wide'}'))")
        page = browser.open(pages["day"])
        light = page.picture(folder / "light.png").read_bytes()
        page = browser.open(pages["day"], dark=True)
        assert light != page.picture(folder / "dark.png").read_bytes()
        assert page.value(
            "getComputedStyle(document.body).backgroundColor"
        ) == "rgb(18, 23, 30)"
        for name, most in (("account", 6), ("day", 5), ("none", 2)):
            page = browser.open(pages[name], dark=True)
            paper = page.pdf(folder / f"{name}.pdf", dark=True)
            assert page.value(
                "getComputedStyle(document.body).backgroundColor"
            ) == "rgb(255, 255, 255)"
            count = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
            assert 1 <= count <= most, (name, count)


@pytest.mark.skipif(SANITIZED, reason="shows the same pages")
def test_colours_are_legible(pages, folder):
    """WCAG 2: text 4.5 to 1, what plots are drawn with 3 to 1."""
    colours = """(() => { const s = getComputedStyle(document.documentElement);
        return ['back','text','soft','warn','warn-back','allow','hold-edge',
                'throttle-edge','deny','list'].map(
            n => [n, s.getPropertyValue('--' + n).trim()]) })()"""

    def light(colour):
        digits = colour.lstrip("#")
        if len(digits) == 3:
            digits = "".join(digit * 2 for digit in digits)
        parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
        parts = [part / 12.92 if part <= 0.04045
                 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    def contrast(one, two):
        high, low = sorted((light(one), light(two)), reverse=True)
        return (high + 0.05) / (low + 0.05)

    with Browser(folder) as browser:
        for dark in (False, True):
            found = dict(browser.open(pages["day"], dark=dark).value(colours))
            for text in ("text", "soft"):
                assert contrast(found[text], found["back"]) >= 4.5
            assert contrast(found["warn"], found["warn-back"]) >= 4.5
            for drawn in ("allow", "hold-edge", "throttle-edge", "deny",
                          "list"):
                assert contrast(found[drawn], found["back"]) >= 3, drawn
