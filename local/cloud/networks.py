"""EC2's resources of CloudFormation that the networks of functions are made of.

Follows aws-resource-ec2-flowlog, -securitygroupingress, -vpc (CidrBlock), -vpcpeeringconnection and
-transitgatewayvpcattachment in https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/, and for peering
https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html: VPCs whose ranges overlap cannot be peered, and
CloudFormation accepts a connection of one account and region by itself. Nothing is routed: there are no packets here.
"""

import ipaddress

from cloud import emulator
from ministack.core.responses import new_uuid


def _peering(ec2) -> dict:
    def network(vpc_id: str):
        vpc = ec2._vpcs.get(vpc_id)
        if vpc is None:
            raise ValueError(f"The vpc ID '{vpc_id}' does not exist")
        return ipaddress.ip_network(vpc["CidrBlock"])

    def create(logical_id, props, stack_name):
        if network(props["VpcId"]).overlaps(network(props["PeerVpcId"])):
            raise ValueError("VpcPeeringConnection failed due to incorrect VPC-ID, Account ID, or overlapping CIDR range")
        before = set(ec2._vpc_peering)
        ec2._create_vpc_peering_connection({key: [props[key]] for key in ("VpcId", "PeerVpcId")})
        physical_id = (set(ec2._vpc_peering) - before).pop()
        ec2._accept_vpc_peering_connection({"VpcPeeringConnectionId": [physical_id]})
        return physical_id, {"Id": physical_id}

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"Id": physical_id}),
        "delete": lambda physical_id, props: ec2._vpc_peering.pop(physical_id, None),
    }


def _attachment(ec2) -> dict:
    """The emulator has no transit gateways: any is taken to be there, and to be shared with the account.

    One gateway takes one attachment to a VPC (DuplicateTransitGatewayAttachment in
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
    """
    attached: dict[str, tuple[str, str]] = {}

    def create(logical_id, props, stack_name):
        for subnet in props["SubnetIds"]:
            if subnet not in ec2._subnets:
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
    """ "The route already exists" (RouteAlreadyExists in errors-overview): one route for each range of a table."""

    def refusing(create):
        def create_route(logical_id, props, stack_name):
            kind, value = provisioners._ec2_route_destination(props)
            table = ec2._route_tables.get(props.get("RouteTableId", ""), {"Routes": []})
            if any(route.get(kind) == value for route in table["Routes"]):
                raise ValueError(f"The route identified by {value} already exists.")
            return create(logical_id, props, stack_name)

        return create_route

    return refusing


def _ingress(ec2, provisioners) -> dict:
    def create(logical_id, props, stack_name):
        group = ec2._security_groups.get(props["GroupId"])
        if group is None:
            raise ValueError(f"The security group '{props['GroupId']}' does not exist")
        group["IpPermissions"].extend(provisioners._ec2_sg_permissions([props]))
        physical_id = f"sgr-{new_uuid().replace('-', '')[:17]}"
        return physical_id, {"Id": physical_id}

    def delete(physical_id, props):
        group = ec2._security_groups.get(props["GroupId"])
        if group is not None:
            gone = provisioners._ec2_sg_permissions([props])
            group["IpPermissions"] = [rule for rule in group["IpPermissions"] if rule not in gone]

    def update(physical_id, old, new, stack_name):
        delete(physical_id, old)
        return create(None, new, stack_name)

    return {"create": create, "update": update, "delete": delete}


def _flow_log(ec2) -> dict:
    def create(logical_id, props, stack_name):
        before = set(ec2._flow_logs)
        ec2._create_flow_logs({
            "ResourceId.1": [props["ResourceId"]],
            **{key: [str(props[key])] for key in ("ResourceType", "TrafficType", "LogDestinationType", "LogDestination",
                                                  "LogGroupName") if key in props},
        })
        physical_id = (set(ec2._flow_logs) - before).pop()
        return physical_id, {"Id": physical_id}

    return {
        "create": create,
        "update": lambda physical_id, old, new, stack_name: (physical_id, {"Id": physical_id}),
        "delete": lambda physical_id, props: ec2._flow_logs.pop(physical_id, None),
    }


def _with_block(ec2, vpc: dict) -> dict:
    create = vpc["create"]

    def create_with_block(logical_id, props, stack_name):
        physical_id, attributes = create(logical_id, props, stack_name)
        return physical_id, {"CidrBlock": ec2._vpcs[physical_id]["CidrBlock"], **attributes}

    return {**vpc, "create": create_with_block}


def install() -> None:
    from ministack.services import ec2
    from ministack.services.cloudformation import provisioners

    handlers = provisioners._RESOURCE_HANDLERS
    # A replaced route is made by the same function, before the former one is gone.
    emulator.replace(provisioners, "_ec2_route_create", _refusing_second(ec2, provisioners))
    handlers["AWS::EC2::Route"]["create"] = provisioners._ec2_route_create
    handlers["AWS::EC2::VPC"] = _with_block(ec2, handlers["AWS::EC2::VPC"])
    handlers["AWS::EC2::FlowLog"] = _flow_log(ec2)
    handlers["AWS::EC2::SecurityGroupIngress"] = _ingress(ec2, provisioners)
    handlers["AWS::EC2::VPCPeeringConnection"] = _peering(ec2)
    handlers["AWS::EC2::TransitGatewayVpcAttachment"] = _attachment(ec2)
