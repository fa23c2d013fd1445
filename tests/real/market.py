"""Market data through IBKR's own gateway: one line for many clients, and no old price whatever breaks."""

import collections
import contextlib
import datetime
import itertools
import json
import re
import socket
import threading
import time

from login import headless, in_background
from world import Sim, World, authenticate, run, said_error, told, until

AAPL = 265598
SYMBOLS = ["AAPL", "MSFT", "NVDA", "IBM", "SPY", "F", "TSLA", "AMZN", "GOOGL", "META", "JPM", "KO"]
CLIENTS, EACH = 10, 10
# What keeps a session alive, the daemon's or the gateway's own, and when a market is open: no quotes.
KEEPING = ("/tickle", "/sso/", "/iserver/auth/", "/iserver/accounts")
# Far more than anything takes, for a machine that has much to do.
PATIENCE = 90
# So old a followed price may be when the stream fell silent: fifteen seconds, and what the machine adds.
FRESH = 25
# A price may have been on its way when the market moved.
ON_ITS_WAY = 3


class Socket:
    """A websocket that the gateway opened to IBKR: what was said on it, and when."""

    def __init__(self, ends):
        self.ends, self.said, self.heard, self.is_open = ends, [], [], True

    def lines(self):
        """How often each contract was subscribed to."""
        words = [text.split("+") for _, text in self.said]
        return collections.Counter(int(word[1]) for word in words if word[0] == "smd")

    def frames(self, conid, since):
        """How many quotes of a contract came down after a moment."""
        return sum(at > since and f'"smd+{conid}"' in text for at, text in self.heard)

    def close(self):
        self.is_open = False
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


class Frames:
    """Takes a websocket's bytes apart as they come (RFC 6455); enough for what these two send."""

    def __init__(self, into):
        self.buffer, self.text, self.into, self.is_greeted = bytearray(), b"", into, False

    def take(self, data):
        self.buffer += data
        if not self.is_greeted:
            end = self.buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            del self.buffer[: end + 4]
            self.is_greeted = True
        while self.frame():
            pass

    def frame(self):
        buffer = self.buffer
        if len(buffer) < 2:
            return False
        length, at, masked = buffer[1] & 127, 2, buffer[1] >> 7
        if length > 125:
            size = 2 if length == 126 else 8
            length, at = int.from_bytes(buffer[at : at + size], "big"), at + size
        end = at + 4 * masked + length
        if len(buffer) < end:
            return False
        payload = buffer[at + 4 * masked : end]
        if masked:
            key = buffer[at : at + 4]
            payload = bytes(byte ^ key[number % 4] for number, byte in enumerate(payload))
        is_last, kind = buffer[0] >> 7, buffer[0] & 15
        del buffer[:end]
        if kind < 8:
            self.text += payload
            if is_last:
                self.into.append((time.monotonic(), self.text.decode(errors="replace")))
                self.text = b""
        return True


class Tap:
    """Lies between the gateway and the simulator, whose control interface shows no frames and drops no sockets."""

    def __init__(self, target):
        host, port = re.match(r"http://([^:/]+):(\d+)", target).groups()
        self.target, self.sockets, self.refuses = (host, int(port)), [], False
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.address = f"http://127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.server.accept()
                threading.Thread(target=self.serve, args=(near,), daemon=True).start()

    def serve(self, near):
        with near, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                some = near.recv(65536)
                if not some:
                    return
                head += some
            is_socket = b"\r\nupgrade: websocket" in head.split(b"\r\n\r\n")[0].lower()
            if is_socket and self.refuses:
                return
            with socket.create_connection(self.target) as far:
                one = up = down = None
                if is_socket:
                    one = Socket((near, far))
                    up, down = Frames(one.said), Frames(one.heard)
                    up.take(head)
                    self.sockets.append(one)
                far.sendall(head)
                back = threading.Thread(target=self.pump, args=(far, near, down), daemon=True)
                back.start()
                self.pump(near, far, up)
                back.join()
                if one:
                    one.is_open = False

    def pump(self, source, sink, frames):
        with contextlib.suppress(OSError):
            while some := source.recv(65536):
                if frames:
                    frames.take(some)
                sink.sendall(some)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def open_sockets(self):
        return [one for one in self.sockets if one.is_open]

    def cut(self):
        for one in self.open_sockets():
            one.close()


KEPT = []


def desk(check):
    """The one world of this check, logged in: the clients, the tap and the world. Its parts follow each other."""
    if not KEPT:
        sim = Sim()
        tap = Tap(sim.gateway)
        sim.gateway = tap.address
        world = headless("market", "simpaper", IB_PAPER_TRADING="true", sim=sim)
        world.stays = True
        KEPT.append((world, tap, [world.shim() for _ in range(CLIENTS)], Prices(world)))
        result, _ = authenticate(KEPT[0][2][0], lambda state: state.get("ready"))
        check("logged in", told(result).get("ready"), result)
    return KEPT[0]


class Prices:
    """Prices that nobody has seen before, so that an old one is known by itself."""

    def __init__(self, world):
        self.world, self.now = world, 300.25

    def move(self, conid=AAPL):
        self.now += 0.5
        self.world.sim.post("/market", conid=conid, last=self.now)
        return self.now


def quotes(result):
    """By symbol what an answer tells of it, whether it is a table or not."""
    answer = told(result)
    rows = [dict(zip(answer["cols"], row)) for row in answer.get("rows", [])]
    return {one["symbol"]: {**answer.get("shared", {}), **one} for one in rows or answer.get("quotes", [])}


def wants(number):
    """Of client `number`: every symbol is wanted by several."""
    return [SYMBOLS[(number + step) % len(SYMBOLS)] for step in range(EACH)]


def all_ask(shims):
    """Every client asks for its symbols, all at once; what each is told."""
    calls = [in_background(shim.use, "get_market_data", {"symbols": wants(at)}) for at, shim in enumerate(shims)]
    return [call()[0] for call in calls]


def asked(world, since):
    """The requests that IBKR had since then, but for what keeps the session."""
    return [path for path in world.sim.paths(since) if not any(own in path for own in KEEPING)]


def count(world):
    return world.sim.get("/requests")["count"]


def warm(world, shims):
    """Whether everybody can be answered without a request."""
    before = count(world)
    results = all_ask(shims)
    return all(quotes(result) for result in results) and not asked(world, before)


def is_quoted(results):
    """Whether each client has a price, a bid and an ask of each of its symbols."""
    return all(
        set(quotes(result)) == set(wants(at))
        and all(one.get(key) for one in quotes(result).values() for key in ("last", "bid", "ask"))
        for at, result in enumerate(results)
    )


def hub(check):
    """Ten clients, ten symbols each: IBKR sees one subscription of each contract."""
    world, tap, shims, prices = desk(check)
    results = all_ask(shims)
    check("hub: everybody is quoted", until(lambda: is_quoted(all_ask(shims)), PATIENCE, 0.5), results)
    check("hub: it gets warm", until(lambda: warm(world, shims), PATIENCE, 0.5), world.sim.paths()[-10:])
    for attempt in range(3):
        before = count(world)
        results = all_ask(shims)
        if not (late := asked(world, before)):
            break
    check("hub: a hundred warm quotes cost nothing", not late and is_quoted(results), (late, results))

    conids = {one["conid"] for result in results for one in quotes(result).values()}
    check("hub: twelve contracts", len(conids) == len(SYMBOLS), conids)
    check("hub: one websocket", len(tap.sockets) == len(tap.open_sockets()) == 1, tap.sockets)
    lines = sum((one.lines() for one in tap.sockets), collections.Counter())
    check("hub: one subscription of each contract", lines == collections.Counter(conids), lines)
    check("hub: and none ended", not [text for _, text in tap.sockets[0].said if text.startswith("umd")])

    before, price = count(world), prices.move()
    told_to = lambda: {quotes(result).get("AAPL", {}).get("last") for result in all_ask(shims)} - {None}  # noqa: E731
    check("hub: all are told the market's move", until(lambda: told_to() == {price}, PATIENCE, 0.3), told_to())
    check("hub: nobody asked for it", not asked(world, before), asked(world, before))


def past(check):
    """Histories and options come the same way."""
    world, tap, shims, _ = desk(check)
    month = {"symbol": "AAPL", "period": "1m", "bar": "1d"}
    calls = [in_background(shim.use, "get_price_history", month) for shim in shims]
    answers = [told(call()[0]) for call in calls]
    check("history: everybody has the same days", len(answers[0].get("rows", [])) >= 18
          and all([row[0] for row in one.get("rows", [])] == [row[0] for row in answers[0]["rows"]] for one in answers),
          answers)  # fmt: skip
    # Asked for at the same time they may each have been fetched; who comes next is told out of memory.
    print(f"ten clients, one history: {sum('/history' in path for path in world.sim.paths())} requests")
    before = count(world)
    again, _ = shims[-1].use("get_price_history", month)
    check("history: the next one costs nothing", told(again).get("rows") and not asked(world, before), asked(world, before))
    calls = [in_background(shim.use, "get_price_history", {**month, "symbol": SYMBOLS[at]}) for at, shim in enumerate(shims)]
    answers = [call()[0] for call in calls]
    check("history: ten at once are answered", all(len(told(one).get("rows", [])) >= 18 for one in answers), answers)

    days, _ = shims[0].use("get_option_chain", {"symbol": "AAPL"})
    expiries = told(days).get("expiries", [])
    if check("chain: its days", len(expiries) >= 3, days):
        ask = {"symbol": "AAPL", "expiry": expiries[1]["expiry"], "strikes": 4}
        calls = [in_background(shim.use, "get_option_chain", ask) for shim in shims[:2]]
        chains = [told(call()[0]) for call in calls]
        rows = chains[0].get("rows", [])
        check("chain: both have its prices and greeks", len(rows) >= 6 and all(
            row[3] and row[7] for chain in chains for row in chain.get("rows", [])) and chains[1].get("rows"), chains)
        options = {row[2] for chain in chains for row in chain.get("rows", [])}
        lines = tap.sockets[-1].lines()
        check("chain: one subscription of each option", {lines[one] for one in options} == {1}, (options, lines))
    check("nothing was too much for IBKR", world.sim.get("/requests")["status429"] == 0)


Seen = collections.namedtuple("Seen", "after last as_of error")


def look(shim, moved):
    """What an assistant is told of one price; times in seconds after the market moved."""
    result, _ = shim.use("get_market_data", {"symbols": ["AAPL"]})
    as_of = told(result).get("asOf")
    as_of = datetime.datetime.fromisoformat(as_of.replace("Z", "+00:00")).timestamp() - moved if as_of else None
    error = said_error(result) or (result if "noResult" in result else None)
    return Seen(time.time() - moved, quotes(result).get("AAPL", {}).get("last"), as_of, error)


def moves(check, name, prices):
    """Moves the market: the new price, and a function by which to look at what is told of it."""
    old, price, moved, seen = prices.now, prices.move(), time.time(), []

    def ask(shim):
        seen.append(look(shim, moved))
        return seen[-1]

    def judge():
        """No answer said that the old price was one of after the move."""
        lies = [one for one in seen if one.last not in (None, price) and not (one.as_of and one.as_of < ON_ITS_WAY)]
        check(f"{name}: no old price is told as a new one", not lies, (old, price, lies))
        late = [one for one in seen if one.last not in (None, price) and one.after > FRESH]
        check(f"{name}: nor told at all after a while", not late, (old, price, late))
        once = next((at for at, one in enumerate(seen) if one.last == price), len(seen))
        back = [one for one in seen[once:] if one.last not in (None, price)]
        check(f"{name}: nor once the new one was told", not back, (old, price, back))

    return price, seen, ask, judge


def brief(seen):
    """What was told, in a line: each word once, with the seconds from its first answer to its last."""
    words = [(one.error.get("error", "?") if one.error else str(one.last), one.after) for one in seen]
    groups = [list(group) for _, group in itertools.groupby(words, lambda one: one[0])]
    return ", ".join(f"{group[0][0]} ({len(group)}: {group[0][1]:.1f}-{group[-1][1]:.1f} s)" for group in groups)


def dropped(check):
    """The websocket to IBKR is gone, and for a while none can be opened."""
    world, tap, shims, prices = desk(check)
    check("dropped: warm before", until(lambda: warm(world, shims), PATIENCE, 0.5))
    tap.refuses = True
    tap.cut()
    before = count(world)
    price, seen, ask, judge = moves(check, "dropped", prices)
    check("dropped: the new price is told", until(lambda: ask(shims[0]).last == price, FRESH, 0.2), seen[-3:])
    check("dropped: by asking for it", any("/snapshot" in path for path in asked(world, before)))
    check("dropped: no websocket is there", not tap.open_sockets())
    tap.refuses = False
    check("dropped: a websocket is there again", until(
        lambda: len(tap.open_sockets()) == 1 and ask(shims[0]) and tap.open_sockets()[0].lines()[AAPL], PATIENCE, 0.3))
    judge()
    check("dropped: warm again", until(lambda: warm(world, shims), PATIENCE, 0.5), world.sim.paths()[-10:])
    lines = tap.sockets[-1].lines()
    check("dropped: one subscription of each contract", len(lines) >= len(SYMBOLS) and set(lines.values()) == {1}, lines)
    before, (price, _, ask, judge) = count(world), moves(check, "dropped, then", prices)
    check("dropped, then: the stream tells", until(lambda: ask(shims[1]).last == price, PATIENCE, 0.2))
    check("dropped, then: nobody asked", not asked(world, before), asked(world, before))
    judge()
    print(f"dropped: {brief(seen)}")


def ended(check):
    """IBKR ends subscriptions after a quarter of an hour without a word; here that is over at once, so that no
    renewal comes in time. The websocket lives on."""
    world, tap, shims, prices = desk(check)
    check("ended: warm before", until(lambda: warm(world, shims), PATIENCE, 0.5))
    line = tap.open_sockets()[0]
    world.sim.post("/clock", advanceSeconds=900)
    until(lambda: False, 1)
    at, subscribed = time.monotonic(), line.lines().get(AAPL, 0)
    price, seen, ask, judge = moves(check, "ended", prices)
    check("ended: the new price is told", until(lambda: ask(shims[0]).last == price, FRESH, 0.5), seen[-3:])
    judge()
    # Else this would show nothing.
    check("ended: the websocket lived on", line.is_open)
    # The price that moved unsaid shows that nobody tells any more: it is subscribed to once more, and told.
    again = until(lambda: line.lines().get(AAPL, 0) > subscribed, FRESH, 0.2)
    check("ended: the contract was subscribed to again", again, (subscribed, line.lines()))
    check("ended: and the stream tells of it again", until(lambda: line.frames(AAPL, at), FRESH, 0.2))
    price, later, ask, judge = moves(check, "ended, then", prices)
    check("ended, then: the next price is told", until(lambda: ask(shims[0]).last == price, FRESH, 0.5), later[-3:])
    judge()
    seen += later
    check("ended: all others are quoted", until(lambda: is_quoted(all_ask(shims)), PATIENCE, 0.5))
    print(f"ended: {brief(seen)}")


def helped(world, shim, said):
    """Does what an answer says to do."""
    following = said.get("next", "")
    if "authenticate" in following:
        shim.use("authenticate")
        return "authenticate"
    for verb in ("resume", "login"):
        if f"ibctl {verb}" in following:
            world.ibctl(verb, "--json", timeout=90)
            return verb
    return None


def lost(check, name, begin, end, words):
    """The brokerage session is gone: that is said, and no price of before is told. Then it can be had again."""
    world, tap, shims, prices = desk(check)
    check(f"{name}: quoted before", until(lambda: is_quoted(all_ask(shims)), PATIENCE, 0.5))
    world.sim.post("/session", action=begin)
    price, seen, ask, judge = moves(check, name, prices)

    def is_said():
        error = ask(shims[0]).error
        return error and re.search(words, json.dumps(error), re.IGNORECASE)

    check(f"{name}: it is said", until(is_said, PATIENCE, 0.5), seen[-3:])
    said = [call()[0] for call in [in_background(shim.use, "get_market_data", {"symbols": wants(0)}) for shim in shims]]
    check(f"{name}: to everybody, and no price", all(
        said_error(one).get("message") and said_error(one).get("next") for one in said), said)  # fmt: skip
    print(f"{name}: {said_error(said[0])}")
    chain = [shims[1].use(*call)[0] for call in (
        ("get_option_chain", {"symbol": "AAPL"}), ("get_market_data", {"conids": [AAPL]}))]  # fmt: skip
    check(f"{name}: whatever is asked for", all(one.get("isError") or not quotes(one) for one in chain), chain)

    world.sim.post("/session", action=end)
    steps, sockets = [], len(tap.sockets)

    def is_back():
        one = ask(shims[0])
        if one.error and (step := helped(world, shims[0], one.error)):
            steps.append(step)
        return one.last == price

    check(f"{name}: then the new price is told", until(is_back, PATIENCE, 0.5), seen[-3:])
    judge()
    print(f"{name}: {brief(seen)}; helped by {steps}")
    check(f"{name}: then everybody is quoted", until(lambda: is_quoted(all_ask(shims)), PATIENCE, 0.5))
    check(f"{name}: and warm", until(lambda: warm(world, shims), PATIENCE, 0.5), world.sim.paths()[-10:])
    check(f"{name}: on one new websocket", len(tap.sockets) > sockets and len(tap.open_sockets()) == 1, tap.sockets)
    lines = tap.sockets[-1].lines()
    check(f"{name}: one subscription of each contract", len(lines) >= len(SYMBOLS) and set(lines.values()) == {1}, lines)


def taken(check):
    lost(check, "taken", "compete", "uncompete", "compet|TWS|somebody else|elsewhere|another")


def night(check):
    """IBKR's nightly reset, out of turn: the daemon cannot know it by the clock."""
    lost(check, "night", "nightly", "up", "maint|reset|not logged in|not open|login")
    world, _, _, _ = desk(check)
    check("nothing was too much for IBKR", world.sim.get("/requests")["status429"] == 0)
    World.end(world)


if __name__ == "__main__":
    run(hub, past, dropped, ended, taken, night)
