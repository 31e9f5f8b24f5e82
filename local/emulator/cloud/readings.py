"""Behaviours that AWS's documents leave open: which of the plausible readings the local cloud follows.

`POST /_rekey/readings {"<behaviour>": "<reading>"}` chooses, `GET /_rekey/readings` tells all; REKEY_READINGS
(`behaviour=reading,…`) chooses at the start. The first reading of each is the default.
"""

import json
import os

from cloud import control

PATH = "/_rekey/readings"

READINGS = {
    # RotateSecret while a rotation has not ended. The API reference says that it "returns an error"; the text of the
    # error says that "that rotation will be reattempted". At once, or when the service's own retry is due?
    "rotate-unfinished": ("reattempted-at-once", "reattempted-later"),
    # "Secrets Manager retries the entire rotation process multiple times" (API_DescribeSecret): how often is not said.
    "rotation-retries": ("hourly", "none"),
    # CancelRotateSecret while the function runs: the API reference says that it turns rotation off and that a version
    # may be left with AWSPENDING; whether the steps that are still to come are run is not said.
    "cancel-running": ("steps-end", "steps-go-on"),
    # The service authorization reference names secretsmanager:ModifyRotationRules ("whether the rotation rules of the
    # secret are to be modified") and RotateImmediately, both Bool. In the request always, or only when it has the
    # field?
    "rotate-condition-keys": ("always", "when-given"),
    # A task that invokes a throttled function: the developer guide names Lambda.TooManyRequestsException in its
    # examples of Retry, and says of Lambda.Unknown that "unhandled" errors of Lambda are reported so; not recorded.
    "task-throttled": ("Lambda.TooManyRequestsException", "Lambda.Unknown"),
    # "Least privileges required" to run a distributed Map are states:StartExecution on the machine, DescribeExecution
    # and StopExecution on its executions; when the latter two are called is not said. The CDK once granted them on ARNs
    # that do not exist, and Maps ran.
    "map-run-grants": ("documented", "start-alone"),
    # States.DataLimitExceeded: recorded in 2024-03, Catch of States.ALL takes it; the developer guide says that it
    # can't.
    "data-limit": ("caught", "terminal"),
    # Recorded in 2025-01, PutEvents refused more than 256 KB; its API reference now says "less than 1MB".
    "put-events-limit": ("256-KB", "1-MB"),
    # "EventBridge retries for 24 hours and up to 185 times" with backoff; what may be delivered twice is not said, and
    # events are delivered "at least once".
    "eventbridge-delivery": ("once", "twice"),
    # An update of a RotationSchedule is a RotateSecret, and "any later invocation of RotateSecret" is refused while a
    # rotation is unfinished. Is it refused too where nothing but the rules changes?
    "rules-while-rotating": ("refused", "accepted"),
    # CloudFormation sends a resource that failed to update its former properties when it rolls back. Does it call
    # RotateSecret again for a RotationSchedule that was refused, which ends in UPDATE_ROLLBACK_FAILED?
    "refused-schedule": ("sent-back", "left"),
    # SecretId of a RotationSchedule "requires replacement", and the schedule's identifier is the ARN of its secret:
    # another spelling of the same secret makes a second schedule with the identifier of the first. Does CloudFormation,
    # which
    # "then deletes the old one", delete it, and end the rotation of the secret with it, or is that one kept?
    "respelled-schedule": ("deleted", "kept"),
}

_chosen: dict[str, str] = {}


def is_read(behaviour: str, reading: str) -> bool:
    """Whether the local cloud follows `reading` of `behaviour` now."""
    if reading not in READINGS[behaviour]:
        raise ValueError(f"{behaviour} has no reading {reading}")
    return reading_of(behaviour) == reading


def reading_of(behaviour: str) -> str:
    """The reading of `behaviour` that the local cloud follows now."""
    return _now()[behaviour]


def _now() -> dict[str, str]:
    return {behaviour: _chosen.get(behaviour, readings[0]) for behaviour, readings in READINGS.items()}


def choose(wanted: dict) -> None:
    """Chooses readings by behaviour. Raises ValueError, and changes nothing, when one does not exist."""
    for behaviour, reading in wanted.items():
        if reading not in READINGS.get(behaviour, ()):
            known = ", ".join(f"{name} ({' or '.join(readings)})" for name, readings in READINGS.items())
            raise ValueError(f"There is no reading {reading!r} of {behaviour!r}. There are: {known}.")
    _chosen.update(wanted)


def from_text(text: str) -> dict[str, str]:
    """`behaviour=reading,…` as a dictionary."""
    return {
        name.strip(): reading.strip()
        for name, _, reading in (part.partition("=") for part in text.split(",") if part.strip())
    }


def _answer(method: str, body: bytes) -> tuple[int, dict]:
    if method == "GET":
        return 200, _now()
    if method != "POST":
        return 405, {"message": f"{PATH} answers GET and POST."}
    try:
        wanted = json.loads(body)
        if not isinstance(wanted, dict):
            raise ValueError('The body must be {"<behaviour>": "<reading>"}.')
        choose(wanted)
    except ValueError as error:
        return 400, {"message": str(error)}
    return 200, _now()


def install() -> None:
    choose(from_text(os.environ.get("REKEY_READINGS", "")))
    control.serve(PATH, _answer)
