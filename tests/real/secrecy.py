"""Secrets: where they must not be after a login, and the places from which they may come. And who is told."""

import base64
import contextlib
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading
import urllib.parse

from common import HERE
from login import headless
from world import (
    PASSWORD, PERSON, SEED, SYSTEM_PATH, TOP, Process, World, as_user, authenticate, run, said_error, told, until,
)  # fmt: skip

TOKEN = "canary-flex-token-8417"


def forms(secret):
    """The secret as it may stand in a file."""
    quoted = urllib.parse.quote(secret, safe="").encode()
    coded = base64.b64encode(secret.encode()).rstrip(b"=")
    return {secret.encode(), secret.encode("utf-16-le"), secret.lower().encode(), quoted, coded[:-1]}


class Search:
    """Looks for secrets in all files below some folders and in all processes of the person, again and again."""

    def __init__(self, folders, secrets):
        self.folders, self.found, self.looks = folders, {}, 0
        self.processes, self.files = set(), set()
        self.forms = [(secret, form) for secret in secrets for form in forms(secret)]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.go_on, daemon=True)

    def look(self):
        self.looks += 1
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            with contextlib.suppress(OSError):
                if entry.stat().st_uid != PERSON.pw_uid and PERSON.pw_uid not in owners(entry):
                    continue
                process = Process(entry.name)
                name = pathlib.Path(process.program).name
                self.processes.add(name)
                for part in ("environ", "cmdline"):
                    self.search(f"{part} of {name}", process.read(part))
        for folder in self.folders:
            # Unlike others, os.walk takes it well when a folder goes away under it.
            for top, _, names in os.walk(folder):
                for path in (pathlib.Path(top) / name for name in names):
                    with contextlib.suppress(OSError):
                        if path.is_file() and not path.is_symlink() and path.stat().st_size < 50_000_000:
                            self.files.add(str(path))
                            self.search(str(path), path.read_bytes())

    def search(self, place, content):
        for secret, form in self.forms:
            if form in content:
                self.found.setdefault(place, secret)

    def go_on(self):
        while not self.over.wait(0.05):
            self.look()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join(30)
        self.look()


def owners(entry):
    """The user ids of a process; its files belong to root when it does not want to be read."""
    for line in (entry / "status").read_text().splitlines():
        if line.startswith("Uid:"):
            return {int(uid) for uid in line.split()[1:]}
    return set()


def planted(check):
    """A login with everything planted, and a refused one; then every file, environment and command line."""
    refused = "canary-Refused-pass%word-5521"
    secrets = [PASSWORD, SEED, TOKEN, refused]
    given = {"environ of setpriv", "environ of ib-mcp", "environ of ibctl"}

    with World("control", sim=False) as world:
        # The search itself must find what is there.
        world.write("control", "x" + SEED.lower())
        world.write("wide", "").write_bytes(refused.encode("utf-16-le"))
        process = subprocess.Popen(as_user(PERSON, "/bin/sleep", "30"), env={"X": TOKEN})
        argument = subprocess.Popen(as_user(PERSON, "/bin/sh", "-c", f"sleep 30 # {PASSWORD}"))
        until(lambda: PASSWORD.encode() in Process(argument.pid).read("cmdline"), 5)
        search = Search([world.home], secrets)
        until(lambda: search.look() or len(search.found) >= 4, 5)
        process.kill()
        argument.kill()
        check("search: it finds what is planted", len(search.found) >= 4, search.found)

    more = {"IB_TWO_FA_STRATEGY": "totp", "IB_TOTP_SECRET": SEED, "IB_FLEX_TOKEN": TOKEN, "IB_LOG": "trace"}
    with headless("planted", "simtotp", **more) as world:
        with Search([world.home], secrets) as search:
            shim = world.shim()
            result, _ = authenticate(shim, lambda state: state.get("ready"))
            check("planted: logged in", told(result).get("ready"), result)
            shim.use("get_account_info")
            for command in (["status"], ["config"], ["secrets", "list"], ["logs", "-n", "500"], ["doctor"],
                            ["gateway", "status"], ["gateway", "logs"]):  # fmt: skip
                world.ibctl(*command)
                world.ibctl(*command, "--json")
            daemon = world.daemon()
            limits = daemon.read("limits").decode()
            core = next((line.split()[4] for line in limits.splitlines() if line.startswith("Max core")), None)
            check("planted: a crash writes no memory", core == "0", core)
            seen = world.run(as_user(PERSON, "cat", f"/proc/{daemon.pid}/environ"))
            check("planted: nobody of this user can read the daemon's environment", seen.code != 0, seen)
            # However busy the machine is.
            until(lambda: search.looks > 20, 300)
        check("planted: it was looked often", search.looks > 20, search.looks)
        kinds = {"ibd", "java", "chromium", "ib-mcp"}
        check("planted: at all of them", kinds <= search.processes, search.processes)
        check("planted: also at the browser's files", any("/browser" in name for name in search.files))
        places = {place: secret for place, secret in search.found.items() if place not in given}
        check("planted: nowhere else than where the person put it", not places, places)
        said = b"".join(shim.transcript) + "".join(world.everything).encode()
        loud = [secret for secret, form in search.forms if form in said]
        check("planted: nobody said it", not loud and len(said) > 2000, (loud, len(said)))

    with headless("refused", "simpaper", IB_PAPER_TRADING="true", IB_PASSWORD_AUTH=refused, IB_LOG="trace") as world:
        with Search([world.home], secrets) as search:
            shim = world.shim()
            result, _ = authenticate(shim, lambda state: False)
            check("refused: refused", said_error(result).get("error") == "wrong_credentials", result)
            world.ibctl("login", "--json")
        places = {place: secret for place, secret in search.found.items() if place not in given}
        check("refused: nowhere else than where the person put it", not places, places)
        said = b"".join(shim.transcript) + "".join(world.everything).encode()
        check("refused: nobody said it", not any(form in said for _, form in search.forms))


class Bus:
    """A session bus of the person's own."""

    def __init__(self, world):
        self.world, self.processes = world, []
        address = f"unix:path={world.home}/r/bus"
        world.environment["DBUS_SESSION_BUS_ADDRESS"] = address
        self.start("dbus-daemon", "--session", "--nofork", f"--address={address}")
        until((world.home / "r/bus").exists, 10)

    def start(self, *command, input=None):
        process = subprocess.Popen(
            as_user(PERSON, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={**self.world.environment, "PATH": SYSTEM_PATH}, cwd=self.world.home,
        )  # fmt: skip
        if input is not None:
            process.stdin.write(input)
            process.stdin.close()
        self.processes.append(process)
        return process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def keyring(check):
    # A copy has no file capabilities, which some containers do not let it have.
    program = TOP / "keeper"
    shutil.copy(shutil.which("gnome-keyring-daemon") or "/usr/bin/gnome-keyring-daemon", program)
    program.chmod(0o755)
    with World("keyring", IB_USERNAME="simpaper", IB_HEADLESS_MODE="true", IB_PAPER_TRADING="true") as world:
        ran = world.ibctl("secrets", "set", "IB_PASSWORD_AUTH", input=PASSWORD)
        check("no keyring: says so", ran.code == 1 and ran.err and PASSWORD not in ran.err, ran)
        world.ibctl("stop")
        with Bus(world) as bus:
            bus.start(program, "--unlock", "--foreground", "--components=secrets", input=b"keyring-password")
            # What the test itself asks of the bus until the keyring is there.
            names = ["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
                     "org.freedesktop.DBus.ListNames"]  # fmt: skip
            there = until(lambda: "org.freedesktop.secrets" in world.run(as_user(PERSON, *names)).out, 20, 0.2)
            check("keyring: a secret service is there", there)

            def listed():
                ran = world.ibctl("secrets", "list", "--json")
                return {one["name"]: one for one in ran.json.get("secrets", [])}.get("IB_PASSWORD_AUTH", {})

            # Nobody starts a daemon by looking.
            world.ibctl("restart")
            check("keyring: empty at first", listed().get("set") is False, listed())
            ran = world.ibctl("secrets", "set", "IB_PASSWORD_AUTH", "--json", input=PASSWORD + "\n")
            check("keyring: set from stdin", ran.code == 0 and ran.json.get("ok") is True, ran)
            check("keyring: listed, with its origin", listed().get("set") is True
                  and "keyring" in (listed().get("origin") or ""), listed())  # fmt: skip
            files = [path for path in world.home.rglob("*") if path.is_file()] + list(world.data.glob("keyrings/*"))
            check("keyring: it is kept there", any("keyring" in path.name for path in files), files[:20])
            plain = [path for path in files if PASSWORD.encode() in path.read_bytes()]
            check("keyring: and nowhere in clear", not plain, plain)
            ran = world.ibctl("login", "--json")
            check("keyring: the login takes it from there", ran.code == 0 and ran.json.get("ready") is True, ran)
            check("keyring: one attempt", world.sim.attempts() == ["password ok"], world.sim.attempts())
            ran = world.ibctl("secrets", "forget", "IB_PASSWORD_AUTH")
            check("keyring: forgotten", ran.code == 0 and listed().get("set") is False, (ran, listed()))
            world.ibctl("logout")
            ran = world.ibctl("login", "--json")
            check("keyring: without it no login", ran.code == 1 and "IB_PASSWORD_AUTH" in ran.json.get("error", ""), ran)
            check("keyring: nothing was sent", world.sim.attempts() == ["password ok"], world.sim.attempts())
            world.ibctl("gateway", "stop")
            world.ibctl("stop")


def credential(check):
    """As systemd gives it to a service that was started with it."""
    with World("credential") as world:
        folder = world.folder("credentials")
        world.write("credentials/IB_PASSWORD_AUTH", PASSWORD + "\n", 0o400)
        own = {"IB_USERNAME": "simpaper", "IB_HEADLESS_MODE": "true", "IB_PAPER_TRADING": "true",
               "CREDENTIALS_DIRECTORY": str(folder)}  # fmt: skip
        daemon = subprocess.Popen(
            world.command("ibd"), env={**world.environment, **own}, cwd=world.home, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        check("credential: ibd runs", until(lambda: world.ibctl("status", "--json").code != 3, 20), daemon)
        listed = world.ibctl("secrets", "list")
        check("credential: it is listed with its origin", "credential" in listed.out, listed)
        check("credential: and not shown", PASSWORD not in listed.out + world.ibctl("config").out)
        ran = world.ibctl("login", "--json")
        check("credential: the login takes it from there", ran.code == 0 and ran.json.get("ready") is True, ran)
        java = world.java()
        check("credential: Java does not know where it is", not any("CREDENTIALS" in one for one in java.environment))
        world.ibctl("gateway", "stop")
        world.ibctl("stop")
        check("credential: it ends", until(lambda: daemon.poll() is not None, 20), daemon)


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.heard.append((self.path, json.loads(body)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def notices(check):
    """A phone approval is awaited, and the person is not looking."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    server.heard = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    token = "hook-canary-9034"
    with headless("notices", "simpush") as world, Bus(world) as bus:
        desktop = bus.start("/usr/bin/python3", HERE / "notified.py" if readable(HERE) else copied("notified.py"))
        check("notices: a desktop is there", b"ready" in desktop.stdout.readline())
        world.configure(notify="desktop", webhook=f"http://127.0.0.1:{server.server_address[1]}/{token}")
        heard = []
        threading.Thread(target=lambda: heard.extend(map(json.loads, desktop.stdout)), daemon=True).start()
        begun = world.ibctl_begins("login", "--json")
        check("notices: a push is awaited", until(lambda: world.sim.waiting("push"), 60))
        told_of = until(lambda: [body for _, body in server.heard if "IBKR Mobile" in body["text"]], 10)
        check("notices: the webhook is told", told_of and told_of[0].get("code"), server.heard)
        check("notices: at its address", {path for path, _ in server.heard} == {f"/{token}"}, server.heard)
        shown = until(lambda: [one for one in heard if "IBKR Mobile" in one["body"]], 10)
        check("notices: so is the desktop", shown and shown[0]["app"] == "ibd", heard)
        texts = [body["text"] for _, body in server.heard]
        check("notices: no place holders, nothing secret", not any("{" in text or PASSWORD in text for text in texts), texts)
        check("notices: said once", len(told_of or []) == 1 == len(shown or []), (server.heard, heard))
        world.sim.post("/approve")
        check("notices: logged in", world.ended(begun).code == 0)
        logs = b"".join(path.read_bytes() for path in (world.state / "logs").glob("*"))
        check("notices: the address of the webhook is in no log", logs and token.encode() not in logs)
        check("notices: nor shown", token not in world.ibctl("config").out)
        world.ibctl("gateway", "stop")
        world.ibctl("stop")


def readable(folder):
    ran = subprocess.run(as_user(PERSON, "cat", str(folder / "notified.py")), capture_output=True)
    return ran.returncode == 0


def copied(name):
    """The person may not be allowed to look into this folder."""
    path = TOP / name
    shutil.copy(HERE / name, path)
    path.chmod(0o644)
    return path


if __name__ == "__main__":
    run(planted, keyring, credential, notices)
