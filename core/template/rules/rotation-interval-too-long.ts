import { CronProblem } from '../../secret/cron.ts';
import { longestGapHours } from '../../secret/schedule.ts';
import { changedRegularly } from '../controls.ts';
import { type Fault, named, type TemplateRule } from '../rule.ts';
import { nameOfSecret, rotationRulesOf, rotationsOf } from '../secrets.ts';
import { isAbsent, literalText } from '../value.ts';

/** Holds the time between two rotations to the limit; schedules by cron are worked out over all years. */
export const rotationIntervalTooLong: TemplateRule<'RotationIntervalTooLong'> = {
  description: {
    id: 'RotationIntervalTooLong',
    severity: 'error',
    demand:
      'A secret rotates at least as often as the limit says, which is 90 days unless another one is set.',
    reason: 'The longer a credential works, the longer a leaked one works that nobody noticed.',
    controls: changedRegularly,
  },
  *check(world, { maximumRotationDays }) {
    for (const { schedule, secret } of rotationsOf(world)) {
      const rules = rotationRulesOf(schedule);
      const days = literalText(rules.AutomaticallyAfterDays);
      const expression = literalText(rules.ScheduleExpression);
      const name = secret === undefined ? schedule.path : nameOfSecret(secret);
      const fault = (property: string, message: string): Fault => ({
        on: schedule,
        property: ['RotationRules', property],
        message: `secret ${name} ${message}`,
        fix: `set ${named(schedule, `RotationRules.${property}`)} to ${maximumRotationDays} days or less`,
      });
      if (days !== undefined && Number(days) > maximumRotationDays) {
        yield fault(
          'AutomaticallyAfterDays',
          `rotates every ${days} days; the limit is ${maximumRotationDays}`,
        );
      }
      if (expression !== undefined) {
        const gap = gapDays(expression);
        if (gap !== undefined && gap > maximumRotationDays) {
          yield fault(
            'ScheduleExpression',
            Number.isFinite(gap)
              ? `rotates by ${expression}, which leaves up to ${Math.ceil(gap)} days between two rotations; the limit is ${maximumRotationDays}`
              : `rotates by ${expression}, which never comes`,
          );
        }
      }
      if (isAbsent(rules.AutomaticallyAfterDays) && isAbsent(rules.ScheduleExpression)) {
        yield fault('ScheduleExpression', 'has a rotation without a schedule, so it rotates by hand alone');
      }
    }
  },
};

/** Measures a schedule in days; undefined for one that Secrets Manager refuses at the deploy anyway. */
function gapDays(expression: string): number | undefined {
  try {
    return longestGapHours(expression) / 24;
  } catch (error) {
    if (error instanceof CronProblem) return undefined;
    throw error;
  }
}
