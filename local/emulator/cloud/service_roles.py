"""Roles as the services themselves assume them, and what those roles may do.

Lambda, Step Functions and EventBridge act with the role that a resource names
(a function's execution role, a state machine's role, a rule target's role).
The emulator makes those calls as the account's root; the modules here make
them as the role, so that a missing grant shows locally as it does on AWS.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-service.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import contextvars
import json
import secrets
import threading
import time
from typing import Any
from urllib.parse import unquote

from ministack import app
from ministack.core import iam_evaluator
from ministack.core.responses import get_account_id, get_region
from ministack.services import sts

from cloud import seams

# A role session that is reused is renewed well before it ends.
_SESSION_SECONDS = 3600
_RENEW_SECONDS = 1800

_sessions: dict = {}
_sessions_lock = threading.Lock()


def enforced() -> bool:
    """Whether the emulator enforces IAM at all (``AUTH=true``)."""
    return app.AUTH


def act_as(principal_arn: str) -> None:
    """Makes the rest of this thread's context act for ``principal_arn`` over TLS, as a service's own calls do.

    Call it in a thread or copied context of its own: it stays set.
    """
    seams.iam_evaluator.request_caller_arn.set(principal_arn)
    iam_evaluator.pin_request_origin("127.0.0.1", True)


def _over_tls(call):
    """What ``call`` returns when it runs as a service calls: over TLS, whatever request this thread has in hand."""

    def run():
        iam_evaluator.pin_request_origin("127.0.0.1", True)
        return call()

    return contextvars.copy_context().run(run)


def open_session(role_arn: str, session_name: str, seconds: int = _SESSION_SECONDS) -> dict:
    """Makes temporary credentials of `role_arn`, valid for `seconds`.

    Returns `AccessKeyId`, `SecretAccessKey`, `SessionToken`, `Arn` and
    `Expiration` (epoch seconds).
    """
    account = role_arn.split(":")[4] or get_account_id()
    role_name = role_arn.rsplit("/", 1)[-1]
    session_name = session_name[:64]
    session: dict[str, Any] = {
        "AccessKeyId": "ASIA" + secrets.token_hex(8).upper(),
        "SecretAccessKey": secrets.token_urlsafe(30),
        "SessionToken": secrets.token_urlsafe(96),
        "Arn": f"arn:aws:sts::{account}:assumed-role/{role_name}/{session_name}",
        "Expiration": time.time() + seconds,
    }
    sts.register_session(
        session["AccessKeyId"],
        {
            "Arn": session["Arn"],
            "UserId": f"{seams.sts.role_id(role_arn)}:{session_name}",
            "SecretAccessKey": session["SecretAccessKey"],
            "SessionToken": session["SessionToken"],
            "Expiration": session["Expiration"],
        },
    )
    return session


def shared_session(role_arn: str, session_name: str) -> dict:
    """The session of ``role_arn`` that a service keeps while it works, renewed before it expires."""
    key = (role_arn, session_name)
    with _sessions_lock:
        now = time.time()
        for stale in [k for k, s in _sessions.items() if s["Expiration"] < now]:
            del _sessions[stale]
        session = _sessions.get(key)
        if (
            session is None
            or session["Expiration"] - now < _SESSION_SECONDS - _RENEW_SECONDS
            or session["AccessKeyId"] not in seams.sts.sessions
        ):
            session = _sessions[key] = open_session(role_arn, session_name)
        return session


def role_denial(
    role_arn: str, session_name: str, action: str, resource_arn: str, context: dict | None = None
) -> str | None:
    """Why ``role_arn`` may not perform ``action`` on ``resource_arn``, or None when it may.

    Identity policies, the permissions boundary and the resource's own policy count,
    as in any signed request.
    """
    if not enforced():
        return None
    session = shared_session(role_arn, session_name)
    refused = _over_tls(
        lambda: seams.iam_evaluator.enforce(
            session["AccessKeyId"],
            action,
            action.split(":", 1)[0],
            get_region(),
            resource_arn=resource_arn,
            service_context=context,
        )
    )
    if refused is None:
        return None
    if isinstance(refused, iam_evaluator.AuthError):
        return refused.message
    because = (
        "with an explicit deny in a policy"
        if refused.decision == "Deny"
        else f"because no identity-based policy allows the {action} action"
    )
    return f"User: {session['Arn']} is not authorized to perform: {action} on resource: {resource_arn} {because}"


def _service_request(action: str, resource_arn: str, source_arn: str) -> iam_evaluator.EvalContext:
    # The caller is the service, no principal of the account: an account-wide grant must not admit it.
    return iam_evaluator.EvalContext(
        principal_arn="*",
        principal_type="Service",
        principal_account="",
        action=action,
        resource_arn=resource_arn,
        region=get_region(),
        secure_transport=True,
        service_context={
            "aws:sourcearn": source_arn,
            "aws:sourceaccount": get_account_id(),
            "aws:sourceowner": get_account_id(),
        },
    )


def policy_admits(policy, service: str, action: str, resource_arn: str, source_arn: str) -> bool:
    """Whether a resource's policy lets the AWS service principal ``service`` act for ``source_arn``."""
    if not enforced():
        return True
    request = _service_request(action, resource_arn, source_arn)
    return iam_evaluator.evaluate_resource_policy(policy or None, request, service=service).decision == "Allow"


def role_trusts(role_arn: str, service: str, source_arn: str) -> bool:
    """Whether the role exists and its trust policy lets ``service`` assume it for ``source_arn``."""
    if not enforced():
        return True
    role = seams.iam.roles.get_scoped(role_arn.split(":")[4], None, role_arn.rsplit("/", 1)[-1])
    if role is None:
        return False
    trust = role.get("AssumeRolePolicyDocument") or "{}"
    if isinstance(trust, str):
        trust = json.loads(trust if trust.lstrip().startswith("{") else unquote(trust))
    statements = trust.get("Statement", [])
    statements = [statements] if isinstance(statements, dict) else statements
    request = _service_request("sts:AssumeRole", role_arn, source_arn)
    # A trust policy names no resource: it is the role's own.
    document = {"Statement": [{**statement, "Resource": "*"} for statement in statements]}
    return iam_evaluator.evaluate_resource_policy(document, request, service=service).decision == "Allow"
