import { describe, expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import example from '../../rekey.config.ts';
import { type Statement, testApp } from './support/app.ts';
import { ofEveryType } from './support/every-type.ts';
import { everything } from './support/everything.ts';

/**
 * What IAM offers to whoever wants more permissions than they have: it writes policies, lends roles, or makes principals.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagement.html
 */
const granting =
  /^(?:\*|iam:(?!(?:Get|List|Simulate|Generate)|(?:Create|Update|Delete)AccessKey$|(?:Tag|Untag)User$).*|sts:AssumeRole.*|kms:(?:\*|CreateGrant|PutKeyPolicy)|secretsmanager:(?:\*|PutResourcePolicy)|lambda:(?:\*|AddPermission|UpdateFunction.*|CreateFunction|PublishLayerVersion)|s3:(?:\*|PutBucketPolicy)|sqs:(?:\*|AddPermission|SetQueueAttributes)|events:(?:\*|PutPermission)|cloudformation:(?!(?:Describe|Get|List)).*)$/i;

/** Who may do such a thing all the same: no other duty, no value of a secret, and exactly these actions. */
const allowed: readonly { readonly role: RegExp; readonly actions: readonly string[] }[] = [
  // Writes one document under one name, and is told nothing but a user, a key's id and a time.
  // Makes a change set, which somebody else executes.
  { role: /^PolicyAuthorRole/, actions: ['cloudformation:CreateChangeSet'] },
  // Takes the roles that members have for their coordinator; it reads no value, and these change nothing by themselves.
  { role: /^WorkflowPlanWorkflowElsewhereMembersRole/, actions: ['sts:AssumeRole'] },
  // Writes and deletes one document under one name, of principals that configuration names, and records that itself.
  {
    role: /^QuarantineFunctionRole/,
    actions: ['iam:PutRolePolicy', 'iam:DeleteRolePolicy', 'iam:PutUserPolicy', 'iam:DeleteUserPolicy'],
  },
  { role: /^Containmentiamaccesskey\w+SessionCutoff/, actions: ['iam:PutUserPolicy'] },
];

/** What a role needs to record what it does: events of its own kinds, and the queue behind them with its key. */
const recording = {
  role: /^QuarantineFunctionRole/,
  actions: [
    'events:PutEvents',
    'sqs:SendMessage',
    'sqs:GetQueueAttributes',
    'sqs:GetQueueUrl',
    'kms:Decrypt',
    'kms:GenerateDataKey',
  ],
} as const;

interface Resource {
  readonly Properties: {
    readonly Roles?: readonly { readonly Ref?: string }[];
    readonly Policies?: readonly { readonly PolicyDocument: { readonly Statement: Statement[] } }[];
    readonly PolicyDocument?: { readonly Statement: Statement[] };
    readonly ManagedPolicyArns?: readonly unknown[];
  };
}

interface Grant {
  readonly role: string;
  readonly action: string;
  readonly statement: Statement;
}

/** What each role of a template may do, whichever way its policies hang on it. */
function grantsOf(template: Template): Grant[] {
  const of = (type: string) => Object.entries<Resource>(template.findResources(type) as never);
  const statementsOf = (all: readonly Statement[], role: string): Grant[] =>
    all
      .filter(({ Effect }) => Effect === 'Allow')
      .flatMap((statement) => [statement.Action].flat().map((action) => ({ role, action, statement })));
  const attached = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::RolePolicy'].flatMap((type) =>
    of(type).flatMap(([id, { Properties }]) =>
      (Properties.Roles ?? [{ Ref: id }]).flatMap(({ Ref = id }) =>
        statementsOf(Properties.PolicyDocument?.Statement ?? [], Ref),
      ),
    ),
  );
  const own = of('AWS::IAM::Role').flatMap(([id, { Properties }]) =>
    (Properties.Policies ?? []).flatMap(({ PolicyDocument }) => statementsOf(PolicyDocument.Statement, id)),
  );
  return [...attached, ...own];
}

const samples: readonly [string, typeof everything, string][] = [
  ['the example, dev', example, 'dev'],
  ['the example, prod', example, 'prod'],
  ['everything at once', everything, 'full'],
  ['one of every type', ofEveryType, 'types'],
];

function templatesOf(configuration: (typeof samples)[number][1], name: string): Template[] {
  const settings = configuration.environments[name];
  if (settings === undefined) throw new Error(`no environment ${name}`);
  const environment = new RekeyEnvironment(testApp(), name, {
    configuration: settings,
    directory: import.meta.dirname,
  });
  return environment.node.children
    .filter((child) => Stack.isStack(child))
    .map((stack) => Template.fromStack(stack));
}

describe.each(samples)('the roles of %s', (_, configuration, name) => {
  const grants = templatesOf(configuration, name).flatMap(grantsOf);
  const may = (role: string) =>
    new Set(grants.filter((grant) => grant.role === role).map(({ action }) => action));

  test('can give nobody more permissions, but those that have no other duty', () => {
    expect(grants.length).toBeGreaterThan(0);
    const strange = grants.filter(
      ({ role, action }) =>
        granting.test(action) &&
        !allowed.some((entry) => entry.role.test(role) && entry.actions.includes(action)),
    );
    expect(strange.map(({ role, action }) => `${role} ${action}`)).toEqual([]);
  });

  // What the CDK grants by itself, to whoever reads a queue, has no Sid. A key that signs encrypts no data.
  test('use a key only through the service whose data it encrypts', () => {
    const ofKeys = grants.filter(
      ({ action, statement }) =>
        action.startsWith('kms:') && !/Mac$/.test(action) && statement.Sid !== undefined,
    );
    expect(ofKeys.length).toBeGreaterThan(0);
    const direct = ofKeys.filter(
      ({ statement }) => !JSON.stringify(statement.Condition ?? {}).includes('"kms:ViaService"'),
    );
    expect(direct.map(({ role, action }) => `${role} ${action}`)).toEqual([]);
  });

  test('that write policies read no secret and invoke nothing', () => {
    for (const { role } of grants.filter(({ action }) => granting.test(action))) {
      expect(
        // Definitions hold names and settings.
        [...may(role)].filter(
          (action) =>
            /^(?:secretsmanager|kms|lambda|events|sqs|ssm(?!:GetParameter(?:sByPath)?$)):/.test(action) &&
            !(recording.role.test(role) && (recording.actions as readonly string[]).includes(action)),
        ),
      ).toEqual([]);
    }
  });
});
