"""A Stash that calls its plugin: the little HTTP server behind ``server_connection``, and one call through stdin."""

import io
import json
import logging
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from stash_portability import plugin
from stash_portability.stashlog import Handler

COOKIE = "MTc-a-cookie-that-is-as-good-as-a-password"


@contextmanager
def listening(stub):
    """Answer POSTs by ``stub.reply(cookie, body)``, which gives a status and a JSON value; ``stub.server`` becomes
    the connection a plugin is given. ``stub`` has the folders ``folder`` and ``plugin``."""

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = stub.reply(self.headers["Cookie"], body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            with suppress(BrokenPipeError):  # whoever asked has not waited
                self.end_headers()
                self.wfile.write(text)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Asked)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stub.server = {
        "Scheme": "http",
        "Host": "0.0.0.0",
        "Port": server.server_port,
        "SessionCookie": {"Name": "session", "Value": COOKIE},
        "Dir": str(stub.folder),
        "PluginDir": str(stub.plugin),
    }
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving(stub, monkeypatch):
    """A function that serves one call as Stash makes it, and gives its answer and its log as bytes. The cookie is
    nowhere in either, and the logger is afterwards as it was."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    logger = logging.getLogger("stash_portability")
    level = logger.level

    def serve(**arguments):
        given = json.dumps({"server_connection": stub.server, "args": arguments}).encode()
        answers, log = io.BytesIO(), io.BytesIO()
        plugin.main(plugin.Streams(given, answers, log), [], {})
        assert answers.getvalue().count(b"\n") == 1
        assert COOKIE.encode() not in log.getvalue() + answers.getvalue()
        return json.loads(answers.getvalue()), log.getvalue()

    yield serve
    for handler in [one for one in logger.handlers if isinstance(one, Handler)]:
        logger.removeHandler(handler)
    logger.setLevel(level)
