"""Users of Amazon ElastiCache: up to two passwords, changed later than ModifyUser answers, on a real server.

The passwords of a request replace those that the user had; until they are in force, its status is "modifying", and it
takes no other change. The emulator keeps a count that is always one, and changes no server.

https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_ModifyUser.html
https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticache.html
"""

from cloud import passwords as change
from cloud import seams

_SHORTEST, _LONGEST, _FORBIDDEN = 16, 128, ',"/@'
_MOST = 2
# What a request calls a way to authenticate, and what an answer calls it.
_STORED = {"no-password-required": "no-password"}


def _value(params: dict, key: str) -> str:
    value = params.get(key, "")
    return (value[0] if value else "") if isinstance(value, list) else value


def _passwords(params: dict) -> list[str]:
    found: list[str] = []
    for prefix in ("Passwords.member", "AuthenticationMode.Passwords.member"):
        while _value(params, f"{prefix}.{len(found) + 1}"):
            found.append(_value(params, f"{prefix}.{len(found) + 1}"))
        if found:
            break
    return found


def _without_passwords(params: dict) -> dict:
    return {key: value for key, value in params.items() if "Passwords." not in key}


def install() -> None:
    create_user, modify_user = seams.elasticache.create_user, seams.elasticache.modify_user
    resource_arn_of, scrub = seams.iam_actions.extract_resource_arn, seams.cloudtrail.scrub

    def refuse(found: list[str]):
        if len(found) > _MOST:
            return seams.elasticache.error("InvalidParameterValue", f"A user has at most {_MOST} passwords.", 400)
        whys = [change.fault(password, _SHORTEST, _LONGEST, _FORBIDDEN) for password in found]
        why = next((why for why in whys if why), None)
        return why and seams.elasticache.error("InvalidParameterValue", f"Password is not valid: {why}.", 400)

    def create(params):
        found = _passwords(params)
        refused = refuse(found)
        if refused:
            return refused
        answer = create_user(params)
        user = seams.elasticache.users.get(_value(params, "UserId"))
        if user is not None and answer[0] < 300 and found:
            user["Authentication"] = {"Type": "password", "PasswordCount": len(found)}
        return answer

    def modify(params):
        found = _passwords(params)
        user = seams.elasticache.users.get(_value(params, "UserId"))
        mode = _value(params, "AuthenticationMode.Type")
        if user is not None and mode and mode != "password":
            user["Authentication"] = {"Type": _STORED.get(mode, mode), "PasswordCount": 0}
        if not found or user is None:
            return modify_user(params)
        if user["Status"] != "active":
            return seams.elasticache.error("InvalidUserState", f"User {user['UserId']} is not active.", 400)
        refused = refuse(found)
        if refused:
            return refused
        user["Status"] = "modifying"

        def done() -> None:
            user["Authentication"] = {"Type": "password", "PasswordCount": len(found)}
            user["Status"] = "active"

        answer = modify_user(_without_passwords(params))
        change.reset(seams.elasticache.tags.get(user["ARN"], []), user["UserName"], found, lambda: None, done)
        return answer

    def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
        user = _value(query_params, "UserId") if service == "elasticache" else ""
        if user:
            return f"arn:aws:elasticache:{region}:{account_id}:user:{user}"
        return resource_arn_of(service, method, path, headers, body, query_params, region, account_id)

    # CloudTrail masks them; the emulator would record them, one key for each.
    seams.cloudtrail.replace(
        scrub=lambda params: scrub(_without_passwords(params) if isinstance(params, dict) else params)
    )
    seams.elasticache.replace(create_user=create, modify_user=modify)
    seams.iam_actions.replace(extract_resource_arn=extract_resource_arn)
