"""CloudTrail: trails that write files.

- What a record holds:
  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
- Who called:
  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
- PutEvents as a data event, its detail hidden and its answer shown:
  https://docs.aws.amazon.com/eventbridge/latest/userguide/logging-using-cloudtrail.html
- Secrets Manager: https://docs.aws.amazon.com/secretsmanager/latest/userguide/cloudtrail_log_entries.html
- Which selectors there are:
  https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html
- Names of files:
  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-examples.html
- Digests:
  https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html

Logged are PutEvents and the calls of Secrets Manager that read or rotate. AWS logs every call, and delivers within
about five minutes; here REKEY_TRAIL_DELAY_MS says how long a file waits for more calls. A digest comes with each file,
in place of each hour, and is not signed: nobody has AWS's key.
"""

import asyncio
import contextvars
import gzip
import hashlib
import json
import logging
import os
import secrets
import threading
import time

from ministack.core.responses import get_account_id, get_region, new_uuid

from cloud import control, seams

logger = logging.getLogger("rekey.trails")

_HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"
_TARGETS = {
    "AWSEvents.PutEvents": "events.amazonaws.com",
    "secretsmanager.GetSecretValue": "secretsmanager.amazonaws.com",
    "secretsmanager.BatchGetSecretValue": "secretsmanager.amazonaws.com",
    "secretsmanager.RotateSecret": "secretsmanager.amazonaws.com",
}
_READS = ("GetSecretValue", "BatchGetSecretValue")
# What CloudTrail keeps of the parameters of a call; the value of a secret is never among them.
_KEPT = ("SecretId", "SecretIdList", "VersionId", "VersionStage", "ClientRequestToken", "RotateImmediately", "Filters")

_waiting: dict[str, list[dict]] = {}
_digests: dict[str, dict] = {}
_lock = threading.Lock()


def _delay() -> float:
    return int(os.environ.get("REKEY_TRAIL_DELAY_MS") or 500) / 1000


def _camel(name: str) -> str:
    return name[:1].lower() + name[1:]


def _parameters(name: str, asked: dict) -> dict:
    if name != "PutEvents":
        return {_camel(key): asked[key] for key in _KEPT if key in asked}
    entries = [
        {
            **{_camel(key): str(entry[key]) for key in ("Source", "DetailType", "EventBusName") if entry.get(key)},
            **({"detail": _HIDDEN} if entry.get("Detail") else {}),
        }
        for entry in asked.get("Entries") or []
    ]
    return {"entries": entries}


def _response(name: str, answered: dict) -> dict | None:
    if name == "PutEvents":
        entries = [{_camel(key): value for key, value in entry.items()} for entry in answered.get("Entries") or []]
        return {"failedEntryCount": answered.get("FailedEntryCount", 0), "entries": entries}
    if name == "RotateSecret":
        return {"arn": answered.get("ARN"), "name": answered.get("Name"), "versionId": answered.get("VersionId")}
    # Calls that only read have no answer in the record.
    return None


def _role_arn(name: str, account: str) -> str:
    role = seams.iam.roles.get(name)
    return role["Arn"] if role else f"arn:aws:iam::{account}:role/{name}"


def _identity(caller: str, access_key: str) -> dict:
    account = caller.split(":")[4] or get_account_id()
    common = {"arn": caller, "accountId": account, "accessKeyId": access_key}
    resource = caller.split(":", 5)[5]
    if resource.startswith("assumed-role/"):
        _, role, session = resource.split("/", 2)
        issuer = {"type": "Role", "arn": _role_arn(role, account), "accountId": account, "userName": role}
        function = _function_of(role, session)
        return {
            "type": "AssumedRole",
            "principalId": f"AROA{role.upper()[:16]}:{session}",
            **common,
            "sessionContext": {"sessionIssuer": issuer, "attributes": {"mfaAuthenticated": "false"}},
            **({"inScopeOf": function} if function else {}),
        }
    kind = "Root" if resource == "root" else "IAMUser"
    return {"type": kind, "principalId": access_key, **common}


def _function_of(role: str, session: str) -> dict | None:
    """The function that AWS gave a session's credentials to, which is named like the session."""
    function = seams.lambda_svc.functions.get(session)
    config = (function or {}).get("config") or {}
    if not str(config.get("Role", "")).endswith(f"/{role}"):
        return None
    return {
        "sourceArn": config["FunctionArn"],
        "sourceAccount": get_account_id(),
        "issuerType": "AWS::Lambda::Function",
        "credentialsIssuedTo": config["FunctionArn"],
    }


def _bus_arn(name: str) -> str:
    return name if name.startswith("arn:") else f"arn:aws:events:{get_region()}:{get_account_id()}:event-bus/{name}"


def _resources(name: str, asked: dict, answered: dict) -> list[dict]:
    if name == "PutEvents":
        buses = {_bus_arn(str(entry.get("EventBusName") or "default")) for entry in asked.get("Entries") or []}
        return [{"type": "AWS::Events::EventBus", "ARN": bus} for bus in sorted(buses)]
    arn = answered.get("ARN")
    return [{"type": "AWS::SecretsManager::Secret", "ARN": arn, "accountId": get_account_id()}] if arn else []


def record_of(target: str, headers: dict, client: str, asked: dict, status: int, answered: dict) -> dict:
    """The record of one call."""
    name = target.split(".")[1]
    caller = seams.iam_evaluator.request_caller_arn.get("") or f"arn:aws:iam::{get_account_id()}:root"
    credential = headers.get("authorization", "").partition("Credential=")[2].partition("/")[0]
    refused = status >= 400
    is_data = name == "PutEvents"
    error = str(answered.get("__type") or answered.get("code") or "").split("#")[-1]
    return {
        "eventVersion": "1.11",
        "userIdentity": _identity(caller, credential),
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "eventSource": _TARGETS[target],
        "eventName": name,
        "awsRegion": get_region(),
        "sourceIPAddress": client,
        "userAgent": headers.get("user-agent", ""),
        **({"errorCode": error, "errorMessage": answered.get("message") or answered.get("Message")} if refused else {}),
        "requestParameters": _parameters(name, asked),
        "responseElements": None if refused else _response(name, answered),
        "requestID": headers.get(":request-id", ""),
        "eventID": new_uuid(),
        "readOnly": name in _READS,
        "resources": _resources(name, asked, answered),
        "eventType": "AwsApiCall",
        "managementEvent": not is_data,
        "recipientAccountId": get_account_id(),
        "eventCategory": "Data" if is_data else "Management",
    }


def _fits(field: dict, record: dict) -> bool:
    found = {
        "eventCategory": [record["eventCategory"]],
        "eventName": [record["eventName"]],
        "eventSource": [record["eventSource"]],
        "readOnly": [str(record["readOnly"]).lower()],
        "resources.type": [resource["type"] for resource in record["resources"]],
        "resources.ARN": [resource["ARN"] for resource in record["resources"]],
    }.get(field["Field"], [])
    equals, unequal = field.get("Equals"), field.get("NotEquals")
    starts = field.get("StartsWith")
    return (
        (not equals or any(value in equals for value in found))
        and (not unequal or not any(value in unequal for value in found))
        and (not starts or any(value.startswith(tuple(starts)) for value in found))
    )


def _selects(selector: dict, record: dict) -> bool:
    if "FieldSelectors" in selector:
        return all(_fits(field, record) for field in selector["FieldSelectors"])
    # A selector of the older kind knows no data events of EventBridge.
    reads = {"ReadOnly": (True,), "WriteOnly": (False,)}.get(selector.get("ReadWriteType", "All"), (True, False))
    return record["managementEvent"] and selector.get("IncludeManagementEvents", True) and record["readOnly"] in reads


def _trails() -> list[dict]:
    return [trail for _, trail in list(seams.cloudtrail.trails.items()) if trail.get("IsLogging")]


def log(record: dict) -> None:
    """Hands a record to every trail that selects it; its file comes a little later."""
    for trail in _trails():
        selectors = seams.cloudtrail.event_selectors.get(trail["Name"]) or seams.cloudtrail.DEFAULT_EVENT_SELECTORS
        if not any(_selects(selector, record) for selector in selectors):
            continue
        with _lock:
            waiting = _waiting.setdefault(trail["TrailARN"], [])
            waiting.append(record)
            first = len(waiting) == 1
        if first:
            timer = threading.Timer(_delay(), contextvars.copy_context().run, args=(_deliver, trail))
            timer.daemon = True
            timer.start()


def _put(trail: dict, key: str, body: bytes) -> None:
    headers = {
        "content-type": "application/json",
        "content-encoding": "gzip",
        "content-length": str(len(body)),
        "host": "s3.localhost",
        "x-amz-acl": "bucket-owner-full-control",
    }
    if trail.get("KmsKeyId"):
        headers |= {
            "x-amz-server-side-encryption": "aws:kms",
            "x-amz-server-side-encryption-aws-kms-key-id": trail["KmsKeyId"],
        }
    path = f"/{trail['S3BucketName']}/{key}"
    status, _, answer = asyncio.run(seams.s3.handle_request("PUT", path, headers, body, {}, internal=True))
    if status >= 300:
        raise ValueError(f"{path}: {answer!r}")


def _key(trail: dict, kind: str, stamp: time.struct_time, rest: str) -> str:
    parts = [trail.get("S3KeyPrefix"), "AWSLogs", get_account_id(), kind, get_region()]
    name = f"{get_account_id()}_{kind}_{get_region()}_{rest}.json.gz"
    return "/".join([*filter(None, parts), time.strftime("%Y/%m/%d", stamp), name])


def _deliver(trail: dict) -> None:
    """Writes the file of what has waited, and its digest."""
    try:
        with _lock:
            records = _waiting.pop(trail["TrailARN"], [])
        if not records or not seams.cloudtrail.trails.get(trail["Name"]):
            return
        now = time.gmtime()
        body = gzip.compress(json.dumps({"Records": records}).encode())
        rest = f"{time.strftime('%Y%m%dT%H%MZ', now)}_{secrets.token_hex(8)}"
        key = _key(trail, "CloudTrail", now, rest)
        _put(trail, key, body)
        if trail.get("LogFileValidationEnabled"):
            _digest(trail, now, key, records)
    except Exception:  # the emulator's own fault
        logger.exception("trail %s", trail["Name"])


def _digest(trail: dict, now: time.struct_time, key: str, records: list[dict]) -> None:
    before = _digests.get(trail["TrailARN"], {})
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", now)
    times = sorted(record["eventTime"] for record in records)
    name = f"{trail['Name']}_{get_region()}_{time.strftime('%Y%m%dT%H%M%SZ', now)}"
    digest_key = _key(trail, "CloudTrail-Digest", now, name)
    document = {
        "awsAccountId": get_account_id(),
        "digestStartTime": before.get("end", stamp),
        "digestEndTime": stamp,
        "digestS3Bucket": trail["S3BucketName"],
        "digestS3Object": digest_key,
        "newestEventTime": times[-1],
        "oldestEventTime": times[0],
        "previousDigestS3Bucket": trail["S3BucketName"] if before else None,
        "previousDigestS3Object": before.get("key"),
        "previousDigestHashValue": before.get("hash"),
        "previousDigestHashAlgorithm": "SHA-256" if before else None,
        "logFiles": [
            {
                "s3Bucket": trail["S3BucketName"],
                "s3Object": key,
                # Of the file as it is unpacked.
                "hashValue": hashlib.sha256(json.dumps({"Records": records}).encode()).hexdigest(),
                "hashAlgorithm": "SHA-256",
                "newestEventTime": times[-1],
                "oldestEventTime": times[0],
            }
        ],
    }
    text = json.dumps(document).encode()
    _put(trail, digest_key, gzip.compress(text))
    _digests[trail["TrailARN"]] = {"key": digest_key, "end": stamp, "hash": hashlib.sha256(text).hexdigest()}


def _json(body: bytes) -> dict:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


async def _observed(emulator, scope, receive, send, headers: dict) -> None:
    """Answers a call as the emulator does, and logs what went in and came out."""
    asked, answered, told = bytearray(), bytearray(), {"status": 500}

    async def taking():
        message = await receive()
        if message["type"] == "http.request":
            asked.extend(message.get("body", b""))
        return message

    async def giving(message):
        if message["type"] == "http.response.start":
            told["status"] = message["status"]
            for name, value in message.get("headers", []):
                if name.lower() == b"x-amzn-requestid":
                    headers[":request-id"] = value.decode("latin-1")
        elif message["type"] == "http.response.body":
            answered.extend(message.get("body", b""))
        await send(message)

    await emulator(scope, taking, giving)
    try:
        target = headers["x-amz-target"]
        client = (scope.get("client") or ("127.0.0.1", 0))[0]
        log(record_of(target, headers, client, _json(bytes(asked)), told["status"], _json(bytes(answered))))
    except Exception:  # the emulator's own fault
        logger.exception("a call of %s", headers.get("x-amz-target"))


def _forget() -> None:
    with _lock:
        _waiting.clear()
        _digests.clear()


def install() -> None:
    emulator = seams.app.app

    async def app(scope, receive, send):
        headers = {}
        if scope["type"] == "http" and scope["method"] == "POST":
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get("x-amz-target") in _TARGETS and seams.cloudtrail.trails:
            await _observed(emulator, scope, receive, send, headers)
        else:
            await emulator(scope, receive, send)

    seams.app.replace(app=app)
    control.on_reset(_forget)
