"""Every error that training raises; each text is fit for a user.

TrainingError
├── CorpusError      a tunebook is missing, unreadable, altered or holds no tune
│   └── TooFewTunesError  it holds fewer than are needed to learn from
├── DialectError     a tune says what plain notation cannot, or what nobody understands
├── ConfigError      a recipe or an override is not one of those allowed
├── RunError         a run folder exists already, is missing, or belongs to another run
├── SetupError       a library that training needs is not installed
├── CheckpointError  a checkpoint of a run is missing, truncated or not ours
└── WorkerError      one of several processes that train together was lost
"""


class TrainingError(Exception):
    """Base of every error in this package."""


class CorpusError(TrainingError):
    """A tunebook is missing, unreadable, altered or holds no tune."""


class TooFewTunesError(CorpusError):
    """There are fewer tunes than are needed to learn from."""


class DialectError(TrainingError):
    """A tune says what plain notation cannot, or what nobody understands; the text is the reason to leave it out."""


class ConfigError(TrainingError):
    """A recipe or an override is not one of those allowed."""


class RunError(TrainingError):
    """A run folder exists already, is missing, or belongs to another run."""


class SetupError(TrainingError):
    """A library that training needs is not installed."""


class CheckpointError(TrainingError):
    """A checkpoint of a run is missing, truncated or not ours."""


class WorkerError(TrainingError):
    """One of several processes that train together was lost."""
