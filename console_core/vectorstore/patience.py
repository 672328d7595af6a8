"""How long to wait before asking a server again, and when to give up."""

import random
import time
from dataclasses import dataclass, field

_LONGEST = 8.0
_LONGEST_ASKED_FOR = 30.0


@dataclass(slots=True)
class Patience:
    """The pauses between the tries of one call, in seconds: growing, random, and as long as the server asks for.

    There are at most `retries` of them, and none once the call has taken `budget` seconds.
    """

    retries: int
    budget: float
    first_pause: float = 0.25
    tried: int = field(default=0, init=False)
    began: float = field(default_factory=time.monotonic, init=False)

    def pause(self, asked_for: float | None) -> bool:
        """Sleep before another try, or say that there shall be none."""
        length = random.uniform(0.5, 1.0) * min(self.first_pause * 2**self.tried, _LONGEST)
        length = max(length, asked_for or 0.0)
        spent = time.monotonic() - self.began
        if self.tried >= self.retries or length > _LONGEST_ASKED_FOR or spent + length > self.budget:
            return False
        self.tried += 1
        time.sleep(length)
        return True
