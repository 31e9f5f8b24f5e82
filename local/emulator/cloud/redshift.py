"""Amazon Redshift's provisioned clusters, as far as their admin password goes: the emulator has no Redshift.

Creates, describes, modifies and deletes clusters. ModifyCluster answers at once; until the password is set,
PendingModifiedValues names it. What of a request is not about the password is kept and given back, or left out.

https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateCluster.html
https://docs.aws.amazon.com/redshift/latest/APIReference/API_ModifyCluster.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonredshift.html
"""

import asyncio
import threading
import uuid
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from ministack.core.responses import get_account_id, get_region

from cloud import passwords, seams

_NAMESPACE = "http://redshift.amazonaws.com/doc/2012-12-01/"
_FORBIDDEN = "'\"\\/@"
_PAGE = 100

_clusters: dict[tuple[str, str, str], dict] = {}
_lock = threading.Lock()


class _Refusal(Exception):
    def __init__(self, code: str, message: str, status: int = 400):
        super().__init__(message)
        self.code, self.status = code, status


def _scope() -> tuple[str, str]:
    return get_account_id(), get_region()


def _require_password(password: str) -> None:
    why = passwords.fault(password, 8, 64, _FORBIDDEN)
    for wanted, has in (
        ("an uppercase letter", str.isupper),
        ("a lowercase letter", str.islower),
        ("a number", str.isdigit),
    ):
        if why is None and not any(has(character) for character in password):
            why = f"it must contain at least {wanted}"
    if why is not None:
        raise _Refusal("InvalidParameterValue", f"The parameter MasterUserPassword is not valid: {why}.")


def _find(identifier: str) -> dict:
    cluster = _clusters.get((*_scope(), identifier))
    if cluster is None:
        raise _Refusal("ClusterNotFound", f"Cluster {identifier} not found.", 404)
    return cluster


def _tags(params: dict) -> list[dict]:
    tags: list[dict] = []
    while f"Tags.Tag.{len(tags) + 1}.Key" in params:
        number = len(tags) + 1
        tags.append({"Key": params[f"Tags.Tag.{number}.Key"], "Value": params.get(f"Tags.Tag.{number}.Value", "")})
    return tags


def _render(cluster: dict) -> str:
    def element(name: str, value) -> str:
        return "" if value in (None, "") else f"<{name}>{escape(str(value))}</{name}>"

    pending = element("MasterUserPassword", cluster["pending"])
    tags = "".join(
        f"<Tag>{element('Key', tag['Key'])}{element('Value', tag['Value'])}</Tag>" for tag in cluster["tags"]
    )
    return "".join(
        [
            "<Cluster>",
            element("ClusterIdentifier", cluster["id"]),
            element("ClusterStatus", cluster["status"]),
            element("MasterUsername", cluster["username"]),
            element("DBName", cluster["database"]),
            f"<Endpoint>{element('Address', cluster['host'])}{element('Port', cluster['port'])}</Endpoint>",
            element("NodeType", cluster["node_type"]),
            element("MasterPasswordSecretArn", cluster["secret"]),
            f"<PendingModifiedValues>{pending}</PendingModifiedValues><Tags>{tags}</Tags>",
            "</Cluster>",
        ]
    )


def _create(params: dict) -> str:
    identifier = params.get("ClusterIdentifier", "")
    account, region = _scope()
    managed = params.get("ManageMasterPassword") == "true"
    if not managed:
        _require_password(params.get("MasterUserPassword", ""))
    tags = _tags(params)
    bound = passwords.endpoint(tags)
    host = f"{identifier}.{uuid.uuid4().hex[:12]}.{region}.redshift.amazonaws.com"
    name = f"redshift!{identifier}-{params.get('MasterUsername', '')}"
    cluster = {
        "id": identifier,
        "status": "available",
        "username": params.get("MasterUsername", ""),
        "database": params.get("DBName", "dev"),
        "node_type": params.get("NodeType", ""),
        "tags": tags,
        "pending": None,
        "host": bound[0] if bound else host,
        "port": bound[1] if bound else int(params.get("Port", 5439)),
        "secret": f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf" if managed else None,
    }
    with _lock:
        if (account, region, identifier) in _clusters:
            raise _Refusal("ClusterAlreadyExists", f"Cluster {identifier} already exists.")
        _clusters[account, region, identifier] = cluster
    return _render(cluster)


def _describe(params: dict) -> str:
    identifier = params.get("ClusterIdentifier")
    if identifier:
        return f"<Clusters>{_render(_find(identifier))}</Clusters>"
    scope = _scope()
    known = [cluster for key, cluster in sorted(_clusters.items()) if key[:2] == scope]
    first = int(params.get("Marker") or 0)
    size = min(_PAGE, int(params.get("MaxRecords") or _PAGE))
    page = "".join(_render(cluster) for cluster in known[first : first + size])
    marker = f"<Marker>{first + size}</Marker>" if first + size < len(known) else ""
    return f"{marker}<Clusters>{page}</Clusters>"


def _modify(params: dict) -> str:
    cluster = _find(params.get("ClusterIdentifier", ""))
    password = params.get("MasterUserPassword")
    if password:
        if cluster["secret"]:
            raise _Refusal(
                "InvalidParameterCombination", "You can't specify MasterUserPassword while ManageMasterPassword is on."
            )
        if cluster["status"] != "available":
            raise _Refusal("InvalidClusterState", f"Cluster {cluster['id']} is {cluster['status']}.")
        _require_password(password)
        cluster["pending"] = passwords.MASK

        def done() -> None:
            cluster["pending"] = None

        passwords.reset(cluster["tags"], cluster["username"], [password], lambda: None, done)
    return _render(cluster)


def _pause(params: dict) -> str:
    cluster = _find(params.get("ClusterIdentifier", ""))
    cluster["status"] = "paused"
    return _render(cluster)


def _delete(params: dict) -> str:
    cluster = _find(params.get("ClusterIdentifier", ""))
    account, region = _scope()
    del _clusters[account, region, cluster["id"]]
    return _render({**cluster, "status": "deleting"})


_ACTIONS = {
    "CreateCluster": _create,
    "DescribeClusters": _describe,
    "ModifyCluster": _modify,
    "PauseCluster": _pause,
    "DeleteCluster": _delete,
}


def _answer(status: int, root: str, inner: str) -> tuple[int, dict, bytes]:
    body = f'<{root} xmlns="{_NAMESPACE}">{inner}</{root}>'
    return status, {"Content-Type": "text/xml"}, body.encode()


async def handle_request(_method, _path, _headers, body, query_params):
    fields = {**query_params, **parse_qs((body or b"").decode(), keep_blank_values=True)}
    params = {key: value[0] if isinstance(value, list) else value for key, value in fields.items()}
    action = params.get("Action", "")
    identity = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    try:
        if action not in _ACTIONS:
            raise _Refusal("InvalidAction", f"The local cloud's Redshift has no {action}.")
        result = await asyncio.to_thread(_ACTIONS[action], params)
    except _Refusal as refusal:
        error = (
            f"<Error><Type>Sender</Type><Code>{refusal.code}</Code><Message>{escape(str(refusal))}</Message></Error>"
        )
        return _answer(refusal.status, "ErrorResponse", error + identity)
    return _answer(200, f"{action}Response", f"<{action}Result>{result}</{action}Result>{identity}")


def install() -> None:
    seams.router.SERVICE_PATTERNS["redshift"] = {"host_patterns": [r"redshift\."]}
    seams.app.SERVICE_HANDLERS["redshift"] = handle_request
    seams.iam_actions.SERVICE_TO_IAM_NAMESPACE["redshift"] = "redshift"
    seams.iam_actions.SERVICE_PROTOCOL["redshift"] = "query-xml"
    seams.iam_actions.QUERY_XML_NS["redshift"] = _NAMESPACE
    resource_arn_of, reset_state = seams.iam_actions.extract_resource_arn, seams.app.reset_all_state

    def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
        if service != "redshift":
            return resource_arn_of(service, method, path, headers, body, query_params, region, account_id)
        identifier = query_params.get("ClusterIdentifier", "")
        identifier = identifier[0] if isinstance(identifier, list) else identifier
        action = query_params.get("Action", "")
        # DescribeClusters is a list action: it is decided on no cluster's ARN.
        lists = "DescribeClusters" in (action if isinstance(action, list) else [action])
        return f"arn:aws:redshift:{region}:{account_id}:cluster:{identifier}" if identifier and not lists else "*"

    def reset_all():
        _clusters.clear()
        reset_state()

    seams.iam_actions.replace(extract_resource_arn=extract_resource_arn)
    seams.app.replace(reset_all_state=reset_all)
