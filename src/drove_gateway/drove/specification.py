"""The parts of an app's specification that matter for its traffic, as Drove lists it. Pure.

`GET /v1/applications/{id}/spec` returns the specification that the app was created with. Durations
are Dropwizard's: a number and a unit, such as `5 seconds` or `500ms`.
"""

import re

import msgspec

from drove_gateway.drove import wire
from drove_gateway.drove.excerpt import Hide

# So many digits that every number can be computed with.
_DURATION = re.compile(r"(\d{1,15})\s*([a-z]*)", re.IGNORECASE)
_SECONDS = {
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("us", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ms", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("s", "second", "seconds"), 1.0),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
    **dict.fromkeys(("d", "day", "days"), 86_400.0),
}


class AppSpecification(msgspec.Struct, frozen=True):
    """How an app's instances are stopped and exposed.

    `wait_before_kill` is for how many seconds an instance still runs after it left the endpoints;
    None if it is written in a way that is not known. `mode` is the mode of the exposure, such as
    ALL or ONE; empty if the app is not exposed.
    """

    wait_before_kill: float | None = 0.0
    mode: str = ""


class _PreShutdown(msgspec.Struct, rename="camel"):
    wait_before_kill: str | None = None


class _Exposure(msgspec.Struct):
    mode: str | None = None


class _Specification(msgspec.Struct, rename="camel"):
    pre_shutdown: _PreShutdown | None = None
    exposure_spec: _Exposure | None = None


_DECODER = msgspec.json.Decoder(_Specification)


def specification(body: bytes, hide: Hide) -> AppSpecification:
    """Decode a response. Raises BadResponse."""
    data = wire.success(body, hide)
    read = wire.decoded(_DECODER, data, "the response is not a specification", hide)
    wait = read.pre_shutdown.wait_before_kill if read.pre_shutdown else None
    mode = read.exposure_spec.mode if read.exposure_spec else None
    return AppSpecification(0.0 if wait is None else seconds(wait), (mode or "").upper())


def seconds(duration: str) -> float | None:
    """Return a duration in seconds; None if it is not a duration."""
    match = _DURATION.fullmatch(duration.strip())
    if match is None:
        return None
    unit = _SECONDS.get(match[2].lower())
    return None if unit is None else int(match[1]) * unit
