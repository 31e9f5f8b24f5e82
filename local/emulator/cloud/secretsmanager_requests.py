"""What Secrets Manager asks of a request before it looks at the secret, and which secret a SecretId names.

A secret is found by its name, its full ARN, or an ARN without the hyphen and six characters at the end; an ARN that
ends in those is taken as a full one, so a name that ends like that is never found by the shorter form:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/troubleshoot.html#ARN_secretnamehyphen

Recorded on AWS in the snapshots of LocalStack (tests/aws/services/secretsmanager/test_secretsmanager.snapshot.json):
that answer (2022-09-28), the refusal of other characters by every operation, and that of a missing token (2022-2024).
"""

import json
import re

from ministack.core.responses import error_response_json, get_account_id, get_region, json_response

from cloud import clock, seams
from cloud.secretsmanager_versions import Refusal

_NAME = re.compile(r"[A-Za-z0-9/_+=.@!-]+")
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html: "If you generate a raw HTTP
# request to the Secrets Manager service endpoint, then you must generate a ClientRequestToken".
_NEEDS_TOKEN = {"CreateSecret", "PutSecretValue", "UpdateSecret", "RotateSecret"}


def check(action: str, data: dict) -> None:
    """Raises the Refusal that AWS answers before it looks for the secret."""
    named = data.get("Name") if action == "CreateSecret" else data.get("SecretId")
    if isinstance(named, str) and named:
        name = named.split(":", 6)[6] if re.match(r"arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:.", named) else named
        if not _NAME.fullmatch(name):
            raise Refusal(
                "ValidationException",
                "Invalid name. Must be a valid name containing alphanumeric "
                "characters, or any of the following: -/_+=.@!",
            )
    if action not in _NEEDS_TOKEN or data.get("ClientRequestToken"):
        return
    # UpdateSecret makes a version only when it is given a value.
    if action == "UpdateSecret" and not (data.get("SecretString") or data.get("SecretBinary")):
        return
    raise Refusal(
        "InvalidParameterException" if action == "RotateSecret" else "InvalidRequestException",
        "You must provide a ClientRequestToken value. We recommend a UUID-type value.",
    )


def resolve(secret_id, *, use_arn_scope: bool = False):
    """The storage key and the record of the secret that `secret_id` names, or a pair of None."""
    if not isinstance(secret_id, str) or not secret_id:
        return None, None
    if not secret_id.startswith("arn:"):
        found = seams.secretsmanager.secrets.get(secret_id)
        return (secret_id, found) if found is not None else (None, None)
    scope = seams.secretsmanager.secret_scope_from_arn(secret_id)
    if scope is None:
        return None, None
    spec, _ = scope
    if spec.account_id != get_account_id() or (not use_arn_scope and spec.region != get_region()):
        return None, None
    candidates = list(seams.secretsmanager.secrets.items_scoped(spec.account_id, spec.region))
    for key, secret in candidates:
        if secret["ARN"] == secret_id:
            return key, secret
    if _SUFFIX.search(secret_id):
        return None, None
    for key, secret in candidates:
        if _SUFFIX.sub("", secret["ARN"]) == secret_id:
            return key, secret
    return None, None


def refusal(error: Refusal) -> tuple:
    """The error response of the JSON protocol; the message is called `Message` in what was recorded."""
    return error_response_json(error.code, error.message, error.status, message_key="Message")


def delete(original):
    """DeleteSecret of a secret that is not there succeeds when it is forced, so that retries end well.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html
    """

    def answer(data):
        secret_id = data.get("SecretId")
        if data.get("ForceDeleteWithoutRecovery") and resolve(secret_id)[1] is None:
            return json_response({"ARN": secret_id, "Name": secret_id, "DeletionDate": clock.now()})
        return original(data)

    return answer


def without_empty_facts(original, entries):
    """DescribeSecret and ListSecrets leave out what there is none of (recorded in all snapshots of DescribeSecret).

    RotationEnabled is null until rotation is configured, says API_DescribeSecret; a refused RotateSecret leaves it so.
    """

    def answer(data):
        status, headers, body = original(data)
        if status >= 300:
            return status, headers, body
        content = json.loads(body)
        for entry in entries(content):
            secret = seams.secretsmanager.secrets.get(entry["Name"]) or {}
            if not secret.get("RotationLambdaARN"):
                entry.pop("RotationEnabled", None)
            for field in ("Tags", "Description", "VersionIdsToStages", "SecretVersionsToStages", "LastAccessedDate"):
                if not entry.get(field):
                    entry.pop(field, None)
        return status, headers, json.dumps(content).encode()

    return answer
