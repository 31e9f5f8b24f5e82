import type { Resource } from './template.ts';
import {
  isAbsent,
  isMap,
  itemsOf,
  type Leaf,
  leavesOf,
  literalText,
  mapOf,
  type Value,
  valueAt,
} from './value.ts';

/** A kind of place in which whoever may describe the resource reads what stands there. */
export interface ExposedKind {
  /** Words for a message, such as `an environment variable of a Lambda function`. */
  readonly what: string;
  /** Permission with which it is read. */
  readonly readBy: string;
  /** Steps that keep the secret out. */
  readonly fix: string;
}

const readAtRuntime =
  'give the code the ARN of the secret and have it read the value when it starts, with secretsmanager:GetSecretValue';

/** Kinds of places that a secret leaks from; the page of rules lists them. */
export const exposedKinds = {
  lambda: {
    what: 'an environment variable of a Lambda function',
    readBy: 'lambda:GetFunctionConfiguration',
    fix: readAtRuntime,
  },
  codeBuild: {
    what: 'a plain environment variable of a CodeBuild project',
    readBy: 'codebuild:BatchGetProjects',
    fix: 'set its Type to SECRETS_MANAGER, and its value to the name of the secret',
  },
  buildSpec: {
    what: 'the build specification of a CodeBuild project',
    readBy: 'codebuild:BatchGetProjects',
    fix: 'read it in the build with env.secrets-manager',
  },
  appRunner: {
    what: 'an environment variable of an App Runner service',
    readBy: 'apprunner:DescribeService',
    fix: 'move it to RuntimeEnvironmentSecrets, with the ARN of the secret as its value',
  },
  batch: {
    what: 'an environment variable of a Batch job definition',
    readBy: 'batch:DescribeJobDefinitions',
    fix: 'move it to Secrets of the container, with ValueFrom set to the ARN of the secret',
  },
  container: {
    what: 'the command or a label of an ECS container',
    readBy: 'ecs:DescribeTaskDefinition',
    fix: 'move it to Secrets of the container, with ValueFrom set to the ARN of the secret',
  },
  userData: {
    what: 'the user data of an instance',
    readBy: 'ec2:DescribeInstanceAttribute, and the metadata service of the instance',
    fix: 'have the script read the secret when it runs, with the role of the instance',
  },
  plainParameter: {
    what: 'a plain parameter of Systems Manager',
    readBy: 'ssm:GetParameter without a key',
    fix: 'keep it in Secrets Manager, or in a parameter of type SecureString that no template writes',
  },
  tag: { what: 'a tag', readBy: 'tag:GetResources', fix: 'take it out of the tag; a tag is for names' },
  description: {
    what: 'a description',
    readBy: 'the describe call of the resource',
    fix: 'take it out of the description',
  },
  stateMachine: {
    what: 'the definition of a state machine',
    readBy: 'states:DescribeStateMachine, and the history of each execution',
    fix: 'have the function that a state calls read the secret, and pass its ARN alone',
  },
  buildArgument: {
    what: 'a build argument of a container image',
    readBy: 'docker history of the image',
    fix: 'use a build secret (--secret, buildSecrets of the CDK asset), which no layer keeps',
  },
  beanstalk: {
    what: 'an environment property of Elastic Beanstalk',
    readBy: 'elasticbeanstalk:DescribeConfigurationSettings',
    fix: 'use the namespace aws:elasticbeanstalk:application:environmentsecrets, with the ARN of the secret',
  },
  amplify: {
    what: 'an environment variable of an Amplify app',
    readBy: 'amplify:GetApp',
    fix: readAtRuntime,
  },
  glue: { what: 'an argument of a Glue job', readBy: 'glue:GetJob', fix: readAtRuntime },
} as const satisfies Readonly<Record<string, ExposedKind>>;

/** Kinds that hold text, in which a secret has no name of its own. */
const textKinds = new Set<keyof typeof exposedKinds>(['buildSpec', 'userData', 'description', 'container']);

/** A value at a place that leaks. */
export interface ExposedPlace {
  readonly kind: keyof typeof exposedKinds;
  /** Name of the variable, tag or argument. @default - a text that has none */
  readonly name?: string;
  readonly value: Value;
  readonly property: readonly string[];
}

type Finder = (properties: Resource['properties']) => readonly ExposedPlace[];

const variables =
  (kind: ExposedPlace['kind'], ...path: readonly string[]): Finder =>
  (properties) => {
    const found = valueAt(properties, ...path);
    return isMap(found)
      ? Object.entries(found).map(([name, value]) => ({ kind, name, value, property: [...path, name] }))
      : [];
  };

/** Finds variables that stand in a list, each with its name and its value. */
const pairs =
  (kind: ExposedPlace['kind'], path: readonly string[], [key, content]: readonly [string, string]): Finder =>
  (properties) =>
    itemsOf(valueAt(properties, ...path)).flatMap((one, index) => {
      const item = mapOf(one);
      const name = literalText(item[key]);
      const value = item[content];
      return name === undefined || value === undefined
        ? []
        : [{ kind, name, value, property: [...path, String(index), content] }];
    });

const text =
  (kind: ExposedPlace['kind'], ...path: readonly string[]): Finder =>
  (properties) => {
    const value = valueAt(properties, ...path);
    return value === undefined || value === null ? [] : [{ kind, value, property: path }];
  };

/** Finds the variables of a build whose values stand in the project; the others name a parameter or a secret. */
const ofPlainBuild: Finder = (properties) => {
  const listed = itemsOf(valueAt(properties, 'Environment', 'EnvironmentVariables'));
  const all = pairs('codeBuild', ['Environment', 'EnvironmentVariables'], ['Name', 'Value'])(properties);
  return all.filter(({ property: [, , index] }) => {
    const type = mapOf(listed[Number(index)]).Type;
    return isAbsent(type) || literalText(type) === 'PLAINTEXT';
  });
};

const ofContainers: Finder = (properties) =>
  itemsOf(properties.ContainerDefinitions).flatMap((container, index) =>
    ['Command', 'EntryPoint', 'DockerLabels'].flatMap((name) =>
      leavesOf(mapOf(container)[name]).map(({ path, value }) => ({
        kind: 'container' as const,
        value,
        property: ['ContainerDefinitions', String(index), name, ...path],
      })),
    ),
  );

const ofBeanstalk: Finder = (properties) =>
  itemsOf(properties.OptionSettings).flatMap((one, index) => {
    const { Namespace, OptionName, Value: value } = mapOf(one);
    const name = literalText(OptionName);
    return literalText(Namespace) === 'aws:elasticbeanstalk:application:environment' &&
      name !== undefined &&
      value !== undefined
      ? [{ kind: 'beanstalk' as const, name, value, property: ['OptionSettings', String(index), 'Value'] }]
      : [];
  });

const ofParameter: Finder = ({ Type, Name, Value: value }) =>
  isAbsent(value) || literalText(Type) === 'SecureString' || value === undefined
    ? []
    : [
        {
          kind: 'plainParameter',
          // The last segment says what it holds.
          name: literalText(Name)?.split('/').at(-1) ?? '',
          value,
          property: ['Value'],
        },
      ];

const ofStates: Finder = (properties) =>
  ['DefinitionString', 'Definition', 'DefinitionSubstitutions'].flatMap((name) =>
    leavesOf(jsonIn(properties[name])).map(({ path, value }: Leaf) => ({
      kind: 'stateMachine' as const,
      name: path.at(-1) ?? '',
      value,
      property: typeof properties[name] === 'string' ? [name] : [name, ...path],
    })),
  );

/** Reads JSON that stands as text; anything else stays. */
function jsonIn(value: Value | undefined): Value | undefined {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value) as Value;
  } catch {
    return value;
  }
}

const imageConfiguration = ['SourceConfiguration', 'ImageRepository', 'ImageConfiguration'];
const codeConfiguration = [
  'SourceConfiguration',
  'CodeRepository',
  'CodeConfiguration',
  'CodeConfigurationValues',
];

const finders: Readonly<Record<string, readonly Finder[]>> = {
  'AWS::Lambda::Function': [variables('lambda', 'Environment', 'Variables')],
  'AWS::Serverless::Function': [variables('lambda', 'Environment', 'Variables')],
  'AWS::CodeBuild::Project': [ofPlainBuild, text('buildSpec', 'Source', 'BuildSpec')],
  'AWS::AppRunner::Service': [
    pairs('appRunner', [...imageConfiguration, 'RuntimeEnvironmentVariables'], ['Name', 'Value']),
    pairs('appRunner', [...codeConfiguration, 'RuntimeEnvironmentVariables'], ['Name', 'Value']),
    variables('appRunner', 'Variables'),
  ],
  'AWS::Batch::JobDefinition': [pairs('batch', ['ContainerProperties', 'Environment'], ['Name', 'Value'])],
  'AWS::ECS::TaskDefinition': [ofContainers],
  'AWS::EC2::Instance': [text('userData', 'UserData')],
  'AWS::EC2::LaunchTemplate': [
    text('userData', 'LaunchTemplateData', 'UserData'),
    text('userData', 'UserData'),
  ],
  'AWS::AutoScaling::LaunchConfiguration': [text('userData', 'UserData')],
  'AWS::SSM::Parameter': [ofParameter],
  'AWS::StepFunctions::StateMachine': [ofStates],
  'Rekey::Docker::Image': [variables('buildArgument', 'BuildArguments')],
  'AWS::ElasticBeanstalk::Environment': [ofBeanstalk],
  'AWS::ElasticBeanstalk::ConfigurationTemplate': [ofBeanstalk],
  'AWS::Amplify::App': [pairs('amplify', ['EnvironmentVariables'], ['Name', 'Value'])],
  'AWS::Amplify::Branch': [pairs('amplify', ['EnvironmentVariables'], ['Name', 'Value'])],
  'AWS::Glue::Job': [variables('glue', 'DefaultArguments')],
};

/** Finders for every resource. */
const everywhere: readonly Finder[] = [
  pairs('tag', ['Tags'], ['Key', 'Value']),
  variables('tag', 'Tags'),
  text('description', 'Description'),
];

/** Lists the values of a resource that whoever may describe it reads. */
export const exposedPlacesOf = ({ type, properties }: Resource): readonly ExposedPlace[] =>
  [...(finders[type] ?? []), ...everywhere].flatMap((find) => find(properties));

/** Tells whether a place holds text, in which a secret has no name of its own. */
export const isTextPlace = ({ kind }: ExposedPlace): boolean => textKinds.has(kind);

/**
 * Places that take a secret and never show it again, so a dynamic reference is right there. They are
 * write-only in the schemas of their types, or kept by the service as a credential.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
 */
export const safePlaces: readonly (readonly [type: string, properties: readonly string[]])[] = [
  ['AWS::RDS::DBInstance', ['MasterUserPassword']],
  ['AWS::RDS::DBCluster', ['MasterUserPassword']],
  ['AWS::DocDB::DBCluster', ['MasterUserPassword']],
  ['AWS::Redshift::Cluster', ['MasterUserPassword']],
  ['AWS::RedshiftServerless::Namespace', ['AdminUserPassword']],
  ['AWS::ElastiCache::ReplicationGroup', ['AuthToken']],
  ['AWS::ElastiCache::User', ['Passwords', 'AuthenticationMode.Passwords']],
  ['AWS::MemoryDB::User', ['AuthenticationMode.Passwords']],
  ['AWS::AmazonMQ::Broker', ['Users.Password']],
  ['AWS::OpenSearchService::Domain', ['AdvancedSecurityOptions.MasterUserOptions.MasterUserPassword']],
  ['AWS::DirectoryService::MicrosoftAD', ['Password']],
  ['AWS::DirectoryService::SimpleAD', ['Password']],
  ['AWS::IAM::User', ['LoginProfile.Password']],
  ['AWS::DMS::Endpoint', ['Password']],
  ['AWS::SecretsManager::Secret', ['SecretString']],
  ['AWS::CodePipeline::Webhook', ['AuthenticationConfiguration.SecretToken']],
  ['AWS::Cognito::UserPoolIdentityProvider', ['ProviderDetails.client_secret']],
];
