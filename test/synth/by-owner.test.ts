import { beforeAll, describe, expect, test } from '@jest/globals';
import { type Policy, policySchema } from '../../core/iam/document.ts';
import { decide } from '../../core/iam/evaluate.ts';
import type { RequestContext } from '../../core/iam/request.ts';
import { type Actor, actorOf } from '../../docs/access/actors.ts';
import { DeployedValues } from '../../docs/access/deployed-values.ts';
import { account, region, type Stack } from '../../docs/access/deployment.ts';
import { synthesizeApp } from '../../docs/synthesis.ts';
import { defineConfig } from '../../lib/config/config.ts';
import type { ConfigurationInput } from '../../lib/config/schema.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { messageOf } from './support/settings.ts';

const secret = (owner: string) => ({
  type: 'postgresql' as const,
  strategy: 'single-user' as const,
  adminSecret: { adopt: 'admin' },
  owner,
});
const fields = { engine: 'postgres', host: 'db.internal', username: 'app' };
const configuration = (owner = 'team-orders'): ConfigurationInput => ({
  environments: {
    prod: {
      account,
      region,
      audit: { retentionDays: 30 },
      access: {
        operators: [account],
        responders: [account],
        auditors: [account],
        policyAuthors: [account],
        approvers: [account],
        byOwner: true,
        sessionName: 'aws:PrincipalTag/mail',
      },
      secrets: {
        orders: { ...secret(owner), create: { name: 'orders', fields } },
        stock: { ...secret('team-stock'), create: { name: 'stock', fields } },
        'adopted-orders': { ...secret('team-orders'), adopt: 'billing-database' },
        'adopted-stock': { ...secret('team-stock'), adopt: 'stock-database' },
      },
    },
  },
});

describe('with access.byOwner', () => {
  let stacks: readonly Stack[];
  const actors: Record<string, Actor> = {};
  beforeAll(() => {
    const settings = defineConfig(configuration()).environments.prod;
    if (settings === undefined) throw new Error('no environment');
    stacks = synthesizeApp(
      (app) => {
        new RekeyEnvironment(app, 'prod', { configuration: settings, directory: import.meta.dirname });
      },
      ({ stackName, template }) => ({
        name: stackName,
        resources: template.Resources ?? {},
        outputs: template.Outputs ?? {},
      }),
    );
    const values = new DeployedValues(stacks);
    for (const name of ['operator', 'responder'])
      actors[name] = actorOf(name, 'prod' as never, stacks, values);
  });

  const arn = (service: string, rest: string) => `arn:aws:${service}:${region}:${account}:${rest}`;
  const ask = (
    name: string,
    owner: string | undefined,
    action: string,
    resource: string,
    context: RequestContext,
  ) => {
    const { principal, identity, boundary } = actors[name] as Actor;
    return decide(
      {
        principal,
        action,
        resource,
        resourceAccount: account,
        context: {
          'aws:PrincipalTag/rekey:environment': 'prod',
          ...(owner !== undefined && { 'aws:PrincipalTag/rekey:owner': owner }),
          ...context,
        },
      },
      { identity, ...(boundary !== undefined && { boundary }) },
    ).outcome;
  };
  const created = { 'aws:ResourceTag/rekey:environment': 'prod' };

  test.each([
    ['team-orders', 'team-orders', 'allowed'],
    ['team-orders', 'team-stock', 'not allowed'],
    // Without a tag, IAM has nothing to fill in, and nothing matches.
    [undefined, 'team-orders', 'not allowed'],
    ['', 'team-orders', 'not allowed'],
  ] as const)('an operator of %s on a created secret of %s: %s', (tag, owner, outcome) => {
    const resource = arn('secretsmanager', 'secret:/prod/any-AbCdEf');
    const context = { ...created, 'aws:ResourceTag/rekey:owner': owner };
    expect(ask('operator', tag, 'secretsmanager:RotateSecret', resource, context)).toBe(outcome);
    expect(ask('operator', tag, 'secretsmanager:DescribeSecret', resource, context)).toBe(outcome);
  });

  test.each([
    ['team-orders', 'billing-database', 'allowed'],
    ['team-orders', 'stock-database', 'not allowed'],
    ['team-stock', 'stock-database', 'allowed'],
    [undefined, 'stock-database', 'not allowed'],
  ] as const)(
    'an operator of %s on the adopted secret %s, which keeps its tags: %s',
    (tag, name, outcome) => {
      const resource = arn('secretsmanager', `secret:${name}-AbCdEf`);
      expect(ask('operator', tag, 'secretsmanager:RotateSecret', resource, {})).toBe(outcome);
    },
  );

  test.each([
    ['team-orders', 'rekey.cli/team-orders', 'allowed'],
    ['team-orders', 'rekey.cli/team-stock', 'not allowed'],
    ['team-orders', 'rekey.cli', 'not allowed'],
    [undefined, 'rekey.cli/team-orders', 'not allowed'],
    [undefined, 'rekey.cli', 'not allowed'],
  ] as const)('a responder of %s asks as %s: %s', (tag, source, outcome) => {
    const bus = arn('events', 'event-bus/rekey-prod');
    const context = { 'events:source': source, 'events:detail-type': 'Secret Revocation Requested' };
    expect(ask('responder', tag, 'events:PutEvents', bus, context)).toBe(outcome);
  });

  test('created secrets have their owner as a tag', () => {
    const owners = stacks.flatMap(({ resources }) =>
      Object.values(resources)
        .filter(({ Type }) => Type === 'AWS::SecretsManager::Secret')
        .flatMap(({ Properties }) => (Properties.Tags as { Key: string; Value: string }[]) ?? [])
        .filter(({ Key }) => Key === 'rekey:owner')
        .map(({ Value }) => Value),
    );
    expect(owners.sort()).toEqual(['team-orders', 'team-stock']);
  });

  describe('whoever assumes the role', () => {
    const trustOf = (part: string): Policy => {
      const access = stacks.find(({ name }) => name === 'rekey-prod-access') as Stack;
      const [, role] =
        Object.entries(access.resources).find(
          ([id, { Type }]) => Type === 'AWS::IAM::Role' && id.startsWith(part),
        ) ?? [];
      return policySchema.parse(
        new DeployedValues(stacks).of(role?.Properties.AssumeRolePolicyDocument, access),
      );
    };
    const everything = policySchema.parse({ Statement: { Effect: 'Allow', Action: '*', Resource: '*' } });
    const assume = (part: string, action: string, context: RequestContext) =>
      decide(
        {
          principal: { kind: 'user', arn: `arn:aws:iam::${account}:user/one` },
          action,
          resource: `arn:aws:iam::${account}:role/operator`,
          resourceAccount: account,
          context,
        },
        { identity: [everything], resource: trustOf(part) },
      ).outcome;
    const own = { 'aws:PrincipalTag/rekey:owner': 'team-orders' };
    const roles = ['Operator', 'Responder', 'Auditor', 'PolicyAuthor', 'Approver'];

    // A tag that the identity provider marks as transitive comes along into every role.
    test.each(roles)('may pass its own owner to the %s, and no other', (part) => {
      const pass = (context: RequestContext) => assume(part, 'sts:TagSession', context);
      expect(pass({ ...own, 'aws:RequestTag/rekey:owner': 'team-orders' })).toBe('allowed');
      expect(pass({ ...own, 'aws:RequestTag/rekey:owner': 'team-stock' })).toBe('not allowed');
      expect(pass({ 'aws:RequestTag/rekey:owner': 'team-stock' })).toBe('not allowed');
      // What an identity provider sends along is nothing that a policy of Rekey asks for.
      expect(pass({ ...own, 'aws:RequestTag/cost-center': '7' })).toBe('allowed');
    });

    test.each(['Operator', 'Responder'])('may not make the %s one of another environment', (part) => {
      const environment = { 'aws:RequestTag/rekey:environment': 'test' };
      expect(assume(part, 'sts:TagSession', { ...own, ...environment })).toBe('not allowed');
      const tagged = { 'aws:PrincipalTag/rekey:environment': 'test' };
      expect(assume(part, 'sts:AssumeRole', tagged)).toBe('denied');
      const ada = { 'aws:PrincipalTag/mail': 'ada', 'sts:RoleSessionName': 'ada' };
      expect(assume(part, 'sts:AssumeRole', ada)).toBe('allowed');
      expect(assume(part, 'sts:AssumeRole', { ...ada, ...tagged })).toBe('denied');
    });

    test.each(['Operator', 'Responder', 'Approver'])('begins a session of the %s as itself alone', (part) => {
      const begin = (name: string, mail?: string) =>
        assume(part, 'sts:AssumeRole', {
          'sts:RoleSessionName': name,
          ...(mail !== undefined && { 'aws:PrincipalTag/mail': mail }),
        });
      expect(begin('ada@example.com', 'ada@example.com')).toBe('allowed');
      expect(begin('bob@example.com', 'ada@example.com')).toBe('not allowed');
      expect(begin('ada@example.com')).toBe('not allowed');
    });

    test.each(['Auditor', 'PolicyAuthor'])('names the session of the %s freely', (part) => {
      expect(assume(part, 'sts:AssumeRole', { 'sts:RoleSessionName': 'any' })).toBe('allowed');
    });
  });

  // biome-ignore lint/suspicious/noTemplateCurlyInString: IAM would fill it in.
  test.each(['aws:userid', 'aws:PrincipalTag/', 'aws:PrincipalTag/a b', '${aws:username}'])(
    'a name of a session that IAM does not know is refused: %s',
    (sessionName) => {
      const { prod, ...others } = configuration().environments;
      const access = { ...prod?.access, sessionName: sessionName as 'aws:username' };
      const broken = { environments: { ...others, prod: { ...prod, access } as typeof prod } };
      expect(messageOf(broken as ConfigurationInput)).toMatch(
        /access\.sessionName: .* must be aws:username, or/,
      );
    },
  );

  test.each(['Team Orders', 'orders,stock', 'a*'])('an owner that is no tag is refused: %s', (owner) => {
    expect(messageOf(configuration(owner))).toMatch(
      /secrets\.orders\.owner: .* with access\.byOwner it must/,
    );
  });
});
