"""The one error of the simulator."""


class SimulatorError(Exception):
    """What was asked cannot be done. The message says what can."""
