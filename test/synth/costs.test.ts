import { expect, test } from '@jest/globals';
import { standingCosts, total, usageCosts } from '../../docs/costs/monthly.ts';
import { options, templatesFor } from '../../docs/costs/scenarios.ts';
import { synthesize } from '../linters/templates.ts';
import { everything } from './support/everything.ts';

const plain = templatesFor(2);
const ids = (templates: ReturnType<typeof templatesFor>): string[] =>
  templates.flatMap(({ Resources = {} }) => Object.keys(Resources)).sort();

test('every resource that the configuration can ask for has a price, or a reason to have none', () => {
  const templates = synthesize(everything, 'full').map(({ types }) => ({
    Resources: Object.fromEntries(Object.entries(types).map(([id, Type]) => [id, { Type }])),
  }));
  expect(total(standingCosts(templates))).toBeGreaterThan(0);
});

test('a resource without a price is named', () => {
  const Resources = { Lake: { Type: 'AWS::Acme::Lake' } };
  expect(() => standingCosts([{ Resources }])).toThrow(
    'Lake is of type AWS::Acme::Lake, which docs/costs/resources.ts does not price',
  );
});

test.each(options.map((option) => [option.name, option] as const))(
  'an option adds what it is, and while it is off nothing of it is there: %s',
  (_, option) => {
    const templates = templatesFor(2, option);
    const [on, off] = [templates, plain].map((some) => JSON.stringify(some));
    expect(on).not.toBe(off);
    expect(ids(plain).filter((id) => /Network|Archive|Operator|Responder|Auditor/.test(id))).toEqual([]);
    expect(off).not.toMatch(/ReservedConcurrentExecutions|AWS::SNS::Subscription/);
    expect(total(standingCosts(templates))).toBeGreaterThanOrEqual(total(standingCosts(plain)));
  },
);

test('an alarm is paid for by its metrics, an endpoint by its zones', () => {
  const Metrics = [{ MetricStat: {} }, { MetricStat: {} }, { Expression: 'm1+m2' }];
  const endpoint = { VpcEndpointType: 'Interface', SubnetIds: ['a', 'b'] };
  const costs = standingCosts([
    {
      Resources: {
        Plain: { Type: 'AWS::CloudWatch::Alarm', Properties: {} },
        Sum: { Type: 'AWS::CloudWatch::Alarm', Properties: { Metrics } },
        Endpoint: { Type: 'AWS::EC2::VPCEndpoint', Properties: endpoint },
      },
    },
  ]);
  expect(costs.map(({ price, units }) => [price, units])).toEqual([
    ['alarmMetric', 3],
    ['interfaceEndpoint', 1460],
  ]);
});

test('a month of ten times as many rotations costs at most ten times as much', () => {
  const [one, ten] = [1_000, 10_000].map((rotations) => total(usageCosts({ rotations, revocations: 0 })));
  expect(ten).toBeLessThanOrEqual((one ?? 0) * 10);
  expect(ten).toBeGreaterThan(one ?? 0);
});
