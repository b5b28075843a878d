"""Character ids in, character ids out: decoders, sampling, batching and the engine."""
