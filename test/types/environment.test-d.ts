import { App } from 'aws-cdk-lib';
import type { Role } from 'aws-cdk-lib/aws-iam';
import {
  type AccessRoleProps,
  type AnsweredApprovals,
  ApproverRole,
  type ApproverRoleProps,
  AuditorRole,
  type AuditorRoleProps,
  type Configuration,
  ConfigurationError,
  type ConfigurationInput,
  type Demand,
  defineConfig,
  demandsOf,
  type EnvironmentConfiguration,
  type LoadedConfiguration,
  loadConfiguration,
  OperatorRole,
  type OperatorRoleProps,
  type OwnedAccessRoleProps,
  PolicyAuthorRole,
  type PolicyAuthorRoleProps,
  passwordEnvironment,
  type RecordOptions,
  RekeyEnvironment,
  type RekeyEnvironmentProps,
  ResponderRole,
  type ResponderRoleProps,
  recordedShards,
  type SessionName,
  type ShardAssignment,
  selectEnvironment,
  shardFileName,
} from '../../lib/index.ts';
import { same } from './same.ts';
import {
  bucket,
  bus,
  key,
  lambda,
  logs,
  madeBucket,
  orders,
  queue,
  stack,
  workflow,
} from './surroundings.ts';

// A configuration.
const input: ConfigurationInput = {
  environments: {
    dev: {
      audit: { retentionDays: 1 },
      secrets: {
        orders: {
          type: 'postgresql',
          strategy: 'single-user',
          create: {
            name: 'orders/db',
            fields: { engine: 'postgres', host: 'db.internal', username: 'orders' },
          },
          adminSecret: { adopt: 'orders-admin' },
          owner: 'team-orders',
        },
      },
    },
  },
};
// A secret is one of its type, and either created or adopted.
const one = (secret: NonNullable<ConfigurationInput['environments'][string]['secrets']>[string]) =>
  defineConfig({ environments: { dev: { audit: { retentionDays: 1 }, secrets: { secret } } } });
const owner = 'team-orders';
one({
  type: 'external',
  strategy: 'dual-credential',
  adopt: 'a',
  rotationFunction: 'arn:aws:lambda:…',
  owner,
});
one({
  type: 'iam-access-key',
  strategy: 'dual-credential',
  adopt: 'a',
  resources: ['arn:aws:iam::…'],
  owner,
});
// @ts-expect-error PostgreSQL takes one password of a user
one({ type: 'postgresql', strategy: 'dual-credential', adopt: 'a', owner });
// @ts-expect-error a secret is created or adopted, never both
one({ type: 'postgresql', strategy: 'single-user', adopt: 'a', create: { name: 'a', fields: {} }, owner });
// @ts-expect-error and one of the two it must be
one({ type: 'postgresql', strategy: 'single-user', owner });
// @ts-expect-error a created secret has the key of its environment
one({
  type: 'redis',
  strategy: 'single-user',
  create: { name: 'a', fields: {} },
  encryptionKey: 'arn:…',
  owner,
});
// @ts-expect-error Rekey's own functions rotate a type that it knows
one({ type: 'redis', strategy: 'single-user', adopt: 'a', rotationFunction: 'arn:aws:lambda:…', owner });
// @ts-expect-error whose function rotates an external secret must be said
one({ type: 'external', strategy: 'single-user', adopt: 'a', owner });
// @ts-expect-error an access key is of a user that the functions may change
one({ type: 'iam-access-key', strategy: 'dual-credential', adopt: 'a', owner });
// @ts-expect-error PostgreSQL is not reached through an API of AWS
one({ type: 'postgresql', strategy: 'single-user', adopt: 'a', resources: ['arn:aws:rds:…'], owner });

const configuration = defineConfig(input);
same<Configuration>()(configuration);
same<Promise<LoadedConfiguration>>()(loadConfiguration('rekey.config.ts'));
const selected = selectEnvironment(configuration, 'dev');
same<string>()(selected.name);
same<EnvironmentConfiguration>()(selected.environment);
same<number>()(selected.environment.audit.retentionDays);
// What has a default is there once the configuration was checked.
same<number>()(configuration.form);
// @ts-expect-error an environment says how long its records are kept
defineConfig({ environments: { dev: { secrets: {} } } });
// @ts-expect-error there is no such setting
defineConfig({ environments: {}, secrets: {} });
// @ts-expect-error a retention is a number of days
defineConfig({ environments: { dev: { audit: { retentionDays: '1' }, secrets: {} } } });
// @ts-expect-error what was checked is named by its file, not given
loadConfiguration(configuration);
const problem: Error = new ConfigurationError('the configuration has a problem');

// The shards of an environment.
const options: RecordOptions = { environment: 'dev', nothingDeployed: true, locked: false };
const demands = demandsOf('dev', selected.environment);
same<Demand[]>()(demands);
same<ShardAssignment>()(recordedShards(shardFileName, demands, options));
same<Record<string, string>>()(passwordEnvironment(selected.environment.passwords));
// @ts-expect-error the configuration of one environment, not all of it
demandsOf('dev', configuration);
// @ts-expect-error whose file it is, is said
recordedShards(shardFileName, demands, {});

// All of an environment.
const props: RekeyEnvironmentProps = { configuration: selected.environment, directory: '/app' };
new RekeyEnvironment(new App(), 'dev', { ...props, shards: recordedShards(shardFileName, demands, options) });
// @ts-expect-error a configuration is checked before it is used
new RekeyEnvironment(new App(), 'dev', { ...props, configuration: input.environments.dev });
// @ts-expect-error files of the configuration are relative to a folder
new RekeyEnvironment(new App(), 'dev', { configuration: selected.environment });

// Roles of people.
const access: AccessRoleProps = { environment: 'prod', principals: ['111122223333'] };
const operator: OperatorRoleProps = {
  ...access,
  secrets: [orders],
  bus,
  rotationLogs: [logs],
  brakes: true,
  health: { queues: [queue], functions: [lambda], workflow },
};
const responder: ResponderRoleProps = { ...access, bus, workflow, intakeLogs: logs };
const auditor: AuditorRoleProps = { ...access, bucket, key };
new AuditorRole(stack, 'OfTheLog', { ...auditor, bucket: madeBucket });
same<Role>()(new OperatorRole(stack, 'Operator', operator).role);
same<Role>()(new ResponderRole(stack, 'Responder', responder).role);
same<Role>()(new AuditorRole(stack, 'Auditor', auditor).role);
// @ts-expect-error a role that nobody may assume is none
new OperatorRole(stack, 'Operator', { ...operator, principals: [] });
// @ts-expect-error principals are named by account or ARN
new ResponderRole(stack, 'Responder', { ...responder, principals: [stack] });
// @ts-expect-error a workflow is a state machine
new ResponderRole(stack, 'Responder', { ...responder, workflow: lambda });
// @ts-expect-error a key is a construct, not its ARN
new AuditorRole(stack, 'Auditor', { ...auditor, key: key.keyArn });
// @ts-expect-error without the key the log cannot be read
new AuditorRole(stack, 'Auditor', { ...access, bucket });

const sessionName: SessionName = 'aws:PrincipalTag/mail';
// @ts-expect-error the id of a user names nobody
const unnamed: SessionName = 'aws:userid';
const owned: OwnedAccessRoleProps = { ...access, byOwner: true, sessionName };
new OperatorRole(stack, 'OfOneOwner', { ...operator, ...owned });
new ResponderRole(stack, 'OfOneOwner', { ...responder, ...owned });
// @ts-expect-error auditors read the records of all owners
new AuditorRole(stack, 'Auditor', { ...access, bucket, key, byOwner: true });
const author: PolicyAuthorRoleProps = { ...access, stackNames: ['rekey-prod-*'] };
same<Role>()(new PolicyAuthorRole(stack, 'PolicyAuthor', author).role);
// @ts-expect-error stacks are named, not handed over
new PolicyAuthorRole(stack, 'PolicyAuthor', { ...access, stackNames: [stack] });
const approvals: AnsweredApprovals = { grantAnswer: (to) => bus.grantPublish(to, 'mine') };
const approver: ApproverRoleProps = { ...access, approvals };
same<Role>()(new ApproverRole(stack, 'Approver', approver).role);
// @ts-expect-error approvals are what grants an answer, not an ARN
new ApproverRole(stack, 'Approver', { ...access, approvals: key.keyArn });

export const compiled = [problem, unnamed];
