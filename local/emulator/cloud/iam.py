"""IAM condition keys that a request carries and the emulator leaves out, so that Allow and Deny on them apply.

Follows https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html,
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-conditions.html,
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsesv2.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes-enforce.html.
"""

import contextvars
import json
import re

from ministack.core.responses import get_account_id

from cloud import readings, seams, stepfunctions

# Operations on an existing secret; the others take no SecretId.
_REQUEST_KEYS = {
    "Name": "Name",
    "Description": "Description",
    "KmsKeyId": "KmsKeyId",
    "VersionId": "VersionId",
    "RotationLambdaARN": "RotationLambdaARN",
    "RecoveryWindowInDays": "RecoveryWindowInDays",
    "ForceDeleteWithoutRecovery": "ForceDeleteWithoutRecovery",
    "BlockPublicPolicy": "BlockPublicPolicy",
    "RotateImmediately": "RotateImmediately",
    "ExternalSecretRotationRoleArn": "ExternalSecretRotationRoleArn",
}

# A batch is permitted by the action of its single form; IAM knows no other.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-api-permissions-reference.html
_BATCHES = {
    f"sqs:{action}Batch": f"sqs:{action}" for action in ("SendMessage", "DeleteMessage", "ChangeMessageVisibility")
}

_put_events: contextvars.ContextVar[tuple[tuple[str, dict], ...]] = contextvars.ContextVar("put_events", default=())

_sender: contextvars.ContextVar[str | None] = contextvars.ContextVar("sender", default=None)


def _text(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _secrets_manager_keys(action: str, data: dict) -> dict:
    keys = {
        f"secretsmanager:{key}": _text(data[field])
        for field, key in _REQUEST_KEYS.items()
        if isinstance(data.get(field), (str, int, bool))
    }
    if action == "secretsmanager:RotateSecret":
        if isinstance(data.get("RotationRules"), dict):
            keys["secretsmanager:ModifyRotationRules"] = "true"
        elif readings.is_read("rotate-condition-keys", "always"):
            keys["secretsmanager:ModifyRotationRules"] = "false"
        # RotateSecret rotates at once unless the request says otherwise (API_RotateSecret).
        if readings.is_read("rotate-condition-keys", "always"):
            keys.setdefault("secretsmanager:RotateImmediately", "true")
    # GetSecretValue without a stage reads AWSCURRENT, unless it names a version.
    stage = data.get("VersionStage")
    if stage is None and action == "secretsmanager:GetSecretValue" and not data.get("VersionId"):
        stage = "AWSCURRENT"
    if isinstance(stage, str) and action in (
        "secretsmanager:GetSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ):
        keys["secretsmanager:VersionStage"] = stage
    secret_id = data.get("SecretId")
    if not isinstance(secret_id, str):
        return keys
    _, secret = seams.secretsmanager.resolve(secret_id)
    keys["secretsmanager:SecretId"] = secret["ARN"] if secret else secret_id
    if secret:
        if secret.get("RotationLambdaARN"):
            keys["secretsmanager:resource/AllowRotationLambdaArn"] = secret["RotationLambdaARN"]
        for tag in secret.get("Tags", []):
            keys[f"secretsmanager:ResourceTag/{tag['Key']}"] = tag.get("Value", "")
            keys[f"aws:ResourceTag/{tag['Key']}"] = tag.get("Value", "")
    return keys


def _cloudformation_keys(params: dict) -> dict:
    """Keys of a request with a role of its own, a name of a change set, or a template in a bucket.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscloudformation.html
    """
    fields = {"RoleARN": "RoleArn", "ChangeSetName": "ChangeSetName", "TemplateURL": "TemplateUrl"}
    given = {key: params.get(field) for field, key in fields.items()}
    texts = {key: value[0] if isinstance(value, list) and value else value for key, value in given.items()}
    return {f"cloudformation:{key}": value for key, value in texts.items() if isinstance(value, str) and value}


def _sending_identity(address: str) -> str:
    """The identity that a mail is sent by: the address where that is verified, or else its domain or one above.

    https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
    """
    known = seams.ses_v2.identities
    labels = address.rpartition("@")[2].split(".")
    domains = [".".join(labels[at:]) for at in range(len(labels) - 1)]
    return next((name for name in (address, *domains) if known.get(name) is not None), address)


def _event_entries(data: dict) -> tuple[tuple[str, dict], ...]:
    """The bus and the condition keys of each entry of a PutEvents request."""
    entries = data.get("Entries")
    found = []
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        keys = {"events:source": entry.get("Source"), "events:detail-type": entry.get("DetailType")}
        bus = str(entry.get("EventBusName") or "default").rpartition("event-bus/")[2]
        found.append((bus, {name: value for name, value in keys.items() if isinstance(value, str)}))
    return tuple(found)


def _bus_policy(resource_arn: str) -> tuple[str, str] | None:
    """The policy of an event bus and the account that owns it."""
    policy = seams.eventbridge.event_bus_policies.get(resource_arn.partition(":event-bus/")[2])
    return (json.dumps(policy), get_account_id()) if policy else None


def _json(body: bytes) -> dict:
    try:
        data = json.loads(body or b"{}")
    except (ValueError, UnicodeDecodeError):
        return {}
    return data if isinstance(data, dict) else {}


def _without_session(principal_arn: str) -> str:
    """The ARN of the role whose session this is; any other principal as it is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn
    """
    parts = principal_arn.split(":", 5)
    if len(parts) != 6 or parts[2] != "sts" or not parts[5].startswith("assumed-role/"):
        return principal_arn
    name = parts[5].split("/")[1]
    role = seams.iam.roles.get_scoped(parts[4], None, name)
    return role["Arn"] if role else f"arn:{parts[1]}:iam::{parts[4]}:role/{name}"


def install() -> None:
    # https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-bus-perms.html
    seams.eventbridge.add(bus_policy_for_arn=_bus_policy)
    seams.iam_evaluator.RESOURCE_POLICY_LOOKUPS["events"] = ("eventbridge", "bus_policy_for_arn")
    tag_context = seams.iam_actions.request_tag_context
    s3_context = seams.iam_actions.s3_service_context
    enforce_once = seams.iam_evaluator.enforce
    resource_arn_of = seams.iam_actions.extract_resource_arn
    resolve_key = seams.iam_evaluator.resolve_condition_key

    def request_tag_context(service, iam_action, body, params):
        context = tag_context(service, iam_action, body, params)
        if service == "secretsmanager":
            context = {**_secrets_manager_keys(iam_action, _json(body)), **context}
        if iam_action == "ssm:PutParameter":
            # https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policy-conditions.html
            context = {**context, "ssm:Overwrite": "true" if _json(body).get("Overwrite") else "false"}
        if iam_action == "s3:PutObjectLegalHold":
            # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
            status = re.search(rb"<Status>(ON|OFF)</Status>", body or b"")
            if status:
                context = {**context, "s3:object-lock-legal-hold": status[1].decode()}
        if service == "cloudformation":
            context = {**_cloudformation_keys(params), **context}
        _put_events.set(_event_entries(_json(body)) if iam_action == "events:PutEvents" else ())
        return context

    def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
        # GetParametersByPath is decided on the path, which is no parameter's name.
        # https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-access.html
        below = _json(body).get("Path") if service == "ssm" else None
        if isinstance(below, str) and below.strip("/"):
            return f"arn:aws:ssm:{region}:{account_id}:parameter/{below.strip('/')}"
        # Who may answer a waiting task is decided on its state machine.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsstepfunctions.html
        token = _json(body).get("taskToken") if service == "states" else None
        if isinstance(token, str):
            return stepfunctions.machines_by_token.get(token, "*")
        map_run = _json(body).get("mapRunArn") if service == "states" else None
        if isinstance(map_run, str):
            return map_run
        sender = _json(body).get("FromEmailAddress") if service == "ses" else None
        _sender.set(sender if isinstance(sender, str) else None)
        if isinstance(sender, str):
            return f"arn:aws:ses:{region}:{account_id}:identity/{_sending_identity(sender)}"
        arn = resource_arn_of(service, method, path, headers, body, query_params, region, account_id)
        # Policies name log groups with a trailing :*, but for tagging, whose requests hold an ARN instead of a name.
        # https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
        if service == "logs" and ":log-group:" in arn and isinstance(_json(body).get("logGroupName"), str):
            return f"{arn.removesuffix(':*')}:*"
        return arn

    def s3_service_context(iam_action, query_params, path="", headers=None):
        context = s3_context(iam_action, query_params, path, headers)
        for header in ("if-none-match", "if-match"):
            if iam_action == "s3:PutObject" and (headers or {}).get(header):
                context[f"s3:{header}"] = headers[header]
        return context

    def enforce(access_key_id, iam_action, service, region, resource_arn="*", service_context=None):
        """PutEvents is decided for each entry by itself; one that is denied denies the request."""
        iam_action = _BATCHES.get(iam_action, iam_action)
        context = service_context or {}
        sender = _sender.get()
        if iam_action == "ses:SendEmail" and sender is not None:
            # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsesv2.html
            context = {**context, "ses:FromAddress": sender}
        entries = _put_events.get() if iam_action == "events:PutEvents" else ()
        bus = resource_arn.rpartition("event-bus/")[2]
        for keys in [keys for name, keys in entries if name == bus] or [{}]:
            denied = enforce_once(
                access_key_id,
                iam_action,
                service,
                region,
                resource_arn=resource_arn,
                service_context={**context, **keys},
            )
            if denied:
                return denied
        return None

    def _resolve_condition_key(key, ctx):
        value = resolve_key(key, ctx)
        return _without_session(value) if key.lower() == "aws:principalarn" and isinstance(value, str) else value

    seams.iam_evaluator.replace(resolve_condition_key=_resolve_condition_key, enforce=enforce)
    seams.iam_actions.replace(
        request_tag_context=request_tag_context,
        s3_service_context=s3_service_context,
        extract_resource_arn=extract_resource_arn,
    )
