import contextlib
import http.server
import os
import threading
from pathlib import Path

import pytest


@pytest.fixture
def public_data(monkeypatch):
    """The folder of public data sets; the test skips where there is none."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = Path(os.environ.get("THALWEG_DATA", beside)).resolve()
    if not folder.is_dir():
        pytest.skip("needs the public data sets: set THALWEG_DATA to their folder")
    monkeypatch.setenv("THALWEG_DATA", str(folder))
    return folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A machine without data: an empty cache, no data folder. The cache's folder."""
    monkeypatch.delenv("THALWEG_DATA", raising=False)
    monkeypatch.setenv("THALWEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "datasets"


@pytest.fixture
def serve():
    """serve({"/path": bytes or (bytes, announced length)}) -> the address of a server on this machine, and its log."""
    with contextlib.ExitStack() as stack:

        def start(pages):
            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    log.append(self.path)
                    if self.path not in pages:
                        self.send_error(404)
                        return
                    page = pages[self.path]
                    content, length = page if isinstance(page, tuple) else (page, len(page))
                    self.send_response(200)
                    self.send_header("Content-Length", str(length))
                    self.end_headers()
                    self.wfile.write(content)

                def log_message(self, *arguments):
                    pass

            log = []
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}/", log

        yield start
