"""Who else can reach the gateway and the daemon: a page of another origin, another user, another address."""

import base64
import hashlib
import http.server
import json
import os
import shutil
import socket
import subprocess
import threading

from gateway import certificate
from world import PERSON, STRANGER, World, anyone, as_user, fetch, person_logs_in, run, until

# What a page can try. Each way has a path of its own, so that it is seen what arrives.
PAGE = """<!doctype html><title>another origin</title><body><script>
const target = TARGET, result = {};
const asked = (name, options) => fetch(target + '/v1/api/probe-' + name, {credentials: 'include', ...options}).then(
  async answer => { result[name] = answer.type + ' ' + answer.status + ' ' + (await answer.text()).slice(0, 40) },
  error => { result[name] = 'refused' });
const body = 'x', json = {'content-type': 'application/json'}, plain = {'content-type': 'text/plain'};
const later = ms => new Promise(done => setTimeout(done, ms));
function form(method) {
  const frame = document.createElement('iframe'), form = document.createElement('form');
  frame.name = 'frame' + method; document.body.append(frame, form);
  Object.assign(form, {method, target: frame.name, enctype: 'text/plain',
    action: target + '/v1/api/probe-form' + method});
  form.innerHTML = '<input name=a value=b>'; form.submit();
}
function image() {
  return new Promise(done => { const image = new Image(); image.onload = image.onerror = done;
    image.src = target + '/v1/api/probe-image' });
}
function socket() {
  return new Promise(done => {
    const socket = new WebSocket(target.replace('http', 'ws') + '/v1/api/ws'), heard = [];
    result.socket = 'refused';
    socket.onopen = () => { result.socket = 'open'; setTimeout(done, 3000) };
    socket.onmessage = async event => {
      result.heard = (result.heard || 0) + 1;
      result.said = event.data.text ? await event.data.text() : event.data };
    socket.onerror = done;
  });
}
(async () => {
  await asked('get', {});
  await asked('getblind', {mode: 'no-cors'});
  await asked('post', {method: 'POST', headers: plain, body});
  await asked('postblind', {method: 'POST', headers: plain, body, mode: 'no-cors'});
  await asked('json', {method: 'POST', headers: json, body: '{}'});
  await asked('put', {method: 'PUT', body});
  await asked('delete', {method: 'DELETE'});
  await asked('header', {headers: {portal: '1'}});
  await image();
  form('POST');
  if (target.startsWith('https')) await socket();
  await later(1500);
  await fetch('/result', {method: 'POST', body: JSON.stringify(result)});
})();
</script>"""


class Site(http.server.BaseHTTPRequestHandler):
    """A web site; it also notes whatever else is asked of it."""

    def answer(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        server = self.server
        server.asked.append(f"{self.command} {self.path.split('?')[0]}")
        if self.path == "/result":
            server.result = json.loads(body)
        page = server.page if self.path == "/" else ""
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page.encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_OPTIONS = answer

    def log_message(self, *_):
        pass


def site(page=""):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.asked, server.result, server.page = [], None, page
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    return server


def parts(der):
    """What a DER sequence holds, each with its head."""
    def head(at):
        length, start = der[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(der[at + 2 : start], "big")
        return start, start + length

    at, end = head(0)
    found = []
    while at < end:
        _, after = head(at)
        found.append(der[at:after])
        at = after
    return found


def key_hash(der):
    """SHA-256 of the certificate's public key, as Chromium wants it."""
    # Version, serial number, algorithm, issuer, validity, subject, key.
    key = parts(parts(der)[0])[6]
    return base64.b64encode(hashlib.sha256(key).digest()).decode()


def browse(world, address, key):
    """A page in a real Chromium: an ordinary user, the sandbox on, the gateway's certificate accepted."""
    program = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    profile = world.folder("chromium")
    return subprocess.Popen(
        as_user(PERSON, program, "--headless=new", "--no-first-run", "--disable-gpu", "--disable-background-networking",
                f"--ignore-certificate-errors-spki-list={key}", f"--user-data-dir={profile}",
                "--remote-debugging-port=0", address),
        env={**world.environment, "HOME": str(profile)}, cwd=profile,
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def visit(world, target, key):
    """What a page of another origin could do at `target`, in its own words."""
    server = site(PAGE.replace("TARGET", json.dumps(target)))
    browser = browse(world, server.url + "/", key)
    try:
        until(lambda: server.result is not None, 60)
    finally:
        browser.kill()
        server.shutdown()
    return server.result or {}


def logged_in(name, **settings):
    world = World(name, **settings)
    world.ibctl("gateway", "start")
    said = person_logs_in(world.address(), "simpaper")
    ran = world.ibctl("login", "--json")
    assert "Client login succeeds" in said and ran.json.get("ready"), (said, ran)
    return world


BLIND = {"GET /v1/api/probe-getblind", "GET /v1/api/probe-image"}


def page(check):
    with logged_in("page") as world:
        address, key = world.address(), key_hash(certificate(world.port()))
        # The same page at a server that refuses nobody: what it tries does arrive where nobody minds.
        control = site()
        visit(world, control.url, key)
        expected = {f"{method} /v1/api/probe-{name}" for method, name in (
            ("GET", "get"), ("GET", "getblind"), ("POST", "post"), ("POST", "postblind"), ("OPTIONS", "json"),
            ("OPTIONS", "put"), ("OPTIONS", "delete"), ("OPTIONS", "header"), ("GET", "image"), ("POST", "formPOST"),
        )}  # fmt: skip
        check("page: all that it tries arrives elsewhere", expected <= set(control.asked), expected - set(control.asked))

        before = world.sim.get("/requests")["count"]
        result = visit(world, address, key)
        asked = [f"{one['method']} {one['path']}" for one in world.sim.get("/requests")["requests"][before:]]
        arrived = {one for one in asked if "probe" in one}
        print(f"    a page of another origin was told: {result}")
        print(f"    of what it tried reached IBKR: {sorted(arrived) or 'nothing'}")
        for name in ("get", "post", "json", "put", "delete", "header"):
            check(f"page: {name} is refused", result.get(name) == "refused", result)
        check("page: it reads nothing of what is not refused", all(
            str(result.get(name, "")).startswith(("refused", "opaque 0 ")) and str(result.get(name)).strip() in
            ("refused", "opaque 0") for name in ("getblind", "postblind")), result)  # fmt: skip
        check("page: nothing that changes anything reaches IBKR", not [one for one in arrived if not one.startswith("GET ")],
              arrived)  # fmt: skip
        check("page: no more reaches IBKR than docs/security.md says", arrived <= BLIND, arrived)
        # docs/security.md: no configuration closes the websocket to other origins. If this fails, that has changed.
        check("page: the websocket opens, as documented", result.get("socket") == "open", result)

        logouts = world.sim.logins()["logouts"]
        port = world.port()
        own = fetch("GET", f"{address}/v1/api/probe-own", headers={"Origin": f"https://127.0.0.1:{port}"})
        check("origin: its own passes", "/v1/api/probe-own" in world.sim.paths(), own)
        for count, origin in enumerate((
            "https://evil.example", "null", f"http://127.0.0.1:{port}", f"https://127.0.0.1:{port}0",
            f"https://127.0.0.1:{port}.evil.example", f"https://evil.example/https://localhost:{port}",
            f"https://localhost.evil.example:{port}", f"https://127x0x0x1:{port}", "https://127.0.0.1",
        )):  # fmt: skip
            for method in ("GET", "POST", "OPTIONS"):
                head = {"Origin": origin, "Access-Control-Request-Method": "POST"}
                url = f"{address}/v1/api/probe-{count}{method}"
                status, text = fetch(method, url, b"x" if method == "POST" else None, head, timeout=5)
                check(f"origin {origin!r}: {method} is refused", status == 403, (status, text))
        passed = [path for path in world.sim.paths() if any(f"probe-{count}" in path for count in range(9))]
        check("origin: nothing of these reaches IBKR", not passed, passed)
        # What the blindness of such a request is worth: it changes something only where a GET does.
        status, _ = fetch("GET", f"{address}/v1/api/logout")
        ended = world.sim.logins()["logouts"] - logouts
        print(f"    a GET without Origin, as for an image, of /v1/api/logout: {status}, logins ended: {ended}")


CONNECT = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
try:
    s.connect(sys.argv[1])
    print("connected")
except OSError as error:
    print(type(error).__name__)
"""


def stranger(check):
    """Another user of this machine."""
    with logged_in("stranger") as world:
        # Only what ibd itself closes shall count.
        for folder in (world.home, world.home / "r", world.home / "s", world.home / "s/ibd", world.home / ".config"):
            folder.chmod(0o755)
        sock = world.home / "r/ibd/default.sock"
        python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else shutil.which("python3")

        def connect(user):
            return world.run(as_user(user, python, "-c", CONNECT, sock)).out.strip()

        check("socket: its owner can connect", connect(PERSON) == "connected", connect(PERSON))
        check("socket: another user cannot", connect(STRANGER) == "PermissionError", connect(STRANGER))
        sock.parent.chmod(0o755)
        check("socket: nor if the folder were open", connect(STRANGER) == "PermissionError", connect(STRANGER))
        sock.parent.chmod(0o700)
        for name in ("gateway/conf.yaml", "gateway/keystore.pass", "gateway/ibd.p12", "gateway/run.json",
                     "gateway/logs/gateway.log", "logs/ibd.log"):  # fmt: skip
            path = world.state / name
            check(f"files: {name} is there", path.exists())
            seen = world.run(as_user(STRANGER, "cat", path))
            check(f"files: another user cannot read {name}", seen.code != 0 and not seen.out, seen)
        for process in (world.java(), world.daemon()):
            seen = world.run(as_user(STRANGER, "cat", f"/proc/{process.pid}/environ"))
            check(f"another user cannot read the environment of {process.program}", seen.code != 0, seen)
        ran = world.run(as_user(STRANGER, world.command("ibctl")[-1], "status", "--json"))
        check("another user's ibctl sees no daemon of ours", "ready" not in ran.out, ran)

        # What stays open: the gateway asks no local caller who it is.
        url = f"{world.address()}/v1/api/iserver/auth/status"
        code = f"""
import ssl, urllib.request
print(urllib.request.urlopen({url!r}, context=ssl._create_unverified_context(), timeout=10).read().decode()[:80])
"""
        seen = world.run(as_user(STRANGER, python, "-c", code))
        print(f"    another user asks the gateway's port how the session is: {seen.out.strip() or seen.err[-200:]}")
        check("another user can ask the gateway, as documented", '"authenticated":true' in seen.out, seen)


def outside():
    """An address of this machine that is not loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            return probe.getsockname()[0]
        except OSError:
            return None


def addresses(check):
    """From another address of this machine, as from another machine."""
    address = outside()
    if not check("there is an address that is not loopback", address and not address.startswith("127."), address):
        return
    with logged_in("outside") as world:
        port = world.port()
        for path in ("/", "/v1/api/portfolio/accounts", "/sso/Login", "/v1/api/logout"):
            status, text = fetch("GET", f"https://{address}:{port}{path}", timeout=5)
            check(f"outside: {path} is refused", status == 404 and "Access Denied" in text, (status, text))
        check("outside: nothing reached IBKR", "/v1/api/logout" not in world.sim.paths())
        opened = upgrade(address, port)
        print(f"    the websocket from {address}: {opened}")
        check("outside: the websocket opens, as documented", " 101 " in opened, opened)
        ran = world.ibctl("doctor", "--json")
        found = {one["name"]: one for one in ran.json.get("checks", [])}.get("websocket", {})
        check("doctor: warns of it", ran.code == 0 and found.get("state") == "warn" and address in found.get("text", ""), ran)
        check("doctor: gives a rule", any(str(port) in one and ("nft" in one or "iptables" in one)
              for one in found.get("commands", [])), found)  # fmt: skip
        said = world.ibctl("doctor")
        check("doctor: prints it", f"dport {port} drop" in said.out, said)


def upgrade(address, port):
    """The first line that a websocket's beginning is answered with."""
    with socket.create_connection((address, port), 5) as plain, anyone().wrap_socket(plain) as line:
        line.sendall(f"GET /v1/api/ws HTTP/1.1\r\nHost: {address}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())  # fmt: skip
        line.settimeout(5)
        return line.recv(200).decode(errors="replace").split("\r\n")[0]


if __name__ == "__main__":
    run(page, stranger, addresses)
