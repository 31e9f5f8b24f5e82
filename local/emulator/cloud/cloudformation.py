"""CloudFormation: resource types and properties that the emulator lacks, made through its own services.

Each handler names the page of https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ that it follows.
"""

import json
from xml.etree.ElementTree import Element, SubElement, tostring

from ministack.core.responses import get_account_id, get_region, new_uuid
from ministack.services.cloudformation import provisioners

from cloud import seams


def checked(answer, what: str):
    """The JSON of a service's answer; an error of the service is the resource's failure."""
    status, _, body = answer
    if status >= 400:
        text = body.decode() if isinstance(body, bytes) else str(body)
        try:
            error = json.loads(text)
            text = f"{error.get('__type', '')}: {error.get('message') or error.get('Message', '')}"
        except ValueError:
            pass
        raise ValueError(f"{what} failed: {text}")
    return body


def json_of(answer, what: str) -> dict:
    return json.loads(checked(answer, what) or b"{}")


def document(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def is_true(value) -> bool:
    return str(value).lower() == "true"


def _s3(handlers: dict, provisioners) -> None:
    """aws-resource-s3-bucket: Object Lock; and a bucket that is not empty is not deleted."""

    def enable_lock(name, enabled):
        if is_true(enabled):
            # Object Lock needs versioning, and creating a bucket with it turns versioning on.
            seams.s3.bucket_versioning[name] = "Enabled"
            seams.s3.bucket_object_lock.setdefault(name, {"enabled": True, "default_retention": None})

    def lock_xml(configuration):
        root = Element("ObjectLockConfiguration")
        SubElement(root, "ObjectLockEnabled").text = str(configuration.get("ObjectLockEnabled", "Enabled"))
        retention = (configuration.get("Rule") or {}).get("DefaultRetention")
        if retention:
            element = SubElement(SubElement(root, "Rule"), "DefaultRetention")
            for key in ("Mode", "Days", "Years"):
                if key in retention:
                    SubElement(element, key).text = str(retention[key])
        return tostring(root)

    def put_lock(name, body):
        checked(seams.s3.put_object_lock_configuration(name, body), "AWS::S3::Bucket ObjectLockConfiguration")

    def kept(name):
        """Leaves Object Lock on when its property is dropped, as AWS does."""

    seams.provisioners.replace(
        S3_BUCKET_CONFIGURATIONS=(
            *seams.provisioners.S3_BUCKET_CONFIGURATIONS,
            ("ObjectLockEnabled", lambda value: value, enable_lock, kept),
            ("ObjectLockConfiguration", lock_xml, put_lock, kept),
        )
    )
    bucket = handlers["AWS::S3::Bucket"]
    delete_bucket = bucket["delete"]

    def delete(physical_id, props):
        record = seams.s3.buckets.get(physical_id) or {}
        if record.get("objects") or seams.s3.bucket_has_versions(physical_id):
            raise ValueError(f"The bucket you tried to delete is not empty: {physical_id}")
        delete_bucket(physical_id, props)

    bucket["delete"] = delete


def _events(handlers: dict, provisioners) -> None:
    """aws-resource-events-archive and -eventbuspolicy."""

    def archive(logical_id, props):
        request = {
            **props,
            "EventSourceArn": props["SourceArn"],
            "EventPattern": document(props.get("EventPattern", "")),
        }
        request["ArchiveName"] = props.get("ArchiveName") or logical_id
        request["RetentionDays"] = int(props.get("RetentionDays", 0))
        return request

    def create_archive(logical_id, props, stack_name):
        name = props.get("ArchiveName") or seams.provisioners.physical_name(stack_name, logical_id, max_len=48)
        answer = json_of(seams.eventbridge.create_archive(archive(name, props)), "AWS::Events::Archive")
        return name, {"Arn": answer["ArchiveArn"], "ArchiveName": name}

    def update_archive(physical_id, old, new, stack_name):
        answer = json_of(seams.eventbridge.update_archive(archive(physical_id, new)), "AWS::Events::Archive")
        return physical_id, {"Arn": answer["ArchiveArn"], "ArchiveName": physical_id}

    handlers["AWS::Events::Archive"] = {
        "create": create_archive,
        "update": update_archive,
        "delete": lambda physical_id, props: seams.eventbridge.delete_archive({"ArchiveName": physical_id}),
    }

    def remove(props):
        request = {"EventBusName": props.get("EventBusName", "default"), "StatementId": props["StatementId"]}
        seams.eventbridge.remove_permission(request)

    def put_statement(props):
        bus = props.get("EventBusName", "default")
        if bus not in seams.eventbridge.event_buses:
            raise ValueError(f"AWS::Events::EventBusPolicy failed: event bus {bus} does not exist.")
        remove(props)
        statement = props.get("Statement")
        statement = json.loads(statement) if isinstance(statement, str) else statement
        policy = seams.eventbridge.event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
        policy["Statement"].append({**statement, "Sid": props["StatementId"]})
        return f"{bus}|{props['StatementId']}", {}

    def update_statement(physical_id, old, new, stack_name):
        remove(old)
        return put_statement(new)

    handlers["AWS::Events::EventBusPolicy"] = {
        "create": lambda logical_id, props, stack_name: put_statement(props),
        "update": update_statement,
        "delete": lambda physical_id, props: remove(props),
    }


def _monitoring(handlers: dict, provisioners) -> None:
    """aws-resource-cloudwatch-compositealarm, metric math of -cloudwatch-alarm, -logs-querydefinition."""

    def put_composite(name, props):
        request = {**props, "AlarmName": name, "ActionsEnabled": is_true(props.get("ActionsEnabled", True))}
        checked(seams.cloudwatch.put_composite_alarm({}, request, False, True), "AWS::CloudWatch::CompositeAlarm")
        return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}

    handlers["AWS::CloudWatch::CompositeAlarm"] = {
        "create": lambda logical_id, props, stack_name: put_composite(
            props.get("AlarmName") or seams.provisioners.physical_name(stack_name, logical_id, max_len=255), props
        ),
        "update": lambda physical_id, old, new, stack_name: put_composite(physical_id, new),
        "delete": lambda physical_id, props: seams.cloudwatch.composite_alarms.pop(physical_id, None),
    }
    metric_record = seams.provisioners.cw_metric_alarm_record

    def alarm_record(name, props):
        """An alarm on metric math is kept with its expressions; `alarms.py` computes them."""
        if not props.get("Metrics"):
            return metric_record(name, props)
        record = metric_record(
            name,
            {
                **{key: value for key, value in props.items() if key != "Metrics"},
                "MetricName": "math",
                "Namespace": "math",
            },
        )
        return {**record, "Metrics": props["Metrics"], "MetricName": "", "Namespace": ""}

    seams.provisioners.replace(cw_metric_alarm_record=alarm_record)
    # The emulator's Logs keeps no saved queries, so the resource exists in its stack alone.
    handlers["AWS::Logs::QueryDefinition"] = {
        "create": lambda logical_id, props, stack_name: ((name := new_uuid()), {"QueryDefinitionId": name}),
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"QueryDefinitionId": physical_id}),
        "delete": lambda physical_id, props: None,
    }


def install() -> None:
    handlers = seams.provisioners.RESOURCE_HANDLERS
    _s3(handlers, provisioners)
    _events(handlers, provisioners)
    _monitoring(handlers, provisioners)
