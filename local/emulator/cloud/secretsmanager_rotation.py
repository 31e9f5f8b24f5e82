"""Rotation: RotateSecret, CancelRotateSecret, the four steps, and the schedule that starts them.

Follows https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html,
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CancelRotateSecret.html,
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html (the steps and their
event) and https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot_rotation.html.

DescribeSecret documents that a failed rotation is retried "multiple times", entire, without saying when. Here that is
every hour of the movable clock (cloud.clock), five times, so nothing retries under a test that does not ask for it.
"""

import logging
import threading

from ministack.core import iam_evaluator as iam
from ministack.core.arn import ArnParseError, parse_arn
from ministack.core.concurrency import spawn_background
from ministack.core.responses import get_account_id, get_region, new_uuid

from cloud import clock, readings, seams
from cloud import secretsmanager_schedule as schedule
from cloud.secretsmanager_events import announce
from cloud.secretsmanager_versions import Refusal, add_version, describe_error, holder, move_label

logger = logging.getLogger("secretsmanager.rotation")

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
RETRY_SECONDS = 3600.0
RETRIES = 5
TICK_SECONDS = 1.0
PRINCIPAL = "secretsmanager.amazonaws.com"
_NOT_INVOKED = (
    "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants "
    f"access to the principal {PRINCIPAL}."
)

_lock = threading.RLock()
_wake = threading.Event()


def _function(arn: str):
    """The record of the rotation function that `arn` names, in this account and region."""
    try:
        spec = parse_arn(arn)
    except ArnParseError:
        spec = None
    if spec is None or spec.service != "lambda" or not spec.resource.startswith("function:"):
        raise Refusal("InvalidParameterException", f"Invalid rotation function ARN: {arn}")
    if spec.region != get_region() or spec.account_id != get_account_id():
        raise Refusal("InvalidParameterException", f"The rotation function {arn} is in another account or region.")
    name, qualifier = seams.lambda_svc.resolve_name_and_qualifier(arn)
    record, config = seams.lambda_svc.get_func_record_for_qualifier(name, qualifier)
    if record is None:
        # Recorded 2024-03-15 (test_rotate_secret_invalid_lambda_arn): the same answer as for a missing permission.
        raise Refusal("AccessDeniedException", _NOT_INVOKED)
    return seams.lambda_svc.functions[name], config


def _check_function(secret: dict, arn: str, access_key: str | None) -> None:
    """Secrets Manager must be permitted to invoke the function, and so must the caller who turns rotation on."""
    function, _ = _function(arn)
    context = iam.EvalContext(
        principal_arn=PRINCIPAL,
        principal_type="Service",
        principal_account=get_account_id(),
        action="lambda:InvokeFunction",
        resource_arn=arn,
        region=get_region(),
        service_context={"aws:sourcearn": secret["ARN"], "aws:sourceaccount": get_account_id()},
    )
    if iam.evaluate_resource_policy(function["policy"], context, service=PRINCIPAL).decision != "Allow":
        raise Refusal("AccessDeniedException", _NOT_INVOKED)
    if access_key is None:
        return
    denied = seams.iam_evaluator.enforce(access_key, "lambda:InvokeFunction", "lambda", get_region(), resource_arn=arn)
    if denied:
        raise Refusal(
            "AccessDeniedException",
            f"User: {denied.principal_arn} is not authorized to perform: lambda:InvokeFunction on resource: {arn}",
        )


def pending_version(secret: dict) -> str | None:
    """The version of a rotation that is not complete: it has AWSPENDING and is not the current one."""
    version_id, version = holder(secret, "AWSPENDING")
    return version_id if version and "AWSCURRENT" not in version["Stages"] else None


def plan_next(secret: dict, last: float) -> None:
    """Sets when the schedule rotates next, counted from `last`."""
    window = schedule.next_window(secret.get("RotationRules") or {}, last)
    secret["_RotationOpens"] = window.opens if window else None
    secret["NextRotationDate"] = window.closes if window else None


def rotate(secret: dict, data: dict, token: str, access_key: str | None) -> str:
    """RotateSecret on a secret that was found and may be changed; returns the id of the version it makes."""
    rules = data.get("RotationRules") or secret.get("RotationRules")
    arn = data.get("RotationLambdaARN") or secret.get("RotationLambdaARN")
    if not arn:
        raise Refusal("InvalidRequestException", "No Lambda rotation function ARN is associated with this secret.")
    try:
        schedule.check(rules or {})
    except schedule.InvalidSchedule as error:
        raise Refusal("InvalidParameterException", str(error)) from error
    _check_function(secret, arn, access_key)
    with _lock:
        pending = pending_version(secret)
        if pending is not None and pending != token:
            _reattempt(secret, pending)
            raise Refusal(
                "InvalidRequestException",
                "A previous rotation isn't complete. That rotation will be reattempted.",
            )
        configured = (secret.get("RotationLambdaARN"), secret.get("RotationRules"), secret.get("RotationEnabled"))
        secret.update(RotationLambdaARN=arn, RotationRules=rules, RotationEnabled=True)
        if configured != (arn, rules, True):
            plan_next(secret, secret.get("LastRotatedDate") or clock.now())
        immediately = data.get("RotateImmediately", True)
        if token in secret["Versions"]:
            if pending == token and immediately:
                _reattempt(secret, token)
            return token
        add_version(secret, token, None, None)
        move_label(secret, "AWSPENDING", token)
        start(secret, token, STEPS if immediately else ("testSecret",))
    return token


def _reattempt(secret: dict, token: str) -> None:
    """What "that rotation will be reattempted" means: now, or when the service's own retry is due."""
    if readings.is_read("rotate-unfinished", "reattempted-at-once"):
        start(secret, token, STEPS)
    elif (secret.get("_Rotation") or {}).get("Token") != token:
        secret["_Rotation"] = {
            "Token": token,
            "Running": False,
            "Failures": 0,
            "RetryAt": _retry_at(0),
            "RotationToken": None,
        }


def _retry_at(failures: int) -> float | None:
    """When Secrets Manager tries again by itself after so many failures; None for never."""
    retries = RETRIES if readings.is_read("rotation-retries", "hourly") else 0
    return clock.now() + RETRY_SECONDS if failures <= retries and retries else None


def cancel(secret: dict) -> str | None:
    """CancelRotateSecret: labels stay where they are, and no further step runs, or those that are left still do.

    Returns the version it was at.
    """
    with _lock:
        running = secret.get("_Rotation")
        if running and not (running["Running"] and readings.is_read("cancel-running", "steps-go-on")):
            del secret["_Rotation"]
        secret["RotationEnabled"] = False
        secret["NextRotationDate"] = secret["_RotationOpens"] = None
    return running["Token"] if running else None


def start(secret: dict, token: str, steps: tuple[str, ...]) -> None:
    """Runs `steps` in the background unless they already run."""
    run = secret.get("_Rotation")
    if run and run["Running"] and run["Token"] == token:
        return
    failures = run["Failures"] if run and run["Token"] == token else 0
    run = {"Token": token, "Running": True, "Failures": failures, "RetryAt": None, "RotationToken": new_uuid()}
    secret["_Rotation"] = run
    spawn_background(_run, secret, run, steps, thread_name=f"rotate-{secret['Name']}")


def _invoke(secret: dict, run: dict, step: str) -> str | None:
    """Invokes the function for one step; the error it ended with, or None."""
    function, config = _function(secret["RotationLambdaARN"])
    event = {
        "Step": step,
        "SecretId": secret["ARN"],
        "ClientRequestToken": run["Token"],
        "RotationToken": run["RotationToken"],
    }
    record = seams.lambda_svc.execution_record_for_config(function, config)
    result = seams.lambda_svc.execute_function_with_config_scope(record, event)
    return describe_error(result) if result.get("error") or result.get("throttle") else None


def _run(secret: dict, run: dict, steps: tuple[str, ...]) -> None:
    kind = "Rotation" if steps == STEPS else "TestRotation"
    announce(secret, f"{kind}Started", run["Token"])
    error = failed = None
    for step in steps:
        # Cancelled, superseded, or the secret is gone: the function is not invoked again.
        if secret.get("_Rotation") is not run or secret.get("DeletedDate"):
            run["Running"] = False
            return
        try:
            error = _invoke(secret, run, step)
        except Refusal as refusal:
            error = refusal.message
        except Exception as failure:  # the emulator's own fault; the rotation has failed all the same
            logger.exception("%s of %s", step, secret["Name"])
            error = type(failure).__name__
        if error:
            logger.warning("Rotation of %s failed in %s: %s", secret["Name"], step, error)
            failed = f"Error when executing lambda {secret['RotationLambdaARN']} during {step} step"
            break
    succeeded = _end(secret, run, steps, error)
    if succeeded:
        announce(secret, f"{kind}Succeeded", run["Token"])
    elif succeeded is False:
        announce(secret, f"{kind}Failed", run["Token"], failed or f"Version {run['Token']} was not made current")


def _end(secret: dict, run: dict, steps: tuple[str, ...], error: str | None) -> bool | None:
    """Notes how a run of the steps ended and tells whether it succeeded; None if another one took its place."""
    with _lock:
        run["Running"] = False
        if secret.get("_Rotation") is not run:
            return None
        if steps != STEPS:
            # A test of the configuration leaves nothing behind, whatever it found.
            secret["Versions"].pop(run["Token"], None)
            secret.pop("_Rotation", None)
            return not error
        if error or pending_version(secret) is not None:
            run["Failures"] += 1
            run["RetryAt"] = _retry_at(run["Failures"])
            return False
        secret.pop("_Rotation", None)
        secret["LastRotatedDate"] = secret["LastChangedDate"] = clock.now()
        if secret.get("RotationEnabled"):
            plan_next(secret, secret["LastRotatedDate"])
        return True


def _due(secret: dict, now: float) -> str | None:
    """The token of the rotation that must start now: a retry of the unfinished one, or a new one."""
    if not secret.get("RotationEnabled") or secret.get("DeletedDate"):
        return None
    run = secret.get("_Rotation")
    if run and run["Running"]:
        return None
    pending = pending_version(secret)
    if run and run["RetryAt"] is not None and run["RetryAt"] <= now:
        return pending or run["Token"]
    opens = secret.get("_RotationOpens")
    if opens is None or opens > now:
        return None
    # A window starts a rotation once. Success plans anew; should all retries fail, the window after this one is next.
    window = schedule.next_window(secret.get("RotationRules") or {}, now)
    secret["_RotationOpens"] = window.opens if window else None
    return pending or new_uuid()


def _tick() -> None:
    now = clock.now()
    for (account, region, _), secret in list(seams.entries_of_every_account(seams.secretsmanager.secrets)):
        seams.responses.request_account_id.set(account)
        seams.responses.request_region.set(region)
        with _lock:
            token = _due(secret, now)
            if token is None:
                continue
            if token not in secret["Versions"]:
                add_version(secret, token, None, None)
                move_label(secret, "AWSPENDING", token)
            start(secret, token, STEPS)


def _watch() -> None:
    while True:
        _wake.wait(TICK_SECONDS)
        _wake.clear()
        try:
            _tick()
        except Exception:  # one bad secret must not end every schedule
            logger.exception("rotation schedule")


def watch_schedules() -> None:
    """Starts the thread that begins scheduled rotations and retries."""
    clock.on_advance(_wake.set)
    threading.Thread(target=_watch, daemon=True, name="rotation-schedule").start()
