"""Versions of a secret and their staging labels.

Follows https://docs.aws.amazon.com/secretsmanager/latest/userguide/whats-in-a-secret.html#term_version and
https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html.
"""

import base64
import json

from ministack.core.responses import new_uuid

from cloud import clock, seams

KEPT_VERSIONS = 100
KEPT_SECONDS = 24 * 3600
LARGEST_VALUE = 65_536
SHORTEST_TOKEN, LONGEST_TOKEN = 32, 64


class Refusal(Exception):
    """A request that is answered with an error: its code and message, as the API reference names them."""

    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def describe_error(result: dict) -> str:
    """What a Lambda result says went wrong, without the function's data."""
    body = result.get("body")
    if isinstance(body, (bytes, str)):
        try:
            body = json.loads(body)
        except ValueError:
            body = None
    if isinstance(body, dict):
        return str(body.get("errorType") or body.get("__type") or body.get("Reason") or "error")
    return "error"


def holder(secret: dict, label: str) -> tuple[str | None, dict | None]:
    """The version that has `label`."""
    for version_id, version in secret["Versions"].items():
        if label in version["Stages"]:
            return version_id, version
    return None, None


def has_value(version: dict) -> bool:
    return version.get("SecretString") is not None or version.get("SecretBinary") is not None


def drop_label(secret: dict, label: str, version_id: str) -> None:
    """Takes a label off a version."""
    version = secret["Versions"][version_id]
    version["Stages"] = [stage for stage in version["Stages"] if stage != label]


def move_label(secret: dict, label: str, version_id: str) -> None:
    """A label is on one version at a time; AWSPREVIOUS follows AWSCURRENT to the version it was taken from."""
    old_id, _ = holder(secret, label)
    if old_id == version_id:
        return
    if old_id is not None:
        drop_label(secret, label, old_id)
    secret["Versions"][version_id]["Stages"].append(label)
    if label == "AWSCURRENT" and old_id is not None:
        move_label(secret, "AWSPREVIOUS", old_id)
    if label not in ("AWSPENDING", "AWSPREVIOUS"):
        seams.secretsmanager.emit_secret_label_updated(secret, label, version_id)


def add_version(secret: dict, version_id: str, string: str | None, binary: str | None) -> dict:
    """Adds a version without labels, and removes old ones: AWS keeps the 100 latest and all of the last day."""
    now = clock.now()
    version: dict = {"SecretString": string, "SecretBinary": binary, "CreatedDate": now, "Stages": []}
    secret["Versions"][version_id] = version
    by_age = sorted(secret["Versions"].items(), key=lambda item: item[1]["CreatedDate"], reverse=True)
    for old_id, old in by_age[KEPT_VERSIONS:]:
        if not old["Stages"] and old is not version and now - old["CreatedDate"] > KEPT_SECONDS:
            del secret["Versions"][old_id]
    return version


def token_of(data: dict) -> str:
    """The request's ClientRequestToken, which becomes the version's id."""
    token = data.get("ClientRequestToken")
    if token is None:
        return new_uuid()
    if not isinstance(token, str) or not SHORTEST_TOKEN <= len(token) <= LONGEST_TOKEN:
        raise Refusal("InvalidParameterException", "ClientRequestToken must be 32-64 characters long.")
    return token


def value_of(data: dict) -> tuple[str | None, str | None]:
    """The request's SecretString and SecretBinary (base64), at most one of them, each within the size limit."""
    string, binary = data.get("SecretString"), data.get("SecretBinary")
    if string is not None and binary is not None:
        raise Refusal("InvalidParameterException", "You can't specify both SecretString and SecretBinary.")
    size = len(string.encode()) if string is not None else len(base64.b64decode(binary or ""))
    if size > LARGEST_VALUE:
        raise Refusal("InvalidParameterException", f"The secret value can't be longer than {LARGEST_VALUE} bytes.")
    return string, binary


def put_version(secret: dict, token: str, string: str | None, binary: str | None, labels: list[str]) -> dict:
    """Stores a value under `token`: the same again does nothing, another value is refused (API_PutSecretValue)."""
    version = secret["Versions"].get(token)
    if version is not None and has_value(version):
        if (version.get("SecretString"), version.get("SecretBinary")) != (string, binary):
            raise Refusal(
                "ResourceExistsException",
                "You can't modify an existing version, you can only create a new version.",
            )
        return version
    first = not any(has_value(other) for other in secret["Versions"].values())
    if version is None:
        version = add_version(secret, token, string, binary)
    else:
        version.update(SecretString=string, SecretBinary=binary)
    for label in dict.fromkeys([*labels, *(["AWSCURRENT"] if first else [])]):
        move_label(secret, label, token)
    secret["LastChangedDate"] = clock.now()
    return version
