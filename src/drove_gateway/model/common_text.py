"""What two texts have in common at their ends, at the speed of comparing bytes. Pure."""


def common_prefix(text: str, other: str) -> int:
    """Return how many characters at the beginning are the same."""
    low, high = 0, min(len(text), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if text[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def common_suffix(text: str, other: str, most: int) -> int:
    """Return how many characters at the end are the same, at most `most`."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        ends = len(text) - low, len(other) - low
        if text[len(text) - middle : ends[0]] == other[len(other) - middle : ends[1]]:
            low = middle
        else:
            high = middle - 1
    return low
