#!/usr/bin/env python3
"""Makes vectors.json: what another implementation comes to for the same keys.

Only Python's own integers, hashes and HMAC are used: no library for RSA, Diffie-Hellman, ASN.1 or OAuth, and nothing of
the crate that is tested. Everything follows from one seed, so that running it again gives the same file. The keys are
invented and belong to nobody.

    python3 make.py > vectors.json
"""

import base64
import hashlib
import hmac
import json
import random
from urllib.parse import quote, quote_plus

CHANCE = random.Random(17)
URL = "https://api.ibkr.com/v1/api"
CONSUMER = "INVENTED1"
TOKEN = "0123456789abcdef0123"


def is_prime(n):
    if any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(40):
        x = pow(CHANCE.randrange(2, n - 1), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(bits, e):
    while True:
        p = CHANCE.getrandbits(bits) | (3 << (bits - 2)) | 1
        if (p - 1) % e and is_prime(p):
            return p


class Key:
    def __init__(self, bits):
        self.e = 65537
        self.p, self.q = prime(bits // 2, self.e), prime(bits // 2, self.e)
        self.n = self.p * self.q
        self.d = pow(self.e, -1, (self.p - 1) * (self.q - 1))
        self.size = (bits + 7) // 8

    def encrypt(self, message):
        padding = bytes(CHANCE.randrange(1, 256) for _ in range(self.size - 3 - len(message)))
        block = b"\0\2" + padding + b"\0" + message
        return pow(int.from_bytes(block, "big"), self.e, self.n).to_bytes(self.size, "big")

    def sign(self, text):
        info = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(text.encode()).digest()
        block = b"\0\1" + b"\xff" * (self.size - 3 - len(info)) + b"\0" + info
        return pow(int.from_bytes(block, "big"), self.d, self.n).to_bytes(self.size, "big")

    def pkcs1(self):
        d, p, q = self.d, self.p, self.q
        return sequence(*map(integer, [0, self.n, self.e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]))

    def pkcs8(self):
        return sequence(integer(0), ALGORITHM, tagged(4, self.pkcs1()))

    def public(self):
        return sequence(ALGORITHM, tagged(3, b"\0" + sequence(integer(self.n), integer(self.e))))


def tagged(tag, body):
    length = len(body)
    if length < 128:
        return bytes([tag, length]) + body
    digits = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(digits)]) + digits + body


def integer(n):
    return tagged(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def sequence(*parts):
    return tagged(0x30, b"".join(parts))


ALGORITHM = sequence(tagged(6, bytes.fromhex("2a864886f70d010101")), tagged(5, b""))


def pem(label, der):
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def ffdhe2048():
    """The prime of RFC 7919, from the digits of e as that says: another than the one that is built in."""
    term, total, n = 1 << 2000, 0, 1
    while term:
        total, term, n = total + term, term // n, n + 1
    digits = total >> (2000 - 1918)
    p = 2**2048 - 2**1984 + (digits + 560316) * 2**64 - 1
    assert is_prime(p) and is_prime(p // 2)
    return p


def java(n):
    return n.to_bytes(n.bit_length() // 8 + 1, "big")


def base_string(method, url, params, prepend=""):
    joined = "&".join(f"{k}={v}" for k, v in sorted(params.items()))
    return prepend + "&".join([method, quote_plus(url), quote_plus(joined)])


def header(params, signature):
    quoted = {**params, "oauth_signature": quote_plus(signature)}
    joined = ", ".join(f'{k}="{v}"' for k, v in sorted(quoted.items()))
    return f'OAuth realm="limited_poa", {joined}'


def oauth(method, nonce, timestamp):
    return {
        "oauth_consumer_key": CONSUMER,
        "oauth_nonce": nonce,
        "oauth_signature_method": method,
        "oauth_timestamp": str(timestamp),
        "oauth_token": TOKEN,
    }


def b64(data):
    return base64.b64encode(data).decode()


def token_of(shared, prepend):
    return hmac.new(java(shared), prepend, hashlib.sha1).digest()


def opening(p, keys, prepend, wanted):
    """One exchange in which the shared number has the wanted form."""
    signing, encryption = keys
    ours = CHANCE.getrandbits(256)
    while True:
        theirs = CHANCE.getrandbits(256)
        shared = pow(2, ours * theirs, p)
        if wanted(shared, p):
            break
    params = {**oauth("RSA-SHA256", "abcdefgh12345678", 1790000000), "diffie_hellman_challenge": f"{pow(2, ours, p):x}"}
    base = base_string("POST", f"{URL}/oauth/live_session_token", params, prepend.hex())
    signature = b64(signing.sign(base))
    token = token_of(shared, prepend)
    return {
        "prepend": prepend.hex(),
        "access_token_secret": b64(encryption.encrypt(prepend)),
        "dh_secret": f"{ours:064x}",
        "dh_challenge": params["diffie_hellman_challenge"],
        "base": base,
        "signature": signature,
        "header": header(params, signature),
        "dh_response": f"{pow(2, theirs, p):x}",
        "shared": java(shared).hex(),
        "token": b64(token),
        "token_signature": hmac.new(token, CONSUMER.encode(), hashlib.sha1).hexdigest(),
        "requests": requests(token),
    }


def requests(token):
    calls = [
        ("GET", "/portfolio/accounts", [], "left_out"),
        ("POST", "/iserver/auth/ssodh/init", [], "left_out"),
        ("DELETE", "/iserver/account/U7654321/order/1", [("manualIndicator", "true")], "left_out"),
        ("GET", "/iserver/marketdata/snapshot", [("conids", "265598,8314"), ("fields", "31,84,86")], "left_out"),
        ("GET", "/iserver/marketdata/snapshot", [("conids", "265598,8314"), ("fields", "31,84,86")], "merged"),
        ("GET", "/iserver/secdef/search", [("symbol", "BRK B"), ("name", "Zoë & Søn/+~")], "merged"),
        ("GET", "/iserver/secdef/search", [("symbol", "BRK B")], "in_address"),
    ]
    return [request(token, at, *call) for at, call in enumerate(calls)]


def request(token, at, method, path, query, rule):
    spelled = "&".join(f"{k}={quote(v, safe=',')}" for k, v in query)
    url = f"{URL}{path}" + (f"?{spelled}" if spelled else "")
    params = oauth("HMAC-SHA256", f"nonce{at:011}", 1790000100 + at)
    if rule == "merged":
        # As the standard has it: encoded one by one, and then once more as a whole.
        signed = [(quote(k, safe="~"), quote(v, safe="~")) for k, v in [*params.items(), *query]]
        joined = "&".join(f"{k}={v}" for k, v in sorted(signed))
        base = "&".join([method, quote(f"{URL}{path}", safe="~"), quote(joined, safe="~")])
    else:
        base = base_string(method, url if rule == "in_address" else f"{URL}{path}", params)
    signature = b64(hmac.new(token, base.encode(), hashlib.sha256).digest())
    return {
        "method": method,
        "url": url,
        "query": rule,
        "nonce": params["oauth_nonce"],
        "timestamp": 1790000100 + at,
        "base": base,
        "signature": signature,
        "header": header(params, signature),
    }


def main():
    keys = Key(2048), Key(2048)
    small = Key(1024)
    p = ffdhe2048()
    forms = [
        lambda shared, p: shared.bit_length() == 2048,
        lambda shared, p: 2040 < shared.bit_length() < 2048,
        lambda shared, p: shared.bit_length() == 2040,
        lambda shared, p: shared.bit_length() < 2040,
    ]
    prepends = [bytes([0, 0]) + CHANCE.randbytes(18), CHANCE.randbytes(20), CHANCE.randbytes(32), CHANCE.randbytes(1)]
    print(json.dumps({
        "about": "made by make.py; the keys are invented",
        "consumer_key": CONSUMER,
        "access_token": TOKEN,
        "lst_url": f"{URL}/oauth/live_session_token",
        "signing_pkcs1": pem("RSA PRIVATE KEY", keys[0].pkcs1()),
        "signing_pkcs8": pem("PRIVATE KEY", keys[0].pkcs8()),
        "signing_public": pem("PUBLIC KEY", keys[0].public()),
        "encryption_pkcs1": pem("RSA PRIVATE KEY", keys[1].pkcs1()),
        "encryption_pkcs8": pem("PRIVATE KEY", keys[1].pkcs8()),
        "encryption_public": pem("PUBLIC KEY", keys[1].public()),
        "small_pkcs1": pem("RSA PRIVATE KEY", small.pkcs1()),
        "dh_prime": f"{p:x}",
        "dh_pem": pem("DH PARAMETERS", sequence(integer(p), integer(2))),
        "openings": [opening(p, keys, prepend, form) for prepend, form in zip(prepends, forms)],
    }, indent=1, ensure_ascii=False))


main()
