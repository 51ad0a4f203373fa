"""Two sockets are enough: the master binds one Hub, every other process connects one Spoke.

Backpressure is not here: the scheduler's ticket gate bounds what can be in flight, so no high-water mark ever
holds a message back. Both sides are CURVE-encrypted; a peer without the run's client key is refused and counted.
A Spoke sends heartbeats by itself; the hub's owner answers each, so both sides know when the other has gone.

What was under way on a connection that breaks is lost, so both sides forget it: the spoke says Broken to its owner,
throws away what was said before, and speaks again, on a new connection, from its owner's next Hello on.
"""
import queue
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import zmq
from zmq.auth.thread import ThreadAuthenticator
from zmq.utils.monitor import recv_monitor_message

from areal_lite.streams.codec import WireError, decode, encode
from areal_lite.streams.keys import Keys
from areal_lite.types import Heartbeat, Hello, Stop

HEARTBEAT_S = 1.0
_MAX_FRAME = 1 << 30
_CLOSE = b"\0close"
_EVENTS = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_DISCONNECTED
_BREAK_S = 1.0
"""A connection's end reaches its socket no later than this after the monitor."""
_HUNG_UP = 5
"""Handshakes that end without a word in one silence: with a master that is only starting nobody answers at all."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The connection to the hub is not what it was. Only ever delivered by a Spoke to its own process."""
    reason: str


class Hub:
    """The master's ROUTER socket. Used by one thread."""

    def __init__(self, address: str, keys: Keys):
        """address: tcp://host:port, port * for any free one. zmq.ZMQError when the port is taken."""
        self._context = zmq.Context()
        self.malformed, self._accepted, self._shaken, self._broke = 0, 0, 0, -_BREAK_S
        self._auth = ThreadAuthenticator(self._context)
        self._auth.start()
        self._auth.configure_curve_callback(domain="*", credentials_provider=_OnlyKey(keys.client_public))
        socket = self._socket = self._context.socket(zmq.ROUTER)
        socket.curve_server = True
        socket.curve_publickey, socket.curve_secretkey = keys.server_public.encode(), keys.server_secret.encode()
        socket.router_mandatory = True         # a send to a peer that is gone raises instead of vanishing
        socket.router_handover = True          # a restarted peer takes its name back
        socket.maxmsgsize = _MAX_FRAME
        socket.set_hwm(0)
        self._monitor = socket.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        try:
            socket.bind(address)
        except zmq.ZMQError:
            self.close()
            raise
        self.address = socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def send(self, peer: str, message: object) -> bool:
        """Queue a message; False when the peer is not connected (its silence will be noticed)."""
        try:
            self._socket.send_multipart([peer.encode(), *encode(message)], copy=False)
            return True
        except zmq.ZMQError as error:
            if error.errno == zmq.EHOSTUNREACH:
                return False
            raise

    def receive(self, timeout_s: float) -> tuple[str, object] | None:
        """Next (peer, message), or None after timeout_s or when what came was malformed (then counted)."""
        if not self._socket.poll(int(timeout_s * 1000)):
            return None
        peer, *frames = self._socket.recv_multipart(copy=False)
        try:
            return peer.bytes.decode(), decode([f.buffer for f in frames])
        except (WireError, UnicodeDecodeError):
            self.malformed += 1
            return None

    @property
    def refused(self) -> int:
        """Connections so far that did not show the run's key: another key, another protocol, or nothing at all."""
        self._listen()
        return max(0, self._accepted - self._shaken)

    def gone(self, peers: Iterable[str]) -> list[str]:
        """Those of the peers whose connection has broken; [] while there are messages to receive, which may be theirs."""
        self._listen()
        if time.monotonic() - self._broke > _BREAK_S:
            return []
        if self._socket.poll(0):
            self._broke = time.monotonic()     # ask again when they have been received
            return []
        return [peer for peer in peers if not self.send(peer, Heartbeat("serving", 0.0))]

    def _listen(self) -> None:
        """Take what the monitor has to say."""
        while self._monitor.poll(0):
            match recv_monitor_message(self._monitor)["event"]:
                case zmq.EVENT_ACCEPTED:
                    self._accepted += 1
                case zmq.EVENT_HANDSHAKE_SUCCEEDED:
                    self._shaken += 1
                case zmq.EVENT_DISCONNECTED:
                    self._broke = time.monotonic()

    def close(self, linger_s: float = 5.0) -> None:
        """Deliver what is queued, for at most linger_s, and leave."""
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(linger=int(linger_s * 1000))
        self._auth.stop()
        self._context.term()


class _OnlyKey:
    """ZAP credentials provider: exactly one client key is welcome."""

    def __init__(self, public: str):
        self._public = public.encode()

    def callback(self, domain: str, key: bytes) -> bool:
        """True when key (z85 bytes) is the run's client key."""
        return key == self._public


class Spoke:
    """A DEALER socket on a thread of its own: send from any thread, receive on yours or by callback."""

    def __init__(self, address: str, name: str, keys: Keys, deliver: Callable[[object], None] | None = None,
                 silence_s: float = 600.0):
        """deliver(message) runs on the spoke's thread; without it messages wait for receive().

        Broken is delivered when the connection breaks and after silence_s without a word from the hub; Stop when the
        hub refuses the keys, or hung up all that time.
        """
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._deliver = deliver or self._inbox.put
        self._silence_s, self._address, self._name, self._keys = silence_s, address, name, keys
        self._note, self._since, self._counters = "starting", time.monotonic(), {}
        self._context = zmq.Context()
        self._outbox, self._outgoing = self._context.socket(zmq.PUSH), self._context.socket(zmq.PULL)
        for socket in (self._outbox, self._outgoing):
            socket.set_hwm(0)
        self._outgoing.bind("inproc://outgoing")
        self._outbox.connect("inproc://outgoing")
        self._connect()
        self._spoken, self._deaf = False, False
        """Whether anything was said on this connection; whether what is said is thrown away until a Hello."""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name=f"spoke {name}", daemon=True)
        self._thread.start()

    def _connect(self) -> None:
        """A new connection, and a monitor that says when it breaks."""
        dealer = self._dealer = self._context.socket(zmq.DEALER)
        dealer.curve_serverkey = self._keys.server_public.encode()
        dealer.curve_publickey, dealer.curve_secretkey = self._keys.client_public.encode(), self._keys.client_secret.encode()
        dealer.setsockopt_string(zmq.IDENTITY, self._name)
        dealer.set_hwm(0)
        dealer.maxmsgsize = _MAX_FRAME
        self._monitor, self._shaken, self._hung_up = dealer.get_monitor_socket(_EVENTS), False, 0
        dealer.connect(self._address)

    def send(self, message: object) -> None:
        """Queue a message for the hub; thread-safe, never blocks."""
        first = b"hello" if isinstance(message, Hello) else b""
        with self._lock:
            self._outbox.send_multipart([first, *encode(message)], copy=False)

    def receive(self, timeout_s: float) -> object | None:
        """Next message, or None after timeout_s."""
        try:
            return self._inbox.get(timeout=timeout_s)
        except queue.Empty:
            return None

    def doing(self, note: str) -> None:
        """What the next heartbeats say this process is waiting for or busy with."""
        self._note, self._since = note, time.monotonic()

    def counters(self, totals: dict[str, float]) -> None:
        """Numbers the next heartbeats carry."""
        self._counters = dict(totals)

    def close(self, linger_s: float = 60.0) -> None:
        """Deliver everything queued, for at most linger_s (linger 0 loses most of it), and leave."""
        with self._lock:
            self._outbox.send(_CLOSE)
        self._thread.join(linger_s + 5.0)      # it only has to pass the outbox on
        self._outbox.close(0)
        self._outgoing.close(0)
        self._hang_up(int(linger_s * 1000))
        self._context.term()

    def _run(self) -> None:
        beat = self._heard = time.monotonic()
        while True:
            ready = dict(zmq.zmq_poll([(s, zmq.POLLIN) for s in (self._dealer, self._outgoing, self._monitor)],
                                      int(HEARTBEAT_S * 1000)))
            now = time.monotonic()
            if self._outgoing in ready:
                first, *frames = self._outgoing.recv_multipart(copy=False)
                if first.bytes == _CLOSE:
                    return
                self._pass_on(first.bytes == b"hello", frames)
            if self._dealer in ready:
                self._heard = now
                self._incoming([f.buffer for f in self._dealer.recv_multipart(copy=False)])
            if now - beat >= HEARTBEAT_S and self._spoken and not self._deaf:
                beat = now
                self._say(encode(Heartbeat(self._note, now - self._since, self._counters)))
            if self._monitor in ready:
                self._happened(recv_monitor_message(self._monitor)["event"])
            if now - self._heard > self._silence_s:
                if self._hung_up > _HUNG_UP:
                    self._deliver(Stop(f"{self._address} hangs up: the keys are of another run, or it is not the master's address"))
                self._break(f"no word from the master for {self._silence_s:.0f} s")

    def _pass_on(self, hello: bool, frames: list) -> None:
        """Give a message to the connection, unless it belongs to one that broke."""
        self._deaf = self._deaf and not hello
        if not self._deaf:
            self._spoken = True
            self._say(frames)

    def _say(self, frames: list) -> None:
        try:
            self._dealer.send_multipart(frames, zmq.DONTWAIT, copy=False)
        except zmq.Again:
            self._deaf = True                  # the hub refused the keys; the monitor says so next

    def _happened(self, event: int) -> None:
        """The monitor says something about this connection."""
        if event == zmq.EVENT_HANDSHAKE_SUCCEEDED:
            self._shaken = True
        elif event == zmq.EVENT_HANDSHAKE_FAILED_AUTH:
            self._deliver(Stop(f"the master at {self._address} refuses this process's keys: they are of another run"))
        elif self._shaken:                     # EVENT_DISCONNECTED
            self._break("the connection to the master broke")
        else:
            self._hung_up += 1

    def _hang_up(self, linger_ms: int) -> None:
        self._dealer.disable_monitor()
        self._monitor.close(0)
        self._dealer.close(linger_ms)

    def _break(self, why: str) -> None:
        while self._dealer.poll(0):                # what came before the break counts; it may be the Stop that explains it
            self._incoming([f.buffer for f in self._dealer.recv_multipart(copy=False)])
        self._hang_up(0)
        self._connect()
        self._heard, self._spoken, self._deaf = time.monotonic(), False, True
        self._deliver(Broken(why))

    def _incoming(self, frames: list) -> None:
        try:
            message = decode(frames)
        except WireError:
            return                             # the hub is authenticated; a newer one may speak words we do not know
        if not isinstance(message, Heartbeat):
            self._deliver(message)
