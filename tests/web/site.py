"""A small site of sample pages with a stream, served to a real browser."""

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from armillary_web.assets import Assets
from armillary_web.templating import Templates
from tests.web import samples

POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; "
    "base-uri 'none'; frame-ancestors 'none'; form-action 'self'"
)
RUN = f"/runs/flow-run/{samples.RUN_ID}"
FRAGMENTS = f"/ui/fragments{RUN}"


class Site:
    """Answers by path; what is told goes to the one browser that listens."""

    def __init__(self, templates: Templates, assets: Assets) -> None:
        self._told: deque[str] = deque()
        self._stream = 0
        self._changed = threading.Condition()
        self.asked: list[str] = []
        self.header = samples.run_detail(
            state_type="RUNNING", state_name="Running", state_message=None
        )
        self.status = 200
        self._templates = templates
        self.assets = assets
        self.later: list[int] = []
        self.pages: dict[str, Callable[[], bytes]] = {
            "/runs": self._runs,
            RUN: self._run,
            f"{FRAGMENTS}/header": self._header,
            f"{FRAGMENTS}/states": lambda: self._part(
                "_run_states", states=samples.state_history()
            ),
            f"{FRAGMENTS}/task-runs": lambda: self._part("_task_runs", tasks=samples.task_page()),
            f"{FRAGMENTS}/logs": self._lines,
            "/ui/fragments/runs": lambda: self._part("_runs", page=samples.run_page()),
        }

    def tell(self, message: str) -> None:
        with self._changed:
            self._told.append(message)
            self._changed.notify_all()

    def listen(self) -> int:
        """Begin a stream in place of the one before, which a browser may have left unsaid."""
        with self._changed:
            self._stream += 1
            self._changed.notify_all()
            return self._stream

    def heard(self, stream: int) -> str | None:
        """Wait for the next message; None once another stream has begun."""
        with self._changed:
            self._changed.wait_for(lambda: self._told or stream != self._stream)
            return self._told.popleft() if stream == self._stream else None

    def _part(self, name: str, **context: object) -> bytes:
        given = {"run_id": samples.RUN_ID, "now": samples.NOW} | context
        return self._templates.render(f"ui/{name}.html", **given)

    def _runs(self) -> bytes:
        return self._part("runs", shell=samples.shell(), page=samples.run_page())

    def _header(self) -> bytes:
        return self._part("_run_header", run=self.header)

    def _lines(self) -> bytes:
        lines = tuple(samples.log_line(index) for index in self.later)
        cursor = f"{self.later[-1]:08d}" if self.later else "00000023"
        return self._part("_log_lines", logs=samples.log_page(lines=lines, cursor=cursor))

    def _run(self) -> bytes:
        return self._part(
            "run",
            shell=samples.shell(),
            run=self.header,
            waiting=samples.waiting(reasons=(), live_path=None),
            error=samples.run_error(lines=(), live_path=None),
            states=samples.state_history(),
            tasks=samples.task_page(),
            logs=samples.log_page(),
            added=(),
        )


def _handler(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            site.asked.append(self.path)
            if path == "/ui/stream":
                self._stream()
                return
            asset = site.assets.read(path)
            if asset is not None:
                self._send(200, asset.content_type, asset.content)
            elif path in site.pages:
                fragment = path.startswith("/ui/fragments/")
                self._send(site.status if fragment else 200, "text/html", site.pages[path]())
            else:
                self._send(404, "text/plain", b"nothing here")

        def _send(self, status: int, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.send_header("content-security-policy", POLICY)
            self.end_headers()
            self.wfile.write(content)

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("connection", "close")
            self.end_headers()
            self.wfile.write(b'data: {"kind": "beat"}\n\n')
            stream = site.listen()
            while (message := site.heard(stream)) is not None:
                self.wfile.write(f"data: {message}\n\n".encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            del format, args

    return Handler


@contextmanager
def serving(site: Site) -> Iterator[str]:
    """The site's address while it is served on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(site))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        site.listen()
        server.shutdown()
        server.server_close()
        thread.join()
