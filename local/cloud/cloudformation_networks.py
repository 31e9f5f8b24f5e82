"""AWS::EC2::SecurityGroupIngress, ::SecurityGroupEgress and ::FlowLog, and the CidrBlock of AWS::EC2::VPC.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ec2-securitygroupingress.html,
aws-resource-ec2-securitygroupegress, aws-resource-ec2-flowlog and aws-resource-ec2-vpc. The emulator stores networks
and filters no packet.
"""


def _group_rules(kind: str) -> dict:
    """The handler of rules that stand beside their security group, in the list of `kind`."""
    from ministack.services import ec2
    from ministack.services.cloudformation import provisioners

    egress = kind == "IpPermissionsEgress"

    def rule_of(props):
        return provisioners._ec2_sg_permissions([props])[0]

    def plain(rule):
        return ec2._strip_descriptions(rule)

    def put(props, former=None):
        group_id = props["GroupId"]
        group = ec2._security_groups.get(group_id)
        if group is None:
            raise ValueError(f"The security group '{group_id}' does not exist")
        rule = rule_of(props)
        kept = [one for one in group.setdefault(kind, []) if former is None or plain(one) != plain(former)]
        if any(plain(one) == plain(rule) for one in kept):
            raise ValueError(f"the specified rule already exists in {group_id}: {plain(rule)}")
        group[kind] = [*kept, rule]
        identifier = ec2._sg_rule_id(group_id, egress, rule)
        return identifier, {"Id": identifier}

    def delete(physical_id, props):
        group = ec2._security_groups.get(props["GroupId"])
        if group:
            group[kind] = [one for one in group.get(kind, []) if plain(one) != plain(rule_of(props))]

    def update(physical_id, old, new, stack_name):
        put(new, rule_of(old))
        return physical_id, {"Id": physical_id}

    return {"create": lambda logical_id, props, stack_name: put(props), "update": update, "delete": delete}


def _flow_logs() -> dict:
    from ministack.services import ec2

    keys = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")

    def create(logical_id, props, stack_name):
        before = set(ec2._flow_logs)
        ec2._create_flow_logs({"ResourceId.1": [props["ResourceId"]],
                               **{key: [str(props[key])] for key in keys if key in props}})
        physical_id = (set(ec2._flow_logs) - before).pop()
        return physical_id, {"Id": physical_id}

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"Id": physical_id}),
        "delete": lambda physical_id, props: ec2._flow_logs.pop(physical_id, None),
    }


def install() -> None:
    from ministack.services import ec2
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    vpc = handlers["AWS::EC2::VPC"]
    create_vpc = vpc["create"]

    def create_with_block(logical_id, props, stack_name):
        physical_id, attributes = create_vpc(logical_id, props, stack_name)
        return physical_id, {"CidrBlock": ec2._vpcs[physical_id]["CidrBlock"], **attributes}

    vpc["create"] = create_with_block
    handlers["AWS::EC2::SecurityGroupIngress"] = _group_rules("IpPermissions")
    handlers["AWS::EC2::SecurityGroupEgress"] = _group_rules("IpPermissionsEgress")
    handlers["AWS::EC2::FlowLog"] = _flow_logs()
