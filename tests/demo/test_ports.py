"""Demos that start at the same time get different ports."""

import socket

from drove_gateway.demo.processes import claimed_port, free_ports


def test_a_port_that_another_demo_will_use_is_not_given_again() -> None:
    preferred = free_ports(2)
    with claimed_port(preferred) as first, claimed_port(preferred) as second:
        assert first == preferred
        assert second > first


def test_a_port_that_any_program_uses_is_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as program:
        taken = program.getsockname()[1]
        with claimed_port(taken) as port:
            assert port > taken


def test_a_port_can_be_claimed_again_after_its_demo() -> None:
    preferred = free_ports()
    for _ in range(2):
        with claimed_port(preferred) as port:
            assert port == preferred
