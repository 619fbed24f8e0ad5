"""`python -m drove_gateway` is the command `drove-gateway`."""

from drove_gateway.cli import main

main(prog_name="drove-gateway")
