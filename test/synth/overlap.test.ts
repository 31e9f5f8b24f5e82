import { describe, expect, test } from '@jest/globals';
import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { ContainmentFunction } from '../../lib/revocation/containment-function.ts';
import { RotationFunction } from '../../lib/rotation/rotation-function.ts';
import { RotatedSecret } from '../../lib/secret/rotated-secret.ts';
import { testStack } from './support/app.ts';

interface Rule {
  readonly Properties: {
    readonly Name: string;
    readonly ScheduleExpression?: string;
    readonly Targets: readonly { readonly Id: string; readonly Arn: unknown; readonly Input: string }[];
  };
}

const kind = { environment: 'test', type: 'redis', strategy: 'dual-credential' } as const;

function templateWith(
  names: readonly string[],
  strategy: 'single-user' | 'dual-credential' = 'dual-credential',
): Template {
  const { stack, bus, auditQueue } = testStack();
  const shared = { ...kind, strategy, bus, auditQueue };
  const rotation = new RotationFunction(stack, 'Rotation', { ...shared, overlap: Duration.hours(6) });
  const containment = new ContainmentFunction(stack, 'Containment', shared);
  for (const name of names) {
    new RotatedSecret(stack, name, {
      rotation,
      containment,
      owner: 'team-orders',
      secret: { adopt: { id: name } },
      adminSecret: { id: 'admin' },
    });
  }
  return Template.fromStack(stack);
}

const rulesOf = (template: Template): Rule[] =>
  Object.values(template.findResources('AWS::Events::Rule') as Record<string, Rule>).filter(
    ({ Properties }) => Properties.ScheduleExpression !== undefined,
  );

const namesIn = ({ Properties }: Rule): string[] =>
  Properties.Targets.flatMap(({ Input }) => JSON.parse(Input).RetirePrevious);

describe('secrets whose target accepts two credentials', () => {
  test('have their function asked every hour which overlaps are over, all by one rule', () => {
    const template = templateWith(['orders', 'billing/key']);
    const rules = rulesOf(template);
    expect(rules).toHaveLength(1);
    const [rule] = rules;
    expect(rule?.Properties).toMatchObject({
      Name: expect.stringMatching(/^rekey-test-overlap-[0-9a-f]{16}$/),
      ScheduleExpression: expect.stringMatching(/^cron\([0-5]?[0-9] \* \* \* \? \*\)$/),
      Targets: [
        {
          Arn: { 'Fn::GetAtt': [expect.stringMatching(/^RotationFunction/), 'Arn'] },
          Input: '{"RetirePrevious":["billing/key","orders"]}',
        },
      ],
    });
    template.hasResourceProperties('AWS::Lambda::Permission', {
      Principal: 'events.amazonaws.com',
      SourceArn: `arn:aws:events:eu-central-1:111122223333:rule/${rule?.Properties.Name}`,
    });
    template.hasResourceProperties('AWS::Lambda::Function', {
      Environment: { Variables: Match.objectLike({ REKEY_OVERLAP_HOURS: '6', REKEY_GRACE_HOURS: '24' }) },
    });
  });

  test('are the only kind that has such a rule', () => {
    expect(rulesOf(templateWith(['orders'], 'single-user'))).toEqual([]);
    expect(rulesOf(templateWith([]))).toEqual([]);
  });

  test('leave name and minute of the rule as they are when they come and go', () => {
    const settings = ([rule]: Rule[]) => [rule?.Properties.Name, rule?.Properties.ScheduleExpression];
    const one = rulesOf(templateWith(['orders']));
    expect(settings(rulesOf(templateWith(['orders', 'billing'])))).toEqual(settings(one));
  });

  test('of other functions have other minutes', () => {
    const { stack, bus, auditQueue } = testStack();
    for (let number = 1; number <= 12; number += 1) {
      new RotationFunction(stack, `Rotation${number}`, { ...kind, bus, auditQueue }).attachOverlap('orders');
    }
    const rules = rulesOf(Template.fromStack(stack));
    expect(new Set(rules.map(({ Properties }) => Properties.Name)).size).toBe(12);
    expect(new Set(rules.map(({ Properties }) => Properties.ScheduleExpression)).size).toBeGreaterThan(6);
  });

  /** @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html */
  test('fit into the inputs of one rule, however long their names are', () => {
    const names = Array.from({ length: 120 }, (_, index) => `${index}/`.padEnd(250, 'x'));
    const { stack, bus, auditQueue } = testStack();
    const rotation = new RotationFunction(stack, 'Rotation', { ...kind, bus, auditQueue });
    for (const name of names) rotation.attachOverlap(name);
    const [rule, ...others] = rulesOf(Template.fromStack(stack));
    expect(others).toEqual([]);
    expect(namesIn(rule as Rule).sort()).toEqual(names.sort());
    const { Targets } = (rule as Rule).Properties;
    expect(Targets.map(({ Id }) => Id)).toEqual(['Secrets1', 'Secrets2', 'Secrets3', 'Secrets4']);
    for (const { Input } of Targets) expect(Input.length).toBeLessThanOrEqual(8_192);
    const full = () => {
      for (let index = 0; index < 60; index += 1) rotation.attachOverlap(`more/${index}/`.padEnd(250, 'x'));
    };
    expect(full).toThrow('do not fit into the 5 targets of a rule');
  });
});
