"""IAM users: their access keys, tags and inline policies as AWS documents them.

The emulator knows no quotas of users, takes any user's name where a key of another one is named, and does not track
when keys are used. Follows https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html; each function names its operation.
"""

import re
import time

from ministack.core import iam_evaluator

from cloud import seams

_KEYS_PER_USER = 2
_TAGS_PER_USER = 50
_INLINE_POLICY_CHARACTERS = 2048
_TAG = re.compile(r"[\w\s.:/=+\-@]*")


class Refusal(Exception):
    def __init__(self, status: int, code: str, message: str):
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def _user(params) -> dict:
    name = seams.iam.p(params, "UserName")
    user = seams.iam.users.get(name)
    if user is None:
        raise Refusal(404, "NoSuchEntity", f"The user with name {name} cannot be found.")
    return user


def _require_own_key(params) -> None:
    key_id = seams.iam.p(params, "AccessKeyId")
    record = seams.iam.access_keys.get(key_id)
    if record is None or record["UserName"] != _user(params)["UserName"]:
        raise Refusal(404, "NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")


def _before_create_access_key(params) -> None:
    """API_CreateAccessKey: a user has two keys at the most, whatever their status."""
    name = _user(params)["UserName"]
    if sum(record["UserName"] == name for record in seams.iam.access_keys.values()) >= _KEYS_PER_USER:
        raise Refusal(409, "LimitExceeded", f"Cannot exceed quota for AccessKeysPerUser: {_KEYS_PER_USER}")


def _before_tag_user(params) -> None:
    """API_TagUser: letters, digits, white space and ``_.:/=+-@``; 50 tags at the most."""
    tags = seams.iam.extract_tags(params)
    for tag in tags:
        if (
            not (_TAG.fullmatch(tag["Key"]) and _TAG.fullmatch(tag["Value"]))
            or len(tag["Key"]) > 128
            or len(tag["Value"]) > 256
        ):
            raise Refusal(
                400,
                "ValidationError",
                "1 validation error detected: a tag failed to satisfy constraint: "
                "Member must satisfy regular expression pattern: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*",
            )
    if len({tag["Key"].lower() for tag in [*_user(params)["Tags"], *tags]}) > _TAGS_PER_USER:
        raise Refusal(409, "LimitExceeded", f"Cannot exceed quota for TagsPerUser: {_TAGS_PER_USER}")


def _before_put_user_policy(params) -> None:
    """API_PutUserPolicy: all inline policies of a user together, white space not counted."""
    name = _user(params)["UserName"]
    policies = {
        **(seams.iam.user_inline_policies.get(name) or {}),
        seams.iam.p(params, "PolicyName"): seams.iam.p(params, "PolicyDocument"),
    }
    if sum(len(re.sub(r"\s", "", str(document))) for document in policies.values()) > _INLINE_POLICY_CHARACTERS:
        raise Refusal(
            409, "LimitExceeded", f"Maximum policy size of {_INLINE_POLICY_CHARACTERS} bytes exceeded for user {name}"
        )


def _before_delete_user(params) -> None:
    """API_DeleteUser: its inline policies must be deleted first."""
    if seams.iam.user_inline_policies.get(_user(params)["UserName"]):
        raise Refusal(409, "DeleteConflict", "Cannot delete entity, must delete policies first.")


def _get_access_key_last_used(params):
    """API_GetAccessKeyLastUsed: date, region and service of the latest request that the key signed."""
    key_id = seams.iam.p(params, "AccessKeyId")
    record = seams.iam.access_keys.get(key_id)
    if record is None:
        raise Refusal(404, "NoSuchEntity", f"The Access Key with id {key_id} cannot be found.")
    used = record.get("LastUsed") or {"Region": "N/A", "ServiceName": "N/A"}
    fields = "".join(f"<{name}>{value}</{name}>" for name, value in used.items())
    return seams.iam.xml(
        200,
        "GetAccessKeyLastUsedResponse",
        f"<GetAccessKeyLastUsedResult><UserName>{record['UserName']}</UserName>"
        f"<AccessKeyLastUsed>{fields}</AccessKeyLastUsed></GetAccessKeyLastUsedResult>",
        ns="iam",
    )


# Checks that come before what the emulator does itself.
_CHECKS = {
    "CreateAccessKey": (_before_create_access_key,),
    "ListAccessKeys": (_user,),
    "UpdateAccessKey": (_require_own_key,),
    "DeleteAccessKey": (_require_own_key,),
    "TagUser": (_before_tag_user,),
    "PutUserPolicy": (_before_put_user_policy,),
    "DeleteUser": (_before_delete_user,),
}


def _checked(action: str, handler):

    def answer(params):
        try:
            # Without a user's name, IAM takes the caller's own; the emulator has its own way with that.
            if seams.iam.p(params, "UserName") or action == "GetAccessKeyLastUsed":
                for check in _CHECKS.get(action, ()):
                    check(params)
            return handler(params)
        except Refusal as refusal:
            return seams.iam.error(refusal.status, refusal.code, refusal.message, ns="iam")

    return answer


def _scope(request) -> tuple[str, str]:
    """The region and service that a request is signed for: `Credential=<key>/<date>/<region>/<service>/…`."""
    signed = request.headers.get("authorization", "") if request is not None else ""
    found = re.search(r"Credential=[^/]+/\d{8}/([^/]*)/([^/]+)/aws4_request", signed)
    return (found.group(1) or "N/A", found.group(2)) if found else ("N/A", "N/A")


def _user_arn(account_id: str, name: str | None) -> str | None:
    user = seams.iam.users.get_scoped(account_id, None, name) if name else None
    return user["Arn"] if user else None


def install() -> None:
    seams.iam.IAM_HANDLERS["GetAccessKeyLastUsed"] = _get_access_key_last_used
    for action in (*_CHECKS, "GetAccessKeyLastUsed"):
        seams.iam.IAM_HANDLERS[action] = _checked(action, seams.iam.IAM_HANDLERS[action])

    authenticate_once = seams.iam_evaluator.authenticate
    resource_arn_of = seams.iam_actions.extract_resource_arn

    def authenticate(access_key_id, account_id):
        """Notes the use of a user's key whose signature was right."""
        request = seams.iam_evaluator.signed_request.get()
        checked = authenticate_once(access_key_id, account_id)
        if isinstance(checked, iam_evaluator.ResolvedCredential):
            record = seams.iam.access_keys.get_scoped(checked.account_id, None, access_key_id)
            if record is not None:
                region, service = _scope(request)
                record["LastUsed"] = {
                    "LastUsedDate": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                    "ServiceName": service,
                    "Region": region,
                }
        return checked

    def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
        # A user's ARN has its path; where a key alone is named, the resource is its user.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html
        arn = resource_arn_of(service, method, path, headers, body, query_params, region, account_id)
        if service != "iam":
            return arn
        name = seams.iam_actions.param(body, query_params, "UserName")
        if not name and arn == "*":
            key_id = seams.iam_actions.param(body, query_params, "AccessKeyId")
            record = seams.iam.access_keys.get_scoped(account_id, None, key_id) if key_id else None
            name = (record or {}).get("UserName")
        elif ":user/" not in arn:
            return arn
        return _user_arn(account_id, name) or arn

    seams.iam_evaluator.replace(authenticate=authenticate)
    seams.iam_actions.replace(extract_resource_arn=extract_resource_arn)
