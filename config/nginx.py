"""nginx.conf, made from config/nginx.conf.template, so that the list of nodes stands in one place.

    python -m config.nginx --web 10.0.0.1:8000,10.0.0.2:8000 --gateways 10.0.0.1:8100,10.0.0.2:8100 > nginx.conf

Without arguments it writes the configuration that is kept as config/nginx.conf. With `--prefix` nginx needs no rights:
`nginx -p PREFIX -e PREFIX/error.log -c FILE` then stays in the foreground and writes nothing outside of that folder.
What the template does, and why, is told in docs/nodes.md.
"""

import argparse
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from config import env
from config.headers import FRAME_POLICY, page_policy

TEMPLATE = Path(__file__).with_name("nginx.conf.template")
WEB = ("127.0.0.1:8001", "127.0.0.1:8002", "127.0.0.1:8003")
GATEWAYS = ("127.0.0.1:8101", "127.0.0.1:8102")
CLIENT = Path("/srv/guildhall/client/dist")
# What a node of two processes and eight threads works on at once.
MAX_CONNECTIONS = 16
READ_TIMEOUT = 10
_TEMPORARY = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_ADDRESS = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}|unix:/[^\s;{}'\"]+")
_FORWARDED = """\
    map $http_x_forwarded_proto $forwarded_scheme {
        default $scheme;
        https https;
    }"""
_PLAIN = re.compile(r"[^\s;{}'\"$\\]+")


def render(
    *,
    web: Sequence[str] = WEB,
    gateways: Sequence[str] = GATEWAYS,
    listen: str = "80",
    client: Path = CLIENT,
    prefix: Path | None = None,
    logs: str = "",
    max_connections: int = MAX_CONNECTIONS,
    read_timeout: int = READ_TIMEOUT,
    behind_proxy: bool = False,
    include: str = "",
    public_url: str = "",
    import_bytes: int = 10 * 1024**3,
) -> str:
    """The text of nginx.conf.

    `max_connections` bounds the requests that one node is given at once; it must not be more than the node works on
    (`WEB_CONCURRENCY` × `WEB_THREADS`). `read_timeout`, in seconds, is how long a node may be silent before another one
    is asked. `logs` is a folder, or `-` for the standard streams. Raises ValueError for an argument that nginx could
    not read.
    """
    for name, addresses in (("web", web), ("gateways", gateways)):
        if not addresses:
            raise ValueError(f"{name}: at least one address is needed.")
        for address in addresses:
            if not _ADDRESS.fullmatch(address):
                raise ValueError(f"{name}: {address!r} is not host:port.")
    for name, value in (("listen", listen.replace(" ", "")), ("client", str(client)), ("prefix", str(prefix)),
                        ("logs", logs or "-"), ("include", include or "-")):  # fmt: skip
        if not _PLAIN.fullmatch(value):
            raise ValueError(f"{name}: {value!r} has a character that nginx would misread.")
    if max_connections < 1 or read_timeout < 1:
        raise ValueError("max_connections and read_timeout must be at least 1.")
    folder = logs or str(prefix or "/var/log/nginx")
    parts = {
        "main": _main(prefix, folder),
        "workers": "auto",
        "files": "16384",
        "connections": "8192",
        "access_log": "/dev/stdout" if folder == "-" else f"{folder}/access.log",
        "temporary": "\n".join(f"    {name}_temp_path {prefix}/temporary-{name};" for name in _TEMPORARY if prefix),
        "forwarded": _FORWARDED if behind_proxy else "",
        "web_servers": _servers(web, f" max_conns={max_connections}"),
        "kept": str(len(web) * max_connections),
        "gateway_servers": _servers(gateways, ""),
        "frame_policy": FRAME_POLICY,
        "page_policy": page_policy(),
        "scheme": "$forwarded_scheme" if behind_proxy else "$scheme",
        "read_timeout": str(read_timeout),
        "tries": str(len(web)),
        "next_timeout": str(2 * read_timeout + 2),
        "listen": listen,
        "include": f"        include {include};\n" if include else "",
        "import_bytes": str(import_bytes),
        "client": str(client),
        "file_headers": _file_headers(public_url.startswith("https://")),
        "not_found": _problem(404, "not_found", "Not found", "There is nothing here."),
        "too_large": _problem(413, "too_large", "Too large", "The body is longer than is taken here."),
        "full": _problem(503, "full", "Full", "Every node is busy. Nothing was done; try again in a moment."),
        "unavailable": _problem(
            503, "unavailable", "Unavailable", "No node can answer just now. Try again in a moment."
        ),
        "unknown": _problem(
            502,
            "unknown_outcome",
            "Unknown outcome",
            "The node that had this request is gone, and it may have been done. Send it again with the same"
            " Idempotency-Key, or look before you send it again.",
        ),
    }
    text = re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], TEMPLATE.read_text())
    return re.sub(r"\n{3,}", "\n\n", text)


def _main(prefix: Path | None, folder: str) -> str:
    """Who nginx runs as, and where it writes: as Debian has it, or all in `prefix`."""
    errors = "stderr" if folder == "-" else f"{folder}/error.log"
    if prefix is None:
        return f"user www-data;\npid /run/nginx.pid;\nerror_log {errors} warn;"
    lines = ["daemon off;", f"pid {prefix}/nginx.pid;", f"error_log {errors} warn;"]
    if os.geteuid() == 0:
        # Its workers must be able to write where only this user may.
        lines.insert(0, "user root;")
    return "\n".join(lines)


def _servers(addresses: Sequence[str], limit: str) -> str:
    return "\n".join(f"        server {address}{limit} max_fails=0;" for address in addresses)


def _file_headers(secure: bool) -> str:
    """What the client's files are sent with: what Django's and our middleware add to the same files."""
    headers = [
        "X-Request-ID $rid",
        "Cache-Control $file_cache",
        "Content-Security-Policy $file_policy",
        "X-Frame-Options $file_frames",
        "X-Content-Type-Options nosniff",
        "Referrer-Policy same-origin",
        "Cross-Origin-Opener-Policy same-origin",
        # The sandboxed frame has no origin of its own to be the same as.
        "Access-Control-Allow-Origin *",
    ]
    if secure:
        headers.append("Strict-Transport-Security max-age=31536000")
    return "\n".join(f"            add_header {header} always;" for header in headers)


def _problem(status: int, code: str, title: str, detail: str) -> str:
    """A problem document as `api.core.problems` makes it; nginx fills in the request's id."""
    document = {"type": f"urn:guildhall:problem:{code}", "title": title, "status": status, "detail": detail}
    return json.dumps({**document, "code": code, "request_id": "$rid"}, separators=(",", ":"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--web", default=",".join(WEB), metavar="HOST:PORT,…", help="the web nodes")
    parser.add_argument("--gateways", default=",".join(GATEWAYS), metavar="HOST:PORT,…", help="the gateways")
    parser.add_argument("--listen", default="80", help="address and port, or port; “443 ssl” with --include")
    parser.add_argument("--client", type=Path, default=CLIENT, help="the folder of the built client")
    parser.add_argument("--prefix", type=Path, help="run without rights, in this folder")
    parser.add_argument("--logs", default="", help="a folder, or - for the standard streams")
    parser.add_argument("--max-connections", type=int, default=MAX_CONNECTIONS, help="requests at once for each node")
    parser.add_argument("--read-timeout", type=int, default=READ_TIMEOUT, metavar="SECONDS")
    parser.add_argument("--behind-proxy", action="store_true", help="believe X-Forwarded-Proto")
    parser.add_argument("--include", default="", help="files to read inside of the server block, such as TLS")
    given = parser.parse_args()
    try:
        text = render(
            web=[each.strip() for each in given.web.split(",") if each.strip()],
            gateways=[each.strip() for each in given.gateways.split(",") if each.strip()],
            listen=given.listen,
            client=given.client,
            prefix=given.prefix,
            logs=given.logs,
            max_connections=given.max_connections,
            read_timeout=given.read_timeout,
            behind_proxy=given.behind_proxy,
            include=given.include,
            public_url=env.text("PUBLIC_URL"),
            import_bytes=env.number("IMPORT_MAX_BYTES", 10 * 1024**3),
        )
    except ValueError as error:
        parser.error(str(error))
    print(text, end="")


if __name__ == "__main__":
    main()
