"""EC2's resources of CloudFormation that the networks of functions are made of.

Follows aws-resource-ec2-flowlog, -securitygroupegress, -securitygroupingress, -vpc (CidrBlock), -vpcpeeringconnection
and -transitgatewayvpcattachment in https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/; for peering
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html: VPCs whose ranges overlap cannot be peered, and
CloudFormation accepts a connection of one account and region by itself; and for deletions DependencyViolation in
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html. Nothing is routed: there are no packets.
"""

import ipaddress

from ministack.core.responses import new_uuid
from ministack.services import ec2
from ministack.services.cloudformation import provisioners

from cloud import seams


def _group_rules(kind: str) -> dict:
    """The handler of rules that stand beside their security group, in the list of `kind`."""
    egress = kind == "IpPermissionsEgress"

    def rule_of(props):
        return seams.provisioners.ec2_sg_permissions([props])[0]

    def plain(rule):
        return seams.ec2.strip_descriptions(rule)

    def put(props, former=None):
        group_id = props["GroupId"]
        group = seams.ec2.security_groups.get(group_id)
        if group is None:
            raise ValueError(f"The security group '{group_id}' does not exist")
        rule = rule_of(props)
        kept = [one for one in group.setdefault(kind, []) if former is None or plain(one) != plain(former)]
        if any(plain(one) == plain(rule) for one in kept):
            raise ValueError(f"the specified rule already exists in {group_id}: {plain(rule)}")
        group[kind] = [*kept, rule]
        identifier = seams.ec2.sg_rule_id(group_id, egress, rule)
        return identifier, {"Id": identifier}

    def delete(physical_id, props):
        group = seams.ec2.security_groups.get(props["GroupId"])
        if group:
            group[kind] = [one for one in group.get(kind, []) if plain(one) != plain(rule_of(props))]

    def update(physical_id, old, new, stack_name):
        put(new, rule_of(old))
        return physical_id, {"Id": physical_id}

    return {"create": lambda logical_id, props, stack_name: put(props), "update": update, "delete": delete}


def _flow_logs() -> dict:
    keys = ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination", "LogGroupName")

    def create(logical_id, props, stack_name):
        before = set(seams.ec2.flow_logs)
        seams.ec2.create_flow_logs(
            {"ResourceId.1": [props["ResourceId"]], **{key: [str(props[key])] for key in keys if key in props}}
        )
        physical_id = (set(seams.ec2.flow_logs) - before).pop()
        return physical_id, {"Id": physical_id}

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"Id": physical_id}),
        "delete": lambda physical_id, props: seams.ec2.flow_logs.pop(physical_id, None),
    }


def _peering(ec2) -> dict:
    def network(vpc_id: str):
        vpc = seams.ec2.vpcs.get(vpc_id)
        if vpc is None:
            raise ValueError(f"The vpc ID '{vpc_id}' does not exist")
        return ipaddress.ip_network(vpc["CidrBlock"])

    def create(logical_id, props, stack_name):
        if network(props["VpcId"]).overlaps(network(props["PeerVpcId"])):
            raise ValueError(
                "VpcPeeringConnection failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range"
            )
        before = set(seams.ec2.vpc_peering)
        seams.ec2.create_vpc_peering_connection({key: [props[key]] for key in ("VpcId", "PeerVpcId")})
        physical_id = (set(seams.ec2.vpc_peering) - before).pop()
        seams.ec2.accept_vpc_peering_connection({"VpcPeeringConnectionId": [physical_id]})
        return physical_id, {"Id": physical_id}

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"Id": physical_id}),
        "delete": lambda physical_id, props: seams.ec2.vpc_peering.pop(physical_id, None),
    }


def _attachment(ec2) -> dict:
    """The emulator has no transit gateways: any is taken to be there, and to be shared with the account.

    One gateway takes one attachment to a VPC (DuplicateTransitGatewayAttachment in
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
    """
    attached: dict[str, tuple[str, str]] = {}

    def create(logical_id, props, stack_name):
        for subnet in props["SubnetIds"]:
            if subnet not in seams.ec2.subnets:
                raise ValueError(f"The subnet ID '{subnet}' does not exist")
        pair = (props["TransitGatewayId"], props["VpcId"])
        if pair in attached.values():
            raise ValueError(f"{pair[0]} has non-deleted Transit Gateway Attachments with same VPC ID.")
        physical_id = f"tgw-attach-{new_uuid().replace('-', '')[:17]}"
        attached[physical_id] = pair
        return physical_id, {"Id": physical_id}

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"Id": physical_id}),
        "delete": lambda physical_id, props: attached.pop(physical_id, None),
    }


def _refusing_second(ec2, provisioners):
    """Allows one route for each range of a table: errors-overview, RouteAlreadyExists ("The route already exists")."""

    def refusing(create):
        def create_route(logical_id, props, stack_name):
            kind, value = seams.provisioners.ec2_route_destination(props)
            table = seams.ec2.route_tables.get(props.get("RouteTableId", ""), {"Routes": []})
            if any(route.get(kind) == value for route in table["Routes"]):
                raise ValueError(f"The route identified by {value} already exists.")
            return create(logical_id, props, stack_name)

        return create_route

    return refusing


def _attached(key: str):
    """What has network interfaces in the subnet or the security group: functions, and interface endpoints.

    https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: Lambda keeps the interfaces of a function in
    its subnets, under its security groups, as long as a function uses them.
    """
    for function in seams.lambda_svc.functions.values():
        yield from (function["config"].get("VpcConfig") or {}).get(key) or []
    for endpoint in seams.ec2.vpc_endpoints.values():
        yield from endpoint[key]


def _refused_while_used(ec2) -> None:
    """EC2 deletes no subnet with an interface in it, and no security group of an interface or another group's rule."""

    def rules_of_others(physical_id):
        for group_id, group in seams.ec2.security_groups.items():
            for rule in () if group_id == physical_id else group["IpPermissions"] + group["IpPermissionsEgress"]:
                yield from (pair.get("GroupId") for pair in rule["UserIdGroupPairs"])

    def delete_subnet(delete):
        def delete_unused(physical_id, props):
            if physical_id in _attached("SubnetIds"):
                raise ValueError(
                    f"DependencyViolation: The subnet '{physical_id}' has dependencies and cannot be deleted."
                )
            return delete(physical_id, props)

        return delete_unused

    def delete_group(delete):
        def delete_unused(physical_id, props):
            if physical_id in _attached("SecurityGroupIds") or physical_id in rules_of_others(physical_id):
                raise ValueError(f"DependencyViolation: resource {physical_id} has a dependent object")
            return delete(physical_id, props)

        return delete_unused

    seams.provisioners.wrap(ec2_subnet_delete=delete_subnet, ec2_sg_delete=delete_group)
    handlers = seams.provisioners.RESOURCE_HANDLERS
    handlers["AWS::EC2::Subnet"]["delete"] = seams.provisioners.ec2_subnet_delete
    handlers["AWS::EC2::SecurityGroup"]["delete"] = seams.provisioners.ec2_sg_delete


def _with_block(ec2, vpc: dict) -> dict:
    create = vpc["create"]

    def create_with_block(logical_id, props, stack_name):
        physical_id, attributes = create(logical_id, props, stack_name)
        return physical_id, {"CidrBlock": seams.ec2.vpcs[physical_id]["CidrBlock"], **attributes}

    return {**vpc, "create": create_with_block}


def install() -> None:
    handlers = seams.provisioners.RESOURCE_HANDLERS
    # A replaced route is made by the same function, before the former one is gone.
    seams.provisioners.wrap(ec2_route_create=_refusing_second(ec2, provisioners))
    handlers["AWS::EC2::Route"]["create"] = seams.provisioners.ec2_route_create
    handlers["AWS::EC2::VPC"] = _with_block(ec2, handlers["AWS::EC2::VPC"])
    handlers["AWS::EC2::FlowLog"] = _flow_logs()
    handlers["AWS::EC2::SecurityGroupIngress"] = _group_rules("IpPermissions")
    handlers["AWS::EC2::SecurityGroupEgress"] = _group_rules("IpPermissionsEgress")
    handlers["AWS::EC2::VPCPeeringConnection"] = _peering(ec2)
    handlers["AWS::EC2::TransitGatewayVpcAttachment"] = _attachment(ec2)
    _refused_while_used(ec2)
