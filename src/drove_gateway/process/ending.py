"""The end of the process, also where a thread waits for a disk that hangs.

Python waits for the threads of its executors when it ends, and nothing ends such a thread.
"""

import os
import threading
from collections.abc import Callable

_LAST_WORDS_SECONDS = 0.5


def end_within(
    seconds: float,
    last_words: Callable[[], None],
    leave: Callable[[int], None] = os._exit,
    *,
    code: int = 0,
) -> Callable[[], None]:
    """End the process after `seconds` with exit code `code` if it has not ended by itself.

    `last_words` is called first, in a thread of its own, and may hang as well. Call what is
    returned to let the process live.
    """

    def end() -> None:
        speaker = threading.Thread(target=last_words, daemon=True)
        speaker.start()
        speaker.join(_LAST_WORDS_SECONDS)
        leave(code)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    return timer.cancel
