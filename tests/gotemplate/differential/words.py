"""Where Go's words and ours differ, and why."""

import re


def without_package(text: str) -> str:
    """Go puts the package before a struct's name, `main.Host`; here it is the class's name."""
    return re.sub(r"\bmain\.(?=[a-z])", "", text, flags=re.IGNORECASE)


def in_our_words(message: str) -> str:
    """Some of Go's messages say more since Go 1.24 than they did before."""
    message = without_package(message)
    message = re.sub(r"(incompatible types for comparison): .*", r"\1", message)
    return re.sub(r"non-function .* of type", "non-function of type", message)
