"""The exported graph is the network: step by step the same logits, at any batch size."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from app.inference.decoder import LiteRTDecoder, read
from app.inference.keras_network import build_network as build_model
from model_store.manifest import ModelConfig
from model_store.store import Checkpoint
from model_store.vocabulary import Vocabulary
from training.corpora import corpus
from training.evaluation.decoder_loss import decoder_loss
from training.evaluation.heldout_loss import Scorer
from training.evaluation.weights_source import from_run
from training.learning.model import set_weights
from training.learning.reading import Reader
from training.learning.run_folder import RunFolder
from training.publishing.export import SIGNATURE, decoder_graph, export

STEPS = 400

Weights = Mapping[str, NDArray[np.float32]]


def litert_logits(graph: bytes, ids: NDArray[np.int32], folder: Path, characters: str) -> NDArray[np.float32]:
    """Ids [T] → logits [T, V], one step at a time."""
    file = folder / "decoder.tflite"
    file.write_bytes(graph)
    decoder = LiteRTDecoder(file, 2, characters=characters)
    state = decoder.initial_state(1)
    rows = []
    for what in read(decoder, ids):
        logits, state = decoder.step(what[None], state)
        rows.append(logits[0].copy())
    return np.array(rows)


def keras_logits(
    network: ModelConfig, weights: Weights, ids: NDArray[np.int32], vocabulary: Vocabulary
) -> NDArray[np.float32]:
    ids = Reader.of_width(vocabulary, len(network.inputs)).read(vocabulary.decode(ids.tolist()))
    model = build_model(network, 1, stateful=False)
    set_weights(model, network, weights)
    logits: NDArray[np.float32] = np.asarray(model(ids[None]))[0]
    return logits


def test_float32_logits_are_keras_over_400_characters_of_a_real_tunebook(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    weights, network = checkpoint.weights(), checkpoint.manifest.model
    ids = checkpoint.vocabulary.encode(corpus.load([]).text[:STEPS])
    graph = decoder_graph(weights, quantise=False, inputs=network.inputs)
    ours = litert_logits(graph, ids, tmp_path, checkpoint.manifest.vocabulary)
    np.testing.assert_allclose(ours, keras_logits(network, weights, ids, checkpoint.vocabulary), atol=1e-4)


def test_the_published_int8_graph_loses_next_to_nothing(checkpoint: Checkpoint) -> None:
    tunes = corpus.load(["lab"], translate=True).sides.test[:16]
    exact = (
        Scorer(tunes, checkpoint.vocabulary, checkpoint.manifest.model.inputs)
        .score(checkpoint.weights())
        .nats_per_character
    )
    served = decoder_loss(checkpoint.path("decoder.tflite"), tunes, checkpoint.vocabulary).nats_per_character
    assert served == pytest.approx(exact, abs=0.01)


def test_stepping_the_graph_scores_what_the_network_scores(tiny_run: RunFolder, tmp_path: Path) -> None:
    trained, tunes = from_run(tiny_run), tiny_run.corpus().tunes
    graph = tmp_path / "decoder.tflite"
    graph.write_bytes(decoder_graph(trained.weights, quantise=False))
    exact = Scorer(tunes, trained.vocabulary).score(trained.weights)
    stepped = decoder_loss(graph, tunes, trained.vocabulary)
    assert stepped.characters == exact.characters == sum(len(tune) + 2 for tune in tunes)
    assert stepped.nats == pytest.approx(exact.nats, rel=1e-4)


def test_the_graph_names_its_inputs_and_outputs(tiny_run: RunFolder) -> None:
    interpreter = Interpreter(model_content=decoder_graph(tiny_run.best_weights()))
    signatures = interpreter.get_signature_list()
    assert {name: set(ends["inputs"]) for name, ends in signatures.items()} == {SIGNATURE: {"ids", "h", "c"}}
    assert set(signatures[SIGNATURE]["outputs"]) == {"logits", "h", "c"}


def test_the_products_are_int8(checkpoint: Checkpoint) -> None:
    network = checkpoint.manifest.model
    interpreter = Interpreter(model_path=str(checkpoint.path("decoder.tflite")))
    int8 = {tuple(t["shape"]) for t in interpreter.get_tensor_details() if t["dtype"] is np.int8}
    assert (4 * network.lstm_units, network.lstm_units) in int8  # h @ Wh
    assert (network.vocab_size + network.gates, network.lstm_units) in int8  # h' @ Wd


def test_export_writes_the_weights_both_graphs_and_the_index(tiny_run: RunFolder) -> None:
    files = export(tiny_run)
    expected = ["weights.safetensors", "decoder.tflite", "tunes.safetensors", "decoder-float32.tflite"]
    assert [file.name for file in files] == expected
    assert all(file.stat().st_size for file in files)
