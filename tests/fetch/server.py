"""A server on loopback that has files and, on request, troubles; it writes down what it was asked.

Every file has a list of troubles; each GET of it takes the first one. Where there is none, the file is sent as a
good server would, ranges and conditions included.
"""

import hashlib
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class File:
    content: bytes
    headers: dict = field(default_factory=dict)  # more headers, of every answer
    etag: str | None = None  # with its quotes; None: made of the content; "": none
    ranges: bool = True
    sized: bool = True  # tells the length beforehand
    redirect: str | None = None  # where the file really is
    troubles: list = field(default_factory=list)

    def tag(self):
        return f'"{hashlib.md5(self.content).hexdigest()}"' if self.etag is None else self.etag


@dataclass
class Status:
    """An answer without the file."""
    code: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Cut:
    """The connection ends, well or badly, when `after` bytes of the body have been sent."""
    after: int
    reset: bool = False


@dataclass
class Slow:
    """Pieces with pauses between them."""
    piece: int
    pause_s: float


@dataclass
class Silent:
    """Nothing more after some bytes, with the connection open."""
    after: int
    for_s: float


@dataclass
class Request:
    method: str
    path: str
    headers: dict


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.answer(head=True)

    def do_GET(self):
        self.answer(head=False)

    def answer(self, head):
        owner = self.server.owner
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner.requests.append(Request(self.command, self.path, headers))
        file = owner.files.get(self.path.split("?")[0])
        trouble = file.troubles.pop(0) if file and file.troubles and not head else None
        if file is None:
            trouble = Status(404)
        if isinstance(trouble, Status):
            return self.send_text(trouble.code, trouble.headers, trouble.body)
        if file.redirect:
            return self.send_text(302, {"Location": file.redirect, **file.headers}, b"")
        self.send_file(file, head, headers, trouble)

    def send_text(self, code, headers, body):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_file(self, file, head, headers, trouble):
        first = 0
        wanted = headers.get("range", "")
        if file.ranges and wanted and headers.get("if-range", file.tag()) == file.tag():
            first = int(wanted.removeprefix("bytes=").removesuffix("-"))
            if first >= len(file.content):
                return self.send_text(416, {"Content-Range": f"bytes */{len(file.content)}"}, b"")
        body = file.content[first:]
        self.send_response(206 if first else 200)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(file.content) - 1}/{len(file.content)}")
        if file.sized:
            self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        if file.tag():
            self.send_header("ETag", file.tag())
        for name, value in file.headers.items():
            self.send_header(name, value)
        self.end_headers()
        if not head:
            self.send_body(body, trouble)

    def send_body(self, body, trouble):
        try:
            if isinstance(trouble, Cut):
                self.wfile.write(body[:trouble.after])
                self.close_connection = True
                if trouble.reset:
                    time.sleep(0.2)  # what was sent should arrive first
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
            elif isinstance(trouble, Slow):
                for at in range(0, len(body), trouble.piece):
                    self.wfile.write(body[at:at + trouble.piece])
                    time.sleep(trouble.pause_s)
            elif isinstance(trouble, Silent):
                self.wfile.write(body[:trouble.after])
                self.wfile.flush()
                self.server.owner.over.wait(trouble.for_s)
                self.close_connection = True
            else:
                self.wfile.write(body)
        except OSError:
            self.close_connection = True  # whoever asked went away

    def finish(self):
        try:
            super().finish()
        except (OSError, ValueError):
            pass  # the connection was reset on purpose


class Server:
    """A context in which http(s)://127.0.0.1:PORT answers."""

    def __init__(self, certificate: Path | None = None):
        self.files: dict[str, File] = {}
        self.requests: list[Request] = []
        self.over = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.owner = self
        self.http.handle_error = lambda *_: None
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
            scheme = "https"
        self.url = f"{scheme}://127.0.0.1:{self.http.server_address[1]}"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()

    def asked(self, path, method="GET"):
        return [request for request in self.requests if request.path == path and request.method == method]
