import { type ContextEntry, IAMClient, SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { AwsSelectionSources } from '../../adapters/secret-selection.ts';
import { policySchema } from '../../core/iam/document.ts';
import { decide } from '../../core/iam/evaluate.ts';
import { quarantineDocument, quarantinePolicyName } from '../../core/quarantine/document.ts';
import type { QuarantineScope } from '../../core/quarantine/state.ts';
import type { SecretDefinition } from '../../core/secret/definition.ts';
import { region } from './answers.ts';

const principal = 'arn:aws:iam::111122223333:role/app-worker';
const [read, denied, foreign] = ['read', 'denied', 'foreign'].map(
  (name) => `arn:aws:secretsmanager:eu-central-1:111122223333:secret:${name}-AbCdEf`,
) as [string, string, string];
const definitions = [read, denied, foreign].map((arn) => ({ arn }) as SecretDefinition);

const iam = mockClient(IAMClient);
afterEach(() => {
  iam.reset();
});

/** The policies of the role by their names, as IAM has them. */
type Policies = Readonly<Record<string, string>>;
const own: Policies = {
  work: JSON.stringify({
    Statement: [
      { Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: [read, denied] },
      { Effect: 'Deny', Action: '*', Resource: denied },
    ],
  }),
};
const quarantine = (scope: QuarantineScope, environment = 'prod'): Policies => ({
  [quarantinePolicyName(environment, 'eu-central-1')]: quarantineDocument({
    requestId: '0195a000-0000-7000-8000-00000000000a',
    scope,
    before: '2026-03-01T12:00:01Z',
    requestedAt: '2026-03-01T12:00:00.500Z',
  }),
});

/**
 * Answers like the simulator. A statement that denies is the only one it tells of, and keys that any policy asks for and that
 * nobody gave are missing for every resource.
 * @see https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html
 */
function simulator(policies: Policies): void {
  const parsed = Object.entries(policies).map(
    ([name, document]) => [name, policySchema.parse(JSON.parse(document))] as const,
  );
  iam.on(SimulatePrincipalPolicyCommand).callsFake(({ ResourceArns, ContextEntries = [] }) => {
    const given = ContextEntries as ContextEntry[];
    const context = Object.fromEntries(
      given.map(({ ContextKeyName = '', ContextKeyValues = [] }) => [ContextKeyName, ContextKeyValues]),
    );
    const keys = new Set(
      parsed
        .flatMap(([, { Statement }]) => Statement)
        .flatMap(({ Condition }) => Object.values(Condition ?? {}).flatMap((values) => Object.keys(values))),
    );
    const MissingContextValues = [...keys].filter((key) => context[key] === undefined);
    const outcome = (resource: string, which: typeof parsed) =>
      decide(
        {
          principal: { kind: 'role', arn: principal, sessionArn: principal },
          action: 'secretsmanager:GetSecretValue',
          resource,
          resourceAccount: '111122223333',
          context,
        },
        { identity: which.map(([, policy]) => policy) },
      ).outcome;
    return {
      EvaluationResults: (ResourceArns as string[]).map((EvalResourceName) => {
        const denying = parsed.filter((one) => outcome(EvalResourceName, [one]) === 'denied');
        const whole = outcome(EvalResourceName, parsed);
        return {
          EvalActionName: 'secretsmanager:GetSecretValue',
          EvalResourceName,
          EvalDecision:
            whole === 'allowed' ? 'allowed' : whole === 'denied' ? 'explicitDeny' : 'implicitDeny',
          MatchedStatements: denying
            .slice(0, 1)
            .map(([name]) => ({ SourcePolicyId: `role_app-worker_${name}`, SourcePolicyType: 'IAM Policy' })),
          MissingContextValues,
        };
      }),
    };
  });
}

const readable = () =>
  new AwsSelectionSources('prod', new SecretsManagerClient(region), new IAMClient(region)).readableBy(
    principal,
    definitions,
  );

describe('what a principal may read', () => {
  test('is what its policies allow and no other one denies, in one call', async () => {
    simulator({ work: JSON.stringify({ Statement: { Effect: 'Allow', Action: '*', Resource: read } }) });
    expect(await readable()).toEqual([read]);
    expect(iam.calls()).toHaveLength(1);
  });

  test.each<[string, Policies]>([
    ['no quarantine', {}],
    ['one of sessions', quarantine('sessions')],
    ['one of all', quarantine('all')],
    ['those of two environments', { ...quarantine('all'), ...quarantine('all', 'staging') }],
  ])('is the same under %s', async (_, policies) => {
    simulator({ ...policies, ...own });
    expect(await readable()).toEqual([read]);
    iam.reset();
    simulator({ ...own, ...policies });
    expect(await readable()).toEqual([read]);
  });

  test('is in doubt all that a quarantine denies which a simulation cannot leave out', async () => {
    const deny = JSON.stringify({ Statement: { Effect: 'Deny', Action: '*', Resource: '*' } });
    simulator({ ...own, 'RekeyQuarantine-prod-eu-central-1': deny });
    expect(await readable()).toContain(read);
  });

  test('is nothing of what a policy of others denies altogether', async () => {
    const deny = JSON.stringify({ Statement: { Effect: 'Deny', Action: '*', Resource: '*' } });
    simulator({ ...own, NotRekeyQuarantine: deny });
    expect(await readable()).toEqual([]);
  });
});
