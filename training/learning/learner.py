"""Owns what changes as a network learns: weights, optimizer, carried state; on a CPU, GPUs, or several machines."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from training.errors import CheckpointError, ConfigError
from training.learning import lstm
from training.learning.config import TrainingConfig
from training.learning.input_pipeline import Batch
from training.learning.lstm import State
from training.learning.model import Noise, build_network, forward, model_config, set_weights, variables
from training.learning.start import widen
from training.learning.teacher import Teacher
from training.learning.workers import Workers

Tensors = dict[str, NDArray[Any]]
FLOOR = 0.02  # share of the learning rate that the cosine ends at
_STATES = ("h", "c", "teacher_h", "teacher_c")


class Learner:
    """A network in training.

    Args:
        config: the run's settings; `precision` is one of the two, or `auto`, which is float32 here.
        vocab_size: characters it reads and predicts.
        devices: names of the devices to learn on; all GPUs if not given, else the CPU. Those of each worker, where
            TF_CONFIG names several.
        teacher: the weights of a network that is told the same, for a recipe that distils.

    Raises:
        ConfigError: the batch cannot be shared out evenly among the devices, or the recipe distils and has no teacher.
    """

    def __init__(
        self,
        config: TrainingConfig,
        vocab_size: int,
        devices: list[str] | None = None,
        teacher: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> None:
        self.workers = Workers.from_environment()
        has_gpu = bool(tf.config.list_physical_devices("GPU"))
        self.config = config
        self.network = model_config(config, vocab_size)
        self._strategy = among_workers() if self.workers.count > 1 else _among_devices(devices)
        self._replicas: int = self._strategy.num_replicas_in_sync
        if config.batch_size % self._replicas:
            raise ConfigError(f"batch_size: {config.batch_size} is not a multiple of the {self._replicas} devices")
        self._is_mixed = config.precision == "mixed_float16"
        self._dtype = "float16" if self._is_mixed else "float32"
        width: int = self.network.weight_shapes()["lstm_0/kernel"][0]
        self._lstm = lstm.for_gpu(width, config.lstm_units, self._dtype) if has_gpu else lstm.for_cpu
        if config.distillation and not teacher:
            raise ConfigError("distillation: there is no version to be taught by")
        self._teacher = Teacher(teacher, self.network.inputs, self._dtype) if config.distillation and teacher else None
        keras.utils.set_random_seed(config.seed)
        with self._strategy.scope():
            self._model = build_network(
                self.network,
                None,
                False,
                recurrent_initializer=config.recurrent_initializer,
                embedding_range=config.embedding_range,
            )
            named = variables(self._model, self.network)
            self._variables = list(named.values())
            self._optimizer = _optimizer(config, self._variables)
        self._weights = {name: variable.value for name, variable in named.items()}
        self._zeros = self._share_out_zeros()
        self._state = self._zeros
        # XLA makes one program of the scan; cuDNN and several replicas do without
        on_one_cpu = not has_gpu and self._replicas == 1
        self._step = tf.function(self._step_everywhere, jit_compile=on_one_cpu, autograph=False)
        kind = "GPU with cuDNN" if has_gpu else "CPU"
        self.description = f"{self._replicas} {kind}, {'mixed_float16' if self._is_mixed else 'float32'}"

    @property
    def parameters(self) -> int:
        return int(self._model.count_params())

    def learn(self, batch: Batch, step: int) -> float:
        """One step of the optimizer; the loss before it, in nats per character."""
        before = self._state if self.config.carry_state else self._zeros
        loss, self._state = self._step(*map(self._share_out, batch), before, tf.constant(step, tf.int32))
        return float(loss)

    def agree(self, *wishes: bool) -> list[bool]:
        """Which of these any of the workers wishes; all must ask at the same step."""
        if self.workers.count == 1:
            return list(wishes)
        mine = self._strategy.experimental_distribute_values_from_function(lambda _: tf.constant(wishes, tf.float32))
        return [bool(sum_) for sum_ in self._strategy.reduce(tf.distribute.ReduceOp.SUM, mine, axis=None).numpy()]

    def weights(self) -> Tensors:
        """What the network knows now: the moving average of its weights if the recipe keeps one."""
        if not self.config.average_decay or not int(self._optimizer.iterations.numpy()):  # no step, no average
            return self._numpy_weights()
        kept = self._numpy_weights()
        self._optimizer.finalize_variable_values(self._variables)
        averaged = self._numpy_weights()
        set_weights(self._model, self.network, kept)
        return averaged

    def begin_from(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Put in the weights of a published version, or what is left of them, before the first step.

        Raises:
            ConfigError: they are another network's.
        """
        set_weights(self._model, self.network, widen(weights, self._numpy_weights()))

    def tensors(self) -> Tensors:
        """All that a resumed run needs, by name; several workers must ask at the same step."""
        optimizer = {f"optimizer/{i:03}": np.asarray(v.numpy()) for i, v in enumerate(self._optimizer.variables)}
        parts = zip(_STATES, self._state, strict=False)
        state = {f"state/{name}": self._whole(part) for name, part in parts}
        weights = {f"weights/{name}": value for name, value in self._numpy_weights().items()}
        return {**weights, **optimizer, **state}

    def restore(self, tensors: Mapping[str, NDArray[Any]]) -> None:
        """The inverse of `tensors`.

        Raises:
            CheckpointError: they are another network's.
        """
        mine = {name: value.shape for name, value in self.tensors().items()}
        if mine != {name: value.shape for name, value in tensors.items()}:
            raise CheckpointError("the checkpoint's tensors are not those of this run's network and optimizer")
        set_weights(self._model, self.network, {name: tensors[f"weights/{name}"] for name in self._weights})
        for i, variable in enumerate(self._optimizer.variables):
            variable.assign(tensors[f"optimizer/{i:03}"])
        self._state = tuple(self._share_out(tensors[f"state/{name}"]) for name in _STATES[: len(self._state)])

    def _numpy_weights(self) -> Tensors:
        return {name: np.asarray(variable.numpy()) for name, variable in self._weights.items()}

    def _share_out(self, rows: NDArray[Any]) -> tf.Tensor:
        """Rows [B, …] as each replica's share of them."""
        if self._replicas == 1:
            return tf.constant(rows)
        each = len(rows) // self._replicas

        def share(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
            first = context.replica_id_in_sync_group * each
            return tf.constant(rows[first : first + each])

        return self._strategy.experimental_distribute_values_from_function(share)

    def _share_out_zeros(self) -> State:
        units = [self.config.lstm_units] * 2 + ([self._teacher.units] * 2 if self._teacher else [])
        return tuple(self._share_out(np.zeros((self.config.batch_size, each), np.float32)) for each in units)

    def _whole(self, value: tf.Tensor) -> NDArray[Any]:
        """The rows of every replica, of every worker."""
        if self.workers.count > 1:
            return np.asarray(self._strategy.gather(value, axis=0).numpy())
        return np.concatenate([part.numpy() for part in self._strategy.experimental_local_results(value)])

    def _step_everywhere(
        self, inputs: tf.Tensor, targets: tf.Tensor, state: State, step: tf.Tensor
    ) -> tuple[tf.Tensor, State]:
        """Every replica's step; each tensor is a replica's own, or a `PerReplica` of them."""
        losses, state = self._strategy.run(self._step_here, (inputs, targets, state, step))
        return self._strategy.reduce(tf.distribute.ReduceOp.SUM, losses, axis=None), state

    def _step_here(
        self, inputs: tf.Tensor, targets: tf.Tensor, state: State, step: tf.Tensor
    ) -> tuple[tf.Tensor, State]:
        """One replica's step; its loss is its share of the whole batch's mean."""
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        noise = Noise(self.config, step, replica)
        before = self._forget_beginnings(state, replica)
        said, teachers = self._teacher(inputs, before[2:]) if self._teacher else (None, ())
        characters = self.config.batch_size * self.config.sequence_length
        with tf.GradientTape() as tape:
            logits, state = forward(
                self._weights, self._lstm, inputs, before[:2], noise, self._dtype, self.network.inputs
            )
            loss = tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits)) / characters
            wanted = loss
            if said is not None:
                share = self.config.distillation
                taught = tf.reduce_sum(tf.nn.softmax_cross_entropy_with_logits(said, logits)) / characters
                wanted = (1 - share) * loss + share * taught
            scaled = self._optimizer.scale_loss(wanted)
        gradients = tape.gradient(scaled, list(self._weights.values()))
        self._optimizer.apply_gradients(zip(gradients, self._variables, strict=True))
        return loss, tuple(tf.stop_gradient(part) for part in (*state, *teachers))

    def _forget_beginnings(self, state: State, replica: tf.Tensor | int) -> State:
        """The batch's last rows are read from zeros."""
        if not self.config.beginnings:
            return state
        each = self.config.batch_size // self._replicas
        is_carried = replica * each + tf.range(each) < self.config.batch_size - self.config.beginnings
        return tuple(tf.where(is_carried[:, None], part, 0.0) for part in state)


@cache
def among_workers() -> tf.distribute.Strategy:
    """What joins the workers of TF_CONFIG: it waits until all are there. To be made before TensorFlow does anything."""
    return tf.distribute.MultiWorkerMirroredStrategy()


def _among_devices(devices: list[str] | None) -> tf.distribute.Strategy:
    devices = [gpu.name for gpu in tf.config.list_logical_devices("GPU")] if devices is None else devices
    return tf.distribute.MirroredStrategy(devices) if len(devices) > 1 else tf.distribute.get_strategy()


def fastest_precision(
    config: TrainingConfig, vocab_size: int, teacher: Mapping[str, NDArray[np.float32]] | None = None
) -> TrainingConfig:
    """The configuration with `auto` replaced: on a GPU by what a few steps of each took, else by float32.

    Several workers might not come to the same choice, and take float32 too.
    """
    if config.precision != "auto":
        return config
    options = [dataclasses.replace(config, precision="float32"), dataclasses.replace(config, precision="mixed_float16")]
    if not tf.config.list_physical_devices("GPU") or Workers.from_environment().count > 1:
        return options[0]
    return min(options, key=lambda option: _seconds(Learner(option, vocab_size, teacher=teacher)))


def _seconds(learner: Learner, steps: int = 5) -> float:
    """How long a few steps take, compilation not counted."""
    shape = (learner.config.batch_size, learner.config.sequence_length)
    told = (1 + len(learner.network.inputs),) if learner.network.inputs else ()
    batch = Batch(np.zeros(shape + told, np.int32), np.zeros(shape, np.int32))
    learner.learn(batch, 0)
    begun = time.perf_counter()
    for step in range(steps):
        learner.learn(batch, step)
    return time.perf_counter() - begun


def _optimizer(config: TrainingConfig, variables: list[keras.Variable]) -> keras.optimizers.Optimizer:
    kinds: dict[str, Callable[..., keras.optimizers.Optimizer]] = {
        "adam": keras.optimizers.Adam,
        "adamw": keras.optimizers.AdamW,
    }
    optimizer = kinds[config.optimizer](
        _learning_rate(config),
        weight_decay=config.weight_decay or None,
        global_clipnorm=config.clip_norm or None,
        use_ema=bool(config.average_decay),
        ema_momentum=config.average_decay or 0.99,
    )
    if config.weight_decay:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    if config.precision == "mixed_float16":
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    optimizer.build(variables)
    return optimizer


def _learning_rate(config: TrainingConfig) -> float | keras.optimizers.schedules.LearningRateSchedule:
    if config.schedule == "constant":
        return config.learning_rate
    warmup = min(config.warmup_steps, config.steps // 5)
    if not warmup:
        return keras.optimizers.schedules.CosineDecay(config.learning_rate, config.steps, alpha=FLOOR)
    return keras.optimizers.schedules.CosineDecay(
        0.0, config.steps - warmup, alpha=FLOOR, warmup_target=config.learning_rate, warmup_steps=warmup
    )
