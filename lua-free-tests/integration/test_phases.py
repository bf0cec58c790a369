"""Where in a request the module stands: after what refuses, before what
redirects; once per request whatever nginx makes of it."""

import pytest

from harness import senders
from harness.both_stores import nginx  # noqa: F401
from harness.ledger import POLICY, aborted, told
from harness.settings import wait_until

BODY = POLICY + """
    integrity_field  rating json:/rating;
"""
RATING = b'{"rating":4}'


def post(server, path, account="ann", **arguments):
    """A POST by an account; its status."""
    return ask(server, "POST", path, account, **arguments).status_code


def ask(server, method, path, account="ann", **arguments):
    headers = {"X-Account": account}
    if "content" in arguments:
        headers["Content-Type"] = "application/json"
    return server.request(method, path, headers=headers, **arguments)


def write(server, name, text):
    path = server.dir / "root" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


# What stands before us: who is refused there is neither counted nor decided


def test_limit_req_still_limits(nginx, app):
    server = nginx(
        http=POLICY + "limit_req_zone $http_x_account zone=r:1m rate=1r/m;",
        server="""
            location / {
                integrity on; integrity_action review.create;
                limit_req zone=r;
                proxy_pass http://%%APP%%;
            }
        """, APP=app)
    assert [post(server, "/") for _ in range(3)] == [200, 503, 503]
    assert post(server, "/", "bad") == 403
    assert post(server, "/", "bad") == 503
    assert told(server) == [("review.create", "ann", 1, "allow", 200),
                            ("review.create", "bad", 1, "deny", 403)]


def test_a_delayed_request_is_decided_once(nginx, app):
    server = nginx(
        http=POLICY + "limit_req_zone $http_x_account zone=r:1m rate=10r/s;",
        server="""
            location / {
                integrity on; integrity_action review.create;
                limit_req zone=r burst=5;
                proxy_pass http://%%APP%%;
            }
        """, APP=app)
    assert [post(server, "/") for _ in range(3)] == [200] * 3
    assert [entry[2] for entry in told(server)] == [1, 2, 3]


@pytest.mark.parametrize("rules, statuses", [
    ("deny all;", {"": 403, "good": 403, "wrong": 403}),
    ("allow 127.0.0.1; deny all;", {"": 200}),
    ("auth_basic x; auth_basic_user_file %%DIR%%/users;",
     {"": 401, "good": 200, "wrong": 401}),
    ("satisfy any; deny all; auth_basic x;"
     " auth_basic_user_file %%DIR%%/users;",
     {"": 401, "good": 200, "wrong": 401}),
    ("satisfy any; allow 127.0.0.1; deny all; auth_basic x;"
     " auth_basic_user_file %%DIR%%/users;", {"": 200, "good": 200}),
])
def test_access_rules(nginx, app, folder, rules, statuses):
    (folder / "users").write_text("u:{PLAIN}good\n")
    server = nginx(http=POLICY, server=f"""
        location / {{
            integrity on; integrity_action review.create;
            {rules}
            proxy_pass http://%%APP%%;
        }}
    """, APP=app)
    seen = {}
    for password in statuses:
        auth = ("u", password) if password else None
        seen[password] = post(server, "/", password or "nobody", auth=auth)
    assert seen == statuses
    passed = [password for password in statuses if statuses[password] == 200]
    assert told(server) == [
        ("review.create", password or "nobody", 1, "allow", 200)
        for password in passed]
    assert len(app.requests) == len(passed)


AUTH = """
    integrity on;
    integrity_action review.create POST GET;

    location / {
        auth_request     /auth;
        auth_request_set $account $upstream_http_x_account;
        proxy_set_header X-Account $account;
        proxy_pass       http://%%APP%%;
    }
    location = /auth {
        internal;
        proxy_pass              http://%%APP%%/auth;
        proxy_pass_request_body off;
        proxy_set_header        Content-Length "";
    }
"""


def test_auth_request_names_the_account(nginx, app):
    server = nginx(http=POLICY.replace("$http_x_account", "$account"),
                   server=AUTH, APP=app)
    app.answer(200, {"X-Account": "ann"}, path="/auth")
    assert post(server, "/", "mallory", json={"a": 1}) == 200
    app.answer(403, path="/auth")
    assert post(server, "/", "mallory") == 403
    app.answer(401, path="/auth")
    assert post(server, "/", "mallory") == 401
    app.answer(200, {"X-Account": "bad"}, path="/auth")
    assert post(server, "/", "ann") == 403
    app.answer(200, path="/auth")
    assert post(server, "/", "ann") == 200
    assert told(server) == [("review.create", "ann", 1, "allow", 200),
                            ("review.create", "bad", 1, "deny", 403),
                            ("review.create", None, None, "allow", 200)]
    assert [call.headers["x-account"] for call in app.of("/")
            if "x-account" in call.headers] == ["ann"]


def test_what_rewrite_answers_never_reaches_us(nginx, app):
    server = nginx(http=POLICY, server="""
        integrity on; integrity_action review.create;
        location /gone  { return 410; }
        location /moved { rewrite ^ /new redirect; }
        location /if    { if ($http_x_account = "ann") { return 402; }
                          proxy_pass http://%%APP%%; }
    """, APP=app)
    assert [post(server, path) for path in ("/gone", "/moved", "/if")] == [
        410, 302, 402]
    assert post(server, "/if", "eve") == 200
    assert told(server) == [("review.create", "eve", 1, "allow", 200)]


@pytest.mark.parametrize("page", ["error_page 503 403 /busy;",
                                  "error_page 503 403 =200 /busy;",
                                  "error_page 503 403 = @busy;",
                                  "error_page 503 403 @busy;",
                                  "recursive_error_pages on;"
                                  " error_page 503 403 /busy;",
                                  "recursive_error_pages on;"
                                  " error_page 503 403 @busy;"])
def test_a_refused_call_is_not_decided_where_its_error_page_is(
        nginx, app, page):
    # Root cause: the page of a call which limit_req or an access rule had
    # refused lay in a place with integrity, and was decided as if it were a
    # call of its own.
    server = nginx(
        http=POLICY + "limit_req_zone $http_x_account zone=r:1m rate=1r/m;",
        server=f"""
            integrity on; integrity_action review.create POST GET;
            {page}
            location /limited {{
                limit_req zone=r; proxy_pass http://%%APP%%;
            }}
            location /denied {{ deny all; proxy_pass http://%%APP%%; }}
            location = /busy {{ proxy_pass http://%%APP%%; }}
            location @busy   {{ proxy_pass http://%%APP%%; }}
        """, APP=app)
    assert post(server, "/limited") == 200
    for path in ("/limited", "/denied"):
        post(server, path)
    assert told(server) == [("review.create", "ann", 1, "allow", 200)]
    assert len(app.requests) == 3


# What stands behind us: redirects and subrequests, once per request


def test_try_files(nginx, app):
    server = nginx(http=POLICY, server="""
        root %%DIR%%/root;
        integrity on;
        location /named  { integrity_action a.named;
                           try_files $uri @app; }
        location /uri    { integrity_action a.uri;
                           try_files $uri /fallback; }
        location /status { integrity_action a.status;
                           try_files $uri =404; }
        location @app      { integrity_action b.app;
                             proxy_pass http://%%APP%%; }
        location /fallback { integrity_action b.fallback;
                             proxy_pass http://%%APP%%; }
        location /plain  { integrity off; try_files $uri @app; }
    """, APP=app)
    for path in ("/named", "/uri", "/plain"):
        assert post(server, path) == 200
        assert post(server, path, "bad") == 403
    assert post(server, "/status") == 404
    assert told(server) == [
        ("a.named", "ann", 1, "allow", 200), ("a.named", "bad", 1, "deny", 403),
        ("a.uri", "ann", 2, "allow", 200), ("a.uri", "bad", 2, "deny", 403),
        ("b.app", "ann", 3, "allow", 200), ("b.app", "bad", 3, "deny", 403),
        ("a.status", "ann", 4, "allow", 404)]
    assert len(app.requests) == 3


@pytest.mark.parametrize("page, status, body", [
    ("error_page 429 403 /page;", None, "page"),
    ("error_page 429 403 =200 /page;", 200, "page"),
    ("error_page 429 403 = /page;", 200, "page"),
    ("error_page 429 403 = @app;", 201, "ok\n"),
    ("error_page 429 403 @app;", None, "ok\n"),
    ("error_page 429 403 http://example.org/;", 302, None),
])
def test_error_page_for_a_refused_call(nginx, app, page, status, body):
    app.answer(201)
    server = nginx(http=POLICY, server=f"""
        root %%DIR%%/root;
        integrity on; integrity_action review.create POST GET;
        {page}
        location / {{ proxy_pass http://%%APP%%; }}
        location = /page {{ internal; }}
        location @app {{
            proxy_set_header X-Integrity $integrity_verdict;
            proxy_pass http://%%APP%%;
        }}
    """, APP=app)
    write(server, "page", "page")
    for account, own in (("bad", 403), ("hasty", 429)):
        answer = ask(server, "POST", "/", account)
        assert answer.status_code == (status or own)
        assert body is None or answer.text == body
        assert answer.headers.get("cache-control") == "no-store"
        assert ("retry-after" in answer.headers) == (own == 429)
    assert post(server, "/") == 201
    assert told(server) == [
        ("review.create", "bad", 1, "deny", status or 403),
        ("review.create", "hasty", 1, "throttle", status or 429),
        ("review.create", "ann", 1, "allow", 201)]
    assert [call.headers["x-integrity"].split(";")[0]
            for call in app.requests if "x-integrity" in call.headers
            ] == (["deny", "throttle"] if "@app" in page else [])


def test_error_page_of_a_place_that_passed_the_call_on(nginx, app):
    server = nginx(http=POLICY, server="""
        root %%DIR%%/root;
        proxy_intercept_errors on;
        location /static  { error_page 405 = @app; }
        location /other   { integrity on; integrity_action nobodys.action GET;
                            error_page 405 = @app; }
        location /backup  { integrity on; integrity_action a.backup;
                            error_page 502 = @app;
                            proxy_pass http://127.0.0.1:%%PORT_DEAD%%; }
        location /missing { integrity on; integrity_action a.missing;
                            error_page 404 = @app;
                            proxy_pass http://%%APP%%; }
        location @app     { integrity on; integrity_action b.app;
                            proxy_pass http://%%APP%%/app; }
    """.replace("/app;", ";"), APP=app)
    write(server, "static", "x")
    write(server, "other", "x")
    app.answer_once(404)
    paths = ("/missing", "/static", "/other", "/backup")
    assert [post(server, path) for path in paths] == [200] * 4
    assert [post(server, path, "bad") for path in paths] == [403] * 4
    assert [entry[:3] for entry in told(server)] == [
        ("a.missing", "ann", 1), ("b.app", "ann", 2), ("b.app", "ann", 3),
        ("a.backup", "ann", 4),
        ("a.missing", "bad", 1), ("b.app", "bad", 2), ("b.app", "bad", 3),
        ("a.backup", "bad", 4)]


def test_x_accel_redirect(nginx, app):
    server = nginx(http=POLICY, server="""
        root %%DIR%%/root;
        integrity on; integrity_action order.create POST GET;
        location / { proxy_pass http://%%APP%%; }
        location /inside/ { internal; integrity_action other.action POST GET; }
        location @named   { proxy_pass http://%%APP%%/named; }
    """.replace("/named;", ";"), APP=app)
    write(server, "inside/file", "inside")
    app.answer(200, {"X-Accel-Redirect": "/inside/file"}, path="/file")
    app.answer_once(200, {"X-Accel-Redirect": "@named"})
    assert post(server, "/other") == 200
    answer = ask(server, "POST", "/file")
    assert (answer.status_code, answer.text) == (200, "inside")
    assert told(server) == [("order.create", "ann", 1, "allow", 200),
                            ("order.create", "ann", 2, "allow", 200)]


def test_index_and_directory_redirects(nginx):
    server = nginx(http=POLICY, server="""
        root %%DIR%%/root;
        integrity on; integrity_action page.view GET POST;
        location / { index index.html; }
    """)
    write(server, "index.html", "home")
    write(server, "dir/index.html", "dir")
    assert ask(server, "GET", "/").text == "home"
    assert ask(server, "GET", "/dir").status_code == 301
    assert ask(server, "GET", "/dir/").text == "dir"
    assert post(server, "/dir/") == 405
    assert told(server) == [("page.view", "ann", number, "allow", status)
                            for number, status in ((1, 200), (2, 301),
                                                   (3, 200), (4, 405))]


@pytest.mark.parametrize("mirrored", ["on", "off"])
def test_mirror(nginx, app, mirrored):
    no_length = ("" if mirrored == "on"
                 else 'proxy_set_header Content-Length "";')
    server = nginx(http=BODY, server=f"""
        integrity on; integrity_action review.create;
        location / {{
            mirror /mirror; mirror_request_body {mirrored};
            proxy_pass http://%%APP%%;
        }}
        location = /mirror {{
            internal; proxy_pass http://%%APP%%/mirror;
            proxy_pass_request_body {mirrored}; {no_length}
        }}
    """, APP=app)
    assert post(server, "/", content=RATING) == 200
    assert post(server, "/", "bad", content=RATING) == 403
    wait_until(lambda: len(app.requests) == 2)
    assert [call.body for call in app.of("/")] == [RATING]
    assert [call.body for call in app.of("/mirror")] == [
        RATING if mirrored == "on" else b""]
    assert told(server) == [("review.create", "ann", 1, "allow", 200),
                            ("review.create", "bad", 1, "deny", 403)]


def test_ssi_subrequests(nginx, app):
    server = nginx(http=BODY, server="""
        root %%DIR%%/root;
        integrity on; integrity_action page.view GET POST;
        location / { ssi on; }
        location /api { proxy_pass http://%%APP%%; }
        location /call { ssi on; ssi_types text/plain;
                         proxy_pass http://%%APP%%; }
    """, APP=app)
    write(server, "page.html", '<!--#include virtual="/api/a" -->|'
          '<!--#include virtual="/api/b" -->|<!--#echo '
          'var="integrity_decision" -->')
    app.answer(body=b'<!--#include virtual="/api/c" -->', path="/call")
    assert ask(server, "GET", "/page.html").text == "ok\n|ok\n|allow"
    answer = ask(server, "POST", "/call", json={"rating": 1})
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert ask(server, "GET", "/page.html", "bad").status_code == 403
    assert [call.path for call in app.requests] == ["/api/a", "/api/b",
                                                    "/call", "/api/c"]
    assert told(server) == [("page.view", "ann", 1, "allow", 200),
                            ("page.view", "ann", 2, "allow", 200),
                            ("page.view", "bad", 1, "deny", 403)]


def test_rewrites_and_nested_places(nginx, app):
    server = nginx(http=POLICY, server="""
        integrity on; integrity_action outer.action;
        location /last  { rewrite ^ /inner/x last; }
        location /break { rewrite ^ /broken break; proxy_pass http://%%APP%%; }
        location /inner {
            location /inner/x { proxy_pass http://%%APP%%; }
            location /inner/y { integrity_action inner.action;
                                proxy_pass http://%%APP%%; }
            location /inner/z { integrity off; proxy_pass http://%%APP%%; }
        }
        location /if {
            set $x 0;
            if ($request_method = POST) { set $x 1; }
            if ($x) { proxy_pass http://%%APP%%; }
        }
        location /methods {
            proxy_pass http://%%APP%%;
            limit_except GET { allow all; proxy_pass http://%%APP%%; }
        }
    """, APP=app)
    for path in ("/last", "/break", "/inner/x", "/inner/y", "/inner/z", "/if",
                 "/methods"):
        assert post(server, path) == 200
    assert [entry[:3] for entry in told(server)] == [
        ("outer.action", "ann", 1), ("outer.action", "ann", 2),
        ("outer.action", "ann", 3), ("inner.action", "ann", 4),
        ("outer.action", "ann", 5), ("outer.action", "ann", 6)]


def test_the_next_upstream_gets_the_same_decision(nginx, app):
    server = nginx(http=POLICY + """
        upstream app {
            server 127.0.0.1:%%PORT_DEAD%%;
            server %%APP%% backup;
        }
    """, server="""
        location / { integrity on; integrity_action review.create;
                     proxy_pass http://app; }
    """, APP=app)
    assert post(server, "/") == 200
    assert told(server) == [("review.create", "ann", 1, "allow", 200)]


def test_a_place_that_names_nothing_leaves_it_to_the_next(nginx, app):
    server = nginx(http=POLICY.replace("key=account", "key=account on=known.*")
                   .replace("then=", "on=known.* then="), server="""
        root %%DIR%%/root;
        integrity on;
        location /first { integrity_action unknown.action;
                          try_files $uri @app; }
        location /off   { integrity off; try_files $uri @app; }
        location /get   { integrity_action known.get GET;
                          try_files $uri @app; }
        location @app   { integrity_action known.action;
                          proxy_pass http://%%APP%%; }
    """, APP=app)
    for path in ("/first", "/off", "/get"):
        assert post(server, path) == 200
        assert post(server, path, "bad") == 403
    assert told(server) == [
        ("known.action", account, number, decision, status)
        for number in (1, 2, 3) for account, decision, status in
        (("ann", "allow", 200), ("bad", "deny", 403))]
    (line,) = server.audit_lines("unclassified")[:1]
    assert line["action"] == "unknown.action" and not line["denied"]


# nginx gives up on a body


PAGES = """
        integrity on; integrity_action review.create POST GET;
        client_max_body_size 1k;
        client_body_timeout 300ms;
        error_page 400 408 413 %s;
        location / { proxy_pass http://%%%%APP%%%%; }
        location = /page { proxy_pass http://%%%%APP%%%%; }
        location @page   { proxy_pass http://%%%%APP%%%%; }
"""


@pytest.mark.parametrize("page", ["/page", "= @page", "=200 /page"])
def test_error_page_where_nginx_refused_the_body(nginx, app, page):
    # Root cause: the context stayed in BODY when nginx answered a chunked
    # body with 413 by itself; the error page then waited for ever, or its
    # half-read body was decided.
    server = nginx(http=BODY, server=PAGES % page, APP=app)
    status = 413 if page == "/page" else 200
    huge = b'{"rating":5,"x":"' + b"y" * 4000 + b'"}'
    at_once = (senders.head("POST", "/", {
        "X-Account": "ann", "Content-Type": "application/json",
        "Transfer-Encoding": "chunked"})
        + b"".join(senders.chunked(huge, 4000)))
    assert server.raw(at_once).status == status
    assert senders.post_chunked(server, "/", huge, {"X-Account": "ann"},
                                size=500, pause=0.01).status == status
    broken = at_once.replace(b"\r\n\r\n", b"\r\n\r\nzz\r\n", 1)
    assert server.raw(broken).status == (400 if page == "/page" else 200)
    assert post(server, "/", json={"rating": 1}) == 200
    assert told(server) == [("review.create", "ann", 1, "allow", 200)]
    assert [line["status"] for line in aborted(server)] == [
        status, status, 400 if page == "/page" else 200]


def test_a_slow_body_times_out(nginx, app):
    server = nginx(http=BODY, server=PAGES % "/page", APP=app)
    with server.connect() as sock:
        sock.sendall(senders.head("POST", "/", {
            "Content-Type": "application/json", "Content-Length": 100}))
        assert sock.recv(10) in (b"", b"HTTP/1.1 4")
    assert server.access(1)[0]["status"] == "408"
    assert told(server) == []
    assert [line["status"] for line in aborted(server)] == [408]


def test_post_action_is_no_second_call(nginx, app):
    server = nginx(http=POLICY, server="""
        integrity on; integrity_action review.create;
        location / { proxy_pass http://%%APP%%; post_action /after; }
        location = /after { proxy_pass http://%%APP%%/after; }
        location /plain { integrity off; proxy_pass http://%%APP%%;
                          post_action /after; }
    """, APP=app)
    assert post(server, "/") == 200
    assert post(server, "/plain") == 200
    wait_until(lambda: len(app.of("/after")) == 2)
    assert told(server) == [("review.create", "ann", 1, "allow", 200)]
