"""Orders through IBKR's own gateway: each at most once, whatever dies or hangs on the way."""

import os
import random
import signal
import time

from login import headless, in_background
from world import PAPER, authenticate, run, said_error, told, until

SEED = int(os.environ.get("SEED", "1"))
# What happens on the way of one order, and what the outcome may be at the end.
LOST = ("none", "accept_drop", "drop", "status", "accept_status", "truncate", "hang", "accept_hang")
DEATHS = ("kill_ibd", "kill_java", "kill_both", "stop_java")
MISHAPS = LOST + DEATHS * 3


def desk(name):
    """A world that is logged in and may place as many orders as it likes."""
    return headless(name, "simpaper", IB_PAPER_TRADING="true", IB_MAX_ORDERS_PER_MINUTE="600",
                    IB_BREAKER_REJECTS="100")  # fmt: skip


def opened(check, world):
    shim = world.shim()
    result, _ = authenticate(shim, lambda state: state.get("ready"))
    return shim if check("logged in", told(result).get("ready"), result) else None


def limit(quantity, **more):
    """An order that waits at the broker."""
    return {"symbol": "AAPL", "action": "BUY", "orderType": "LMT", "quantity": quantity, "price": 265, **more}


def placements(world, id=None):
    """All that IBKR ever accepted; of one client order id."""
    every = world.sim.get("/placements")["placements"]
    return [one for one in every if id is None or one.get("cOID") == id]


def at_broker(world, order_id):
    every = world.sim.get("/orders")["orders"]
    return next((one for one in every if str(one["orderId"]) == str(order_id)), {})


def day(check):
    """What a person does on a quiet day."""
    with desk("day") as world:
        shim = opened(check, world)
        if not shim:
            return
        before = len(placements(world))
        preview, _ = shim.use("preview_order", limit(10))
        check("preview: understood", told(preview).get("order", {}).get("symbol") == "AAPL", preview)
        check("preview: nothing is placed", len(placements(world)) == before)

        placed, took = shim.use("place_order", limit(10))
        order = told(placed)
        check("place: placed", order.get("status") == "placed", placed)
        check("place: in good time", took < 5, took)
        mine = placements(world, order.get("clientOrderId"))
        check("place: IBKR has exactly that one", len(mine) == 1 and str(mine[0]["orderId"]) == order.get("orderId"), mine)
        again, _ = shim.use("place_order", limit(10))
        check("place: the same again is held", told(again).get("reason", {}).get("code") == "possible_duplicate", again)
        check("place: and not sent", len(placements(world)) == before + 1)

        asks = {"symbol": "MSFT", "action": "BUY", "orderType": "MKT", "quantity": 2, "suppressConfirmations": False}
        asked, _ = shim.use("place_order", asks)
        confirmation = told(asked).get("confirmation") or {}
        if check("question: asked", told(asked).get("status") == "needs_confirmation", asked):
            yes, _ = shim.use("confirm_order", {"confirmationId": confirmation.get("id"), "accept": True})
            bought = told(yes)
            check("question: yes places it", bought.get("status") == "placed", yes)
            filled, _ = shim.use("wait_for_order", {"intentId": bought.get("intentId"), "seconds": 30})
            check("wait: filled", (told(filled).get("standing") or {}).get("status") == "Filled", filled)
        check("question: two orders in all", len(placements(world)) == before + 2, placements(world))

        changed, _ = shim.use("modify_order", {"orderId": order.get("orderId"), "price": 264.5})
        check("modify: taken", told(changed).get("status") == "placed", changed)

        def price():
            listed, _ = shim.use("get_live_orders")
            every = told(listed).get("orders", [])
            return [one.get("price") for one in every if str(one.get("orderId")) == order.get("orderId")]

        # IBKR's list is behind for a moment.
        check("modify: in the list", until(lambda: price() == [264.5], 15, 1), price())

        ended, _ = shim.use("cancel_order", {"orderId": order.get("orderId")})
        check("cancel: taken", told(ended).get("status") == "placed", ended)
        over, _ = shim.use("wait_for_order", {"intentId": order.get("intentId"), "seconds": 30})
        check("cancel: over", (told(over).get("standing") or {}).get("status") == "Cancelled", over)
        check("cancel: at IBKR too", at_broker(world, order.get("orderId")).get("status") == "Cancelled")

        def trades():
            found, _ = shim.use("get_trades")
            return [row for row in told(found).get("rows", []) if [row[1], row[4], row[5]] == ["MSFT", "BUY", 2]]

        check("trades: there", until(trades, 20, 1))
        check("nothing more was placed", len(placements(world)) == before + 2, placements(world))
        audit = world.ibctl("audit", "verify", "--json")
        check("audit: whole", audit.code == 0, audit)


def befalls(world, mishap, dice):
    """Sets a mishap up; what is to be done while the order is under way."""
    pause = dice.uniform(0, 0.45)
    if mishap == "none":
        return None
    if mishap == "hang" or mishap == "accept_hang" or "_" not in mishap or mishap.startswith("accept"):
        world.sim.post("/fault", match="/orders", method="POST", mode=mishap)
        return None
    # Something dies while the broker takes its time.
    world.sim.post("/fault", match="/orders", method="POST", mode="delay", delayMs=250)

    def strike():
        time.sleep(pause)
        if mishap in ("kill_ibd", "kill_both"):
            world.daemon() and world.daemon().kill()
        if mishap in ("kill_java", "kill_both"):
            world.java() and world.java().kill()
        if mishap == "stop_java":
            java = world.java()
            if java:
                java.kill(signal.SIGSTOP)
                time.sleep(3)
                java.kill(signal.SIGCONT)
        return pause

    return strike


def settled(world, shim, request, id):
    """What the same request says: at once, or when an order that IBKR has was found. What IBKR never had
    stays in doubt for ten minutes, and then until a person says so: nobody waits for that here."""

    def said():
        answer, _ = shim.use("place_order", request)
        return told(answer) or {"said": answer}

    def known():
        return (found := said()).get("status") in ("placed", "not_placed") and found

    at_all = until(lambda: placements(world, id), 1, 0.2)
    return (until(known, 60, 1) if at_all else None) or said()


def once(check):
    """Every order is sent at most once, whatever happens on its way; and what is said of it is so."""
    dice = random.Random(SEED)
    with desk("once") as world:
        shim = opened(check, world)
        if not shim:
            return
        seen, counts, doubts = {}, {}, 0
        for number, mishap in enumerate(MISHAPS):
            name = f"order {number}, {mishap}"
            request = limit(10 + number, requestId=f"r{SEED}-{number}")
            strike = befalls(world, mishap, dice)
            call = in_background(shim.use, "place_order", request)
            if strike:
                strike()
            result, took = call()
            first = told(result)
            doubts += first.get("status") == "unknown"
            check(f"{name}: answered", first.get("status") or said_error(result).get("next"), result)
            check(f"{name}: in time", took < 60, took)

            # Whoever asks again with the same name hears of the same order.
            def heard():
                again, _ = shim.use("place_order", request)
                return told(again)

            again = until(heard, 60, 1) or {}
            check(f"{name}: the same request is the same order",
                  again.get("intentId") and first.get("intentId") in (None, again["intentId"]), (result, again))  # fmt: skip
            final = settled(world, shim, request, again.get("clientOrderId"))
            mine = placements(world, again.get("clientOrderId"))
            seen[number] = (name, again.get("clientOrderId"), final)
            counts[mishap] = counts.get(mishap, "") + {"placed": "p", "not_placed": "n"}.get(final.get("status"), "?")
            check(f"{name}: at most once", len(mine) <= 1, mine)
            if final.get("status") == "placed":
                check(f"{name}: what is called placed is there", len(mine) == 1, (final, mine))
        # Until here something may have been late; what is claimed holds at the end.
        time.sleep(2)
        for name, id, final in seen.values():
            mine = placements(world, id)
            check(f"{name}: at most once, at the end", len(mine) <= 1, mine)
            check(f"{name}: what is said is so", {"placed": len(mine) == 1, "not_placed": not mine}.get(
                final.get("status"), not mine), (final, mine))  # fmt: skip
        ours = [one for one in placements(world) if (one.get("cOID") or "").startswith("ibd")]
        check("no client order id twice", len({one["cOID"] for one in ours}) == len(ours), ours)
        check("no order but those", {one["cOID"] for one in ours} <= {id for _, id, _ in seen.values()}, ours)
        print(f"seed {SEED}: {len(seen)} orders, {len(ours)} at IBKR, {doubts} answered as unknown first, {counts}")
        audit = world.ibctl("audit", "verify", "--json")
        check("audit: whole", audit.code == 0, audit)
        check("account", told(shim.use("get_account_info")[0]).get("accounts", [{}])[0].get("account") == PAPER)


if __name__ == "__main__":
    run(day, once)
