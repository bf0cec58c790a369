"""Copied reviews through nginx: held, with either store, and never kept."""

import pytest

HTTP = """
    integrity_zone     integrity:8m;
    integrity_secret   %%SECRET%%;
    integrity_audit    %%AUDIT%%;
    integrity_body     max=128k;
    integrity_field    account $http_x_account private;
    integrity_field    product json:/product;
    integrity_field    content json:/content text;
    integrity_field    title   $http_x_title text;
    integrity_counter  copies  on=review.create window=30d
                               similar=content distinct=account;
    integrity_counter  repeats on=review.create window=30d key=product
                               similar=content exact;
    integrity_counter  titles  on=review.create window=30d similar=title
                               count=attempts;
    integrity_rule     copy_paste "copies >= 3" on=review.create then=hold;
    integrity_rule     same       "repeats > 4" on=review.create
                                  then=throttle;
    integrity_rule     titled     "titles > 3" on=review.create then=deny;
"""

SERVER = """
    integrity on; integrity_action review.create;
    location / { proxy_set_header X-Integrity $integrity_decision;
                 proxy_pass http://%%APP%%; }
"""

AD = "加微信 abc123，免费获取天气 key 和教程，五分钟显示天气，百分百成功"
VARIANTS = [AD, AD.replace("，", "!! ").upper(),
            "【" + AD.replace("abc123", "abc456") + "】",
            AD.replace("天气", "天\u200b气").replace("abc", "ＡＢＣ")]
HONEST = ["表盘很漂亮，抬手就亮，就是有点费电，希望下个版本改进",
          "用了一个月了，心率和血氧都挺准的，推荐给喜欢跑步的朋友",
          "客服回复很快，问题当天就解决了，物流也不错，给个五星",
          "The strap broke after two weeks, and nobody answers my mails",
          "배송은 빨랐지만 화면이 생각보다 어두워서 조금 아쉽습니다"]


@pytest.fixture(params=["embedded", "redis"])
def store(request, redis):
    return None if request.param == "embedded" else redis()


@pytest.fixture
def server(nginx, app, store):
    line = f"integrity_redis {store} timeout=1s;" if store else ""
    return nginx(http=HTTP + line, server=SERVER, APP=app)


def review(server, account, content, product="p", **headers):
    return server.post(
        "/reviews", json={"product": product, "content": content},
        headers={"X-Account": account, **headers}).status_code


def events(server, count):
    lines = server.wait_audit(count)
    assert len(lines) == count
    return lines


def test_copies_are_held_and_honest_reviews_pass(server, app):
    texts = []
    for number in range(8):
        texts += [VARIANTS[number % 4], "好评", "非常好用！", HONEST[number % 5]]
    for number, text in enumerate(texts):
        # honest texts come twice at most, and from two accounts
        assert review(server, f"a{number % 20}", text, f"p{number}") == 200
    lines = events(server, len(texts))
    told = [request.headers["x-integrity"] for request in app.requests]
    assert told == [line["decision"] for line in lines]
    for text, line in zip(texts, lines):
        copies = line["counter"].get("copies")
        if text in ("好评", "非常好用！"):
            assert copies is None and line["decision"] == "allow"
        elif text in HONEST:
            assert copies <= 2 and line["decision"] == "allow"
    adverts = [line for text, line in zip(texts, lines) if text in VARIANTS]
    assert [line["counter"]["copies"] for line in adverts] == [
        1, 2, 3, 4, 5, 5, 5, 5]
    assert [line["decision"] for line in adverts] == (
        ["allow"] * 2 + ["hold"] * 6)
    assert {rule["name"] for line in adverts for rule in line["rule"]} == {
        "copy_paste"}


def test_a_throttled_copy_is_taken_back(server):
    answers = [review(server, "a", AD) for _ in range(8)]
    assert answers == [200] * 4 + [429] * 4
    assert review(server, "a", AD, "another") == 200
    assert [line["counter"]["repeats"] for line in events(server, 9)] == [
        1, 2, 3, 4, 5, 5, 5, 5, 1]
    # a limit on texts is never answered from memory: it has no one key
    assert {line["evaluation"] for line in server.audit_lines("decision")
            } == {"complete"}


def test_the_text_stays_in_the_request(server, store):
    for number in range(4):
        assert review(server, f"account-{number}", AD) == 200
    server.quit()
    logs = server.error_log + server.audit_path.read_text()
    for part in ("微信", "abc123", "\\u5fae", "天气", "account-"):
        assert part not in logs
    (field,) = {line["field"]["content"]
                for line in server.audit_lines("decision")}
    assert field.startswith(f"t:{len(AD.encode())}:")
    if store:
        client = store.client()
        kept = b"".join(key + client.dump(key)
                        for key in client.scan_iter("ig:*"))
        assert kept.count(b"ig:1:{copies:") == 8
        for part in ("微信", "abc123", "天气", "account-"):
            assert part.encode() not in kept


def test_bad_utf8_in_a_header_is_compared_all_the_same(server):
    title = "buy this watch \xff\xfe from our shop today".encode("latin-1")
    answers = [review(server, "a", HONEST[number], f"p{number}",
                      **{"X-Title": title}) for number in range(5)]
    assert answers == [200] * 3 + [403] * 2
    assert [line["counter"]["titles"] for line in events(server, 5)] == [
        1, 2, 3, 4, 5]


def test_a_text_of_64k(server):
    long = "".join(chr(0x4e00 + number * number % 20000)
                   for number in range(21_000))
    for number, text in enumerate((long, long + "！", "x" * 65536,
                                   "\u200b" * 21_000, "\ufdfa" * 21_000)):
        assert review(server, f"a{number}", text, f"p{number}") == 200
    assert [line["counter"].get("copies") for line in events(server, 5)] == [
        1, 2, None, None, 1]
