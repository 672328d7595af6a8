"""What a person does in the Query lab with four columns of answers, in one session, with everything in memory."""

import asyncio
from collections.abc import Awaitable, Callable
from statistics import median

from benchmarks.console.measured import Measured
from benchmarks.console.server import Server
from benchmarks.console.visitor import Answer, PageBroken, Query, Visitor
from benchmarks.console.workspace import Prepared

COLUMNS, LIMIT = 4, "24"
GROUP = f"Query lab, {COLUMNS} columns of {LIMIT} answers"
BUDGET = 0.200
SETTLING = 0.05
QUESTIONS = ("a red car", "snow at night", "two dogs", "a sailing boat on the sea", "pie chart", "a yellow star")

Step = Callable[[Visitor, int], Awaitable[Answer]]


async def measure(server: Server, prepared: Prepared, times: int) -> list[Measured]:
    """Typing another question, looking at a picture with its neighbours, and asking for what is like one; each in a
    session of its own."""
    columns = [*prepared.columns, *(f"{name}~exact" for name in prepared.columns)][:COLUMNS]
    page: Query = {"q": QUESTIONS[0], "columns": columns, "limit": LIMIT}

    async def ask(visitor: Visitor, number: int) -> Answer:
        return await visitor.enter("lab-query", QUESTIONS[number % len(QUESTIONS)])

    async def look(visitor: Visitor, number: int) -> Answer:
        return await visitor.pick("lab-gallery", visitor.shown[number % len(visitor.shown)])

    async def turn_away(visitor: Visitor, number: int) -> Answer:
        return await visitor.open("query_lab", {**page, "q": QUESTIONS[number % len(QUESTIONS)], "not": "night"})

    async def like(visitor: Visitor, number: int) -> Answer:
        key = visitor.shown[number % len(visitor.shown)]
        return await visitor.open("query_lab", {"like": key, "columns": columns, "limit": LIMIT})

    steps: dict[str, Step] = {
        "another question is typed": ask,
        "a picture is opened, with its neighbours in each column": look,
        "another question, and a word to turn away from": turn_away,
        "pictures like one of the answers": like,
    }
    lines = []
    for name, step in steps.items():
        async with Visitor(server.url) as visitor:
            await visitor.open("")
            await visitor.open("query_lab", page)
            lines.append(await _measured(server, visitor, name, step, times))
    return lines


async def _measured(server: Server, visitor: Visitor, name: str, step: Step, times: int) -> Measured:
    walls, cpu, most, answer = [], [], 0, Answer()
    for number in range(1, times + 2):
        await asyncio.sleep(SETTLING)
        before = server.cpu()
        answer = await step(visitor, number)
        await asyncio.sleep(SETTLING)
        cpu.append(server.cpu() - before)
        walls.append(answer.seconds)
        most = max(most, answer.thumbnails)
        if number == 1 and answer.thumbnails < int(LIMIT):  # what was sent before is not sent again
            raise PageBroken(f"{name}: {answer.thumbnails} pictures were shown.")
    return Measured(GROUP, name, median(walls[1:]), median(cpu[1:]), max(walls[1:]), answer.bytes, times, most, BUDGET)
