"""Amazon RDS and Amazon DocumentDB change a master password after they have answered, and not in every state.

ModifyDBInstance and ModifyDBCluster answer at once; until the password is set, PendingModifiedValues names it
(not for DocumentDB, whose clusters have no such element), and the status becomes resetting-master-credentials.
Until work on it begins, a DocumentDB cluster shows nothing of the change at all. A database that is not available takes
no change, nor does one whose password Secrets Manager manages; while another change that somebody asked for is made, it
is modifying. A DocumentDB cluster
has a password wait for the maintenance window unless it shall be applied immediately. The emulator
would set the password within the call, and only on a container of its own.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html
https://docs.aws.amazon.com/documentdb/latest/developerguide/API_ModifyDBCluster.html
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html
"""

import re

from cloud import passwords, seams

_RESETTING = "resetting-master-credentials"
_FORBIDDEN = '/"@'
# Of ModifyDBInstance; that of a cluster is the same for all engines but DocumentDB.
_LONGEST = {"mysql": 41, "mariadb": 41, "oracle": 30, "db2": 255}
_LONGEST_OTHERWISE = 128
_LONGEST_CLUSTER = {"docdb": 100}
_LONGEST_CLUSTER_OTHERWISE = 41


def _value(params: dict, key: str) -> str:
    value = params.get(key, "")
    return (value[0] if value else "") if isinstance(value, list) else value


def _fault(record: dict, password: str, cluster: bool) -> str | None:
    engine = record.get("Engine", "")
    family = re.sub(r"-.*", "", engine)
    longest = (
        _LONGEST_CLUSTER.get(engine, _LONGEST_CLUSTER_OTHERWISE)
        if cluster
        else _LONGEST.get(family, _LONGEST_OTHERWISE)
    )
    return passwords.fault(password, 8, longest, _FORBIDDEN)


def _bind_instance(record: dict) -> None:
    bound = passwords.endpoint(record.get("TagList", []))
    if bound:
        record["Endpoint"] = {**record.get("Endpoint", {}), "Address": bound[0], "Port": bound[1]}


def _bind_cluster(record: dict) -> None:
    bound = passwords.endpoint(record.get("TagList", []))
    if bound:
        record["Endpoint"], record["Port"] = bound


def _creating(service, action: str, identifier: str, records: dict, bind) -> None:
    original = service.ACTION_MAP[action]

    def create(params):
        answer = original(params)
        record = records.get(_value(params, identifier))
        if answer[0] < 300 and record is not None:
            bind(record)
        return answer

    service.ACTION_MAP[action] = create


def _keep_bound() -> None:
    """The emulator gives a cluster a member's endpoint."""
    original = seams.rds.sync_cluster_endpoints

    def sync_cluster_endpoints(record):
        answer = original(record)
        _bind_cluster(record)
        return answer

    seams.rds.replace(sync_cluster_endpoints=sync_cluster_endpoints)


# What waits for the maintenance window unless it shall be applied immediately. A master password never does.
_WAITING = ("DBInstanceClass", "EngineVersion", "AllocatedStorage")


def _at_once(params: dict) -> bool:
    return _value(params, "ApplyImmediately") == "true"


def _windowed(record: dict, params: dict) -> dict:
    """What a request changes now.

    "Any pending modifications are also applied immediately" with those of one that says so.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
    """
    pending = record.setdefault("PendingModifiedValues", {})
    if _at_once(params):
        due = {key: pending.pop(key) for key in _WAITING if key in pending}
        return {**due, **params}
    for key in _WAITING:
        if _value(params, key):
            pending[key] = _value(params, key)
    return {key: value for key, value in params.items() if key not in _WAITING}


def _modifying(service, action: str, identifier: str, records: dict, *, cluster: bool) -> None:
    original = service.ACTION_MAP[action]
    status = "Status" if cluster else "DBInstanceStatus"

    def refuse(record: dict, password: str):
        name = _value(record, identifier)
        if record.get("MasterUserSecret"):
            return service.error(
                "InvalidParameterCombination",
                "You can't specify MasterUserPassword when RDS manages it in Secrets Manager.",
                400,
            )
        if record.get(status) != "available":
            code = "InvalidDBClusterStateFault" if cluster else "InvalidDBInstanceState"
            return service.error(code, f"{name} is not available for modification with status {record[status]}.", 400)
        why = _fault(record, password, cluster)
        if why:
            return service.error(
                "InvalidParameterValue", f"The parameter MasterUserPassword is not a valid password: {why}.", 400
            )
        return None

    def modify(params):
        record = records.get(_value(params, identifier))
        if record is not None and not cluster:
            params = _windowed(record, params)
        password = _value(params, "MasterUserPassword")
        if password and record is not None and record.get("Engine") == "docdb" and not _at_once(params):
            params = {key: value for key, value in params.items() if key != "MasterUserPassword"}
            password = ""
        # Members of a cluster, and databases that do not exist, are refused by the emulator itself.
        if not password or record is None or (not cluster and record.get("DBClusterIdentifier")):
            answer = original(params)
            if record is not None and answer[0] < 300:
                passwords.busy(record.get("TagList", []), lambda state: record.update({status: state}))
            return answer
        refused = refuse(record, password)
        if refused:
            return refused
        pending = record.setdefault("PendingModifiedValues", {})
        record["PendingModifiedValues"] = {**pending, "MasterUserPassword": passwords.MASK}
        answer = original({key: value for key, value in params.items() if key != "MasterUserPassword"})

        def begun() -> None:
            record[status] = _RESETTING

        def done() -> None:
            record["_MasterUserPassword"] = password
            record["PendingModifiedValues"] = {
                key: value for key, value in record["PendingModifiedValues"].items() if key != "MasterUserPassword"
            }
            record[status] = "available"

        passwords.reset(record.get("TagList", []), record.get("MasterUsername", ""), [password], begun, done)
        return answer

    service.ACTION_MAP[action] = modify


def _show_pending() -> None:
    """The emulator does not render what of a cluster is pending."""
    original = seams.rds.cluster_xml

    def cluster_xml(record):
        pending = "".join(f"<{key}>{value}</{key}>" for key, value in record.get("PendingModifiedValues", {}).items())
        return original(record) + (f"<PendingModifiedValues>{pending}</PendingModifiedValues>" if pending else "")

    seams.rds.replace(cluster_xml=cluster_xml)


def _enforce_documentdb() -> None:
    """DocumentDB is authorized as RDS; the emulator would let everybody in.

    https://docs.aws.amazon.com/documentdb/latest/developerguide/UsingWithRDS.IAM.html
    """
    resource_arn_of = seams.iam_actions.extract_resource_arn
    for table in (
        seams.iam_actions.SERVICE_TO_IAM_NAMESPACE,
        seams.iam_actions.SERVICE_PROTOCOL,
        seams.iam_actions.QUERY_XML_NS,
    ):
        table["documentdb"] = table["rds"]

    def extract_resource_arn(service, *rest):
        return resource_arn_of("rds" if service == "documentdb" else service, *rest)

    seams.iam_actions.replace(extract_resource_arn=extract_resource_arn)


def _keep_from_cloudtrail() -> None:
    """CloudTrail holds no master password: the services give it a mask in its place.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/logging-using-cloudtrail.html
    """
    seams.cloudtrail.replace(SCRUB_KEYS=seams.cloudtrail.SCRUB_KEYS | {"masteruserpassword"})


def install() -> None:
    for service in (seams.rds, seams.documentdb):
        _creating(service, "CreateDBInstance", "DBInstanceIdentifier", service.instances, _bind_instance)
        _creating(service, "CreateDBCluster", "DBClusterIdentifier", service.clusters, _bind_cluster)
        _modifying(service, "ModifyDBCluster", "DBClusterIdentifier", service.clusters, cluster=True)
    _modifying(seams.rds, "ModifyDBInstance", "DBInstanceIdentifier", seams.rds.instances, cluster=False)
    _keep_bound()
    _show_pending()
    _enforce_documentdb()
    _keep_from_cloudtrail()
