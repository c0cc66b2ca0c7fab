"""What the sequence needs beside the official client: the simulator's other side, a feed, and checks."""

import asyncio
import base64
import hashlib
import hmac
import json
import struct
import sys
import threading
import urllib.request
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import neo_api_client.utils.neo_utility as utility
from neo_api_client import NeoAPI

IST = timezone(timedelta(hours=5, minutes=30))
# How long something may take that has to come: real seconds, only ever waited for when it does not.
PATIENCE_S = 30


class Checks:
    """Prints a line for each check; knows whether one has failed."""

    def __init__(self):
        self.failed = 0
        self.done = 0

    def that(self, what, holds, seen=None):
        self.done += 1
        if holds:
            print(f"ok    {what}")
            return
        self.failed += 1
        print(f"WRONG {what}\n      saw: {seen!r}")

    def equal(self, what, seen, expected):
        self.that(what, seen == expected, f"{seen!r}, not {expected!r}")

    def end(self):
        print(f"-- {self.done} checks, {self.failed} wrong")
        sys.exit(1 if self.failed else 0)


class Simulator:
    """The control routes, and the simulator's own time."""

    def __init__(self, address, credentials_file):
        self.address = address
        with open(credentials_file, encoding="utf-8") as lines:
            self.known = dict(line.strip().split("=", 1) for line in lines if "=" in line)

    def ask(self, what, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/_sim/{what}", data=data)
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def fault(self, **fault):
        return self.ask("faults", fault)

    def advance(self, seconds):
        return self.ask("clock", {"advance_s": seconds})

    def now(self):
        """As any client can know it: the `Date` of an answer. The client's machine lives in another year."""
        request = urllib.request.Request(f"{self.address}/script-details/1.0/masterscrip/file-paths")
        request.add_header("Authorization", self.known["KOTAK_CONSUMER_KEY"])
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return parsedate_to_datetime(answer.headers["Date"]).astimezone(IST)

    def code(self):
        """RFC 6238 at the simulator's time, on a step that was not used before."""
        self.advance(30)
        secret = base64.b32decode(self.known["KOTAK_TOTP_SECRET"])
        step = struct.pack(">Q", int(self.now().timestamp()) // 30)
        mac = hmac.new(secret, step, hashlib.sha1).digest()
        offset = mac[19] & 15
        word = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
        return f"{word % 1_000_000:06}"

    def client(self):
        """The official client, pointed at the simulator in the way that the README tells."""
        utility.SESSION_PROD_BASE_URL = self.address
        utility.PROD_BASE_URL = self.address
        utility.CONFIG_SERVICE_URL_PROD = self.address
        return NeoAPI(consumer_key=self.known["KOTAK_CONSUMER_KEY"])

    def login(self, client, code=None):
        return client.totp_login(
            mobile_number=self.known["KOTAK_MOBILE_NUMBER"],
            ucc=self.known["KOTAK_UCC"],
            totp=code or self.code(),
        )

    def logged_in(self):
        client = self.client()
        self.login(client)
        client.totp_validate(mpin=self.known["KOTAK_MPIN"])
        return client


class Feed:
    """The official order feed on a thread of its own; remembers what came."""

    def __init__(self, client):
        self._feed = client.create_order_feed(max_connect_retries=0, max_reconnect_attempts=0)
        self._feed.on_raw = lambda text: self._put(self.raw, text)
        self._feed.on_message = lambda message: self._put(self.messages, message)
        self._feed.on_disconnect = self._gone
        self._came = threading.Condition()
        self.raw, self.messages = [], []
        self.closed = False
        self.failure = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._feed.connect())
        except Exception as error:
            self.failure = error
            self._gone()
            return
        self._loop.run_forever()

    def _put(self, where, what):
        with self._came:
            where.append(what)
            self._came.notify_all()

    def _gone(self):
        with self._came:
            self.closed = True
            self._came.notify_all()

    def wait(self, until):
        """Whether `until()` came true."""
        with self._came:
            return self._came.wait_for(until, timeout=PATIENCE_S)

    def statuses(self, number):
        """The statuses of an order, in the order in which they were told."""
        orders = [message.data for message in self.messages if type(message).__name__ == "OrderUpdate"]
        return [order.order_status for order in orders if order.order_id == number]

    def positions(self):
        return [message.data for message in self.messages if type(message).__name__ == "PositionUpdate"]

    def close(self):
        if self._loop.is_running():
            asyncio.run_coroutine_threadsafe(self._feed.close(), self._loop).result(PATIENCE_S)
            self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)


def claims(token):
    """What a token says of itself."""
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))


def midnight_after(at):
    return (at + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def is_long_time(text):
    """`22-Jan-2025 14:28:01`."""
    try:
        datetime.strptime(text, "%d-%b-%Y %H:%M:%S")
    except ValueError:
        return False
    return True
