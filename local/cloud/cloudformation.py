"""CloudFormation: resource types and properties that the emulator lacks, made through its own services.

Each handler names the page of https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/ that it follows.
"""

import json
from xml.etree.ElementTree import Element, SubElement, tostring


def _checked(answer, what: str):
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


def _json(answer, what: str) -> dict:
    return json.loads(_checked(answer, what) or b"{}")


def _document(value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_true(value) -> bool:
    return str(value).lower() == "true"


def _secrets_manager(handlers: dict, provisioners) -> None:
    """aws-resource-secretsmanager-secret, -rotationschedule and -resourcepolicy. Ref of each is the secret's ARN."""
    from ministack.services import secretsmanager as service

    secret = handlers["AWS::SecretsManager::Secret"]
    create_named, update_named, delete_named = secret["create"], secret["update"], secret["delete"]
    options = ("ExcludeCharacters", "ExcludeLowercase", "ExcludeNumbers", "ExcludePunctuation", "ExcludeUppercase",
               "IncludeSpace", "RequireEachIncludedType", "PasswordLength")

    def secret_string(props):
        """The template's value, or one made by GetRandomPassword with the template's options."""
        wanted = props.get("GenerateSecretString")
        if wanted is None:
            return props.get("SecretString")
        given = {key: wanted[key] for key in options if key in wanted}
        for key in options:
            if key in given and key not in ("ExcludeCharacters", "PasswordLength"):
                given[key] = _is_true(given[key])
        given |= {"PasswordLength": int(given["PasswordLength"])} if "PasswordLength" in given else {}
        password = _json(service._get_random_password(given), "GenerateSecretString")["RandomPassword"]
        if not wanted.get("SecretStringTemplate"):
            return password
        return json.dumps(json.loads(wanted["SecretStringTemplate"]) | {wanted["GenerateStringKey"]: password})

    def name_of(physical_id):
        return service._resolve(physical_id)[0] or physical_id

    def as_arn(created):
        name, attributes = created
        return attributes["Arn"], attributes

    def create(logical_id, props, stack_name):
        name = props.get("Name") or provisioners._physical_name(stack_name, logical_id)
        if name in service._secrets:
            raise ValueError(f"The operation failed because the secret {name} already exists.")
        created = as_arn(create_named(logical_id, props, stack_name))
        if props.get("SecretString") is None and props.get("GenerateSecretString") is None:
            service._secrets[name]["Versions"].clear()
        return created

    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        return as_arn(update_named(name_of(physical_id), old_props, new_props, stack_name, logical_id))

    provisioners._sm_secret_string = secret_string
    # The emulator's own update replaces a renamed secret through these names.
    secret["create"], secret["update"] = create, update
    secret["delete"] = lambda physical_id, props: delete_named(name_of(physical_id), props)

    def rotate(props):
        if props.get("HostedRotationLambda"):
            raise ValueError("HostedRotationLambda needs the transform AWS::SecretsManager-2020-07-23, which the "
                             "local cloud lacks; give RotationLambdaARN.")
        rules = dict(props.get("RotationRules") or {})
        if "AutomaticallyAfterDays" in rules:
            rules["AutomaticallyAfterDays"] = int(rules["AutomaticallyAfterDays"])
        request = {
            "SecretId": props["SecretId"],
            "RotateImmediately": _is_true(props.get("RotateImmediatelyOnUpdate", True)),
            **({"RotationRules": rules} if rules else {}),
            **({"RotationLambdaARN": props["RotationLambdaARN"]} if props.get("RotationLambdaARN") else {}),
        }
        return _json(service._rotate_secret(request), "AWS::SecretsManager::RotationSchedule")["ARN"], {}

    def stop_rotating(physical_id, props):
        from cloud import secretsmanager_rotation

        _, found = service._resolve(physical_id)
        if found:
            secretsmanager_rotation.cancel(found)

    handlers["AWS::SecretsManager::RotationSchedule"] = {
        "create": lambda logical_id, props, stack_name: rotate(props),
        "update": lambda physical_id, old, new, stack_name: rotate(new),
        "delete": stop_rotating,
    }

    def put_policy(props):
        request = {"SecretId": props["SecretId"], "ResourcePolicy": _document(props["ResourcePolicy"])}
        return _json(service._put_resource_policy(request), "AWS::SecretsManager::ResourcePolicy")["ARN"], {}

    handlers["AWS::SecretsManager::ResourcePolicy"] = {
        "create": lambda logical_id, props, stack_name: put_policy(props),
        "update": lambda physical_id, old, new, stack_name: put_policy(new),
        "delete": lambda physical_id, props: service._delete_resource_policy({"SecretId": physical_id}),
    }


def _s3(handlers: dict, provisioners) -> None:
    """aws-resource-s3-bucket: Object Lock; and a bucket that is not empty is not deleted."""
    from ministack.services import s3

    def enable_lock(name, enabled):
        if _is_true(enabled):
            # Object Lock needs versioning, and creating a bucket with it turns versioning on.
            s3._bucket_versioning[name] = "Enabled"
            s3._bucket_object_lock.setdefault(name, {"enabled": True, "default_retention": None})

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
        _checked(s3._put_object_lock_configuration(name, body), "AWS::S3::Bucket ObjectLockConfiguration")

    def kept(name):
        """Object Lock stays on once it is on; a dropped property leaves it."""

    provisioners._S3_BUCKET_CONFIGURATIONS += (
        ("ObjectLockEnabled", lambda value: value, enable_lock, kept),
        ("ObjectLockConfiguration", lock_xml, put_lock, kept),
    )
    bucket = handlers["AWS::S3::Bucket"]
    delete_bucket = bucket["delete"]

    def delete(physical_id, props):
        record = s3._buckets.get(physical_id) or {}
        if record.get("objects") or s3._bucket_has_versions(physical_id):
            raise ValueError(f"The bucket you tried to delete is not empty: {physical_id}")
        delete_bucket(physical_id, props)

    bucket["delete"] = delete


def _events(handlers: dict, provisioners) -> None:
    """aws-resource-events-archive and -eventbuspolicy."""
    from ministack.services import eventbridge

    def archive(logical_id, props):
        request = {**props, "EventSourceArn": props["SourceArn"], "EventPattern": _document(props.get("EventPattern", ""))}
        request["ArchiveName"] = props.get("ArchiveName") or logical_id
        request["RetentionDays"] = int(props.get("RetentionDays", 0))
        return request

    def create_archive(logical_id, props, stack_name):
        name = props.get("ArchiveName") or provisioners._physical_name(stack_name, logical_id, max_len=48)
        answer = _json(eventbridge._create_archive(archive(name, props)), "AWS::Events::Archive")
        return name, {"Arn": answer["ArchiveArn"], "ArchiveName": name}

    def update_archive(physical_id, old, new, stack_name):
        answer = _json(eventbridge._update_archive(archive(physical_id, new)), "AWS::Events::Archive")
        return physical_id, {"Arn": answer["ArchiveArn"], "ArchiveName": physical_id}

    handlers["AWS::Events::Archive"] = {
        "create": create_archive,
        "update": update_archive,
        "delete": lambda physical_id, props: eventbridge._delete_archive({"ArchiveName": physical_id}),
    }

    def remove(props):
        request = {"EventBusName": props.get("EventBusName", "default"), "StatementId": props["StatementId"]}
        eventbridge._remove_permission(request)

    def put_statement(props):
        bus = props.get("EventBusName", "default")
        if bus not in eventbridge._event_buses:
            raise ValueError(f"AWS::Events::EventBusPolicy failed: event bus {bus} does not exist.")
        remove(props)
        statement = props.get("Statement")
        statement = json.loads(statement) if isinstance(statement, str) else statement
        policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
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
    from ministack.core.responses import get_account_id, get_region, new_uuid
    from ministack.services import cloudwatch

    def put_composite(name, props):
        request = {**props, "AlarmName": name, "ActionsEnabled": _is_true(props.get("ActionsEnabled", True))}
        _checked(cloudwatch._put_composite_alarm({}, request, False, True), "AWS::CloudWatch::CompositeAlarm")
        return name, {"Arn": f"arn:aws:cloudwatch:{get_region()}:{get_account_id()}:alarm:{name}"}

    handlers["AWS::CloudWatch::CompositeAlarm"] = {
        "create": lambda logical_id, props, stack_name: put_composite(
            props.get("AlarmName") or provisioners._physical_name(stack_name, logical_id, max_len=255), props
        ),
        "update": lambda physical_id, old, new, stack_name: put_composite(physical_id, new),
        "delete": lambda physical_id, props: cloudwatch._composite_alarms.pop(physical_id, None),
    }
    metric_record = provisioners._cw_metric_alarm_record

    def alarm_record(name, props):
        """An alarm on metric math is kept with its expressions; the emulator computes none, so it has no data."""
        if not props.get("Metrics"):
            return metric_record(name, props)
        record = metric_record(name, {**{key: value for key, value in props.items() if key != "Metrics"},
                                      "MetricName": "math", "Namespace": "math"})
        return {**record, "Metrics": props["Metrics"], "MetricName": "", "Namespace": ""}

    provisioners._cw_metric_alarm_record = alarm_record
    # The emulator's Logs keeps no saved queries, so the resource exists in its stack alone.
    handlers["AWS::Logs::QueryDefinition"] = {
        "create": lambda logical_id, props, stack_name: ((name := new_uuid()), {"QueryDefinitionId": name}),
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"QueryDefinitionId": physical_id}),
        "delete": lambda physical_id, props: None,
    }


def _networks(handlers: dict) -> None:
    """aws-resource-ec2-flowlog, and the CidrBlock of aws-resource-ec2-vpc."""
    from ministack.services import ec2

    vpc = handlers["AWS::EC2::VPC"]
    create_vpc = vpc["create"]

    def create_with_block(logical_id, props, stack_name):
        physical_id, attributes = create_vpc(logical_id, props, stack_name)
        return physical_id, {"CidrBlock": ec2._vpcs[physical_id]["CidrBlock"], **attributes}

    vpc["create"] = create_with_block

    def create(logical_id, props, stack_name):
        before = set(ec2._flow_logs)
        ec2._create_flow_logs({
            "ResourceId.1": [props["ResourceId"]],
            **{key: [str(props[key])] for key in ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination",
                                                  "LogGroupName") if key in props},
        })
        physical_id = (set(ec2._flow_logs) - before).pop()
        return physical_id, {"Id": physical_id}

    handlers["AWS::EC2::FlowLog"] = {
        "create": create,
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"Id": physical_id}),
        "delete": lambda physical_id, props: ec2._flow_logs.pop(physical_id, None),
    }


def install() -> None:
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    _secrets_manager(handlers, provisioners)
    _s3(handlers, provisioners)
    _events(handlers, provisioners)
    _monitoring(handlers, provisioners)
    _networks(handlers)
