"""Answers of `/v1/endpoints` of any size, written without the simulator."""

import json
from pathlib import Path

INSTANCES = 10


def answer(servers: int, changed: int = 0) -> bytes:
    """An answer with so many servers, ten a vhost. `changed` moves one server of one app."""
    apps = [_app(number, changed == number + 1) for number in range(servers // INSTANCES)]
    response = {"status": "SUCCESS", "data": apps, "message": "success"}
    return json.dumps(response, separators=(",", ":")).encode()


def write(directory: Path, servers: int, changes: int) -> list[Path]:
    """Files of an answer, and of those after one change each."""
    files = []
    for changed in range(changes + 1):
        files.append(directory / f"{servers}-{changed}.json")
        files[-1].write_bytes(answer(servers, changed))
    return files


def _app(number: int, changed: bool) -> dict[str, object]:
    return {
        "appId": f"app{number}-1",
        "appName": f"app{number}",
        "vhost": f"app{number}.example.com",
        "tags": {"team": f"team{number % 50}", "tier": "gold"},
        "hosts": [
            {
                "host": f"10.{number >> 8 & 255}.{number & 255}.{1 + instance % 250}",
                "port": 31_000 + instance + (500 if changed and instance == 0 else 0),
                "portType": "HTTP",
            }
            for instance in range(INSTANCES)
        ],
    }
