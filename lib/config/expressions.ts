import * as z from 'zod';
import { endsLikeSuffix } from '../../core/deployed/names.ts';
import type { SessionName } from '../../core/iam/session-name.ts';
import { CronProblem, type Gaps, gapsOf } from '../../core/secret/cron.ts';
import { rateHours } from '../../core/secret/schedule.ts';

/** Secrets Manager rotates at most every four hours and at least every 999 days. */
const shortestHours = 4;
const longestHours = 999 * 24;

/** Schedule of a secret where nothing else is said. */
export const usualSchedule = 'rate(30 days)';

/**
 * A schedule expression as Secrets Manager takes it: `rate(value hours|days)` or
 * `cron(minutes hours day-of-month month day-of-week year)` in UTC, minutes always 0 and year always `*`.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_schedule.html
 */
export const scheduleSchema = z.string().check((context) => {
  const problem = scheduleProblem(context.value);
  if (problem !== undefined) {
    context.issues.push({ code: 'custom', message: problem, input: context.value });
  }
});

function scheduleProblem(schedule: string): string | undefined {
  const hours = rateHours(schedule);
  if (hours !== undefined) {
    if (hours < shortestHours || hours > longestHours) {
      return 'Secrets Manager takes rates from 4 hours to 999 days';
    }
    const [value, unit] = schedule.slice('rate('.length, -1).split(' ');
    return (value === '1') === unit?.endsWith('s')
      ? 'a rate says 1 day, and hours or days of all others'
      : undefined;
  }
  if (!/^cron\(.+\)$/.test(schedule)) {
    return 'must be rate(<n> hours), rate(<n> days) or cron(0 <hours> <day-of-month> <month> <day-of-week> *)';
  }
  try {
    return cronProblem(gapsOf(schedule));
  } catch (error) {
    if (error instanceof CronProblem) return error.message;
    throw error;
  }
}

function cronProblem(gaps: Gaps | undefined): string | undefined {
  if (gaps === undefined) return 'never runs: no month of these has such a day';
  if (gaps.shortest < shortestHours) {
    return `runs within ${gaps.shortest === 1 ? '1 hour' : `${gaps.shortest} hours`} of each other; Secrets Manager rotates at most every ${shortestHours} hours`;
  }
  return gaps.longest > longestHours
    ? `leaves ${Math.ceil(gaps.longest / 24)} days without a run; the most is 999`
    : undefined;
}

/**
 * Part of a secret's name after `/<environment>/`. A hyphen and six characters at the end would look like the random
 * suffix of an ARN, which Secrets Manager advises against.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
 */
export const secretNameSchema = z
  .string()
  .min(1)
  .max(400)
  .regex(
    /^[A-Za-z0-9_+=.@-][A-Za-z0-9/_+=.@-]*$/,
    'may hold letters, digits and / _ + = . @ -, and starts without /',
  )
  .refine((name) => !endsLikeSuffix(name), {
    error: 'must not end in a hyphen and six characters: it would look like the suffix of an ARN',
  });

/**
 * An existing secret: its name, or its full ARN with the six-character suffix. Rekey makes a partial ARN of a name, since the
 * suffix is known only later. Secrets Manager finds no secret by that whose name ends like a suffix.
 */
export const secretIdSchema = z
  .string()
  .min(1)
  .max(2048)
  .refine(
    (id) =>
      id.startsWith('arn:')
        ? /^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:.+-[A-Za-z0-9]{6}$/.test(id)
        : /^[A-Za-z0-9/_+=.@!-]+$/.test(id),
    { error: 'must be the name of a secret, or its full ARN with the six-character suffix' },
  )
  .refine((id) => id.startsWith('arn:') || !endsLikeSuffix(id), {
    error:
      'ends in a hyphen and six characters, as an ARN does, so Secrets Manager would not find it; give the full ARN instead: aws secretsmanager describe-secret --secret-id <name> --query ARN',
  });

const id = (prefix: string, what: string) =>
  z.string().regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), `must be the id of a ${what}, ${prefix}-…`);

export const vpcIdSchema = id('vpc', 'VPC');
export const subnetIdSchema = id('subnet', 'subnet');
export const transitGatewayIdSchema = id('tgw', 'transit gateway');
export const securityGroupIdSchema = id('sg', 'security group');

/** A function without version or alias: its log group and its permissions go by the plain name. */
export const functionArnSchema = z
  .string()
  .regex(
    /^arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]{1,140}$/,
    'must be the ARN of a Lambda function, without version or alias',
  );

/** Makes the schema of keys of environments, networks and secrets: short, and safe in names of resources. */
export const keySchema = (longest: number) =>
  z
    .string()
    .max(longest)
    .regex(/^[a-z][a-z0-9-]*$/, 'must start with a small letter and hold only small letters, digits and -');

export const keyArnSchema = z
  .string()
  .regex(
    /^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/,
    'must be the ARN of a KMS key (not of an alias)',
  );

/** Principal that may assume a role: an account id, or the ARN of a role or user. `*` may stand in a role's name. */
export const principalSchema = z
  .string()
  .regex(
    /^(\d{12}|arn:[a-z-]+:iam::\d{12}:(role|user)\/[A-Za-z0-9+=,.@_/*-]+)$/,
    'must be an account id of 12 digits or the ARN of an IAM role or user',
  );

/** Key of IAM that says what a principal is called: that of an IAM user's name, or of a tag. */
export const sessionNameSchema = z.custom<SessionName>(
  (key) =>
    typeof key === 'string' && /^aws:(?:username|PrincipalTag\/[A-Za-z0-9+\-=._:/@]{1,128})$/.test(key),
  'must be aws:username, or aws:PrincipalTag/ and the key of a tag',
);
