"""Every way to log in: real clients' lines, the real Java gateway, a real Chromium; only IBKR is a stand-in."""

import json
import pathlib
import signal
import threading
import time

from world import (
    LIVE, PAPER, PASSWORD, PERSON, SEED, TOP, World, authenticate, person_logs_in, run, said_error, told, until,
)  # fmt: skip

HEADLESS = {"IB_HEADLESS_MODE": "true", "IB_PASSWORD_AUTH": PASSWORD}


def headless(name, user, **more):
    return World(name, IB_USERNAME=user, **{**HEADLESS, **more})


def serves(check, shim, account, name):
    """Account and quotes, as an assistant asks for them."""
    info, _ = shim.use("get_account_info")
    accounts = [one["account"] for one in told(info).get("accounts", [])]
    check(f"{name}: the account", accounts == [account], info)
    quotes, _ = shim.use("get_market_data", {"symbols": ["AAPL", "MSFT"]})
    prices = [one.get("last") for one in told(quotes).get("quotes", [])]
    check(f"{name}: quotes", len(prices) == 2 and all(prices), quotes)


def refused(check, name, result, code):
    """A tool's refusal with this code, which says what to do."""
    said = said_error(result)
    check(f"{name}: {code}", said.get("error") == code, result)
    check(f"{name}: says what to do", said.get("message") and said.get("next"), said)
    return said


def over(shim):
    """How a login ends that needs nobody, however long that takes here."""
    return authenticate(shim, lambda state: state.get("ready"))


def in_background(call, *arguments, **options):
    """Runs it beside; `join` waits and gives what it gave."""
    box = []
    thread = threading.Thread(target=lambda: box.append(call(*arguments, **options)), daemon=True)
    thread.start()

    def join():
        thread.join(120)
        return box[0] if box else ({}, 120)

    return join


def watch(world):
    """Looks at the browsers of a world until told to stop."""
    seen, over = {}, threading.Event()

    def look():
        while not over.is_set():
            for browser in world.browsers():
                seen.setdefault(browser.pid, browser.arguments)
            over.wait(0.2)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()

    def stop():
        over.set()
        thread.join(10)
        return seen

    return stop


def in_tmp():
    """What the person has in the folder that all share."""
    return [path for path in pathlib.Path("/tmp").iterdir() if path.stat().st_uid == PERSON.pw_uid and path != TOP]


def password_only(check):
    with headless("paper", "simpaper", IB_PAPER_TRADING="true") as world:
        litter = set(in_tmp())
        stop, shim = watch(world), world.shim()
        result, took = over(shim)
        browsers = stop()
        state = told(result)
        check("paper: ready", state.get("ready") is True and state.get("state") == "ready", result)
        check("paper: paper, and whose", state.get("paper") is True and state.get("accounts") == [PAPER], state)
        check("paper: within 45 s", took < 45, took)
        # Nothing is under way any more where it had begun by itself, and was done before it was asked for.
        check("paper: progress is told", shim.progress() or not state.get("mode"), (shim.progress(), state))
        check("paper: one browser", len(browsers) == 1, browsers)
        for arguments in browsers.values():
            loose = [one for one in arguments if "no-sandbox" in one or "disable-setuid-sandbox" in one]
            check("paper: its sandbox is on", not loose, loose)
            check("paper: one certificate is excepted", any("spki-list=" in one for one in arguments)
                  and "--ignore-certificate-errors" not in arguments, arguments)  # fmt: skip
        check("paper: the browser is gone", until(lambda: not world.browsers(), 5) or not world.browsers())
        check("paper: it leaves nothing in /tmp", not set(in_tmp()) - litter, set(in_tmp()) - litter)
        serves(check, shim, PAPER, "paper")
        again, took = shim.use("authenticate")
        check("paper: again is no second login", told(again).get("ready") and world.sim.attempts() == ["password ok"], again)
        said = world.ibctl("status")
        check("paper: status", said.code == 0 and "Ready" in said.out and "Paper" in said.out, said)
        ran = world.ibctl("login", "--json")
        check("paper: ibctl login finds it done", ran.code == 0 and ran.json.get("ready") is True, ran)
        check("paper: still one attempt", world.sim.attempts() == ["password ok"], world.sim.attempts())


def slow_gateway(check):
    """Whatever is slow, who asks for a login that needs nobody gets one."""
    with headless("slow", "simpaper", IB_PAPER_TRADING="true") as world:
        shim = world.shim()
        call = in_background(shim.use, "authenticate")
        java = until(world.java, 30, 0.02)
        java.kill(signal.SIGSTOP)
        time.sleep(10)
        java.kill(signal.SIGCONT)
        result, took = call()
        state = told(result)
        check("slow gateway: ready, or on its way", state.get("ready") or state.get("mode") == "headless", result)
        check("slow gateway: within 45 s", took < 45, took)
        result, _ = over(shim)
        check("slow gateway: ready", told(result).get("ready"), result)
        check("slow gateway: one attempt", world.sim.attempts() == ["password ok"], world.sim.attempts())

    # It comes up when patience is about to end, and IBKR takes its time to say that nobody is logged in.
    with headless("slow2", "simtotp", IB_TWO_FA_STRATEGY="totp", IB_TOTP_SECRET=SEED) as world:
        world.sim.post("/fault", match="/", mode="delay", delayMs=3500, count=4)
        shim = world.shim()
        asked = time.monotonic()
        call = in_background(shim.use, "authenticate")
        java = until(world.java, 30, 0.02)
        java.kill(signal.SIGSTOP)
        time.sleep(max(0, asked + 4.5 - time.monotonic()))
        java.kill(signal.SIGCONT)
        result, _ = call()
        state = told(result)
        check("slow IBKR: ready, or on its way", state.get("ready") or state.get("mode") == "headless", result)
        result, _ = over(shim)
        check("slow IBKR: ready", told(result).get("ready"), result)


def push(check):
    with headless("push", "simpush", IB_AUTH_WAIT_SECONDS="4") as world:
        shim = world.shim()
        result, took = authenticate(shim, lambda state: state.get("waitingFor") == "approval")
        check("push: within 45 s", took < 45, took)
        state = told(result)
        check("push: wait_2fa", state.get("state") == "wait_2fa" and state.get("ready") is False, result)
        check("push: says what to do", "IBKR Mobile" in state.get("next", ""), state)
        said = world.ibctl("status")
        check("push: status says so", said.code == 4 and "IBKR Mobile" in said.out, said)
        info, _ = shim.use("get_account_info")
        check("push: other tools say so", said_error(info).get("next"), info)
        check("push: one push for all that", world.sim.logins()["pushes"] == 1, world.sim.logins())
        check("push: approved", world.sim.post("/approve")["ok"])
        result, _ = over(shim)
        check("push: ready, live", told(result).get("ready") and told(result).get("paper") is False, result)
        serves(check, shim, LIVE, "push")

        ran = world.ibctl("logout", "--json")
        check("push: logout", ran.code == 0, ran)
        ended = world.ibctl_begins("login", "--json")
        check("push: ibctl login asks the phone again", until(lambda: world.sim.waiting("push"), 60), ended)
        check("push: denied", world.sim.post("/deny")["ok"])
        ran = world.ended(ended)
        check("push: denied is said", ran.code == 1 and "denied on the phone" in ran.json.get("error", ""), ran)
        check("push: what to do is said", ran.json.get("hint"), ran)
        once = ["password ok", "push ok", "password ok", "push denied"]
        check("push: denied once, asked twice", world.sim.attempts() == once, world.sim.attempts())


def totp(check):
    with headless("totp", "simtotp", IB_TWO_FA_STRATEGY="totp", IB_TOTP_SECRET=SEED) as world:
        ran = world.ibctl("login", "--json")
        check("totp: ibctl login", ran.code == 0 and ran.json.get("ready") is True, ran)
        logins = world.sim.logins()
        check("totp: one code", logins["codes"] == 1 and world.sim.attempts() == ["password ok", "totp ok"], logins)
        serves(check, world.shim(), LIVE, "totp")


def chooser(check):
    """Who can choose the second factor gets the one that was configured."""
    with headless("app", "simchooser", IB_TWO_FA_STRATEGY="totp", IB_TOTP_SECRET=SEED) as world:
        ran = world.ibctl("login", "--json")
        check("chooser, totp: ibctl login", ran.code == 0 and ran.json.get("ready") is True, ran)
        logins = world.sim.logins()
        check("chooser, totp: one code and no push", (logins["codes"], logins["pushes"]) == (1, 0), logins)
        check("chooser, totp: one login", logins["logins"] == 1, logins)

    with headless("key", "simchooser", IB_AUTH_WAIT_SECONDS="4") as world:
        shim = world.shim()
        result, _ = authenticate(shim, lambda state: state.get("waitingFor") == "approval")
        check("chooser, phone: it is asked", told(result).get("state") == "wait_2fa", result)
        check("chooser, phone: approved", world.sim.post("/approve", user="simchooser")["ok"])
        result, _ = over(shim)
        check("chooser, phone: ready", told(result).get("ready"), result)
        logins = world.sim.logins()
        check("chooser, phone: one push and no code", (logins["codes"], logins["pushes"]) == (0, 1), logins)


def promo(check):
    with headless("promo", "simpromo") as world:
        ran = world.ibctl("login", "--json")
        check("advertisement: skipped", ran.code == 0 and ran.json.get("ready") is True, ran)
        check("advertisement: one attempt", world.sim.attempts() == ["password ok"], world.sim.attempts())
        serves(check, world.shim(), LIVE, "advertisement")


def resend(check):
    with headless("resend", "simpush") as world:
        ran = world.ibctl("login", "--resend", "--json")
        check("resend: nothing waits for one", ran.code == 1 and ran.json.get("failed") == "no_login", ran)
        begun = world.ibctl_begins("login", "--json")
        check("resend: the phone is asked", until(lambda: world.sim.waiting("push"), 60), world.session())
        until(lambda: world.session().get("state") == "wait_2fa", 20)
        again = world.ibctl_begins("login", "--resend", "--json")
        twice = until(lambda: world.sim.logins()["pushes"] == 2, 30)
        check("resend: the phone is asked again", twice, world.sim.logins())
        check("resend: approved", world.sim.post("/approve")["ok"])
        for name, command in (("the login", begun), ("the resend", again)):
            ran = world.ended(command)
            check(f"resend: {name} ends well", ran.code == 0 and ran.json.get("ready") is True, ran)
        check("resend: one password", world.sim.attempts().count("password ok") == 1, world.sim.attempts())


def selectors(check):
    """The day on which IBKR changes its page."""
    with headless("select", "simpaper", IB_PAPER_TRADING="true") as world:
        ran = world.ibctl("login", "--json", IB_SELECTOR_USERNAME="#not-there-any-more")
        check("selectors: one that finds nothing", ran.code == 1 and ran.json.get("failed") == "login_page_changed", ran)
        check("selectors: nothing was typed", world.sim.attempts() == [], world.sim.attempts())
        ran = world.ibctl("login", "--json", IB_SELECTOR_USERNAME="input[name=username]")
        check("selectors: another one", ran.code == 0 and ran.json.get("ready") is True, ran)
        check("selectors: one attempt", world.sim.attempts() == ["password ok"], world.sim.attempts())


def challenge(check):
    """The response comes from a person: asked by a client that can, else by `ibctl login --code`."""
    with headless("elicit", "simchallenge") as world:
        asked = []

        def answer(request):
            asked.append(request)
            waits = until(lambda: world.sim.waiting("challenge"), 20) or {}
            field = next(iter(request["params"]["requestedSchema"]["properties"]))
            return {"action": "accept", "content": {field: waits.get("response", "none")}}

        shim = world.shim({"elicitation": {}}, answer)
        result, took = over(shim)
        check("elicitation: ready", told(result).get("ready"), result)
        check("elicitation: asked once", [one["method"] for one in asked] == ["elicitation/create"], asked)
        given = [one["response"] for one in [world.sim.logins()] if "response" in one]
        check("elicitation: nothing else came over the line", not shim.strange and not given, shim.strange)
        check("elicitation: the challenge is shown", any(word.strip(".").isdigit() and len(word.strip(".")) == 6
              for one in asked for word in one["params"]["message"].split()), asked)  # fmt: skip
        check("elicitation: one attempt", world.sim.attempts() == ["password ok", "challenge ok"], world.sim.attempts())
        serves(check, shim, LIVE, "elicitation")

    with headless("code", "simchallenge") as world:
        shim = world.shim()
        result, took = authenticate(shim, lambda state: state.get("waitingFor") == "code")
        # A client that cannot ask is told how the person can answer.
        text = json.dumps(result)
        check("code: it waits for a code", told(result).get("state") == "wait_2fa", result)
        check("code: says how to give it", "ibctl login --code" in text and took < 45, result)
        waits = world.sim.waiting("challenge")
        check("code: the challenge is shown", waits and waits["challenge"] in text, (waits, text))
        ran = world.ibctl("login", "--code", "-", input=waits["response"] + "\n")
        check("code: ibctl login --code", ran.code in (0, 4), ran)
        result, _ = shim.use("authenticate")
        check("code: ready", told(result).get("ready"), result)
        check("code: one code", world.sim.attempts() == ["password ok", "challenge ok"], world.sim.logins())


def wrong_password(check):
    with headless("wrong", "simpaper", IB_PAPER_TRADING="true", IB_PASSWORD_AUTH="not-the-password") as world:
        shim = world.shim()
        for count in (1, 2):
            result, _ = over(shim)
            refused(check, f"wrong password, time {count}", result, "wrong_credentials")
            check(f"wrong password: {count} sent", len(world.sim.attempts()) == count, world.sim.attempts())
        result, took = shim.use("authenticate")
        refused(check, "wrong password, time 3", result, "lockout_guard")
        check("wrong password: the guard answers at once", took < 10, took)
        world.daemon().kill()
        other = world.shim()
        result, _ = other.use("authenticate")
        said = refused(check, "wrong password, after kill -9 of ibd", result, "lockout_guard")
        check("wrong password: the way out is named", "ibctl login --force" in said.get("next", ""), said)
        for name, client in (("another client", world.shim(IB_PASSWORD_AUTH="another-one")), ("the first", shim)):
            result, _ = client.use("authenticate")
            refused(check, f"wrong password, {name}", result, "lockout_guard")
        ran = world.ibctl("login", "--json")
        check("wrong password: ibctl login is held, too", ran.code == 1 and "--force" in ran.json.get("hint", ""), ran)
        check("wrong password: nothing more was sent", len(world.sim.attempts()) == 2, world.sim.attempts())
        ran = world.ibctl("status", "--json")
        check("wrong password: status", ran.code == 4 and ran.json["session"]["state"] == "lockout_guard", ran)
        ran = world.ibctl("login", "--force", "--json")
        check("wrong password: --force tries once", ran.code == 1 and len(world.sim.attempts()) == 3, ran)
        check("wrong password: all were refused", set(world.sim.attempts()) == {"password wrong"}, world.sim.attempts())
        # Corrected, and a person insists.
        ran = world.ibctl("login", "--force", "--json", IB_PASSWORD_AUTH=PASSWORD)
        check("wrong password: the right one works", ran.code == 0 and ran.json.get("ready") is True, ran)


def locked(check):
    with headless("locked", "simlocked") as world:
        shim = world.shim()
        result, _ = over(shim)
        refused(check, "locked", result, "lockout_guard")
        attempts = world.sim.attempts()
        check("locked: tried once", attempts == ["password locked"], attempts)
        result, _ = shim.use("authenticate")
        refused(check, "locked, again", result, "lockout_guard")
        world.daemon().kill()
        result, _ = world.shim().use("authenticate")
        refused(check, "locked, after kill -9 of ibd", result, "lockout_guard")
        ran = world.ibctl("login", "--json")
        check("locked: ibctl login is held", ran.code == 1, ran)
        check("locked: never tried again", world.sim.attempts() == attempts, world.sim.attempts())


def wrong_mode(check):
    with headless("mode", "simlive", IB_PAPER_TRADING="true") as world:
        shim = world.shim()
        result, _ = over(shim)
        refused(check, "live user, paper wanted", result, "wrong_mode")
        logins = world.sim.logins()
        check("wrong mode: refused at the page", world.sim.attempts() == ["password wrong_mode"], logins)
        check("wrong mode: nobody was logged in", logins["logins"] == 0, logins)
        result, _ = shim.use("get_account_info")
        check("wrong mode: nothing is served", said_error(result).get("next"), result)

    # A person who logs in to the live account by hand, though paper is wanted: it does not stay.
    with World("mode2", IB_PAPER_TRADING="true", IB_AUTH_WAIT_SECONDS="5") as world:
        shim = world.shim()
        result, _ = authenticate(shim, lambda state: state.get("authUrl"))
        address = told(result).get("authUrl")
        if check("live by hand: the address is told", address, result):
            said = person_logs_in(address.rstrip("/"), "simlive", mode=1)
            check("live by hand: the page takes it", "Client login succeeds" in said, said)
            gone = until(lambda: world.sim.logins()["logouts"], 10, 0.2)
            check("live by hand: it is logged out again, soon", gone, world.sim.logins())
            result, _ = shim.use("get_account_info")
            check("live by hand: nothing is served", said_error(result).get("error") and not told(result), result)
            status = world.session()
            check("live by hand: no live session stays", status.get("state") != "ready" and not status.get("accounts"),
                  status)  # fmt: skip


def twenty(check):
    with headless("twenty", "simpush") as world:
        stop = watch(world)
        shims = [world.shim() for _ in range(20)]
        joins = [in_background(shim.use, "authenticate") for shim in shims]
        waits = until(lambda: world.sim.waiting("push"), 60)
        check("20 clients: the phone is asked", waits, world.session())
        # Whoever was late has joined by now: all are in before it is approved.
        until(lambda: len(world.status().get("clients", [])) >= 20, 20)
        check("20 clients: approved", world.sim.post("/approve")["ok"])
        results = [join() for join in joins]
        browsers = stop()
        ready = [bool(told(result).get("ready")) for result, _ in results]
        check("20 clients: all are answered", all(result for result, _ in results), results[:1])
        check("20 clients: all within 45 s", max(took for _, took in results) < 45, [round(t) for _, t in results])
        check("20 clients: all are ready", all(ready), [r for r, _ in results if not told(r).get("ready")][:2])
        check("20 clients: one browser", len(browsers) == 1, browsers)
        logins = world.sim.logins()
        check("20 clients: one push", (logins["pushes"], logins["logins"]) == (1, 1), logins)
        check("20 clients: one attempt", world.sim.attempts() == ["password ok", "push ok"], logins)


OPENER = """#!/bin/sh
echo "$1" >>"$HOME/opened"
"""


def browser(check):
    with World("browser", IB_PAPER_TRADING="true") as world:
        world.write("bin/xdg-open", OPENER, 0o700)
        opened = world.home / "opened"
        screen = {"DISPLAY": ":99", "PATH": f"{world.home}/bin:{world.environment['PATH']}"}
        shims = [world.shim(**screen) for _ in range(20)]
        joins = [in_background(shim.use, "authenticate") for shim in shims]
        check("browser: it is opened", until(opened.exists, 60), world.session())
        until(lambda: world.session().get("state") == "need_login", 20)
        address = world.address()
        check("browser: at the gateway's page", opened.read_text().split() == [f"{address}/"],
              (opened.read_text(), address))  # fmt: skip
        # Somebody who only looks sees what is awaited.
        said = world.ibctl("status")
        check("browser: status says where", said.code == 4 and f"{address}/" in said.out, said)
        check("browser: the page takes it", "Client login succeeds" in person_logs_in(address, "simpaper"))
        noticed = time.monotonic()
        results = [join() for join in joins]
        check("browser: it is noticed soon", time.monotonic() - noticed < 10, time.monotonic() - noticed)
        # Who began it is told at once; who joined, when it is done.
        first = [told(result) for result, _ in results if told(result).get("state") == "need_login"]
        check("browser: one began it and is told what to expect", len(first) == 1 and first[0].get("browserOpened")
              and first[0].get("authUrl") == f"{address}/" and "log in" in first[0].get("next", ""), first)  # fmt: skip
        ready = [result for result, _ in results if told(result).get("ready")]
        check("browser: the other 19 are answered when it is done", len(ready) == 19, (len(ready), results[:2]))
        check("browser: all within 45 s", max(took for _, took in results) < 45, results)
        result, _ = shims[0].use("authenticate")
        check("browser: called again it is ready", told(result).get("ready"), result)
        check("browser: opened once for 20 clients", len(opened.read_text().split()) == 1, opened.read_text())
        check("browser: one login", world.sim.logins()["logins"] == 1, world.sim.logins())
        check("browser: no Chromium of ours", not world.browsers())
        serves(check, shims[0], PAPER, "browser")

    with World("screen", IB_PAPER_TRADING="true", IB_AUTH_WAIT_SECONDS="3") as world:
        world.write("bin/xdg-open", OPENER, 0o700)
        path = f"{world.home}/bin:{world.environment['PATH']}"
        for name, screen in (("no display", {}), ("over SSH", {"DISPLAY": ":99", "SSH_CONNECTION": "1 2 3 4"})):
            shim = world.shim(PATH=path, **screen)
            until(lambda: world.session().get("state") == "need_login", 1)
            result, took = authenticate(shim, lambda state: state.get("state") == "need_login")
            state = told(result)
            check(f"{name}: gives the address", state.get("authUrl") == f"{world.address()}/", result)
            check(f"{name}: says that nothing was opened", state.get("browserOpened") is False
                  and state.get("authUrl", "-") in state.get("next", ""), state)  # fmt: skip
            check(f"{name}: opened nothing", not (world.home / "opened").exists())
        begun = world.ibctl_begins("login")
        check("no display: ibctl login goes on waiting", until(lambda: begun.poll() is None, 1), begun)
        # Noticed by itself: nobody asks but the person who waits at the terminal.
        check("no display: the page takes it", "Client login succeeds" in person_logs_in(world.address(), "simpaper"))
        ran = world.ended(begun)
        check("no display: ibctl login ends well", ran.code == 0 and "Ready" in ran.out, ran)
        check("no display: it names the page", world.address() in ran.out + ran.err, ran)
        check("no display: status", world.session().get("state") == "ready", world.session())


if __name__ == "__main__":
    run(password_only, slow_gateway, push, totp, chooser, promo, resend, selectors, challenge, wrong_password, locked, wrong_mode, twenty, browser)
