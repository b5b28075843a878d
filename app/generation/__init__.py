"""A request in, tunes out: generation, infill, copy avoidance, originality, the loaded models and bulk."""
