"""Steps whose batch is computed in parts, because the whole of it does not fit into memory."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from ...core.errors import OutOfMemory, UnetbenchError, one_line
from ...core.recipe import Recipe
from ...core.record import Record
from ...core.trial import Trial

NAMES = ("ResourceExhaustedError", "OutOfMemoryError")
"""What errors for want of memory are called: by TensorFlow, and by PyTorch."""

MARKS = (
    "RESOURCE_EXHAUSTED",  # JAX
    "out of memory",  # CUDA, and PyTorch on MPS
    "can't allocate memory",  # PyTorch on a CPU
    "Dst tensor is not initialized",  # TensorFlow, for a GPU that is too full to be copied to
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "MemoryError: ",  # of a batch's making, which TensorFlow tells by its text
)
"""What they say where they are called otherwise."""


@dataclass(frozen=True)
class Again:
    """A trial that is run once more in parts. because: why the whole batch could not be."""

    trial: Trial
    parts: int
    because: str


def fewest_parts(batch: int) -> int:
    """The fewest equal parts of a batch, more than one: 2 where it is even; 1 for a batch of 1."""
    return next((parts for parts in range(2, batch + 1) if batch % parts == 0), 1)


def in_parts(trial: Trial, parts: int) -> Trial:
    """The trial as it is trained in so many parts; 0: as its recipe says. Its id is another one."""
    return replace(trial, recipe=replace(trial.recipe, accumulate=parts)) if parts else trial


def lacks_memory(error: BaseException) -> bool:
    """Whether an error of a library, or one that it was raised from, says that memory did not suffice."""
    return any(
        isinstance(one, MemoryError)
        or type(one).__name__ in NAMES
        or (not isinstance(one, UnetbenchError) and any(mark in str(one) for mark in MARKS))
        for one in _causes(error)
    )


def out_of_memory(error: Exception, recipe: Recipe) -> OutOfMemory:
    """The error that tells of one for want of memory in training."""
    return OutOfMemory(f"{does_not_fit(recipe.micro_batch)}: {one_line(error)}")


def once_more(record: Record) -> Again | None:
    """How to run a trial again that failed because the whole batch did not fit into memory; None for any other.

    None too where the recipe says how many parts there are to be, and for a batch of one patch.
    """
    recipe = record.trial.training
    whole = record.training.get("out_of_memory") == recipe.batch
    if recipe.accumulate != "auto" or not whole or recipe.batch == 1:
        return None
    return Again(record.trial, fewest_parts(recipe.batch), record.reason)


def mend(record: Record) -> str:
    """What to change where a trial failed for want of memory while it trained."""
    patches, batch = record.training["out_of_memory"], record.trial.training.batch
    parts = batch // patches * fewest_parts(patches)
    less = f"recipe.accumulate: {parts}, or a smaller recipe.batch or recipe.patch"
    return f"set {less if patches > 1 else 'a smaller recipe.patch'}, or take a smaller network"


def does_not_fit(patches: int) -> str:
    """How a reason begins. patches: that were computed at once."""
    return f"training on {patches} patch{'es' if patches > 1 else ''} at once does not fit into memory"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
