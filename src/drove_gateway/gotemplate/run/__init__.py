"""Execution: the interpreter, what compiled code calls, and the limits of both."""
