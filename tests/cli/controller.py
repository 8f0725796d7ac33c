# SPDX-License-Identifier: Apache-2.0
"""A management controller to test against: serves Redfish resources over TLS, with sessions and
basic authentication. Certificates come from the openssl program."""
import base64
import http.server
import json
import pathlib
import ssl
import subprocess
import threading
import time

USER, PASSWORD = "vetter", "a pass=word:§"
TOKEN = "f3a1-token-of-the-session"


def certificate(folder):
    """A key and a certificate for 127.0.0.1 that signs itself; its paths."""
    key, cert = pathlib.Path(folder, "key.pem"), pathlib.Path(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=bmc.example",
                    "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    return str(key), str(cert)


class Controller:
    """resources: path -> object, or bytes to send as they are. sessions: whether it offers them."""

    def __init__(self, resources, key, cert, sessions=True, delay=0):
        self.resources = {path.rstrip("/") or "/": body for path, body in resources.items()}
        self.sessions, self.delay = sessions, delay
        self.asked, self.deleted, self.headers = [], [], []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # Head and body are two writes: else the second waits 40 ms for the first one's receipt.
            disable_nagle_algorithm = True

            def answer(self, status, body=b"", headers=()):
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def allowed(self):
                # Clients disagree about the encoding of a password.
                basic = ["Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode(e)).decode() for e in ("utf-8", "latin-1")]
                return self.headers.get("Authorization") in basic or self.headers.get("X-Auth-Token") == TOKEN

            def do_GET(self):
                outer.asked.append(self.path)
                outer.headers.append(dict(self.headers))
                time.sleep(outer.delay)
                path = self.path.split("?")[0].rstrip("/")
                if path not in ("/redfish", "/redfish/v1") and not self.allowed():
                    return self.answer(401, b'{"error": {"message": "no"}}')
                body = outer.resources.get(path)
                if body is None:
                    return self.answer(404, b'{"error": {"message": "none"}}')
                if callable(body):
                    return body(self)
                if not isinstance(body, bytes):
                    body = json.dumps(body).encode()
                self.answer(200, body, [("Content-Type", "application/json")])

            def do_POST(self):
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not outer.sessions:
                    return self.answer(404, b"{}")
                if said != {"UserName": USER, "Password": PASSWORD}:
                    return self.answer(401, b"{}")
                self.answer(201, b'{"Id": "7", "Name": "Session"}', [("X-Auth-Token", TOKEN), ("Location", "/redfish/v1/SessionService/Sessions/7")])

            def do_DELETE(self):
                outer.deleted.append(self.path)
                self.answer(204)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # clients that refuse the certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self.server.server_address[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.server.shutdown()
        self.server.server_close()
