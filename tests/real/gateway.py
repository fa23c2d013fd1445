"""IBKR's own gateway: installed, started, looked at, killed, adopted, ended."""

import contextlib
import hashlib
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import zipfile

from login import headless, in_background
from world import (
    GATEWAY, PAPER, PERSON, RUNTIME, TOP, World, as_user, authenticate, fetch, person_logs_in, run, said_error, told,
    until, without_java,
)  # fmt: skip


def zipped():
    """The distribution as IBKR publishes it: a zip."""
    path = TOP / "clientportal.gw.zip"
    if not path.exists():
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(GATEWAY.rglob("*")):
                archive.write(file, file.relative_to(GATEWAY))
        path.chmod(0o644)
    return path


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass


class Server:
    """Serves one file with ranges, and hangs up after `cut` bytes of the first answer."""

    def __init__(self, path, cut=0, pause=0.0):
        content, asked, tag = path.read_bytes(), [], '"one"'
        self.asked, server = asked, self

        class Handler(Quiet):
            def do_GET(self):
                wanted = re.match(r"bytes=(\d+)-$", self.headers.get("Range", ""))
                asked.append(self.headers)
                begin = int(wanted[1]) if wanted else 0
                self.send_response(206 if wanted else 200)
                self.send_header("Content-Length", str(len(content) - begin))
                self.send_header("Accept-Ranges", "bytes")
                self.send_header("ETag", tag)
                if wanted:
                    self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
                self.end_headers()
                end = cut if cut and len(asked) == 1 else len(content)
                for at in range(begin, end, 1 << 18):
                    self.wfile.write(content[at : min(end, at + (1 << 18))])
                    time.sleep(server.pause)
                self.close_connection = True

        self.pause = pause
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/{path.name}"


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def installs(check):
    archive = zipped()
    server = Server(archive, cut=5_000_000)
    sums = {}
    for name, source in (("folder", GATEWAY), ("zip", archive), ("address", server.url)):
        with World(f"in-{name}", sim=False, data=TOP / f"in-{name}/d") as world:
            ran = world.ibctl("gateway", "install", "--from", source, "--java", RUNTIME, "--json")
            gateway, java = ran.json.get("gateway", {}), ran.json.get("java", {})
            if not check(f"install from {name}", ran.code == 0 and gateway.get("isNew") is True, ran):
                continue
            sums[name] = gateway["sha256"]
            check(f"install from {name}: one object on stdout", len(ran.out.splitlines()) == 1, ran)
            build = gateway.get("build") or {}
            check(f"install from {name}: its date and age", build.get("date") == "2023-04-24"
                  and build.get("ageDays", 0) > 900, gateway)  # fmt: skip
            check(f"install from {name}: in the data folder", gateway["folder"].startswith(str(world.data)), gateway)
            check(f"install from {name}: Java", java.get("version", "").startswith("11.0.22")
                  and java["program"].startswith(str(world.data)), java)  # fmt: skip
            again = world.ibctl("gateway", "install", "--from", source, "--json")
            check(f"install from {name}: again is nothing new", again.code == 0
                  and again.json["gateway"]["isNew"] is False, again)  # fmt: skip
            if name == "zip":
                said = world.ibctl("gateway", "install", "--from", source)
                check("install: a person sees checksum and age", sums[name] in said.out and "2023" in said.out, said)
    true = sha256(archive)
    check("install: the checksum is the archive's", sums.get("zip") == sums.get("address") == true, (sums, true))
    ranges = [one.get("Range") for one in server.asked[:2]]
    check("install: what was cut off is continued", ranges == [None, "bytes=5000000-"], ranges)

    for source in (archive, server.url):
        with World("in-bad", sim=False, data=TOP / "in-bad/d") as world:
            ran = world.ibctl("gateway", "install", "--from", source, "--sha256", "0" * 64, "--java", RUNTIME, "--json")
            check("install: another checksum is refused", ran.code == 1 and true in ran.json.get("error", ""), ran)
            left = [path for path in world.data.rglob("*.jar")] if world.data.exists() else []
            check("install: and nothing is installed", not left, left)
            started = world.ibctl("gateway", "start", "--json", IB_GATEWAY_ARCHIVE=None)
            check("install: nor started", started.code == 1, started)


def no_java(check):
    prefix, path = without_java(TOP / "empty")
    with World("nojava", data=TOP / "nojava/d", prefix=prefix, path=path) as world:
        ran = world.ibctl("gateway", "install", "--from", GATEWAY, "--json", IB_JAVA_ARCHIVE="/nonexistent/java.tar.gz")
        check("no Java: says so", ran.code == 1 and "/nonexistent/java.tar.gz" in ran.json.get("error", ""), ran)
        ran = world.ibctl("gateway", "install", "--from", GATEWAY, "--java", RUNTIME, "--json")
        java = ran.json.get("java", {})
        check("no Java: one is installed", ran.code == 0 and java.get("isNew") is True, ran)
        check("no Java: none was there before", java.get("passedOver") == [], java)
        ran = world.ibctl("gateway", "start", "--json")
        check("no Java: the gateway starts", ran.code == 0 and ran.json.get("state") == "up", ran)
        program = world.java().program if world.java() else ""
        check("no Java: with the one installed", program.startswith(str(world.data)), program)


def automatic(check):
    """The first login of all installs what is missing, and the client that waits hears of it."""
    prefix, path = without_java(TOP / "empty")
    server = Server(zipped(), pause=0.05)
    with World("auto", data=TOP / "auto/d", prefix=prefix, path=path) as world:
        world.configure(gateway_archive=server.url, java_archive=str(RUNTIME))
        shim = world.shim()
        before = until(lambda: world.status().get("gateway", {}).get("state") == "not_installed", 20)
        check("automatic: nothing is there", before, world.status())
        result, took = shim.use("authenticate")
        told_so_far = shim.progress()
        for word in ("Installing IBKR's gateway: downloading, ", "Installing a Java runtime", "Starting the gateway"):
            check(f"automatic: progress says {word!r}", any(word in text for text in told_so_far), told_so_far)
        steps = [one["params"]["progress"] for one in shim.heard if one["method"] == "notifications/progress"]
        check("automatic: progress only grows", steps == sorted(set(steps)), steps)
        if told(result).get("state") != "need_login":
            result, took = authenticate(shim, lambda state: state.get("state") == "need_login")
        check("automatic: the page is there", told(result).get("state") == "need_login" and took < 45, (took, result))
        check("automatic: loaded once", len(server.asked) == 1, server.asked)
        address = told(result).get("authUrl", "").rstrip("/")
        check("automatic: a person can log in", "Client login succeeds" in person_logs_in(address, "simpaper"))
        result, _ = shim.use("authenticate")
        check("automatic: ready", told(result).get("ready"), result)


def certificate(port):
    """What the gateway shows, in DER."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(("127.0.0.1", port)))


def started(check):
    seen = []
    for name in ("first", "second"):
        with World(name, IB_USERNAME="somebody", IB_PASSWORD_AUTH="canary-password", IB_TOTP_SECRET="JBSWY3DPEHPK3PXQ",
                   IB_FLEX_TOKEN="canary-token") as world:  # fmt: skip
            ran = world.ibctl("gateway", "start", "--json")
            java, port = world.java(), int(ran.json.get("address", ":0").rsplit(":", 1)[1])
            if not check(f"start, {name}", ran.code == 0 and java and java.pid == ran.json.get("pid"), ran):
                continue
            shown = certificate(port)
            seen.append((port, shown))
            if name == "second":
                continue
            folder = world.state / "gateway"
            modes = {path.name: oct(path.stat().st_mode & 0o777) for path in sorted(folder.iterdir()) if path.is_file()}
            secret = {key: modes.get(key) for key in ("conf.yaml", "ibd.p12", "keystore.pass")}
            check("start: its secrets are the person's alone", set(secret.values()) == {"0o600"}, modes)
            check("start: so is the folder", oct(folder.stat().st_mode & 0o777) == "0o700", oct(folder.stat().st_mode))
            conf = (folder / "conf.yaml").read_text()
            check("start: callers on this machine only", re.search(r"allow:\s+- 127\.0\.0\.1\s+deny", conf), conf)
            check("start: pages of its own origin only", f"127[.]0[.]0[.]1):{port}" in conf and "webApps: []" in conf, conf)
            check("start: the certificate is the daemon's", b"ibd gateway" in shown
                  and b"Client Portal Web API" not in shown, shown[:300])  # fmt: skip
            check("start: and the one that is reported", hashlib.sha256(shown).hexdigest()
                  == ran.json.get("certificate", "").lower().replace(":", ""), ran)  # fmt: skip
            environment = java.environment
            named = [one for one in environment if one.startswith("IB_") or "canary" in one]
            check("start: Java knows nothing of us", environment and not named, environment)
            check("start: nor its arguments", not any("canary" in one for one in java.arguments), java.arguments)
            check("start: a small heap", "-Xmx128m" in java.arguments, java.arguments)
            check("start: a session of its own", os.getsid(java.pid) == os.getpgid(java.pid) == java.pid)
            check("start: as the person", (java.folder.stat().st_uid) == PERSON.pw_uid)
            check("start: nothing of IBKR's demo", fetch("GET", f"https://127.0.0.1:{port}/demo/")[0] != 200)
            check("start: the front page leads to the login", fetch("GET", f"https://127.0.0.1:{port}/")[0] == 302)
            again = world.ibctl("gateway", "start", "--json")
            check("start: again is nothing new", again.code == 0 and again.json.get("pid") == java.pid, again)
    if len(seen) == 2:
        check("start: every install has a key of its own", seen[0][1] != seen[1][1])
        check("start: not IBKR's port", all(port not in (5000, 5055) for port, _ in seen), [port for port, _ in seen])


def killed(check):
    """Java is killed while a call is under way; then the daemon; then both wait for nothing."""
    with headless("kill", "simpaper", IB_PAPER_TRADING="true") as world:
        shim = world.shim()
        result, _ = authenticate(shim, lambda state: state.get("ready"))
        check("kill: logged in", told(result).get("ready"), result)
        first, port = world.java(), world.port()

        world.sim.post("/fault", match="/positions", mode="delay", delayMs=4000)
        call = in_background(shim.use, "get_positions")
        check("kill: a call is under way", until(lambda: not world.sim.get("/faults")["faults"], 20, 0.05))
        first.kill()
        # At IBKR a login is bound to the cookies that Java had.
        world.sim.post("/session", action="logout")
        result, took = call()
        said = said_error(result)
        check("kill -9 of Java: the call is answered, or says what to do",
              told(result).get("positions") is not None or (said.get("message") and said.get("next")), result)  # fmt: skip
        check("kill -9 of Java: in time", took < 45, took)
        second = until(lambda: (java := world.java()) and java.pid != first.pid and java, 30)
        check("kill -9 of Java: it comes back by itself", second, world.processes())

        def works():
            info, _ = shim.use("get_account_info")
            return [one["account"] for one in told(info).get("accounts", [])] == [PAPER] and info

        check("kill -9 of Java: later calls work soon", until(works, 30, 1), (world.session(), shim.use("get_account_info")))
        check("kill -9 of Java: it logged in again by itself, once", world.sim.attempts() == ["password ok"] * 2,
              world.sim.attempts())  # fmt: skip
        check("kill -9 of Java: at the same address", world.port() == port, (world.port(), port))

        java, logins = world.java(), world.sim.logins()
        world.daemon().kill()
        check("kill -9 of ibd: it is gone", until(lambda: not world.daemon(), 5) or not world.daemon())
        ran = world.ibctl("status", "--json")
        check("kill -9 of ibd: status says so", ran.code == 3, ran)
        time.sleep(1)
        check("kill -9 of ibd: Java lives", java.is_alive(), world.processes())
        ran = world.ibctl("gateway", "status", "--json")
        check("kill -9 of ibd: looking at the gateway starts none", ran.code == 3, ran)
        check("kill -9 of ibd: calls work soon", until(works, 30, 0.5), shim.use("get_account_info"))
        ran = until(lambda: (r := world.ibctl("gateway", "status", "--json")).json.get("pid") and r, 10) or ran
        check("kill -9 of ibd: the next one adopts it", ran.code == 0 and ran.json.get("pid") == java.pid, ran)
        check("kill -9 of ibd: still logged in", world.state_is("ready").get("state") == "ready", world.session())
        ran = world.ibctl("restart")
        check("restart: fine", ran.code == 0, ran)
        check("restart: still logged in", world.state_is("ready").get("state") == "ready", world.session())
        check("restart: the same Java", world.java().pid == java.pid, world.java())
        after = world.sim.logins()
        check("kill -9 and restart of ibd: no new login", after["attempts"] == logins["attempts"]
              and after["logins"] == logins["logins"] and after["logouts"] == 0, (logins, after))  # fmt: skip

        # The login in Java is found before anybody logs in once more, also where that is what was asked for.
        for count in (1, 2, 3):
            world.daemon().kill()
            until(lambda: not world.daemon(), 5)
            result, took = world.shim().use("authenticate")
            check(f"kill -9 of ibd, then authenticate first, {count}: ready", told(result).get("ready"), (took, result))
        after = world.sim.logins()
        check("kill -9 of ibd, then authenticate first: no new login", after["attempts"] == logins["attempts"]
              and after["logins"] == logins["logins"] and world.java().pid == java.pid, (logins, after))  # fmt: skip

        # A gateway that hangs is no better than a dead one.
        world.java().kill(signal.SIGSTOP)
        result, took = shim.use("get_account_info")
        check("hanging Java: the call is answered", took < 50 and (told(result) or said_error(result).get("next")), result)
        fresh = until(lambda: (new := world.java()) and new.pid != java.pid and new, 60, 0.5)
        check("hanging Java: it is started anew", fresh, world.session())
        check("hanging Java: later calls work", until(works, 30, 1), world.session())


KEPT = []  # the world that is looked at again at the end


def log_in(check, world):
    """By a person at the page; `ibctl login` then finds that it is done."""
    said = person_logs_in(world.address(), "simpaper")
    ran = world.ibctl("login", "--json")
    check("verbs: logged in", "Client login succeeds" in said and ran.json.get("ready") is True, (said, ran))


def verbs(check):
    world = World("verbs")
    world.stays = True
    KEPT.append(world)
    ran = world.ibctl("gateway", "logs")
    check("logs: none yet", ran.code == 1 and "gateway start" in ran.err, ran)
    ran = world.ibctl("gateway", "start")
    java, port = world.java(), world.port()
    check("start: in words", ran.code == 0 and f":{port}" in ran.out and str(java.pid) in ran.out, ran)
    ran = world.ibctl("gateway", "logs")
    check("logs: what Java said", ran.code == 0 and "Java Version" in ran.out, ran)
    log_in(check, world)

    ran = world.ibctl("gateway", "stop", "--json")
    check("stop: fine", ran.code == 0 and not java.is_alive(), ran)
    ran = world.ibctl("gateway", "status", "--json")
    check("stop: status says so", ran.json.get("state") == "stopped" and ran.json.get("hint"), ran)
    time.sleep(2)
    check("stop: it stays stopped", not world.java())
    ran = world.ibctl("gateway", "start", "--json")
    check("start: up again", ran.code == 0 and ran.json.get("pid") != java.pid, ran)

    log_in(check, world)
    java, before = world.java(), world.sim.logins()
    ran = world.ibctl("logout", "--json")
    check("logout: fine", ran.code == 0 and ran.json.get("loggedOut") is True, ran)
    check("logout: Java has ended", not java.is_alive() and not world.java(), world.processes())
    after = world.sim.logins()
    check("logout: IBKR was told", after["logouts"] == before["logouts"] + 1, after)
    world.after_logout = (time.monotonic(), world.sim.get("/requests")["count"])
    ran = world.ibctl("status", "--json")
    check("logout: status", ran.json["session"]["state"] == "stopped", ran)


def ports(check):
    with World("ports") as world:
        world.ibctl("gateway", "start", "--json")
        port, java = world.port(), world.java()

        # The port of the last time is somebody else's now.
        world.daemon().kill()
        java.kill()
        until(lambda: not java.is_alive(), 5)
        with taken(port):
            ran = world.ibctl("gateway", "start", "--json")
            other = int(ran.json.get("address", ":0").rsplit(":", 1)[1])
            check("busy port: another one is taken", ran.code == 0 and other not in (0, port), ran)
            check("busy port: it serves", fetch("GET", f"https://127.0.0.1:{other}/")[0] == 302)

        # It is taken between the daemon's look and Java's use of it: Java prints its banner and serves nobody.
        port, java = world.port(), world.java()
        world.daemon().kill()
        java.kill()
        until(lambda: not java.is_alive(), 5)
        with bound(port) as thief:
            begun = world.ibctl_begins("gateway", "start", "--json")
            check("stolen port: Java starts", until(lambda: world.java(), 20, 0.02))
            thief.listen()
            ran = world.ended(begun)
            other = int(ran.json.get("address", ":0").rsplit(":", 1)[1])
            check("stolen port: another one is taken", ran.code == 0 and other not in (0, port), ran)
            check("stolen port: it serves", fetch("GET", f"https://127.0.0.1:{other}/")[0] == 302)
            check("stolen port: one Java", len(world.named("java")) == 1, world.named("java"))

        # Somebody else's process on the recorded port is not taken for ours.
        record, java = world.record(), world.java()
        world.daemon().kill()
        java.kill()
        until(lambda: not java.is_alive(), 5)
        foreign = listener(world)
        port = int(foreign.stdout.readline())
        path = world.state / "gateway/run.json"
        path.write_text(json.dumps({**record, "pid": foreign.pid, "port": port}))
        ran = world.ibctl("gateway", "start", "--json")
        check("foreign process: not adopted", ran.code == 0 and ran.json.get("pid") not in (None, foreign.pid), ran)
        check("foreign process: its port is not used", not ran.json.get("address", "").endswith(f":{port}"), ran)
        check("foreign process: left alone", foreign.poll() is None)
        # Ours by pid and start, but it does not own the port that is recorded.
        java, record = world.java(), world.record()
        world.daemon().kill()
        path.write_text(json.dumps({**record, "port": port}))
        ran = world.ibctl("gateway", "start", "--json")
        check("foreign port: not believed", ran.code == 0 and not ran.json.get("address", "").endswith(f":{port}"), ran)
        check("foreign port: one Java", until(lambda: len(world.named("java")) == 1, 5), world.named("java"))
        check("foreign port: its owner is left alone", foreign.poll() is None)
        foreign.kill()
        # A record that is no record.
        world.daemon().kill()
        java = world.java()
        java.kill()
        until(lambda: not java.is_alive(), 5)
        path.write_text("{")
        ran = world.ibctl("gateway", "start", "--json")
        check("broken record: it starts", ran.code == 0 and ran.json.get("state") == "up", ran)


def binds(thief, port):
    try:
        thief.bind(("0.0.0.0", port))
        return True
    except OSError:
        return False


@contextlib.contextmanager
def bound(port):
    """Has the port, as far as that goes without listening."""
    with socket.socket() as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # The threads of a process that was killed may have its port for a moment.
        assert until(lambda: binds(thief, port), 5, 0.02), port
        yield thief


@contextlib.contextmanager
def taken(port):
    with bound(port) as thief:
        thief.listen()
        yield thief


LISTENER = """
import socket, time
s = socket.socket(); s.bind(("0.0.0.0", 0)); s.listen()
print(s.getsockname()[1], flush=True)
time.sleep(600)
"""


def listener(world):
    """A process of the person's own that listens."""
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else "python3"
    return subprocess.Popen(
        as_user(PERSON, python, "-c", LISTENER), stdout=subprocess.PIPE, text=True, env=world.environment
    )


def silence(check):
    """After a logout nothing goes to IBKR any more: the gateway tickles every 30 s, the daemon every 55."""
    if not check("logout: there was one", KEPT and hasattr(KEPT[0], "after_logout")):
        return
    world = KEPT[0]
    at, count = world.after_logout
    time.sleep(max(0, at + 60 - time.monotonic()))
    later = world.sim.get("/requests")["requests"][count:]
    check("logout: nothing is sent to IBKR afterwards", not later, later[:5])
    check("logout: the daemon still runs", world.daemon() is not None)
    world.ibctl("stop")
    check("nothing is left", until(lambda: not world.processes(), 10) or not world.processes(), world.processes())


if __name__ == "__main__":
    run(verbs, installs, no_java, automatic, started, killed, ports, silence)
