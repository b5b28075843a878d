"""Many tunes by all the machines of a Ray cluster: `python -m deploy.ray.bulk` takes what `python -m app bulk` takes.

Workers draw blocks of seeds; one process writes the tunes down in the seeds' order, with `app.generation.bulk`'s own
notebook. So the file is the one that a single machine makes, byte for byte: a worker that dies is started anew and
draws its block again, to the same tunes, and a writer that dies goes on where it was. Ray Data is not used: its blocks
come in any order and all of them, where a run must drop what is there already and end at a count.
"""

import sys
from collections import deque
from collections.abc import Iterator
from itertools import count, cycle

import ray

from app import __main__ as command_line
from app.abc.tunebook import Tune
from app.generation import bulk
from app.generation.bulk import BulkJob, Drawn
from app.generation.model_registry import Models, ServedModel
from app.settings import Settings

BLOCK = 256  # seeds: a second or two of work
AHEAD = 2  # blocks that each worker has before it


class CoreWorker:
    """One core's engine."""

    def __init__(self, name: str, version: int) -> None:
        models = Models(Settings(models=(name,), decoder_threads=1))  # a worker has one core
        models.start()
        self._model = models.all()[0]
        if self._model.id.version != version:
            raise RuntimeError(f"{name}/{version} is to draw, but this machine's store has {self._model.id.version}")

    def draw(self, job: BulkJob, first_seed: int, end: int) -> list[tuple[int, Tune | None]]:
        """The tunes of a block of seeds."""
        return list(bulk.draw(job, self._model, first_seed, end))


Worker = ray.remote(num_cpus=1, max_restarts=-1, max_task_retries=-1)(CoreWorker)


def draw(job: BulkJob, model: ServedModel, first_seed: int) -> Drawn:
    """What `bulk.draw` yields, drawn by a worker for each core of the cluster."""
    cores = max(1, int(ray.cluster_resources().get("CPU", 1)))
    workers = [Worker.remote(model.id.name, model.id.version) for _ in range(cores)]
    try:
        yield from _in_order(job, first_seed, workers)
    finally:
        for worker in workers:
            ray.kill(worker)


def _in_order(
    job: BulkJob, first_seed: int, workers: list["ray.actor.ActorHandle"]
) -> Iterator[tuple[int, Tune | None]]:
    blocks = zip(count(first_seed, BLOCK), cycle(workers), strict=False)
    under_way: deque[ray.ObjectRef] = deque()
    while True:
        while len(under_way) < AHEAD * len(workers):
            first, worker = next(blocks)
            under_way.append(worker.draw.remote(job, first, first + BLOCK))
        yield from ray.get(under_way.popleft())


def main(arguments: list[str]) -> int:
    """The command: a cluster that runs already is used (`RAY_ADDRESS`), else this machine's cores are."""
    ray.init(log_to_driver=False, include_dashboard=False)
    try:
        return command_line.main(["bulk", *arguments], drawing=draw)
    finally:
        ray.shutdown()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
