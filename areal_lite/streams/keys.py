"""CURVE keys of one run: who may speak to the master. Made once per stage directory, readable by the owner only.

Every spoke of a run shares one client key pair; a peer without it is refused by the hub. A node that does not
see the run directory gets the same four lines through the environment variable AREAL_LITE_KEYS.
"""
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import zmq

ENVIRONMENT = "AREAL_LITE_KEYS"


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """Z85 texts of 40 characters each. No repr: keys never reach a log."""
    server_public: str
    server_secret: str
    client_public: str
    client_secret: str


def make_keys(directory: str | os.PathLike) -> Keys:
    """AREAL_LITE_KEYS or new keys, written to DIRECTORY/curve.json with mode 0600."""
    keys = read_keys(directory) if os.environ.get(ENVIRONMENT) else new_keys()
    file = file_of(directory)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        json.dump(asdict(keys), out)
    return keys


def new_keys() -> Keys:
    """Two fresh key pairs."""
    server, client = zmq.curve_keypair(), zmq.curve_keypair()
    return Keys(*(k.decode() for k in (*server, *client)))


def file_of(directory: str | os.PathLike) -> Path:
    """Where the keys of a stage are."""
    return Path(directory) / "curve.json"


def read_keys(directory: str | os.PathLike) -> Keys:
    """The run's keys from AREAL_LITE_KEYS or DIRECTORY/curve.json; ValueError says where they were looked for."""
    file = file_of(directory)
    text = os.environ.get(ENVIRONMENT) or (file.read_text() if file.exists() else "")
    if not text:
        raise ValueError(f"no keys: neither {file} exists nor is {ENVIRONMENT} set; start the master's node first")
    try:
        return Keys(**json.loads(text))
    except (TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"keys in {ENVIRONMENT} or {file} are malformed; remove them and start the run again") from error
