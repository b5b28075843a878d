"""What the default model draws for seeds, and a request to a real port, for the tests of what is chosen among draws."""

from collections.abc import Iterable
from typing import Any

import httpx

from app.generation.job_to_sequence import prepare
from app.generation.jobs import GenerationJob
from app.generation.model_registry import Models
from app.inference.sampler import SamplingParams
from app.settings import Settings
from model_store.store import Checkpoint


def draws(checkpoint: Checkpoint, seeds: Iterable[int]) -> list[str]:
    """A text of at most 2,000 new characters for each seed."""
    models = Models(Settings(model_store=checkpoint.folder.parent.parent))
    models.start()
    (model,) = models.all()
    jobs = [GenerationJob(length=2000, sampling=SamplingParams(seed=seed)) for seed in seeds]
    made = [model.engine.submit(prepare(model, job).sequence).done for job in jobs]
    texts = ["X:1\n" + checkpoint.vocabulary.decode(each.result(60).new_ids) for each in made]
    model.engine.close()
    return texts


def generate(client: httpx.Client, **body: Any) -> dict[str, Any]:  # noqa: ANN401
    """The answer to a request that has to succeed."""
    response = client.post("/generate", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer
