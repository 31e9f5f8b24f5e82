"""Which properties replace a resource when they change, and which names then stand in the way.

Create-only properties are those of the resource types' schemas, which the pages of
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html call
"Update requires: Replacement". What a replacement does:
https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-update-behaviors.html
"""

from cloud import seams

# Types that Rekey deploys, or may, and of which the emulator knows no create-only properties.
CREATE_ONLY: dict[str, tuple[str, ...]] = {
    "AWS::CloudWatch::Alarm": ("AlarmName",),
    "AWS::CloudWatch::CompositeAlarm": ("AlarmName",),
    "AWS::CloudWatch::Dashboard": ("DashboardName",),
    "AWS::EC2::FlowLog": (
        "DeliverCrossAccountRole",
        "DeliverLogsPermissionArn",
        "DestinationOptions",
        "LogDestination",
        "LogDestinationType",
        "LogFormat",
        "LogGroupName",
        "MaxAggregationInterval",
        "ResourceId",
        "ResourceType",
        "TrafficType",
    ),
    "AWS::EC2::RouteTable": ("VpcId",),
    "AWS::EC2::SecurityGroup": ("GroupDescription", "GroupName", "VpcId"),
    "AWS::EC2::SecurityGroupEgress": (
        "CidrIp",
        "CidrIpv6",
        "DestinationPrefixListId",
        "DestinationSecurityGroupId",
        "FromPort",
        "GroupId",
        "IpProtocol",
        "ToPort",
    ),
    "AWS::EC2::SecurityGroupIngress": (
        "CidrIp",
        "CidrIpv6",
        "FromPort",
        "GroupId",
        "GroupName",
        "IpProtocol",
        "SourcePrefixListId",
        "SourceSecurityGroupId",
        "SourceSecurityGroupName",
        "SourceSecurityGroupOwnerId",
        "ToPort",
    ),
    "AWS::EC2::SubnetRouteTableAssociation": ("RouteTableId", "SubnetId"),
    "AWS::EC2::TransitGatewayVpcAttachment": ("SubnetIds", "TransitGatewayId", "VpcId"),
    "AWS::EC2::VPCEndpoint": ("ServiceName", "ServiceRegion", "VpcEndpointType", "VpcId"),
    "AWS::Events::Archive": ("ArchiveName", "SourceArn"),
    "AWS::Events::EventBus": ("Name",),
    "AWS::Events::EventBusPolicy": ("EventBusName", "StatementId"),
    "AWS::Events::Rule": ("EventBusName", "Name"),
    "AWS::KMS::Alias": ("AliasName",),
    "AWS::Lambda::EventInvokeConfig": ("FunctionName", "Qualifier"),
    "AWS::Lambda::EventSourceMapping": (
        "EventSourceArn",
        "SelfManagedEventSource",
        "StartingPosition",
        "StartingPositionTimestamp",
    ),
    "AWS::Lambda::Permission": (
        "Action",
        "EventSourceToken",
        "FunctionName",
        "FunctionUrlAuthType",
        "InvokedViaFunctionUrl",
        "Principal",
        "PrincipalOrgID",
        "SourceAccount",
        "SourceArn",
    ),
    "AWS::Lambda::Url": ("Qualifier", "TargetFunctionArn"),
    "AWS::Logs::LogGroup": ("LogGroupName",),
    "AWS::Logs::MetricFilter": ("FilterName", "LogGroupName"),
    "AWS::S3::Bucket": ("BucketName",),
    "AWS::S3::BucketPolicy": ("Bucket",),
    "AWS::SNS::Subscription": ("Endpoint", "Protocol", "TopicArn"),
    "AWS::Scheduler::Schedule": ("Name",),
    "AWS::SecretsManager::ResourcePolicy": ("SecretId",),
    "AWS::SecretsManager::RotationSchedule": ("SecretId",),
    "AWS::SecretsManager::Secret": ("Name",),
}

# The property that names a resource of a type which other create-only properties replace: a replacement under the
# same name is refused.
NAMES = {
    "AWS::EC2::SecurityGroup": "GroupName",
    "AWS::Events::Archive": "ArchiveName",
    "AWS::Events::Rule": "Name",
}

# Properties whose change AWS refuses: "If you change the value of the KeySpec property on an existing KMS key, the
# update request fails" (aws-resource-kms-key, and alike KeyUsage and MultiRegion; Origin cannot be changed either).
FIXED = {
    "AWS::KMS::Key": {
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "MultiRegion": False,
        "Origin": "AWS_KMS",
    }
}


def _keeping_fixed(update):
    def update_resource(resource_type, physical_id, old_props, new_props, *others):
        for name, default in FIXED.get(resource_type, {}).items():
            if old_props.get(name, default) != new_props.get(name, default):
                raise ValueError(f"You cannot change {name} of {physical_id} after it was created.")
        return update(resource_type, physical_id, old_props, new_props, *others)

    return update_resource


def install() -> None:
    for resource_type, properties in CREATE_ONLY.items():
        known = seams.provisioners.REPLACING_PROPERTIES.get(resource_type, ())
        seams.provisioners.REPLACING_PROPERTIES[resource_type] = tuple(sorted({*known, *properties}))
    for resource_type, name in NAMES.items():
        seams.provisioners.CUSTOM_NAME_REPLACEMENT.setdefault(resource_type, {"name": name})
    seams.provisioners.wrap(update_resource=_keeping_fixed)
