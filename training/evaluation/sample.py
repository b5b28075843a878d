"""Draws tunes from a trained network with the service's own decoder, engine and sampler."""

import tempfile
from pathlib import Path

from app.abc.tunebook import TuneCounter
from app.inference.decoder import LiteRTDecoder
from app.inference.engine import Engine
from app.inference.sampler import SamplingParams
from app.inference.sequence import Sequence
from model_store.errors import UnknownCharacterError
from training.corpora.corpus import SEPARATOR
from training.errors import ConfigError
from training.evaluation.weights_source import Trained
from training.publishing.export import decoder_graph

MAX_BATCH = 32


def sample(
    trained: Trained, start: str, seeds: range, temperature: float, max_characters: int, quantise: bool = True
) -> list[str | None]:
    """One whole tune for each seed, without the blank lines around it; None where it did not end in time.

    Args:
        start: what each tune begins with; the empty string leaves even the `X:` to the network.

    Raises:
        ConfigError: `start` holds a character that the network does not know.
    """
    vocabulary = trained.vocabulary
    try:
        prompt = vocabulary.encode(SEPARATOR + start)
    except UnknownCharacterError as error:
        raise ConfigError(f"start: {error}") from None

    def sequence(seed: int) -> Sequence:
        counter = TuneCounter()
        for character in start:
            counter.feed(character)
        params = SamplingParams(temperature=temperature, seed=seed)
        return Sequence(prompt, max_characters, params, stop=lambda id_: counter.feed(vocabulary.characters[id_]))

    with tempfile.TemporaryDirectory(prefix="lilt-sample-") as name:
        graph = Path(name) / "decoder.tflite"
        graph.write_bytes(decoder_graph(trained.weights, quantise, trained.network.inputs))
        engine = Engine(LiteRTDecoder(graph, MAX_BATCH, characters=vocabulary.characters), max_waiting=len(seeds))
    try:
        waiting = [engine.submit(sequence(seed)).done for seed in seeds]
        finished = [future.result() for future in waiting]
    finally:
        engine.close()
    return [
        (start + vocabulary.decode(each.new_ids)).strip("\n") if each.finish_reason == "tunes" else None
        for each in finished
    ]
