"""AWS::SecretsManager::Secret and ::ResourcePolicy, whose Ref is the secret's ARN.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-secretsmanager-secret-generatesecretstring.html
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-resourcepolicy.html
Any change inside GenerateSecretString, its template included, generates a new value and makes it current, also when a
failed update is taken back (aws-cloudformation/cloudformation-coverage-roadmap#2210 and #1161, aws/aws-cdk#19985).
"""

import json

from ministack.services.cloudformation import provisioners

from cloud import seams
from cloud.cloudformation import document, is_true, json_of

OPTIONS = (
    "ExcludeCharacters",
    "ExcludeLowercase",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "IncludeSpace",
    "RequireEachIncludedType",
    "PasswordLength",
)


def _value(props: dict) -> str | None:
    """The template's value, or one made by GetRandomPassword with the template's options."""
    wanted = props.get("GenerateSecretString")
    if wanted is None:
        return props.get("SecretString")
    if props.get("SecretString") is not None:
        raise ValueError("You can't specify both SecretString and GenerateSecretString.")
    template, key = wanted.get("SecretStringTemplate"), wanted.get("GenerateStringKey")
    if bool(template) != bool(key):
        raise ValueError("SecretStringTemplate and GenerateStringKey must be specified together.")
    given = {name: wanted[name] for name in OPTIONS if name in wanted}
    for name in given:
        if name not in ("ExcludeCharacters", "PasswordLength"):
            given[name] = is_true(given[name])
    given |= {"PasswordLength": int(given["PasswordLength"])} if "PasswordLength" in given else {}
    password = json_of(seams.secretsmanager.get_random_password(given), "GenerateSecretString")["RandomPassword"]
    return json.dumps(json.loads(template) | {key: password}) if template else password


def _secret(handlers: dict, provisioners) -> None:
    secret = handlers["AWS::SecretsManager::Secret"]
    create_named, update_named, delete_named = secret["create"], secret["update"], secret["delete"]

    def name_of(physical_id):
        return seams.secretsmanager.resolve(physical_id)[0] or physical_id

    def as_arn(created):
        _name, attributes = created
        return attributes["Arn"], attributes

    def generated(logical_id, stack_name):
        """Names a secret as CloudFormation does: its logical id and a random part, without the name of the stack.

        https://docs.aws.amazon.com/secretsmanager/latest/userguide/cfn-example_secret.html
        """
        random_part = seams.provisioners.physical_name(stack_name, logical_id).rsplit("-", 1)[-1]
        return f"{logical_id}-{random_part}"

    def create(logical_id, props, stack_name):
        name = props.get("Name") or generated(logical_id, stack_name)
        props = props | {"Name": name}
        held = seams.secretsmanager.secrets.get(name)
        if held and held.get("DeletedDate"):
            raise ValueError(
                "You can't create this secret because a secret with this name is already scheduled for deletion."
            )
        if held:
            raise ValueError(f"The operation failed because the secret {name} already exists.")
        created = as_arn(create_named(logical_id, props, stack_name))
        if props.get("SecretString") is None and props.get("GenerateSecretString") is None:
            seams.secretsmanager.secrets[name]["Versions"].clear()
        return created

    def update(physical_id, old_props, new_props, stack_name, logical_id=None):
        if new_props.get("SecretString") is None and new_props.get("GenerateSecretString") is None:
            # A template that no longer speaks of the value leaves it.
            old_props = {
                key: value for key, value in old_props.items() if key not in ("SecretString", "GenerateSecretString")
            }
        if not new_props.get("Name"):
            # It keeps the name that was made for it, and gets one where the template no longer names it.
            made = generated(logical_id, stack_name) if old_props.get("Name") else name_of(physical_id)
            new_props = new_props | {"Name": made}
        return as_arn(update_named(name_of(physical_id), old_props, new_props, stack_name, logical_id))

    seams.provisioners.replace(sm_secret_string=_value)
    # The emulator's own update replaces a renamed secret through these names.
    secret["create"], secret["update"] = create, update
    secret["delete"] = lambda physical_id, props: delete_named(name_of(physical_id), props)


def _resource_policy(handlers: dict) -> None:
    def put(props):
        request = {"SecretId": props["SecretId"], "ResourcePolicy": document(props["ResourcePolicy"])}
        return json_of(seams.secretsmanager.put_resource_policy(request), "AWS::SecretsManager::ResourcePolicy")[
            "ARN"
        ], {}

    handlers["AWS::SecretsManager::ResourcePolicy"] = {
        "create": lambda logical_id, props, stack_name: put(props),
        "update": lambda physical_id, old, new, stack_name: put(new),
        "delete": lambda physical_id, props: seams.secretsmanager.delete_resource_policy({"SecretId": physical_id}),
    }


def install() -> None:
    _secret(seams.provisioners.RESOURCE_HANDLERS, provisioners)
    _resource_policy(seams.provisioners.RESOURCE_HANDLERS)
