import { beforeAll, describe, expect, test } from '@jest/globals';
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ManagedPolicy, PermissionsBoundary, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { type Policy, policySchema } from '../../core/iam/document.ts';
import { decide } from '../../core/iam/evaluate.ts';
import type { RequestContext } from '../../core/iam/request.ts';
import { DeployedValues } from '../../docs/access/deployed-values.ts';
import { account, region } from '../../docs/access/deployment.ts';
import { ApproverRole, PolicyAuthorRole, RekeyBus } from '../../lib/index.ts';
import { testApp } from './support/app.ts';

/** An app of its owner's with two roles of Rekey's, and a way to ask IAM's evaluator about them. */
interface World {
  readonly template: Template;
  /** Answers what the role of a construct may do when an administrator's policy is attached to it. */
  ask(id: string, action: string, resource: string, context?: RequestContext): string;
}

const administrator = policySchema.parse({ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });

function build(ownBoundary = false): World {
  const app = testApp({ flags: {} });
  const stack = new Stack(app, 'app', { env: { account, region } });
  if (ownBoundary) {
    PermissionsBoundary.of(stack).apply(
      new ManagedPolicy(stack, 'Ours', {
        statements: [new PolicyStatement({ actions: ['*'], resources: ['*'] })],
      }),
    );
  }
  const bus = new RekeyBus(stack, 'Bus', { environment: 'prod' });
  const access = { environment: 'prod', principals: [account] } as const;
  new PolicyAuthorRole(stack, 'Author', access);
  new ApproverRole(stack, 'Approver', {
    ...access,
    approvals: { grantAnswer: (_role, grantee) => bus.grantPublish(grantee, 'acme.approvals') },
  });
  const template = Template.fromStack(stack);
  const deployed = { name: 'app', resources: template.toJSON().Resources, outputs: {} };
  const values = new DeployedValues([deployed]);
  const documentsOf = (type: string, of: (properties: Record<string, unknown>, id: string) => boolean) =>
    Object.entries<{ Properties: Record<string, unknown> }>(template.findResources(type) as never)
      .filter(([id, { Properties }]) => of(Properties, id))
      .map(
        ([, { Properties }]): Policy => policySchema.parse(values.of(Properties.PolicyDocument, deployed)),
      );
  return {
    template,
    ask(id, action, resource, context = {}) {
      const [role = '', properties] = Object.entries<{ Properties: Record<string, unknown> }>(
        template.findResources('AWS::IAM::Role') as never,
      ).find(([each]) => each.startsWith(`${id}Role`)) ?? ['', undefined];
      const { Ref } = (properties?.Properties.PermissionsBoundary ?? {}) as { Ref?: string };
      const [boundary] = documentsOf('AWS::IAM::ManagedPolicy', (_, each) => each === Ref);
      if (boundary === undefined) throw new Error(`${id} has no boundary`);
      const arn = `arn:aws:iam::${account}:role/${role}`;
      const attached = documentsOf('AWS::IAM::Policy', ({ Roles }) => JSON.stringify(Roles).includes(role));
      return decide(
        {
          principal: {
            kind: 'role',
            arn,
            sessionArn: `arn:aws:sts::${account}:assumed-role/${role}/session`,
          },
          action,
          resource,
          resourceAccount: account,
          context: { 'aws:PrincipalTag/rekey:environment': 'prod', ...context },
        },
        { identity: [...attached, administrator], boundary },
      ).outcome;
    },
  };
}

const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
const bus = arn('events', 'event-bus/rekey-prod');
const event = (source: string, detailType: string) => ({
  'events:source': source,
  'events:detail-type': detailType,
});
const refusedToAll: readonly (readonly [string, string, RequestContext])[] = [
  ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:/prod/orders-AbCdEf'), {}],
  ['secretsmanager:PutSecretValue', arn('secretsmanager', 'secret:/prod/orders-AbCdEf'), {}],
  ['iam:CreateRole', `arn:aws:iam::${account}:role/more`, {}],
  ['iam:DeleteRolePermissionsBoundary', `arn:aws:iam::${account}:role/own`, {}],
  ['sts:AssumeRole', `arn:aws:iam::${account}:role/cdk-hnb659fds-deploy-role-${account}-${region}`, {}],
  ['s3:PutObject', 'arn:aws:s3:::rekey-prod-audit/entries/1', {}],
  ['sqs:SendMessage', arn('sqs', 'rekey-prod-audit.fifo'), {}],
  ['ssm:GetParameter', arn('ssm', 'parameter/rekey/test/deployment/roles'), {}],
  ['ssm:GetParameter', arn('ssm', 'parameter/rekey/prod-two/deployment/roles'), {}],
  ['events:PutEvents', arn('events', 'event-bus/rekey-test'), event('acme.approvals', 'Any')],
  [
    'cloudformation:GetTemplate',
    arn('cloudformation', 'stack/rekey-test-access/1'),
    { 'aws:ResourceTag/rekey:environment': 'test' },
  ],
];

describe.each([
  ['with the boundary of Rekey', false],
  ["with a boundary of the app's owner, which allows everything", true],
])('%s', (_, ownBoundary) => {
  let world: World;
  beforeAll(() => {
    world = build(ownBoundary);
  });

  test('each role has exactly that boundary', () => {
    const boundaries = Object.values(world.template.findResources('AWS::IAM::Role')).map(
      ({ Properties }) => Properties.PermissionsBoundary?.Ref,
    );
    expect(boundaries).toEqual(
      ownBoundary
        ? [expect.stringMatching(/^Ours/), expect.stringMatching(/^Ours/)]
        : [expect.stringMatching(/^AuthorRoleBoundary/), expect.stringMatching(/^ApproverRoleBoundary/)],
    );
  });

  test.each(refusedToAll)('an attached administrator may not %s %s', (action, resource, context) => {
    expect(world.ask('Author', action, resource, context)).toBe('denied');
    expect(world.ask('Approver', action, resource, context)).toBe('denied');
  });

  test('an approver answers, and never asks for what it approves', () => {
    expect(world.ask('Approver', 'events:PutEvents', bus, event('acme.approvals', 'Approved'))).toBe(
      'allowed',
    );
    const request = event('acme.approvals', 'Secret Revocation Requested');
    expect(world.ask('Approver', 'events:PutEvents', bus, request)).toBe('denied');
    const stack = arn('cloudformation', 'stack/rekey-prod-access/1');
    expect(world.ask('Approver', 'cloudformation:CreateChangeSet', stack)).toBe('denied');
  });
});

describe('a policy author', () => {
  let world: World;
  beforeAll(() => {
    world = build();
  });
  const stack = (name: string) => arn('cloudformation', `stack/${name}/11111111-2222-3333-4444-555555555555`);

  test.each(['access', 'rotation', 'rotation-2', 'network-lan-0123456789abcdef'])(
    'opens change sets of the stack %s, and executes none',
    (part) => {
      const name = stack(`rekey-prod-${part}`);
      expect(world.ask('Author', 'cloudformation:CreateChangeSet', name)).toBe('allowed');
      expect(world.ask('Author', 'cloudformation:DescribeChangeSet', name)).toBe('allowed');
      for (const action of ['ExecuteChangeSet', 'UpdateStack', 'DeleteStack', 'SetStackPolicy']) {
        expect(world.ask('Author', `cloudformation:${action}`, name)).toBe('not allowed');
      }
    },
  );

  test('opens none of an environment whose name begins alike, and passes no role', () => {
    const own = stack('rekey-prod-access');
    expect(world.ask('Author', 'cloudformation:CreateChangeSet', stack('rekey-prod-two-access'))).toBe(
      'not allowed',
    );
    const role = { 'cloudformation:RoleArn': `arn:aws:iam::${account}:role/deployer` };
    expect(world.ask('Author', 'cloudformation:CreateChangeSet', own, role)).toBe('not allowed');
  });
});
