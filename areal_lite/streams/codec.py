"""Messages <-> frames. Frame 0 is a msgpack header; every array is a raw frame of its own, never copied, never pickled.

This is the edge where bytes from another process become our types: kind, field names, field types, dtypes, shapes
and sizes are checked here, and anything else is a WireError that the caller counts and drops.
"""
import dataclasses
import typing

import msgpack
import numpy as np

from areal_lite import types

MAX_FRAMES = 1 << 20
MAX_HEADER = 256 << 20
_DTYPES = {"i4": np.dtype("<i4"), "f4": np.dtype("<f4")}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_ARRAY = "\0array"


class WireError(ValueError):
    """Frames that are not one of our messages."""


def encode(message: object) -> list[bytes | memoryview]:
    """A message of types.py -> frames [header, array, array, ...]."""
    frames: list[bytes | memoryview] = [b""]
    frames[0] = msgpack.packb([type(message).__name__, _lower(message, frames)])
    return frames


def decode(frames: list[bytes | memoryview]) -> object:
    """Frames -> a message. Arrays are read-only views of their frames. WireError on anything unexpected."""
    if not 1 <= len(frames) <= MAX_FRAMES or len(frames[0]) > MAX_HEADER:
        raise WireError(f"{len(frames)} frames, header of {len(frames[0]) if frames else 0} bytes")
    try:
        name, fields = msgpack.unpackb(frames[0], strict_map_key=True, use_list=True)
        return _raise_to(_MESSAGES[name], fields, frames)
    except WireError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError, OverflowError,
            msgpack.exceptions.UnpackException) as error:
        raise WireError(f"not a message: {type(error).__name__}: {error}"[:200]) from error


def _lower(x: object, frames: list) -> object:
    if isinstance(x, np.ndarray):
        x = np.ascontiguousarray(x)
        frames.append(x.data if x.size else b"")
        return [_ARRAY, len(frames) - 1, _NAMES[x.dtype], list(x.shape)]
    if dataclasses.is_dataclass(x):
        return [_lower(getattr(x, f.name), frames) for f in dataclasses.fields(x)]
    if isinstance(x, tuple):
        return [_lower(y, frames) for y in x]
    return x


def _raise_to(kind: object, x: object, frames: list) -> object:
    """x as the type `kind`, or WireError."""
    if kind in _FIELDS:
        hints = _FIELDS[kind]
        if not isinstance(x, list) or len(x) != len(hints):
            raise WireError(f"{kind.__name__} has {len(hints)} fields")
        return kind(*[_raise_to(hint, y, frames) for hint, y in zip(hints, x, strict=True)])
    origin = typing.get_origin(kind)
    if origin is tuple:
        if not isinstance(x, list):
            raise WireError("a tuple was expected")
        inner = typing.get_args(kind)[0]
        return tuple([_raise_to(inner, y, frames) for y in x])
    if origin is dict:
        if not isinstance(x, dict) or not all(isinstance(v, int | float) for v in x.values()):
            raise WireError("a table of numbers was expected")
        return {str(k): float(v) for k, v in x.items()}
    if origin is typing.Literal:
        if x not in typing.get_args(kind):
            raise WireError(f"{x!r} is not one of {typing.get_args(kind)}")
        return x
    if kind is np.ndarray:
        return _array(x, frames)
    if kind is float and type(x) is int:
        return float(x)
    if type(x) is not kind:
        raise WireError(f"{type(x).__name__} where {getattr(kind, '__name__', kind)} was expected")
    return x


def _array(x: object, frames: list) -> np.ndarray:
    marker, index, dtype, shape = x
    if marker != _ARRAY or not all(type(n) is int and 0 <= n < 1 << 40 for n in shape) or len(shape) > 2:
        raise WireError("an array was expected")
    if type(index) is not int or not 1 <= index < len(frames):
        raise WireError(f"array frame {index} of {len(frames)}")
    flat = np.frombuffer(frames[index], dtype=_DTYPES[dtype])
    return flat.reshape(shape)


def _fields(kind: type) -> list[object]:
    hints = typing.get_type_hints(kind)
    return [hints[f.name] for f in dataclasses.fields(kind)]


_KINDS = [k for k in vars(types).values() if isinstance(k, type) and dataclasses.is_dataclass(k)]
_FIELDS = {k: _fields(k) for k in _KINDS}
_MESSAGES = {k.__name__: k for k in _KINDS}
