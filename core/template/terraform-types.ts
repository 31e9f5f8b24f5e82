import {
  isAbsent,
  itemsOf,
  literalText,
  mapOf,
  revealed,
  Sensitive,
  Unknown,
  type Value,
  type ValueMap,
  valueAt,
} from './value.ts';

/** A resource's type and properties under CloudFormation's names. */
interface Normal {
  readonly type: string;
  readonly properties: ValueMap;
}

/** Finds what an attribute of a resource refers to. */
type Link = (attribute: string) => Value | undefined;

type Attributes = (own: ValueMap, link: Link) => Readonly<Record<string, Value | undefined>>;

/** Gives the first block of a name. */
const block = (own: ValueMap, ...names: readonly string[]): ValueMap => {
  let at = own;
  for (const name of names) at = mapOf(itemsOf(at[name])[0]);
  return at;
};

/** Reads JSON that an attribute holds as text. What is open stays open. */
function document(value: Value | undefined): Value | undefined {
  const text = revealed(value);
  if (typeof text !== 'string') return value;
  try {
    const read: unknown = JSON.parse(text);
    return value instanceof Sensitive ? new Sensitive(read as Value) : (read as Value);
  } catch {
    return new Unknown([text]);
  }
}

/** Gives where an attribute leads, and its value where it leads to no resource of the plan. */
const linked = (own: ValueMap, link: Link, name: string): Value | undefined => link(name) ?? own[name];

const upperFirst = (name: string): string => name.slice(0, 1).toUpperCase() + name.slice(1);

/** Writes the keys of ECS's own JSON, which begin small, as CloudFormation does. */
function withUpperKeys(value: Value | undefined): Value {
  const inner = revealed(value);
  if (Array.isArray(inner)) return (inner as readonly Value[]).map(withUpperKeys);
  const map = mapOf(inner);
  if (Object.keys(map).length === 0) return inner ?? null;
  return Object.fromEntries(
    Object.entries(map).map(([name, item]) => [upperFirst(name), withUpperKeys(item)]),
  );
}

const parameters = (own: ValueMap): Value =>
  Object.fromEntries(
    itemsOf(own.parameter).flatMap((one) => {
      const { name, value } = mapOf(one);
      const key = literalText(name);
      return key === undefined ? [] : [[key, value ?? null]];
    }),
  );

const parameterGroup: Attributes = (own) => ({ Family: own.family, Parameters: parameters(own) });

const database: Attributes = (own, link) => ({
  Engine: own.engine,
  EngineVersion: own.engine_version,
  DBParameterGroupName: linked(own, link, 'parameter_group_name'),
  DBClusterParameterGroupName: linked(own, link, 'db_cluster_parameter_group_name'),
  DBClusterIdentifier: linked(own, link, 'cluster_identifier'),
  EnableIAMDatabaseAuthentication: own.iam_database_authentication_enabled,
  ManageMasterUserPassword: own.manage_master_user_password,
  MasterUserPassword: own.password ?? own.master_password,
});

const userData: Attributes = (own) => ({ UserData: own.user_data ?? own.user_data_base64 });

const inlinePolicies = (own: ValueMap): Value =>
  itemsOf(own.inline_policy)
    .map(mapOf)
    .filter(({ policy }) => !isAbsent(policy))
    .map(({ name, policy }) => ({ PolicyName: name ?? null, PolicyDocument: document(policy) ?? null }));

const inlinePolicy =
  (holder: 'Roles' | 'Users' | 'Groups', attribute: string): Attributes =>
  (own, link) => ({
    PolicyDocument: document(own.policy),
    [holder]: [linked(own, link, attribute) ?? new Unknown()],
  });

const attachment =
  (holder: 'Roles' | 'Users' | 'Groups', attribute: string): Attributes =>
  (own, link) => ({
    PolicyArn: linked(own, link, 'policy_arn'),
    [holder]: [linked(own, link, attribute) ?? new Unknown()],
  });

const kubernetesSecret: Attributes = (own) => ({
  Kind: 'Secret',
  Data: own.data ?? own.data_wo,
});

/**
 * Terraform's types that rules know, with CloudFormation's name for each and for its attributes. `Rekey::` stands where
 * CloudFormation has no type of its own.
 */
const types: Readonly<Record<string, readonly [type: string, attributes: Attributes]>> = {
  aws_secretsmanager_secret: [
    'AWS::SecretsManager::Secret',
    (own, link) => ({
      Arn: own.arn,
      Type: own.type === '' ? null : own.type,
      Name: own.name,
      NamePrefix: own.name_prefix,
      Description: own.description,
      KmsKeyId: linked(own, link, 'kms_key_id'),
      Tags: own.tags_all ?? own.tags,
      ReplicaRegions: itemsOf(own.replica).map((one) => ({ Region: valueAt(one, 'region') ?? null })),
      ResourcePolicy: document(own.policy),
    }),
  ],
  aws_secretsmanager_secret_version: [
    'Rekey::SecretsManager::SecretVersion',
    (own, link) => ({
      SecretId: linked(own, link, 'secret_id'),
      SecretString: own.secret_string,
      SecretBinary: own.secret_binary,
      VersionStages: own.version_stages,
      WriteOnlyVersion: own.secret_string_wo_version,
    }),
  ],
  aws_secretsmanager_secret_rotation: [
    'AWS::SecretsManager::RotationSchedule',
    (own, link) => ({
      SecretId: linked(own, link, 'secret_id'),
      RotationRules: {
        AutomaticallyAfterDays: block(own, 'rotation_rules').automatically_after_days ?? null,
        ScheduleExpression: block(own, 'rotation_rules').schedule_expression ?? null,
      },
    }),
  ],
  aws_secretsmanager_secret_policy: [
    'AWS::SecretsManager::ResourcePolicy',
    (own, link) => ({
      SecretId: linked(own, link, 'secret_arn'),
      ResourcePolicy: document(own.policy),
      BlockPublicPolicy: own.block_public_policy,
    }),
  ],
  aws_ssm_parameter: [
    'AWS::SSM::Parameter',
    (own) => ({
      Name: own.name,
      Type: own.type,
      Value: isAbsent(own.insecure_value) ? own.value : own.insecure_value,
      Description: own.description,
      Tags: own.tags,
    }),
  ],
  aws_lambda_function: [
    'AWS::Lambda::Function',
    (own, link) => ({
      Description: own.description,
      Environment: { Variables: block(own, 'environment').variables ?? null },
      Role: linked(own, link, 'role'),
      Tags: own.tags,
    }),
  ],
  aws_ecs_task_definition: [
    'AWS::ECS::TaskDefinition',
    (own, link) => ({
      ContainerDefinitions: withUpperKeys(document(own.container_definitions)),
      ExecutionRoleArn: linked(own, link, 'execution_role_arn'),
      TaskRoleArn: linked(own, link, 'task_role_arn'),
      Tags: own.tags,
    }),
  ],
  aws_codebuild_project: [
    'AWS::CodeBuild::Project',
    (own) => ({
      Environment: {
        EnvironmentVariables: itemsOf(block(own, 'environment').environment_variable).map((one) => ({
          Name: valueAt(one, 'name') ?? null,
          Value: valueAt(one, 'value') ?? null,
          Type: valueAt(one, 'type') ?? null,
        })),
      },
      Tags: own.tags,
    }),
  ],
  aws_apprunner_service: [
    'AWS::AppRunner::Service',
    (own) => ({
      Variables:
        block(own, 'source_configuration', 'image_repository', 'image_configuration')
          .runtime_environment_variables ??
        block(
          own,
          'source_configuration',
          'code_repository',
          'code_configuration',
          'code_configuration_values',
        ).runtime_environment_variables,
      Tags: own.tags,
    }),
  ],
  aws_instance: ['AWS::EC2::Instance', userData],
  aws_launch_template: ['AWS::EC2::LaunchTemplate', userData],
  aws_launch_configuration: ['AWS::AutoScaling::LaunchConfiguration', userData],
  aws_sfn_state_machine: [
    'AWS::StepFunctions::StateMachine',
    (own) => ({ DefinitionString: own.definition, Tags: own.tags }),
  ],
  aws_kms_key: [
    'AWS::KMS::Key',
    (own) => ({
      Arn: own.arn,
      KeySpec: own.customer_master_key_spec,
      KeyUsage: own.key_usage,
      EnableKeyRotation: own.enable_key_rotation,
      KeyPolicy: document(own.policy),
    }),
  ],
  aws_iam_role: [
    'AWS::IAM::Role',
    (own) => ({
      Arn: own.arn,
      RoleName: own.name,
      Policies: inlinePolicies(own),
      ManagedPolicyArns: own.managed_policy_arns,
      PermissionsBoundary: own.permissions_boundary,
      Tags: own.tags_all ?? own.tags,
    }),
  ],
  aws_iam_user: ['AWS::IAM::User', (own) => ({ UserName: own.name, Tags: own.tags })],
  aws_iam_access_key: [
    'AWS::IAM::AccessKey',
    (own, link) => ({ UserName: linked(own, link, 'user'), PgpKey: own.pgp_key }),
  ],
  aws_iam_role_policy: ['AWS::IAM::Policy', inlinePolicy('Roles', 'role')],
  aws_iam_user_policy: ['AWS::IAM::Policy', inlinePolicy('Users', 'user')],
  aws_iam_group_policy: ['AWS::IAM::Policy', inlinePolicy('Groups', 'group')],
  aws_iam_policy: ['AWS::IAM::ManagedPolicy', (own) => ({ PolicyDocument: document(own.policy) })],
  aws_iam_role_policy_attachment: ['Rekey::IAM::PolicyAttachment', attachment('Roles', 'role')],
  aws_iam_user_policy_attachment: ['Rekey::IAM::PolicyAttachment', attachment('Users', 'user')],
  aws_iam_policy_attachment: [
    'Rekey::IAM::PolicyAttachment',
    (own, link) => ({ PolicyArn: linked(own, link, 'policy_arn'), Roles: own.roles ?? new Unknown() }),
  ],
  aws_db_instance: ['AWS::RDS::DBInstance', database],
  aws_rds_cluster: ['AWS::RDS::DBCluster', database],
  aws_rds_cluster_instance: [
    'AWS::RDS::DBInstance',
    (own, link) => ({ ...database(own, link), DBClusterIdentifier: own.cluster_identifier ?? new Unknown() }),
  ],
  aws_db_parameter_group: ['AWS::RDS::DBParameterGroup', parameterGroup],
  aws_rds_cluster_parameter_group: ['AWS::RDS::DBClusterParameterGroup', parameterGroup],
  aws_docdb_cluster_parameter_group: ['AWS::DocDB::DBClusterParameterGroup', parameterGroup],
  aws_redshift_parameter_group: ['AWS::Redshift::ClusterParameterGroup', parameterGroup],
  aws_elasticache_replication_group: [
    'AWS::ElastiCache::ReplicationGroup',
    (own) => ({
      Engine: own.engine,
      TransitEncryptionEnabled: own.transit_encryption_enabled,
      TransitEncryptionMode: own.transit_encryption_mode,
      AuthToken: own.auth_token,
      EngineVersion: own.engine_version,
    }),
  ],
  aws_memorydb_cluster: ['AWS::MemoryDB::Cluster', (own) => ({ TLSEnabled: own.tls_enabled })],
  kubernetes_secret: ['Rekey::Kubernetes::Manifest', kubernetesSecret],
  kubernetes_secret_v1: ['Rekey::Kubernetes::Manifest', kubernetesSecret],
  random_password: ['Rekey::Random::Password', () => ({})],
  random_string: ['Rekey::Random::String', () => ({})],
};

/** Writes a resource of Terraform under CloudFormation's names. A type that no rule knows keeps its own. */
export function asCloudFormation(type: string, own: ValueMap, link: Link): Normal {
  const known = types[type];
  if (known === undefined) return { type, properties: own };
  const [name, attributes] = known;
  return {
    type: name,
    properties: Object.fromEntries(
      Object.entries(attributes(own, link)).flatMap(([key, value]) =>
        value === undefined || value === null ? [] : [[key, value]],
      ),
    ),
  };
}

/** Terraform's names of properties, where they are not CloudFormation's with underscores. */
const otherNames: Readonly<Record<string, string>> = {
  EnableIAMDatabaseAuthentication: 'iam_database_authentication_enabled',
  DBParameterGroupName: 'parameter_group_name',
  DBClusterParameterGroupName: 'db_cluster_parameter_group_name',
  MasterUserPassword: 'password',
  KeyPolicy: 'policy',
  ResourcePolicy: 'policy',
  ReplicaRegions: 'replica',
  PolicyDocument: 'policy',
  DefinitionString: 'definition',
  TLSEnabled: 'tls_enabled',
  'Environment.Variables': 'environment.variables',
  'Environment.EnvironmentVariables': 'environment.environment_variable',
  'RotationRules.AutomaticallyAfterDays': 'rotation_rules.automatically_after_days',
  'RotationRules.ScheduleExpression': 'rotation_rules.schedule_expression',
  ContainerDefinitions: 'container_definitions',
};

/** Gives the name that a property has in Terraform. */
export const terraformName = (name: string): string =>
  otherNames[name] ??
  name
    .split('.')
    .map((part) => part.replace(/(?<=[a-z0-9])([A-Z])/g, '_$1').toLowerCase())
    .join('.');
