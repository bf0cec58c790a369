"""The configuration a test's own lines are put into.

%%NAME%% in any part is replaced: by what the test passed as NAME=…, by a free
port for PORT and PORT_x, by the test's folder for DIR, by the files named
below for AUDIT, SECRET and ACCESS.
"""

import base64
import os
import re

from . import settings
from .ports import free_port

_HTTP = """\
    client_body_temp_path %%DIR%%/body;
    proxy_temp_path       %%DIR%%/proxy;
    proxy_http_version    1.1;
    proxy_set_header      Connection "";

    log_format harness escape=json
        '{"status":"$status","seconds":"$request_time","method":"'
        '$request_method","uri":"$request_uri","upstream":"$upstream_status",'
        '"request":"$request_id","protocol":"$server_protocol"}';
    access_log %%ACCESS%% harness;
"""


def _main(module, user, workers, level, main):
    lines = []
    if module:
        lines.append(f"load_module {settings.MODULE};")
    if user:
        lines.append(f"user {user};")
    lines += ["daemon on;", "master_process on;",
              f"worker_processes {workers};", "pid %%DIR%%/nginx.pid;",
              f"error_log %%ERROR%% {level};"]
    if settings.SANITIZED:
        lines += [f"env {name};" for name in settings.SANITIZER_ENVIRONMENT]
    return "\n".join(lines + [main])


def _server(server):
    if server is None:
        return ""
    listen = ""
    if not re.search(r"^\s*listen\b", server, re.MULTILINE):
        listen = "        listen 127.0.0.1:%%PORT%%;\n"
    return f"    server {{\n{listen}{server}\n    }}\n"


def compose(http="", server=None, main="", events="", module=True, workers=1,
            level="info", user=None):
    """A whole nginx.conf, placeholders still in it."""
    if user is None and os.geteuid() == 0:
        user = "root"
    return (f"{_main(module, user, workers, level, main)}\n"
            f"events {{\n    worker_connections 2048;\n{events}\n}}\n"
            f"http {{\n{_HTTP}\n{http}\n{_server(server)}}}\n")


def fill(text, values, ports):
    """Replaces every %%NAME%%; `ports` keeps the ports already given out."""
    def value(match):
        name = match.group(1)
        if name in values:
            return str(values[name])
        if name == "PORT" or name.startswith("PORT_"):
            if name not in ports:
                ports[name] = free_port()
            return str(ports[name])
        raise KeyError(f"no value for %%{name}%% in the configuration")

    return re.sub(r"%%(\w+)%%", value, text)


def write_secret(path, ids=("k1",), uid=None):
    """A secret file as integrity_secret wants it: `id:base64`, mode 0600."""
    lines = [f"{name}:" + base64.b64encode(f"{name:-<32}".encode()).decode()
             for name in ids]
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o600)
    if uid is not None:
        os.chown(path, uid, -1)
