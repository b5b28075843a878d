"""The model store: the checkpoint format that training and the service share, and a versioned folder of checkpoints."""
