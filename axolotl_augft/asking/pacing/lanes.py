"""The servers of a teacher -> the one that a request goes to: where its prefix is cached, else where there is room.

A server that fails again and again is left out while others work.
"""

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

from axolotl_augft.asking.pacing.gate import Gate
from axolotl_augft.asking.pacing.pace import Pace
from axolotl_augft.asking.pacing.throttle import Throttle
from axolotl_augft.errors import TeacherError
from axolotl_augft.teacher.answer import Answer, Failure
from axolotl_augft.teacher.client import Client, Server, open_session
from axolotl_augft.teacher.request import Request

LOG = logging.getLogger("axolotl_augft")
_PREFIXES = 256
_UNCONNECTED = 3
_FAILURES = 8


class Lane:
    """A server during a round, and how much it takes.

    Attributes:
        client: Sends to the server.
        gate: Limits its requests in flight.
        throttle: Holds requests back while it refuses them because of a limit.
        under_way: Number of requests that it has not answered yet.
        is_out: It gets no more requests in this round.
    """

    def __init__(self, client: Client, pace: Pace) -> None:
        self.client = client
        self.gate = Gate(pace.max_concurrency, pace.clock, pace.first_concurrency)
        self.throttle = Throttle(self.gate, pace.clock, pace.sleep)
        self.under_way = 0
        self.is_out = False
        self._expected = 0
        self._failures = 0

    @property
    def room(self) -> int:
        """How many more requests it takes now; below 0 if some have to wait."""
        return self.gate.room - self._expected

    @contextmanager
    def expecting(self) -> Iterator[None]:
        """Count a request that waits to be sent here."""
        self._expected += 1
        try:
            yield
        finally:
            self._expected -= 1

    def lets_pass(self, request: Request, pauses: int) -> bool:
        """Whether a request may be sent right now; `pauses` is what the throttle's `turn` returned."""
        return not self.is_out and self.throttle.lets_pass(request, pauses)

    def fails_again(self, result: Answer | Failure) -> bool:
        """Take note of a result; tell whether the server has failed too often in a row. Being busy is no failure."""
        if isinstance(result, Answer):
            self._failures = 0
        elif not (result.busy or result.over_limit):
            self._failures += 1
            return self._failures >= (_UNCONNECTED if result.unconnected else _FAILURES)
        return False

    def leave_out(self) -> None:
        """Send nothing more here; requests that wait for this server go on at once, to find another."""
        self.is_out = True
        self.throttle.end()
        self.gate.end()


class Lanes:
    """The servers of a round.

    Args:
        lanes: The servers, which all serve the same model; at least one.
    """

    def __init__(self, lanes: Sequence[Lane]) -> None:
        self._lanes = list(lanes)
        self._warm: OrderedDict[bytes, list[Lane]] = OrderedDict()

    def choose(self, request: Request, avoided: Lane | None = None) -> Lane:
        """Choose the server for a request; `avoided` is one that has just failed on it.

        A request with a long prefix goes to a server that has this prefix in its cache, unless that one has no room
        while another has little to do. Any other request goes to the server with the most room.
        """
        if len(self._lanes) == 1:
            return self._lanes[0]
        others = [lane for lane in self._in() if lane is not avoided] or self._in()
        freest = max(others, key=lambda lane: lane.room)
        if not request.prefix.is_long:
            return freest
        warm = self._warm.setdefault(request.prefix.digest, [])
        self._warm.move_to_end(request.prefix.digest)
        if len(self._warm) > _PREFIXES:
            self._warm.popitem(last=False)
        best = max((lane for lane in others if lane in warm), key=lambda lane: lane.room, default=None)
        if best is not None and (best.room > 0 or 2 * freest.room < freest.gate.limit):
            return best
        warm.append(freest)
        return freest

    def leaves_out(self, lane: Lane, result: Answer | Failure) -> bool:
        """Take note of a result; tell whether it is the one for which the server is left out from now on."""
        if not lane.fails_again(result) or lane.is_out or len(self._in()) == 1:
            return False
        assert isinstance(result, Failure)
        lane.leave_out()
        LOG.warning(
            "augft: the teacher's server at %s is left out for the rest of this round (%s); the others go on",
            lane.client.address, result.reason,
        )  # fmt: skip
        return True

    def give_up(self, request: Request) -> None:
        """Let another request try a server that refused this one, which is not sent again."""
        for lane in self._lanes:
            lane.throttle.give_up(request)

    async def window(self) -> int | None:
        """Ask the servers for the most tokens of prompt and answer together; None if none says.

        Raises:
            TeacherError: They serve different models.
        """
        asked = {lane.client.address: await lane.client.models() for lane in self._lanes}
        served = {address: models for address, models in asked.items() if models is not None}
        names = {address: models.offered for address, models in served.items()}
        if len(set(names.values())) > 1:
            listed = "; ".join(
                f"{address} has {', '.join(sorted(offered)) or 'none'}" for address, offered in names.items()
            )
            raise TeacherError(
                f"augft.teacher.base_url lists servers of different models, but all must serve one: {listed}"
            )
        windows = [models.window for models in served.values() if models.window is not None]
        return min(windows, default=None)

    def _in(self) -> list[Lane]:
        return [lane for lane in self._lanes if not lane.is_out]


@asynccontextmanager
async def open_lanes(servers: Sequence[Server], pace: Pace) -> AsyncIterator[Lanes]:
    """Open a session with each server for the length of a `with` block.

    Raises:
        ConfigError: As `open_session`.
    """
    async with AsyncExitStack() as stack:
        sessions = [await stack.enter_async_context(open_session(server)) for server in servers]
        clients = [Client(server, session) for server, session in zip(servers, sessions, strict=True)]
        yield Lanes([Lane(client, pace) for client in clients])
