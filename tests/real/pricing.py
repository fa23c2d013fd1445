"""Prices, greeks and implied volatilities of random options against QuantLib, which this project did not write.

Usage: compare.py PRICE_EXAMPLE [HOW_MANY]

Prints one line per value that is off, then the largest errors, then `N passed, M failed`; exits 1 if anything failed.

What it is compared with, per kind of option:

  European             AnalyticDividendEuropeanEngine; theta from Black's formula, a difference in time
  American             QdFpAmericanEngine, high precision; greeks as differences of its prices (no gamma where they
                       reach over the boundary of exercise)
  American, dividends  FdBlackScholesVanillaEngine, escrowed, Douglas scheme, on 400 x 400 and 800 x 800 and
                       extrapolated (its error is that of the first order in time); vega and theta as differences of
                       its prices, as its own theta is that of a whole day ahead

An error counts in parts of its tolerance: that part of the value, or the floor where the value is smaller than
floor / part. Floors are in units of the strike, so that they do not depend on the currency.
"""

import math
import multiprocessing
import random
import subprocess
import sys

import QuantLib as ql

SEED = 20260101
DAY = 1 / 365
TODAY = ql.Date(15, 1, 2026)
COUNT = ql.Actual365Fixed()
FINITE = ql.FdBlackScholesVanillaEngine
COARSE, FINE = 400, 800
WIDE = 0.04

# Of each value: the relative tolerance and its floor for options of strike 1 on a spot of about 1.
TOLERANCES = {
    "price": (1e-4, 1e-6),
    "delta": (1e-3, 1e-5),
    "gamma": (1e-3, 3e-3),
    "theta": (1e-3, 3e-7),
    "vega": (1e-3, 2e-6),
}
# QuantLib's own gamma and vega of calls that are exercised before a dividend move by up to 0.2 % from 800 to 1600 nodes.
DIVIDENDS = {**TOLERANCES, "gamma": (2e-3, 3e-3), "vega": (2e-3, 2e-6)}
# How the unit of each goes with that of the strike.
POWERS = {"price": 1, "delta": 0, "gamma": -1, "theta": 1, "vega": 1}


class Case:
    """A random option; the market is one where all dividends of a year are a few percent of the spot."""

    def __init__(self, number, draw):
        self.call = draw.random() < 0.5
        self.american = draw.random() < 0.5
        self.spot = draw.choice([5.0, 40.0, 180.0, 5000.0])
        self.strike = round(self.spot * draw.uniform(0.7, 1.4), 2)
        self.days = draw.randint(2, 730)
        self.rate = round(draw.uniform(0, 0.08), 4)
        self.carry = round(draw.uniform(0, 0.06), 4)
        self.vol = round(math.exp(draw.uniform(math.log(0.08), math.log(1.2))), 4)
        self.dividends = []
        if draw.random() < 0.5:
            # Differences in time take whole days: neither the expiry nor a dividend may be near.
            self.days = max(self.days, 30)
            self.carry = draw.choice([0.0, self.carry])
            amount = round(self.spot * draw.uniform(0.002, 0.02), 4)
            first = draw.randint(3, min(91, self.days - 3))
            self.dividends = [(day, amount) for day in range(first, self.days - 2, 91)]
        self.number = number

    @property
    def kind(self):
        return ("American" if self.american else "European") + (", dividends" if self.dividends else "")

    def line(self):
        dividends = ";".join(f"{day / 365!r}:{amount!r}" for day, amount in self.dividends) or "-"
        numbers = (self.strike, self.days / 365, self.spot, self.rate, self.carry, self.vol)
        letters = "C" if self.call else "P", "A" if self.american else "E"
        return " ".join([*letters, *map(repr, numbers), dividends])

    def cash(self, ago=0.0):
        """What the dividends are worth, in units of the spot; `ago` years earlier all are further away."""
        drift = self.rate - self.carry
        return sum(amount * math.exp(-drift * (day / 365 + ago)) for day, amount in self.dividends)

    def exercised(self, spot, price):
        """Whether this is what exercise pays."""
        payoff = spot - self.strike if self.call else self.strike - spot
        return price <= payoff + 1e-9 * self.strike


def process(case, spot=None, vol=None, stretch=1.0):
    """`stretch` makes time longer: only the products of rates and variance with it matter."""
    curve = lambda rate: ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate * stretch, COUNT))
    deviation = (case.vol if vol is None else vol) * math.sqrt(stretch)
    return ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(case.spot if spot is None else spot)),
        curve(case.carry),
        curve(case.rate),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), deviation, COUNT)),
    )


def option(case, engine, later=0):
    expiry = TODAY + case.days + later
    exercise = ql.AmericanExercise(TODAY, expiry) if case.american else ql.EuropeanExercise(expiry)
    made = ql.VanillaOption(ql.PlainVanillaPayoff(ql.Option.Call if case.call else ql.Option.Put, case.strike), exercise)
    made.setPricingEngine(engine)
    return made


def schedule(case, later=0):
    dates = [TODAY + day + later for day, _ in case.dividends]
    return ql.DividendVector(dates, [amount for _, amount in case.dividends])


def european(case):
    made = option(case, ql.AnalyticDividendEuropeanEngine(process(case), schedule(case)))

    def ago(years):
        time = case.days / 365 + years
        forward = (case.spot - case.cash(years)) * math.exp((case.rate - case.carry) * time)
        kind = ql.Option.Call if case.call else ql.Option.Put
        return ql.blackFormula(kind, case.strike, forward, case.vol * math.sqrt(time), math.exp(-case.rate * time))

    step = 1e-5 * case.days / 365
    return {
        "price": made.NPV(),
        "delta": made.delta(),
        "gamma": made.gamma(),
        "theta": (ago(-step) - ago(step)) / (2 * step) * DAY,
        "vega": made.vega() / 100,
    }


def american(case):
    def price(**changed):
        scheme = ql.QdFpAmericanEngine.highPrecisionScheme()
        return option(case, ql.QdFpAmericanEngine(process(case, **changed), scheme)).NPV()

    here = price()
    # A small part of a standard deviation, and of each of the other inputs.
    move = case.spot * min(0.01, 0.02 * case.vol * math.sqrt(case.days / 365))
    up, down = price(spot=case.spot + move), price(spot=case.spot - move)
    up2, down2 = price(spot=case.spot + 2 * move), price(spot=case.spot - 2 * move)
    around = [down2, down, here, up, up2]
    exercised = [case.exercised(case.spot + steps * move, one) for steps, one in zip(range(-2, 3), around)]
    bump, stretch = 1e-3 * case.vol, 1e-3
    passing = price(stretch=1 - stretch) - price(stretch=1 + stretch)
    greeks = {
        "price": here,
        "delta": (8 * (up - down) - (up2 - down2)) / (12 * move),
        "gamma": (16 * (up + down) - (up2 + down2) - 30 * here) / (12 * move * move),
        "theta": passing / (2 * stretch * case.days),
        "vega": (price(vol=case.vol + bump) - price(vol=case.vol - bump)) / (2 * bump) / 100,
    }
    if any(exercised) and not all(exercised):
        # Gamma jumps somewhere in between, and a difference is not a derivative.
        del greeks["gamma"]
    return greeks


def american_dividends(case):
    def solved(size, vol, later):
        scheme = ql.FdmSchemeDesc.Douglas()
        undefined = -sys.float_info.max
        engine = FINITE(
            process(case, vol=vol), schedule(case, later), size, size, 0, scheme, False, undefined, FINITE.Escrowed
        )
        made = option(case, engine, later)
        return made.NPV(), made.delta(), made.gamma()

    def extrapolated(vol=None, later=0):
        coarse, fine = solved(COARSE, vol, later), solved(FINE, vol, later)
        return [2 * good - bad for bad, good in zip(coarse, fine)]

    def at(part):
        return extrapolated(case.vol * (1 + part))[0]

    price, delta, gamma = extrapolated()
    # A wide difference of fourth order: exercise before a dividend has kinks that move over the grid.
    up, down, up2, down2 = at(WIDE), at(-WIDE), at(2 * WIDE), at(-2 * WIDE)
    return {
        "price": price,
        "delta": delta,
        "gamma": gamma,
        "theta": (extrapolated(later=-1)[0] - extrapolated(later=1)[0]) / 2,
        "vega": (8 * (up - down) - (up2 - down2)) / (12 * WIDE * case.vol) / 100,
    }


def reference(case):
    ql.Settings.instance().evaluationDate = TODAY
    if not case.american:
        return european(case)
    return american_dividends(case) if case.dividends else american(case)


class Check:
    """Counts what is as it should be; prints what is not, and remembers the largest errors."""

    def __init__(self):
        self.passed, self.failed, self.worst, self.boundaries = 0, 0, {}, 0

    def __call__(self, name, condition, detail):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}: {detail}", flush=True)

    def value(self, case, name, ours, theirs):
        part, floor = (DIVIDENDS if case.american and case.dividends else TOLERANCES)[name]
        allowed = max(part * abs(theirs), floor * case.strike ** POWERS[name])
        error = abs(ours - theirs) / allowed
        key = case.kind, name
        self.worst[key] = max(self.worst.get(key, (0.0, 0)), (error, case.number))
        detail = f"{ours!r}, QuantLib {theirs!r}: {error:.1f} times the tolerance; {case.line()}"
        self(f"{case.number} {name}", error <= 1, detail)


def compare(check, case, line, theirs):
    fields = line.split()
    if len(fields) != 6:
        return check(f"{case.number} is priced", False, f"{line}; {case.line()}")
    ours = dict(zip(("price", "delta", "gamma", "theta", "vega"), map(float, fields)))
    for name, value in theirs.items():
        check.value(case, name, ours[name], value)
    check.boundaries += "gamma" not in theirs
    try:
        # To the hundredth of a percentage point, wherever the price says that much.
        near, why = abs(float(fields[5]) - case.vol) < 1e-4, "is found again"
    except ValueError:
        # Nothing is found only where a point of volatility is worth next to nothing.
        near, why = theirs["vega"] < 4e-5 * case.strike, "may be undetermined"
    check(f"{case.number} volatility {why}", near, f"{fields[5]}, vega {theirs['vega']}; {case.line()}")


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    draw = random.Random(SEED)
    many = int(sys.argv[2]) if len(sys.argv) == 3 else 500
    cases = [Case(number, draw) for number in range(many)]
    asked = "".join(case.line() + "\n" for case in cases)
    told = subprocess.run([sys.argv[1]], input=asked, capture_output=True, text=True, timeout=600)
    lines = told.stdout.splitlines()
    check = Check()
    check("every option has an answer", len(lines) == many and told.returncode == 0, told.stderr[-300:])
    with multiprocessing.Pool() as pool:
        references = pool.map(reference, cases, chunksize=1)
    for case, line, theirs in zip(cases, lines, references):
        compare(check, case, line, theirs)
    for (kind, name), (error, number) in sorted(check.worst.items()):
        print(f"{kind:20} {name:6} at most {error:6.3f} of the tolerance, option {number}")
    print(f"{check.boundaries} options at the boundary of exercise, where QuantLib gives no gamma")
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
