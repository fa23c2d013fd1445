"""The fault campaign through IBKR's own gateway, in front of a simulator that counts: docs/faults.md.

Environment: FAULTS, the folder with faults, ibd-faults, ib-sim and ib-mcp (target/debug); RUNS and SEED.
"""

import os
import pathlib
import re
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).parent))
os.environ.setdefault("WORLD", tempfile.mkdtemp(prefix="ibd-faults-java-"))
from common import Check  # noqa: E402
from world import GATEWAY, RUNTIME, TOP, Sim, fetch, person_logs_in, until  # noqa: E402

FAULTS = pathlib.Path(os.environ.get("FAULTS", "target/debug")).resolve()
CONF = """ip2loc: "US"
proxyRemoteSsl: false
proxyRemoteHost: "{upstream}"
listenPort: {port}
listenSsl: true
sslCert: "vertx.jks"
sslPwd: "mywebapi"
ccp: false
svcEnvironment: "v1"
authDelay: 200
portalBaseURL: ""
serverOptions: {{ blockedThreadCheckInterval: 1000000, eventLoopPoolSize: 2, workerPoolSize: 4, maxWorkerExecuteTime: 100, internalBlockingPoolSize: 4 }}
cors: {{ origin.allowed: "*", allowCredentials: false }}
webApps: []
ips: {{ allow: [ "127.0.0.1" ], deny: [] }}
"""
LOGBACK = '<configuration><root level="OFF"/></configuration>'


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def java(upstream, port):
    """IBKR's gateway, as docs/simulator.md has it."""
    home = TOP / "java"
    home.mkdir()
    (home / "conf.yaml").write_text(CONF.format(upstream=upstream, port=port))
    (home / "logback.xml").write_text(LOGBACK)
    (home / "vertx.jks").write_bytes((GATEWAY / "root/vertx.jks").read_bytes())
    path = ":".join([str(home), str(GATEWAY / "dist/*"), str(GATEWAY / "build/lib/runtime/*")])
    command = [RUNTIME / "bin/java", "-Xmx128m", "-Dvertx.disableDnsResolver=true", "-Djava.net.preferIPv4Stack=true",
               "-cp", path, "ibgroup.web.core.clientportal.gw.GatewayStart", "--conf", "conf.yaml"]  # fmt: skip
    return subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def main():
    check = Check()
    scenario = TOP / "scenario.json"
    scenario.write_text(subprocess.run([FAULTS / "faults", "--scenario"], capture_output=True, text=True).stdout)
    TOP.chmod(0o755)
    sim, port = Sim("--scenario", scenario), free_port()
    gateway = java(sim.gateway, port)
    try:
        address = f"https://127.0.0.1:{port}"
        check("the gateway answers", until(lambda: fetch("GET", address)[0], 60), address)
        said = person_logs_in(address, "simpaper")
        check("logged in", "Client login succeeds" in said, said)
        check("the session is open",
              until(lambda: '"authenticated":true' in fetch("GET", f"{address}/v1/api/iserver/auth/status")[1], 30))  # fmt: skip
        runs = os.environ.get("RUNS", "60")
        campaign = subprocess.run(
            [FAULTS / "faults", "--runs", runs, "--seed", os.environ.get("SEED", "1"), "--gateway", str(port),
             "--control", sim.control], capture_output=True, text=True)  # fmt: skip
        print(campaign.stdout)
        check("no order is doubled, lost or told wrong", campaign.returncode == 0, campaign.stdout + campaign.stderr)
        orders = re.search(r"orders accepted by the broker +(\d+)", campaign.stdout)
        check("orders came through", orders and int(orders[1]) > int(runs) // 3, orders and orders[1])
    finally:
        gateway.kill()
        sim.end()
    check.end()


if __name__ == "__main__":
    main()
