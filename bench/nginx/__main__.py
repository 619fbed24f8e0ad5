"""NGINX Plus over its API, NGINX by reloads, and NGINX with Lua, at 1,000 vhosts with 10 servers
each. `--only` chooses some of them; the load of the machine is printed with the results.
"""

import argparse
import asyncio
import logging
import os

import structlog
from bench.nginx.cluster import SERVERS, VHOSTS
from bench.nginx.lua import lua
from bench.nginx.plus import plus
from bench.nginx.reloads import reloads
from bench.report import announce, save, show

CASES = {
    "plus": (plus, "Goals: calls at most 1.1 x the least; one server at most 20 ms"),
    "reloads": (reloads, "Goal: overhead at most 100 ms"),
    "lua": (lua, "NGINX with Lua"),
}


def main() -> None:
    """Run the cases, print their numbers beside the goals, and save them."""
    parser = argparse.ArgumentParser(prog="python -m bench nginx", description=__doc__)
    parser.add_argument("--only", choices=list(CASES), action="append")
    chosen = parser.parse_args().only or list(CASES)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    announce(f"NGINX at {VHOSTS:,} vhosts x {SERVERS} servers")
    rows: list[dict[str, object]] = []
    for name in chosen:
        measure, title = CASES[name]
        found = asyncio.run(measure())
        load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
        show(f"{title}; load of the machine {load}", found)
        rows += found
    save("nginx" if len(chosen) == len(CASES) else f"nginx-{'-'.join(chosen)}", rows)


if __name__ == "__main__":
    main()
