"""Each package as those get it who install it: put in, started as its clients start it, upgraded, taken out."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

from common import BIN, HERE, REAL, Check
from lines import HELLO, Shim

ROOT = HERE.parent.parent
WORLD = pathlib.Path(os.environ["WORLD"])
DIST = WORLD / "dist"
PROGRAMS = ("ibd", "ib-mcp", "ibctl", "ib-sim")
NODE_22 = str(REAL / "node/node_modules/node/bin")
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
check = Check()


def run(*command, **options):
    options = {"capture_output": True, "text": True, "timeout": 300, **options}
    return subprocess.run([str(word) for word in command], **options)


def home(name, path=SYSTEM):
    """The environment of a person who has nothing yet."""
    folder = WORLD / name
    (folder / "run").mkdir(parents=True, exist_ok=True)
    (folder / "run").chmod(0o700)
    return {"HOME": str(folder), "XDG_RUNTIME_DIR": str(folder / "run"), "PATH": path, "IB_GATEWAY": "simulator"}


class Client(Shim):
    """A client of the command that a package gives it."""

    def begin(self, name):
        hello = self.ask("initialize", HELLO)
        check(f"{name}: initialize", hello.get("result", {}).get("serverInfo"), hello)
        self.send("notifications/initialized")
        tools = self.ask("tools/list", {}, 2).get("result", {}).get("tools", [])
        check(f"{name}: tools are listed", len(tools) > 10, len(tools))
        self.works(name)
        return {tool["name"] for tool in tools}

    def works(self, name):
        said = self.call("get_account_info", {}, 3)
        check(f"{name}: the account is read", said and not said.get("isError"), said)

    def end(self, name):
        self.process.stdin.close()
        check(f"{name}: it ends with its client", self.process.wait(20) == 0, self.process.returncode)


def build():
    """What is for this machine from the real programs, what is for others from stand-ins."""
    real, other = WORLD / "programs", WORLD / "stand-ins"
    for folder in (real, other):
        folder.mkdir()
    for program in PROGRAMS:
        run("strip", "-o", real / program, BIN / program, check=True)
        (other / program).write_text("#!/bin/sh\n# GLIBC_2.17\n")
    options = ("--out", DIST, "--notices", ROOT / "LICENSE", "--fast")
    environment = {"PATH": SYSTEM, "SOURCE_DATE_EPOCH": "1700000000", "HOME": os.environ["HOME"]}
    script = ROOT / "packaging/build.sh"
    own = "linux-arm64" if os.uname().machine == "aarch64" else "linux-x64"
    for platform in ("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"):
        source = real if platform == own else other
        made = run(script, "--from", source, "--platform", platform, *options, env=environment)
        check(f"packages for {platform}", made.returncode == 0, made)
    made = run(script, "--index", "--out", DIST, env=environment)
    check("index", made.returncode == 0, made)
    return own


def npm(own):
    main = next(file for file in DIST.glob("npm-ib-mcp-[0-9]*.tgz"))
    (carrier,) = DIST.glob(f"npm-ib-mcp-{own}-*.tgz")
    for name, path in (("node 22", f"{NODE_22}:{SYSTEM}"), ("the system's node", SYSTEM)):
        environment = home(f"npm {name}", path)
        folder = pathlib.Path(environment["HOME"]) / "project"
        folder.mkdir()
        (folder / "package.json").write_text("{}")
        # Offline: the packages of the other platforms are optional, and it does without them.
        put = run("npm", "install", "--offline", "--no-audit", "--no-fund", main, carrier, cwd=folder, env=environment)
        check(f"{name}: npm install", put.returncode == 0, put)
        version = run("npx", "--offline", "ibctl", "--version", cwd=folder, env=environment)
        check(f"{name}: npx ibctl", version.stdout.startswith("ibctl "), version)
        wrong = run("npx", "--offline", "ib-mcp", "--what", cwd=folder, env=environment)
        check(f"{name}: a wrong flag reaches it, its exit code comes back", wrong.returncode == 2, wrong)
        client = Client(["npx", "--offline", "--prefix", str(folder), "ib-mcp", "--ib-read-only-mode"], environment)
        tools = client.begin(f"{name}: npx")
        check(f"{name}: flags reach it", "place_order" not in tools and "get_positions" in tools, tools)
        client.end(f"{name}: npx")
        own_process(name, folder, environment)
        run("npx", "--offline", "ibctl", "stop", cwd=folder, env=environment)
        without(name, folder, environment)


def own_process(name, folder, environment):
    """What a client starts without npx: the program itself where Node can, else Node that passes all on."""
    client = Client([str(folder / "node_modules/.bin/ib-mcp")], environment)
    client.begin(f"{name}: bin")
    if name == "node 22":
        runs = os.readlink(f"/proc/{client.process.pid}/exe")
        check(f"{name}: nothing of node stays", runs.endswith("bin/ib-mcp"), runs)
    client.process.send_signal(signal.SIGTERM)
    ended = client.process.wait(20)
    check(f"{name}: a signal reaches it", ended in (0, -signal.SIGTERM), ended)


def without(name, folder, environment):
    shutil.rmtree(folder / "node_modules/@ibd-project")
    said = run(folder / "node_modules/.bin/ib-mcp", cwd=folder, env=environment)
    check(f"{name}: without the programs it says so", said.returncode == 1 and "not installed" in said.stderr, said)


# What Claude Desktop does with a bundle, by the functions that it has it from.
HOST = """
import { getMcpConfigForManifest } from %s;
import { readFileSync } from "node:fs";
const [folder, asked] = process.argv.slice(2);
const manifest = JSON.parse(readFileSync(folder + "/manifest.json"));
const systemDirs = { HOME: process.env.HOME };
const options = { manifest, extensionPath: folder, systemDirs, userConfig: JSON.parse(asked), pathSeparator: "/" };
console.log(JSON.stringify(await getMcpConfigForManifest(options)));
"""


def mcpb(own):
    environment = home("mcpb", f"{NODE_22}:{SYSTEM}")
    package = REAL / "mcpb/node_modules/@anthropic-ai/mcpb"
    tool = REAL / "mcpb/node_modules/.bin/mcpb"
    (bundle,) = DIST.glob(f"*-{own}.mcpb")
    folder = WORLD / "bundle"
    took = run(tool, "unpack", bundle, folder, env=environment)
    check("mcpb unpack", took.returncode == 0, took)
    valid = run(tool, "validate", folder / "manifest.json", env=environment)
    check("mcpb validate", valid.returncode == 0, valid)
    (WORLD / "host.mjs").write_text(HOST % json.dumps(str(package / "dist/index.js")))

    def start(name, asked):
        told = run("node", WORLD / "host.mjs", folder, json.dumps(asked), env=environment)
        if not check(f"{name}: the host makes a command of it", told.returncode == 0, told):
            return None
        config = json.loads(told.stdout)
        check(f"{name}: nothing is left to fill in", "${" not in told.stdout, told.stdout)
        without_ours = {key: value for key, value in environment.items() if key != "IB_GATEWAY"}
        return Client([config["command"], *config["args"]], {**without_ours, **config["env"]})

    client = start("mcpb", {"gateway": "simulator"})
    tools = client.begin("mcpb") if client else set()
    check("mcpb: as it comes, orders are offered", "place_order" in tools, tools)
    client.end("mcpb")
    client = start("mcpb, read only", {"gateway": "simulator", "read_only": True})
    tools = client.begin("mcpb, read only") if client else set()
    check("mcpb, read only: no orders", "place_order" not in tools, tools)
    client.end("mcpb, read only")
    run(folder / "server/ibctl", "stop", env=environment)


def claude():
    environment = home("claude", f"{NODE_22}:{SYSTEM}")
    environment |= {"DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    command = REAL / "claude/node_modules/.bin/claude"
    for what in (ROOT / ".claude-plugin/marketplace.json", ROOT / "packaging/claude-code"):
        valid = run(command, "plugin", "validate", "--strict", what, env=environment)
        check(f"claude plugin validate {what.name}", valid.returncode == 0, valid)
    added = run(command, "plugin", "marketplace", "add", ROOT, env=environment)
    check("claude plugin marketplace add", added.returncode == 0, added)
    put = run(command, "plugin", "install", "ibd@ibd", env=environment)
    check("claude plugin install", put.returncode == 0, put)
    details = run(command, "plugin", "details", "ibd@ibd", env=environment)
    check("the plugin brings one MCP server", "ib" in details.stdout and details.returncode == 0, details)


class Machine:
    """A bare Debian with one person, without a network of its own and without anything of ours."""

    def __init__(self):
        self.root = WORLD / "debian"
        self.root.mkdir()
        self.root.chmod(0o755)
        run("tar", "-C", self.root, "-xf", REAL / "debian.tar", check=True)
        inside = f"mount -t proc proc '{self.root}/proc' && mount --rbind /dev '{self.root}/dev' && exec sleep infinity"
        self.first = subprocess.Popen(["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", inside])
        children = pathlib.Path(f"/proc/{self.first.pid}/task/{self.first.pid}/children")
        while not children.read_text().split() or not (self.root / "proc").is_dir():
            time.sleep(0.1)
        time.sleep(0.5)
        self.pid = children.read_text().split()[0]
        self.run("useradd", "--create-home", "you")
        self.home = self.root / "home/you"

    def command(self, words, user="root"):
        chroot = ["chroot", f"--userspec={user}", str(self.root)]
        folder = "/root" if user == "root" else f"/home/{user}"
        environment = ["env", "-i", f"HOME={folder}", f"PATH={SYSTEM}", "LANG=C.UTF-8", "IB_GATEWAY=simulator"]
        return ["nsenter", "-t", self.pid, "-m", "-p", *chroot, *environment, *map(str, words)]

    def run(self, *words, user="root"):
        return run(*self.command(words, user))

    def ours(self):
        """Every file outside of homes whose name says that it is ours."""
        found = run("find", self.root, "-xdev", "-path", self.root / "home", "-prune", "-o", "-name", "ib[d-]*", "-print")
        return [line for line in found.stdout.splitlines() if line]

    def state(self):
        """The journal and the settings of the person, by their bytes."""
        files = [file for file in self.home.rglob("*") if file.is_file() and "ibd" in str(file)]
        return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    def end(self):
        self.first.kill()
        self.first.wait()


def bare_debian(machine):
    check("a bare Debian has nothing of ours", machine.ours() == [], machine.ours())
    package = real_one("ibd_*.deb")
    newer = later(package)
    for file in (package, newer):
        shutil.copy(file, machine.root / "tmp")
    put = machine.run("dpkg", "--install", f"/tmp/{package.name}")
    check("dpkg --install", put.returncode == 0, put)
    whole = machine.run("dpkg", "--verify", "ibd")
    check("every file is as it was packed", whole.returncode == 0 and not whole.stdout, whole)
    unit = (machine.root / "usr/lib/systemd/user/ibd.service").read_text()
    check("the unit starts the installed program", "ExecStart=/usr/bin/ibd\n" in unit and "@" not in unit, unit)
    check("no service is enabled", not list((machine.root / "etc/systemd").rglob("ibd*")))
    check("no home was touched", machine.state() == {}, machine.state())

    client = Client(machine.command(["ib-mcp"], "you"), None)
    client.begin("deb")
    before = machine.run("ibctl", "status", "--json", user="you")
    check("deb: ibctl status", '"running":true' in before.stdout.replace(" ", ""), before)
    doctor = machine.run("ibctl", "doctor", user="you")
    check("deb: ibctl doctor looks at it", doctor.stdout, doctor)
    (machine.home / ".config/ibd").mkdir(parents=True, exist_ok=True)
    (machine.home / ".config/ibd/config.toml").write_text("# mine\n")
    over = machine.run("dpkg", "--install", f"/tmp/{newer.name}")
    check("dpkg installs the next version under a running client", over.returncode == 0, over)
    client.works("deb: after the upgrade, the same client")
    for _ in range(60):
        status = machine.run("ibctl", "status", "--json", user="you").stdout.replace(" ", "")
        if '"version":"99.0.0"' in status:
            break
        time.sleep(1)
    check("deb: the newer daemon took over by itself", '"version":"99.0.0"' in status, status)
    client.works("deb: at the newer daemon, the same client")
    client.end("deb")
    machine.run("ibctl", "stop", user="you")

    kept = machine.state()
    check("there is a state to keep", any("journal" in name for name in kept), list(kept))
    gone = machine.run("dpkg", "--purge", "ibd")
    check("dpkg --purge", gone.returncode == 0, gone)
    check("state and settings stay, byte for byte", machine.state() == kept)
    left = [name for name in machine.ours() if "/tmp/" not in name]
    check("nothing else is left", left == [], left)


def real_one(pattern):
    """The package of the real programs, not that of the stand-ins."""
    return next(file for file in DIST.glob(pattern) if file.stat().st_size > 1_000_000)


def later(package):
    """The same package with the next version's number, of its daemon too."""
    folder = WORLD / "later"
    run("dpkg-deb", "-R", package, folder, check=True)
    control = folder / "DEBIAN/control"
    version = run("dpkg-deb", "-f", package, "Version").stdout.strip()
    control.write_text(control.read_text().replace(f"Version: {version}", "Version: 99.0.0"))
    daemon = folder / "usr/bin/ibd"
    before, after = (f"ibd-build:{one}".encode() for one in (version, "99.0.0"))
    program = daemon.read_bytes()
    assert program.count(before + b"\0") == 1, "the version is in the program's bytes"
    daemon.write_bytes(program.replace(before.ljust(32, b"\0"), after.ljust(32, b"\0")))
    newer = WORLD / package.name.replace(version, "99.0.0")
    run("dpkg-deb", "--root-owner-group", "-Znone", "-b", folder, newer, check=True)
    return newer


def red_hat(machine):
    """Not a Fedora: rpm puts its files into the same bare root, and takes them out again."""
    package = real_one("ibd-*.rpm")
    rpm = ("rpm", "--root", machine.root, "--dbpath", "/var/lib/rpm-check")
    put = run(*rpm, "--nodeps", "-i", package)
    check("rpm -i", put.returncode == 0, put)
    client = Client(machine.command(["ib-mcp"], "you"), None)
    client.begin("rpm")
    client.end("rpm")
    machine.run("ibctl", "stop", user="you")
    kept = machine.state()
    gone = run(*rpm, "-e", "ibd")
    check("rpm -e", gone.returncode == 0, gone)
    check("rpm: state and settings stay", machine.state() == kept)
    shutil.rmtree(machine.root / "var/lib/rpm-check")
    left = [name for name in machine.ours() if "/tmp/" not in name]
    check("rpm: nothing else is left", left == [], left)


def main():
    own = build()
    npm(own)
    mcpb(own)
    claude()
    machine = Machine()
    try:
        bare_debian(machine)
        red_hat(machine)
    finally:
        machine.end()


try:
    main()
except Exception as error:
    check("runs to its end", False, repr(error))
check.end()
