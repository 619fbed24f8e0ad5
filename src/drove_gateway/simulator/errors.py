"""The error of the simulator."""


class SimulatorError(Exception):
    """Raised when a command cannot be carried out. The message says what is possible."""
