"""A scriptable Drove cluster over real HTTP, with instances that respond.

It is an independent witness: it writes the responses of controllers itself and imports nothing of
the gateway.
"""

from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.faults import Fault
from drove_gateway.simulator.operations import Change
from drove_gateway.simulator.options import Options
from drove_gateway.simulator.simulator import Simulator

__all__ = ["Change", "Fault", "Options", "Simulator", "SimulatorError"]
