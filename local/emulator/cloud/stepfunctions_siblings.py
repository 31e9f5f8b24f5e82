"""The iterations of a Map and the branches of a Parallel: one that fails ends the others, and a stop ends all.

- https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html
- https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html
- https://docs.aws.amazon.com/step-functions/latest/apireference/API_StopExecution.html
"""

import contextvars
from collections.abc import Callable

from cloud import seams


class _Siblings:
    """The iterations of one Map, or the branches of one Parallel: the first that fails ends the others."""

    def __init__(self, outer: "_Siblings | None") -> None:
        """Takes the iterations or branches that hold these."""
        self._outer = outer
        self.failure: Exception | None = None

    def failed(self) -> Exception | None:
        """The failure that ends these, here or further out."""
        return self.failure or (self._outer.failed() if self._outer else None)


_siblings: contextvars.ContextVar[_Siblings | None] = contextvars.ContextVar("rekey_sfn_siblings", default=None)


def end_if_over(execution: dict | None) -> None:
    """Raises what no Retry and no Catch takes once the execution has ended, or the failure of a sibling."""
    if execution is not None and execution["status"] != "RUNNING":
        raise seams.stepfunctions.ExecutionError("States.Runtime", f"The execution is {execution['status']}.")
    siblings = _siblings.get()
    failure = siblings.failed() if siblings else None
    if failure is not None:
        raise failure


def note_failure(error: Exception) -> None:
    """Keeps the failure of an iteration or a branch, for those beside it."""
    siblings = _siblings.get()
    if siblings is not None and siblings.failure is None:
        siblings.failure = error


def leave_siblings() -> None:
    """Lets this thread's context be that of an execution of its own, which no failure beside it ends."""
    _siblings.set(None)


def among_siblings(run: Callable) -> Callable:
    """Runs the iterations of a Map, or the branches of a Parallel, so that one that fails ends the others."""

    def run_together(state_def, raw_input, execution, ctx):
        def inside():
            _siblings.set(_Siblings(_siblings.get()))
            return run(state_def, raw_input, execution, ctx)

        return contextvars.copy_context().run(inside)

    return run_together
