"""Messages between processes: codec (types <-> frames), sockets (Hub, Spoke), keys (CURVE), endpoint (where)."""
from areal_lite.streams.codec import WireError, decode, encode
from areal_lite.streams.endpoint import announce, find
from areal_lite.streams.keys import Keys, make_keys, read_keys
from areal_lite.streams.sockets import Broken, Hub, Spoke

__all__ = ["Broken", "Hub", "Keys", "Spoke", "WireError", "announce", "decode", "encode", "find", "make_keys", "read_keys"]
