"""A person's machine in small, for the checks with IBKR's own gateway.

The programs run as an ordinary user (Chromium has no sandbox as root, and `ibd` does not run it without
one); the check itself runs as root, so that it sees all that there is to see of them.
"""

import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import ssl
import subprocess
import time
import urllib.parse
import urllib.request

import lines
from common import BIN, Check

TOP = pathlib.Path(os.environ["WORLD"])
GATEWAY = pathlib.Path(os.environ["GATEWAY"])
RUNTIME = pathlib.Path(os.environ["RUNTIME"])
PERSON = pwd.getpwnam(os.environ["PERSON"])
STRANGER = pwd.getpwnam("nobody")
PASSWORD, SEED = "sim-password", "JBSWY3DPEHPK3PXP"
PAPER, LIVE = "DU1234567", "U1234567"
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"


def as_user(user, *command):
    """The command that runs a command as that user."""
    return [shutil.which("setpriv"), f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", "--inh-caps=-all",
            *map(str, command)]  # fmt: skip


def until(condition, seconds=30, pause=0.1):
    """Waits until something is so, and returns what it was; what it was last if it never came."""
    deadline = time.monotonic() + seconds
    while True:
        found = condition()
        if found or time.monotonic() > deadline:
            return found
        time.sleep(pause)


def anyone():
    """TLS without a look at the certificate."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def fetch(method, url, body=None, headers=None, timeout=10, opener=None):
    """Status and text of an answer; 0 if there is none."""
    request = urllib.request.Request(url, method=method, data=body, headers=headers or {})
    opener = opener or urllib.request.build_opener(urllib.request.HTTPSHandler(context=anyone()), Here)
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, repr(error)


class Here(urllib.request.HTTPRedirectHandler):
    """Redirects are answers."""

    def redirect_request(self, *_):
        return None


class Sim:
    """`ib-sim` in the place of IBKR's servers."""

    def __init__(self, *flags):
        command = [BIN / "ib-sim", "--http", "--behind-gateway", "--require-login", "--until-stdin-closes", *flags]
        self.process = subprocess.Popen(
            as_user(PERSON, *command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={}
        )
        ready = json.loads(self.process.stdout.readline())
        self.gateway, self.control = ready["gateway"], ready["control"]

    def get(self, path):
        return json.loads(urllib.request.urlopen(self.control + path, timeout=10).read())

    def post(self, path, **body):
        data = json.dumps(body).encode()
        return json.loads(urllib.request.urlopen(self.control + path, data=data, timeout=10).read())

    def logins(self):
        return self.get("/logins")

    def attempts(self):
        """How each step of each login was answered; the first step is always the password."""
        return [f"{one['stage']} {one['outcome']}" for one in self.logins()["attempts"]]

    def waiting(self, stage):
        return next((one for one in self.logins()["waiting"] if one["stage"] == stage), None)

    def paths(self, since=0):
        return [one["path"] for one in self.get("/requests")["requests"][since:]]

    def end(self):
        self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()


class Process:
    """A process, as /proc has it."""

    def __init__(self, pid):
        self.pid, self.folder = int(pid), pathlib.Path("/proc") / str(pid)

    def read(self, name):
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return b""

    @property
    def arguments(self):
        return self.read("cmdline").decode(errors="replace").split("\0")[:-1]

    @property
    def environment(self):
        return self.read("environ").decode(errors="replace").split("\0")[:-1]

    @property
    def program(self):
        try:
            return os.readlink(self.folder / "exe").removesuffix(" (deleted)")
        except OSError:
            return ""

    def is_alive(self):
        state = self.read("stat").rpartition(b")")[2].split()
        return bool(state) and state[0] not in (b"Z", b"X")

    def parent(self):
        state = self.read("stat").rpartition(b")")[2].split()
        return int(state[1]) if state else 0

    def started(self):
        return int(self.read("stat").rpartition(b")")[2].split()[19])

    def kill(self, by=signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, by)

    def __repr__(self):
        return f"{self.pid} {' '.join(self.arguments)[:120]}"


class Ran:
    """What a command said."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        try:
            return json.loads(self.out)
        except ValueError:
            return {}

    def __repr__(self):
        return f"exit {self.code}: {self.out[-500:]} | {self.err[-500:]}"


class World:
    """A home folder with all that runs in it.

    `settings` are variables of every client and command. Worlds share one installed gateway unless they
    bring a data folder of their own.
    """

    every = []

    def __init__(self, name, sim=True, data=None, prefix=(), path=SYSTEM_PATH, **settings):
        self.home, self.prefix, self.shims, self.everything = TOP / name, list(prefix), [], []
        for folder in ("", "r", ".config/ibd"):
            self.folder(folder)
        self.state = self.home / "s/ibd/default"
        self.data = pathlib.Path(data) if data else TOP / "data"
        self.sim = Sim() if sim is True else sim or None
        upstream = {"IB_GATEWAY_UPSTREAM": self.sim.gateway} if self.sim else {}
        self.environment = {
            "PATH": path,
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "XDG_CONFIG_HOME": str(self.home / ".config"),
            "XDG_STATE_HOME": str(self.home / "s"),
            "XDG_DATA_HOME": str(self.data),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_RUNTIME_DIR": str(self.home / "r"),
            "IB_GATEWAY": "managed",
            **upstream,
            **settings,
        }
        World.every.append(self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def folder(self, name):
        """A folder of the person's own."""
        folder = self.home
        for part in ("", *pathlib.Path(name).parts):
            folder = folder / part
            if not folder.exists():
                folder.mkdir(mode=0o700)
                os.chown(folder, PERSON.pw_uid, PERSON.pw_gid)
        return folder

    def write(self, name, text, mode=0o600):
        """A file of the person's own."""
        path = self.folder(str(pathlib.Path(name).parent)) / pathlib.Path(name).name
        path.write_text(text)
        path.chmod(mode)
        os.chown(path, PERSON.pw_uid, PERSON.pw_gid)
        return path

    def configure(self, **settings):
        text = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        return self.write(".config/ibd/config.toml", text)

    def command(self, program, *arguments):
        return [*self.prefix, *as_user(PERSON, BIN / program, *arguments)]

    def run(self, command, input="", timeout=120, **variables):
        """Runs a command as the person."""
        environment = {**self.environment, **variables}
        environment = {name: value for name, value in environment.items() if value is not None}
        try:
            ran = subprocess.run(command, input=input, capture_output=True, text=True, timeout=timeout,
                                 env=environment, cwd=self.home)  # fmt: skip
        except subprocess.TimeoutExpired as late:
            ran = subprocess.CompletedProcess(command, None, str(late.stdout), f"not over in {timeout} s")
        self.everything += [ran.stdout, ran.stderr]
        return Ran(ran.returncode, ran.stdout, ran.stderr)

    def ibctl(self, *arguments, **options):
        return self.run(self.command("ibctl", *arguments), **options)

    def ibctl_begins(self, *arguments, **variables):
        """An `ibctl` that goes on while other things happen."""
        return subprocess.Popen(
            self.command("ibctl", *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**self.environment, **variables}, cwd=self.home,
        )  # fmt: skip

    def ended(self, command, timeout=90):
        try:
            out, err = command.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            command.kill()
            out, err = command.communicate()
        self.everything += [out, err]
        return Ran(command.returncode, out, err)

    def shim(self, capabilities=None, answer=None, **variables):
        """A client, greeted."""
        environment = {**self.environment, **variables}
        environment = {name: value for name, value in environment.items() if value is not None}
        with open(self.home / "shims.err", "ab") as errors:
            shim = lines.Shim(self.command("ib-mcp"), environment, answer, errors)
        self.shims.append(shim)
        shim.greet(capabilities)
        return shim

    def status(self):
        return self.ibctl("status", "--json", timeout=20).json

    def session(self):
        return self.status().get("session", {})

    def state_is(self, *states, seconds=40):
        """Waits for a state of the session; the whole of it."""
        until(lambda: self.session().get("state") in states, seconds, 0.3)
        return self.session()

    def processes(self):
        """All that runs in this home, whatever started it."""
        mark = str(self.home).encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                process = Process(entry.name)
                if mark in process.read("cmdline") or mark in process.read("environ"):
                    found.append(process)
        return [one for one in found if one.is_alive()]

    def named(self, name):
        """Processes of this home by the file name of their program."""
        return [one for one in self.processes() if pathlib.Path(one.program).name == name]

    def daemon(self):
        """The process of `ibd`, if one runs."""
        return next(iter(self.named("ibd")), None)

    def java(self):
        """The process of the gateway, if one runs."""
        return next((one for one in self.named("java") if "--conf" in one.arguments), None)

    def browsers(self):
        """Chromium's main processes; their children have a type, or are about to become something else."""
        def is_main(one):
            is_typed = any(argument.startswith("--type=") for argument in one.arguments)
            is_wrapper = pathlib.Path(one.program).name in ("sh", "dash")
            return "--remote-debugging-pipe" in one.arguments and not is_typed and not is_wrapper

        found = [one for one in self.processes() if is_main(one)]
        pids = {one.pid for one in found}
        return [one for one in found if one.parent() not in pids]

    def address(self):
        return self.status().get("gateway", {}).get("address")

    def port(self):
        return int(self.address().rsplit(":", 1)[1])

    def record(self):
        return json.loads((self.state / "gateway/run.json").read_text())

    def end(self):
        if self not in World.every:
            return
        World.every.remove(self)
        for shim in self.shims:
            with contextlib.suppress(OSError):
                shim.process.stdin.close()
        for verb in (("gateway", "stop"), ("stop",)):
            if self.daemon() or self.java():
                self.ibctl(*verb, timeout=40)
        for process in self.processes():
            process.kill()
        if self.sim:
            self.sim.end()
        if not os.environ.get("KEEP"):
            until(lambda: shutil.rmtree(self.home, ignore_errors=True) or not self.home.exists(), 5)


def install(world):
    """The gateway and the Java that came with it, once for all worlds of a check."""
    ran = world.ibctl("gateway", "install", "--from", GATEWAY, "--java", RUNTIME, "--json")
    assert ran.code == 0, ran
    return ran.json


def prepare():
    """The data folder that worlds share."""
    data = TOP / "data"
    data.mkdir(mode=0o700)
    os.chown(data, PERSON.pw_uid, PERSON.pw_gid)
    with World("install", sim=False) as world:
        install(world)


def person_logs_in(gateway, user, password=PASSWORD, mode=2):
    """What a browser sends when a person fills in the login page at the gateway; what the page says at the end."""
    import http.cookiejar

    jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=anyone()), jar)

    def post(path, **fields):
        data = urllib.parse.urlencode(fields).encode()
        return opener.open(f"{gateway}/sso/{path}", data=data, timeout=20).read().decode()

    opener.open(f"{gateway}/sso/Login?forwardTo=22&RL=1&ip2loc=US", timeout=20).read()
    fixed = {"LOGIN_TYPE": mode, "RESP_TYPE": "JSON"}
    post("Authenticator", ACTION="INIT", USER=user, SERVICE="AM.LOGIN", **fixed)
    said = json.loads(post("Authenticator", ACTION="COMPLETEAUTH", USER=user, PASSWORD=password, VERSION=1, **fixed))
    if said["state"] != "complete":
        return json.dumps(said)
    return post("Dispatcher", loginType=mode, forwardTo=22)


def without_java(world_path):
    """A prefix and a PATH under which this machine seems to have no Java.

    What lies where Javas usually lie is covered, for our commands only.
    """
    usual = [folder for folder in ("/usr/lib/jvm", "/usr/lib64/jvm", "/usr/java", "/opt/java") if os.path.isdir(folder)]
    world_path.mkdir(exist_ok=True)
    world_path.chmod(0o755)
    if not usual:
        return [], str(world_path)
    cover = "; ".join(f"{shutil.which('mount')} -t tmpfs none {folder}" for folder in usual)
    return [shutil.which("unshare"), "--mount", shutil.which("sh"), "-ec", cover + '; exec "$@"', "sh"], str(world_path)


def said_error(result):
    """The error object of a tool's refusal, {} if it is none."""
    try:
        return json.loads(result["content"][0]["text"]) if result.get("isError") else {}
    except (KeyError, IndexError, ValueError):
        return {}


def told(result):
    """A tool's answer, {} if it is none."""
    return {} if result.get("isError") else result.get("structuredContent") or {}


def authenticate(shim, right, times=6):
    """Calls it again as long as it says to; on a slow machine a gateway takes its time."""
    for _ in range(times):
        result, took = shim.use("authenticate")
        if right(told(result)) or result.get("isError"):
            break
    return result, took


def run(*parts):
    """Runs the parts of a check one after the other; one must not hide the next."""
    import sys
    import traceback

    check = Check()
    wanted = sys.argv[1:]
    try:
        prepare()
        for part in parts:
            if wanted and part.__name__ not in wanted:
                continue
            started = time.monotonic()
            before = check.failed
            try:
                part(check)
            except Exception as error:
                where = re.sub(r"\s+", " ", "".join(traceback.format_tb(error.__traceback__)[-2:]))
                check(f"{part.__name__} runs to its end", False, f"{error!r} at {where}")
            verdict = "ok" if check.failed == before else "FAILED"
            print(f"{part.__name__:<20} {verdict:<6} {time.monotonic() - started:5.1f} s", flush=True)
            for world in list(World.every):
                if not getattr(world, "stays", False):
                    world.end()
    finally:
        for world in list(World.every):
            world.end()
    check.end()
