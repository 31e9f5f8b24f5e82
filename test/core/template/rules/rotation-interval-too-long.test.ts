import { describe } from '@jest/globals';
import { rotationIntervalTooLong as rule } from '../../../../core/template/rules/rotation-interval-too-long.ts';
import { breaks, holds, plan, ref, resource, secret, stack } from '../support.ts';

const rotating = (RotationRules?: object) =>
  stack({
    A: secret({ Name: 'a' }),
    Rotation: resource('AWS::SecretsManager::RotationSchedule', {
      SecretId: ref('A'),
      ...(RotationRules !== undefined && { RotationRules }),
    }),
  });
const planned = (rules: object) =>
  plan([
    {
      type: 'aws_secretsmanager_secret_rotation',
      name: 'db',
      after: { secret_id: 'db', rotation_rules: [rules] },
    },
  ]);

describe('RotationIntervalTooLong', () => {
  breaks(rule, 'days beyond the limit', rotating({ AutomaticallyAfterDays: 91 }), [
    ['Rotation', /secret a rotates every 91 days; the limit is 90/],
  ]);
  breaks(rule, 'a rate beyond the limit', rotating({ ScheduleExpression: 'rate(100 days)' }), [
    ['Rotation', /leaves up to 100 days/],
  ]);
  breaks(
    rule,
    'a cron that runs four times a year, 92 days apart',
    rotating({ ScheduleExpression: 'cron(0 3 1 1,4,7,10 ? *)' }),
    [['Rotation', /leaves up to 92 days/]],
  );
  breaks(rule, 'a cron that never comes', rotating({ ScheduleExpression: 'cron(0 3 31 2 ? *)' }), [
    ['Rotation', /never comes/],
  ]);
  breaks(rule, 'a rotation by hand alone', rotating(), [['Rotation', /rotates by hand alone/]]);
  breaks(
    rule,
    'days beyond another limit',
    rotating({ AutomaticallyAfterDays: 31 }),
    [['Rotation', /limit is 30/]],
    { settings: { maximumRotationDays: 30 } },
  );
  breaks(rule, 'days in a plan', planned({ automatically_after_days: 365 }), [
    ['aws_secretsmanager_secret_rotation.db', /every 365 days/],
  ]);
  breaks(rule, 'a cron in a plan', planned({ schedule_expression: 'cron(0 0 1 1 ? *)' }), [
    ['aws_secretsmanager_secret_rotation.db', /up to 366 days/],
  ]);

  holds(rule, 'the limit itself', rotating({ AutomaticallyAfterDays: 90 }));
  holds(rule, 'a monthly cron', rotating({ ScheduleExpression: 'cron(0 3 1 * ? *)' }));
  holds(
    rule,
    'days that a parameter gives',
    stack(
      {
        R: resource('AWS::SecretsManager::RotationSchedule', {
          SecretId: 'a',
          RotationRules: { AutomaticallyAfterDays: ref('Days') },
        }),
      },
      { Parameters: { Days: { Type: 'Number' } } },
    ),
  );
  holds(rule, 'a short rate in a plan', planned({ schedule_expression: 'rate(12 hours)' }));
  holds(
    rule,
    'a cron that Secrets Manager refuses at the deploy',
    rotating({ ScheduleExpression: 'cron(5 3 1 1 ? *)' }),
  );
});
