"""Logs in with keys of one's own through ibind: its OAuth 1.0a against ib-sim's, and ours against its functions.

Usage: ibind_oauth.py API_URL SIGN

SIGN is the example `sign` of our crate; CONTROL in the environment is the simulator's other address. Keys are made anew by openssl, as ibind's guide says; only the prime is a known
one, because a new one takes minutes. Prints one line per failure, then `N passed, M failed`; exits 1 if anything failed.
"""

import base64
import json
import logging
import os
import pathlib
import secrets
import subprocess
import sys
import tempfile
import urllib.request
import warnings

import urllib3
from ibind import IbkrClient, events
from ibind.oauth import oauth1a
from ibind.oauth.oauth1a import OAuth1aConfig
from ibind_check import Check as Asked, accounts, contracts, market_data, portfolio
from ibind_ws import Check, Socket, comes, filled, subscribe

warnings.simplefilter("ignore")
urllib3.disable_warnings()
logging.disable(logging.CRITICAL)

HERE = pathlib.Path(__file__).parent
CONSUMER = "INVENTED1"
ACCOUNT = "U1234567"
# ffdhe2048 of RFC 7919, whose generator is 2.
PRIME = json.loads((HERE / "../../oauth/tests/vectors/vectors.json").read_text())["dh_prime"]
VECTORS = 50
NONCE, TIME = oauth1a.generate_oauth_nonce, oauth1a.generate_request_timestamp


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def keys(folder):
    """Two pairs, as a person makes them."""
    for name in ("signature", "encryption"):
        private, public = folder / f"private_{name}.pem", folder / f"public_{name}.pem"
        openssl("genrsa", "-out", str(private), "2048")
        openssl("rsa", "-in", str(private), "-outform", "PEM", "-pubout", "-out", str(public))


def control(url, body):
    request = urllib.request.Request(url.rstrip("/") + "/oauth", json.dumps(body).encode(), method="POST")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def config(folder, base, shown):
    return OAuth1aConfig(
        init_oauth=False, shutdown_oauth=False, oauth_rest_url=base + "/v1/api/", consumer_key=CONSUMER, dh_prime=PRIME, dh_generator="2",
        realm="limited_poa", access_token=shown["accessToken"], access_token_secret=shown["accessTokenSecret"],
        encryption_key_fp=str(folder / "private_encryption.pem"), signature_key_fp=str(folder / "private_signature.pem"),
        live_session_token_endpoint="oauth/live_session_token",
    )


def client(folder, base, shown):
    made = IbkrClient(use_oauth=True, oauth_config=config(folder, base, shown), account_id=ACCOUNT)
    # The simulator's certificate is as a gateway's: of nobody.
    made.cacert = False
    return made


# Our signatures beside those of ibind's functions.


def parameters(header):
    """Of an Authorization header, with its realm."""
    pairs = (pair.partition("=") for pair in header.removeprefix("OAuth ").split(","))
    return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


def signed(settings, method, url, nonce, seconds, **how):
    """A header of ibind's, whose nonce and time are these."""
    oauth1a.generate_oauth_nonce, oauth1a.generate_request_timestamp = lambda: nonce, lambda: str(seconds)
    return oauth1a.generate_oauth_headers(settings, method, url, **how)["Authorization"]


def vector(settings, folder, number):
    """One made by chance: what is given, and what ibind comes to."""
    prime, own, theirs = int(PRIME, 16), secrets.token_hex(32), secrets.randbits(256)
    prepend = oauth1a.calculate_live_session_token_prepend(
        settings.access_token_secret, oauth1a.read_private_key(settings.encryption_key_fp)
    )
    response = f"{pow(2, theirs, prime):x}"
    token = oauth1a.calculate_live_session_token(PRIME, own, response, prepend)
    proof = oauth1a.HMAC.new(base64.b64decode(token), CONSUMER.encode(), oauth1a.SHA1).hexdigest()
    challenge = oauth1a.generate_dh_challenge(PRIME, own, 2)
    address, nonce, seconds = "https://api.ibkr.com/v1/api/oauth/live_session_token", NONCE(), 1_790_000_000 + number
    opening = signed(
        settings, "POST", address, nonce, seconds, signature_method="RSA-SHA256", prepend=prepend,
        extra_headers={"diffie_hellman_challenge": challenge},
    )
    requests = [
        {"method": method, "url": f"https://api.ibkr.com/v1/api/{path}", "nonce": NONCE(), "seconds": seconds + 1}
        for method, path in (
            ("GET", "portfolio/accounts"), ("POST", "tickle"), ("DELETE", f"iserver/account/{ACCOUNT}/order/1"),
            ("GET", "iserver/account/My%20Group/%C3%BCmlaut"),
        )
    ]
    headers = [signed(settings, *r.values(), live_session_token=token) for r in requests]
    given = {
        "signing": (folder / "private_signature.pem").read_text(), "secret": settings.access_token_secret,
        "encryption": (folder / "private_encryption.pem").read_text(), "prime": PRIME, "consumer": CONSUMER,
        "token": settings.access_token, "address": address, "nonce": nonce, "seconds": seconds, "dhSecret": own,
        "response": response, "proof": proof, "requests": requests,
    }
    return given, {"challenge": challenge, "opening": opening, "session": token, "requests": headers}


def vectors(check, settings, folder, sign):
    pairs = [vector(settings, folder, number) for number in range(VECTORS)]
    oauth1a.generate_oauth_nonce, oauth1a.generate_request_timestamp = NONCE, TIME
    lines = "".join(json.dumps(given) + "\n" for given, _ in pairs)
    ran = subprocess.run([sign], input=lines, capture_output=True, text=True, timeout=300)
    ours = [json.loads(line) for line in ran.stdout.splitlines()]
    check("each is signed", lambda: len(ours) == VECTORS, lambda: (ran.stderr, len(ours)))
    for number, ((_, theirs), our) in enumerate(zip(pairs, ours)):
        for key in ("challenge", "session"):
            check(f"{key} of {number}", lambda: our[key] == theirs[key], lambda: (our, theirs))
        check(f"opening of {number}", lambda: parameters(our["opening"]) == parameters(theirs["opening"]), lambda: (our, theirs))
        for place, (one, other) in enumerate(zip(our["requests"], theirs["requests"])):
            check(f"request {place} of {number}", lambda: parameters(one) == parameters(other), lambda: (one, other))


# The simulator's side, by somebody else's client.


def refused(check, name, rest, words):
    """That a login fails, and with which words."""
    try:
        rest.oauth_init(maintain_oauth=False, init_brokerage_session=False)
        check(name, lambda: False, lambda: "it was let in")
    except Exception as error:  # ibind's own kinds
        check(name, lambda: words in str(error), lambda: error)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    base, page, sign = sys.argv[1].rstrip("/"), os.environ["CONTROL"], sys.argv[2]
    check = Check()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        keys(folder)
        public = lambda which: (folder / f"public_{which}.pem").read_text()
        shown = control(page, {
            "action": "register", "consumerKey": CONSUMER, "dhPrime": PRIME,
            "signingKey": public("signature"), "encryptionKey": public("encryption"),
        })
        rest = client(folder, base, shown)
        vectors(check, rest.oauth_config, folder, sign)
        refused(check, "it is not active at once", rest, "invalid consumer")
        control(page, {"action": "activate", "consumerKey": CONSUMER})
        rest.oauth_init(maintain_oauth=False, init_brokerage_session=False)
        check("it is logged in", lambda: rest.live_session_token)
        use(check, rest, base, shown["accessToken"])
        # A new token in the middle, as after a day.
        control(page, {"action": "expire"})
        try:
            rest.tickle()
            check("a token that has ended is refused", lambda: False, lambda: "it was taken")
        except Exception as error:
            check("a token that has ended is refused", lambda: "401" in str(error), lambda: error)
        rest.oauth_init(maintain_oauth=False, init_brokerage_session=True)
        established = lambda: rest.authentication_status().data.get("established")
        check("a new one goes on", lambda: comes(established))
        rest.logout()
    print(f"{check.passed} passed, {check.failed} failed")
    sys.exit(1 if check.failed else 0)


def use(check, rest, base, token):
    """What ibind's user does all day: reads, quotes, streams and an order."""
    rest.initialize_brokerage_session()
    check("the session is there", lambda: comes(lambda: rest.authentication_status().data.get("established")))
    account = rest.receive_brokerage_accounts().data["selectedAccount"]
    check("the account is the user's", lambda: account == rest.account_id == ACCOUNT, lambda: account)
    asked = Asked()
    for part in (accounts, portfolio):
        part(asked, rest, account)
    contracts(asked, rest)
    market_data(asked, rest)
    check("reads are answered", lambda: asked.failed == 0 and asked.passed > 20, lambda: (asked.passed, asked.failed))
    socket = Socket(base.replace("https:", "wss:") + "/v1/api/ws", rest, account, use_oauth=True, access_token=token)
    check("the socket opens", socket.start)
    subscribe(check, socket, "signed")
    check("prices are told", lambda: comes(lambda: len(set(socket.quotes())) > 3), socket.quotes)
    filled(check, [socket], rest, account, "oauth")
    check("nothing went wrong at the socket", lambda: socket.of(events.IbkrError, events.WsError) == [], lambda: socket.heard[-3:])
    socket.client.shutdown()


if __name__ == "__main__":
    main()
