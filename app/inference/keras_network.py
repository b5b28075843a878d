"""The network as a Keras model: the notebook's Embedding → LSTM → Dense and, where it is told more, what that adds.

TensorFlow comes with it: the service imports it for the `keras` decoder alone.
"""

import keras

from model_store.manifest import Input, ModelConfig


def build_network(
    config: ModelConfig,
    batch_size: int | None,
    stateful: bool,
    length: int | None = None,
    recurrent_initializer: str = "glorot_uniform",
    embedding_range: float = 0.05,
) -> keras.Model:
    """Ids [batch_size, length] int32 → logits [batch_size, length, V] float32.

    Where there are inputs, rows [batch_size, length, 1 + inputs] take the place of the ids.

    Args:
        length: None: any.
        embedding_range: each embedding begins uniform between minus and plus this.
    """
    uniform = keras.initializers.RandomUniform(-embedding_range, embedding_range)
    lstm = keras.layers.LSTM(
        config.lstm_units,
        return_sequences=True,
        stateful=stateful,
        recurrent_initializer=recurrent_initializer,
        recurrent_activation="sigmoid",
        name="lstm_0",
    )
    embedding = keras.layers.Embedding(
        config.vocab_size, config.embedding_dim, embeddings_initializer=uniform, name="embedding"
    )
    dense = keras.layers.Dense(config.vocab_size + config.gates, name="dense")
    if not config.inputs:
        ids = keras.Input(batch_shape=(batch_size, length), dtype="int32")
        return keras.Sequential([ids, embedding, lstm, dense])

    rows = keras.Input(batch_shape=(batch_size, length, 1 + len(config.inputs)), dtype="int32")
    embedded, gated = [embedding(rows[..., 0])], []
    for place, each in enumerate(config.inputs, 1):
        numbers = split(each, rows[..., place])
        for number, (name, (size, dim)) in zip(numbers, each.tensors().items(), strict=True):
            lookup = keras.layers.Embedding(size, dim, embeddings_initializer=uniform, name=_layer(name))
            embedded.append(lookup(number))
        gated += [numbers[0]] * each.gate
    outputs = dense(lstm(keras.layers.Concatenate()(embedded)))
    return keras.Model(rows, add_gates(outputs, gated, config.vocab_size))


def split(each: Input, values: keras.KerasTensor) -> list[keras.KerasTensor]:
    """The numbers that an input's values join."""
    numbers = []
    for factor in reversed(each.factors[1:]):
        numbers.append(keras.ops.mod(values, factor))
        values = keras.ops.floor_divide(values, factor)
    return [values, *reversed(numbers)]


def add_gates(outputs: keras.KerasTensor, gated: list[keras.KerasTensor], vocab_size: int) -> keras.KerasTensor:
    """[…, V + gates] → [..., V]: each gate goes to the character that its pointer points at, where it points at one."""
    logits = outputs[..., :vocab_size]
    for number, pointed in enumerate(gated):
        gate = outputs[..., vocab_size + number : vocab_size + number + 1]
        logits = logits + gate * keras.ops.one_hot(pointed, vocab_size + 1)[..., :vocab_size]
    return logits


def variables(model: keras.Model, config: ModelConfig) -> dict[str, keras.Variable]:
    """The model's trainable variables under the names that the model store gives them, in its order."""
    named = {
        "embedding": model.get_layer("embedding").embeddings,
        **{name: model.get_layer(_layer(name)).embeddings for each in config.inputs for name in each.tensors()},
        "dense/kernel": model.get_layer("dense").kernel,
        "dense/bias": model.get_layer("dense").bias,
    }
    cell = model.get_layer("lstm_0").cell
    named |= {f"lstm_0/{part}": getattr(cell, part) for part in ("kernel", "recurrent_kernel", "bias")}
    return {name: named[name] for name in config.weight_shapes()}


def _layer(name: str) -> str:
    return name.replace("/", "_")
