"""Secrets Manager: versions, labels, idempotency, rotation and keys as AWS documents them.

Follows https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_Operations.html; each function names its
operation. Rotation is in secretsmanager_rotation, versions and labels in secretsmanager_versions.
"""

import contextvars
import json
import re

from ministack.core.responses import get_region, json_response
from ministack.core.router import extract_access_key_id

from cloud import clock, seams
from cloud import secretsmanager_requests as requests
from cloud import secretsmanager_rotation as rotation
from cloud import secretsmanager_schedule as schedule
from cloud.eventbridge_reads import announce_read
from cloud.secretsmanager_versions import (
    Refusal,
    drop_label,
    has_value,
    holder,
    move_label,
    put_version,
    token_of,
    value_of,
)

_access_key: contextvars.ContextVar[str | None] = contextvars.ContextVar("secretsmanager_access_key", default=None)
_DELETED = "You can't perform this operation on the secret because it was marked for deletion."
_LABEL = re.compile(r"(?s).{1,256}")


def _answer(handler):
    """Turns a Refusal into the error response of the JSON protocol."""

    def answer(data):
        try:
            return json_response(handler(data))
        except Refusal as refusal:
            return requests.refusal(refusal)

    return answer


def _find(data: dict, *, writes: bool) -> dict:
    _, secret = seams.secretsmanager.resolve(data.get("SecretId"))
    if not secret:
        raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    if secret.get("DeletedDate"):
        raise Refusal("InvalidRequestException", _DELETED)
    if writes and seams.secretsmanager.is_replica(secret):
        raise Refusal("InvalidRequestException", "You can't perform this operation on a replica secret.")
    return secret


def _use_key(secret: dict, actions: tuple[str, ...], failure: str) -> None:
    """The secret's customer managed key must be usable, and by this caller, through Secrets Manager.

    https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    """
    key_id = secret.get("KmsKeyId")
    if not key_id or key_id.endswith("alias/aws/secretsmanager"):
        return
    key = seams.kms.resolve_key(key_id)
    if key is None or key["KeyState"] != "Enabled":
        state = "missing" if key is None else key["KeyState"]
        raise Refusal(failure, f"The KMS key {key_id} of the secret can't be used: it is {state}.")
    access_key = _access_key.get()
    if access_key is None:
        return
    context = {
        "kms:ViaService": f"secretsmanager.{get_region()}.amazonaws.com",
        "kms:EncryptionContext:SecretARN": secret["ARN"],
        "kms:EncryptionContextKeys": ["SecretARN", "SecretVersionId"],
        "kms:CallerAccount": key["Arn"].split(":")[4],
    }
    for action in actions:
        denied = seams.iam_evaluator.enforce(
            access_key, action, "kms", get_region(), resource_arn=key["Arn"], service_context=context
        )
        if denied:
            raise Refusal("AccessDeniedException", "Access to KMS is not allowed")


def _encrypt(secret: dict) -> None:
    _use_key(secret, ("kms:GenerateDataKey", "kms:Decrypt"), "EncryptionFailure")


def _create_secret(data):
    """API_CreateSecret: the token is the version's id; the same request again answers the same."""
    name, token = data.get("Name"), token_of(data)
    string, binary = value_of(data)
    if not isinstance(name, str) or not 1 <= len(name) <= 512:
        raise Refusal("InvalidParameterException", "The secret's name must have 1 to 512 characters.")
    existing = seams.secretsmanager.secrets.get(name)
    if existing is not None:
        if existing.get("DeletedDate"):
            raise Refusal(
                "InvalidRequestException",
                "You can't create this secret because a secret with this name is already scheduled for deletion.",
            )
        version = existing["Versions"].get(token)
        if version is None or (version.get("SecretString"), version.get("SecretBinary")) != (string, binary):
            raise Refusal("ResourceExistsException", f"The operation failed because the secret {name} already exists.")
        return {"ARN": existing["ARN"], "Name": name, "VersionId": token}
    _encrypt({"ARN": "", "KmsKeyId": data.get("KmsKeyId")})
    arn, _ = seams.secretsmanager.store_new_secret(
        name, description=data.get("Description", ""), tags=data.get("Tags"), kms_key_id=data.get("KmsKeyId")
    )
    secret = seams.secretsmanager.secrets[name]
    secret["Versions"] = {}
    secret["CreatedDate"] = secret["LastChangedDate"] = clock.now()
    if string is None and binary is None:
        return {"ARN": arn, "Name": name}
    put_version(secret, token, string, binary, ["AWSCURRENT"])
    return {"ARN": arn, "Name": name, "VersionId": token}


def _stored(secret: dict, data: dict, labels: list[str]) -> tuple[str, dict]:
    token = token_of(data)
    string, binary = value_of(data)
    if string is None and binary is None:
        raise Refusal("InvalidRequestException", "You must provide either SecretString or SecretBinary.")
    _encrypt(secret)
    replaced, _ = holder(secret, "AWSCURRENT")
    version = put_version(secret, token, string, binary, labels)
    if replaced is not None and "AWSCURRENT" not in secret["Versions"][replaced]["Stages"]:
        # Recorded 2022-09-28 (test_update_secret_version_stages_current_pending): the version that a new value takes
        # AWSCURRENT from keeps AWSPREVIOUS alone; a finished rotation had left AWSPENDING on it.
        drop_label(secret, "AWSPENDING", replaced)
    if "AWSCURRENT" in labels and secret.get("RotationEnabled") and "_Rotation" not in secret:
        # A value that was stored by hand counts as a rotation (RotationRulesType, AutomaticallyAfterDays).
        rotation.plan_next(secret, clock.now())
    seams.secretsmanager.sync_replicas(secret)
    return token, version


def _put_secret_value(data):
    """API_PutSecretValue: a new version with a value, under the given labels."""
    secret = _find(data, writes=True)
    labels = data.get("VersionStages") or ["AWSCURRENT"]
    if len(labels) > 20 or not all(isinstance(label, str) and _LABEL.fullmatch(label) for label in labels):
        raise Refusal("InvalidParameterException", "VersionStages must be 1 to 20 labels of 1 to 256 characters.")
    token, version = _stored(secret, data, labels)
    return {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": token, "VersionStages": list(version["Stages"])}


def _update_secret(data):
    """API_UpdateSecret: description, key and value."""
    secret = _find(data, writes=True)
    for field in ("Description", "KmsKeyId"):
        if field in data:
            secret[field] = data[field]
    secret["LastChangedDate"] = clock.now()
    answer = {"ARN": secret["ARN"], "Name": secret["Name"]}
    if data.get("SecretString") is not None or data.get("SecretBinary") is not None:
        answer["VersionId"], _ = _stored(secret, data, ["AWSCURRENT"])
    else:
        seams.secretsmanager.sync_replicas(secret)
    return answer


def _logged(handler):
    """Has CloudTrail log a call that reads, also one that is refused."""

    def logged(data):
        try:
            answer = handler(data)
        except Refusal as refusal:
            announce_read(str(data.get("SecretId")), _access_key.get(), refusal.code)
            raise
        announce_read(str(data.get("SecretId")), _access_key.get())
        return answer

    return logged


def _get_secret_value(data):
    """API_GetSecretValue: a version and a stage that are both given must belong together."""
    secret = _find(data, writes=False)
    version_id, stage = data.get("VersionId"), data.get("VersionStage")
    missing = "Secrets Manager can't find the specified secret value for "
    if version_id:
        version = secret["Versions"].get(version_id)
        missing += f"VersionId: {version_id}"
        if version is not None and stage and stage not in version["Stages"]:
            raise Refusal(
                "InvalidRequestException",
                "You provided a VersionStage that is not associated to the provided VersionId.",
            )
    else:
        version_id, version = holder(secret, stage or "AWSCURRENT")
        missing += f"staging label: {stage or 'AWSCURRENT'}"
    if version is None or not has_value(version):
        raise Refusal("ResourceNotFoundException", missing)
    _use_key(secret, ("kms:Decrypt",), "DecryptionFailure")
    secret["LastAccessedDate"] = version["LastAccessedDate"] = int(clock.now() // 86_400 * 86_400)
    answer = {
        "ARN": secret["ARN"],
        "Name": secret["Name"],
        "VersionId": version_id,
        "VersionStages": list(version["Stages"]),
        "CreatedDate": version["CreatedDate"],
    }
    return answer | {
        field: version[field] for field in ("SecretString", "SecretBinary") if version.get(field) is not None
    }


def _update_secret_version_stage(data):
    """API_UpdateSecretVersionStage: AWSCURRENT moves and is never removed; a move names the present holder."""
    secret = _find(data, writes=True)
    label, target, source = (data.get(k) for k in ("VersionStage", "MoveToVersionId", "RemoveFromVersionId"))
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise Refusal("InvalidParameterException", "VersionStage must be a label of 1 to 256 characters.")
    if not target and not source:
        raise Refusal("InvalidParameterException", "You must specify MoveToVersionId or RemoveFromVersionId.")
    for version_id in filter(None, (target, source)):
        if version_id not in secret["Versions"]:
            raise Refusal(
                "ResourceNotFoundException", f"Secrets Manager can't find the specified secret version: {version_id}."
            )
    current, _ = holder(secret, label)
    if label == "AWSCURRENT" and not target:
        raise Refusal(
            "InvalidParameterException",
            "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
        )
    if target and current not in (None, target) and not source:
        raise Refusal(
            "InvalidParameterException",
            f"The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently attached to "
            f"version {current}, so you must explicitly reference that version in RemoveFromVersionId.",
        )
    if source and source != current and target != current:
        raise Refusal(
            "InvalidParameterException", f"Staging label {label} isn't attached to version {source}, but to {current}."
        )
    if target:
        move_label(secret, label, target)
    else:
        drop_label(secret, label, source)
    secret["LastChangedDate"] = clock.now()
    seams.secretsmanager.sync_replicas(secret)
    return {"ARN": secret["ARN"], "Name": secret["Name"]}


def _list_secret_version_ids(data):
    """API_ListSecretVersionIds: versions without labels only with IncludeDeprecated."""
    _, secret = seams.secretsmanager.resolve(data.get("SecretId"))
    if not secret:
        raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
    limit, start = data.get("MaxResults", 100), data.get("NextToken", "0")
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= 100:
        raise Refusal("InvalidParameterException", "MaxResults must be within 1-100.")
    if not str(start).isdigit():
        raise Refusal("InvalidNextTokenException", "The NextToken value is invalid.")
    kept = [
        (version_id, version)
        for version_id, version in secret["Versions"].items()
        if version["Stages"] or data.get("IncludeDeprecated")
    ]
    page = kept[int(start) : int(start) + limit]
    answer = {
        "ARN": secret["ARN"],
        "Name": secret["Name"],
        "Versions": [
            {
                "VersionId": version_id,
                "CreatedDate": version["CreatedDate"],
                "KmsKeyIds": [secret.get("KmsKeyId") or "DefaultEncryptionKey"],
            }
            | ({"VersionStages": list(version["Stages"])} if version["Stages"] else {})
            | ({"LastAccessedDate": version["LastAccessedDate"]} if version.get("LastAccessedDate") else {})
            for version_id, version in page
        ],
    }
    return answer | ({"NextToken": str(int(start) + limit)} if int(start) + limit < len(kept) else {})


def _rotate_secret(data):
    """API_RotateSecret: see secretsmanager_rotation."""
    secret = _find(data, writes=True)
    version_id = rotation.rotate(secret, data, token_of(data), _access_key.get())
    seams.secretsmanager.sync_replicas(secret)
    return {"ARN": secret["ARN"], "Name": secret["Name"], "VersionId": version_id}


def _cancel_rotate_secret(data):
    """API_CancelRotateSecret: see secretsmanager_rotation."""
    secret = _find(data, writes=True)
    version_id = rotation.cancel(secret)
    answer = {"ARN": secret["ARN"], "Name": secret["Name"]}
    return answer | ({"VersionId": version_id} if version_id else {})


def _rotation_facts(secret: dict) -> dict:
    """What DescribeSecret and ListSecrets tell of rotation."""
    facts = {
        name: secret[name]
        for name in ("RotationLambdaARN", "RotationRules", "LastRotatedDate", "NextRotationDate", "KmsKeyId")
        if secret.get(name) is not None
    }
    if secret.get("RotationRules"):
        days = schedule.days_between(secret["RotationRules"])
        facts["RotationRules"] = secret["RotationRules"] | ({"AutomaticallyAfterDays": days} if days else {})
    return facts


def _with_rotation_facts(original, entries):
    """Adds the rotation's facts to each entry of an answer of the emulator."""

    def answer(data):
        status, headers, body = original(data)
        if status >= 300:
            return status, headers, body
        content = json.loads(body)
        for entry in entries(content):
            secret = seams.secretsmanager.secrets.get(entry["Name"])
            entry.update(_rotation_facts(secret) if secret else {})
        return status, headers, json.dumps(content).encode()

    return answer


def install() -> None:
    def with_facts(original, entries):
        return _with_rotation_facts(requests.without_empty_facts(original, entries), entries)

    seams.secretsmanager.replace(
        create_secret=_answer(_create_secret),
        put_secret_value=_answer(_put_secret_value),
        update_secret=_answer(_update_secret),
        get_secret_value=_answer(_logged(_get_secret_value)),
        update_secret_version_stage=_answer(_update_secret_version_stage),
        list_secret_version_ids=_answer(_list_secret_version_ids),
        rotate_secret=_answer(_rotate_secret),
        resolve=requests.resolve,
        delete_secret=requests.delete(seams.secretsmanager.delete_secret),
        describe_secret=with_facts(seams.secretsmanager.describe_secret, lambda content: [content]),
        list_secrets=with_facts(seams.secretsmanager.list_secrets, lambda content: content["SecretList"]),
        # UpdateSecret of other services (RDS managed passwords) promotes through this one.
        apply_current_promotion=lambda secret, version_id: move_label(secret, "AWSCURRENT", version_id),
    )
    handle = seams.secretsmanager.handle_request
    cancel_rotation = _answer(_cancel_rotate_secret)

    async def handle_request(method, path, headers, body, query_params):
        _access_key.set(extract_access_key_id(headers, query_params) or None)
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        try:
            data = json.loads(body or b"{}")
            requests.check(action, data if isinstance(data, dict) else {})
        except Refusal as refusal:
            return requests.refusal(refusal)
        except ValueError:
            data = {}  # the emulator answers what is no JSON
        if action == "CancelRotateSecret":
            return cancel_rotation(data)
        return await handle(method, path, headers, body, query_params)

    seams.secretsmanager.replace(handle_request=handle_request)
    rotation.watch_schedules()
