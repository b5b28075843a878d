"""Tunes that are drawn anew while one of them copies a training tune."""

from app.api.schemas import GenerateRequest, GenerateResponse
from app.generation.buffered import AtOnce
from app.generation.generation import Generation
from app.generation.model_registry import ServedModel
from app.generation.originality import Judgement

MOST_DRAWS = 5


class Retrial(AtOnce):
    """Up to `MOST_DRAWS` generations, one after another; the answer is the first without a copy, or with the fewest.

    The seeds of the later ones follow from the first and are no seed that can be asked for, so that an answer's seed
    makes the same answer again, and no other seed's tunes are among those it passes over.
    """

    def __init__(self, model: ServedModel, request: GenerateRequest, seed: int, deadline: float) -> None:
        super().__init__(model, request, seed, deadline, request.start_string)
        self._begun: Generation | None = None

    async def begin(self) -> None:
        """Queue the first; raises as `Generation.begin` does."""
        self._begun = await self._draw(0)

    async def answer(self) -> GenerateResponse:
        """Raises as `Generation.answer` does."""
        made = 0
        drawn: list[GenerateResponse] = []
        generation: Generation | None = self._begun
        try:
            while not drawn or (_copies(drawn[-1]) and len(drawn) < MOST_DRAWS):
                generation = generation or await self._draw(len(drawn))
                drawn.append(await generation.answer())
                made += drawn[-1].generated
                generation = None
        finally:
            self._ended(made)
        return min(drawn, key=_copies).model_copy(update={"seed": self._seed})

    async def _draw(self, number: int) -> Generation:
        return await Generation.begin(self._model, self._request, self._seed_of(number), self._deadline)


def _copies(answer: GenerateResponse) -> int:
    judged = [tune.originality for tune in answer.tunes]
    return sum(found is not None and found.judgement is Judgement.COPIES for found in judged)
