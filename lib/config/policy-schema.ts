import * as z from 'zod';
import { requirements, stages, usualDetection } from '../../core/policy/demands.ts';
import type { PolicyRuleId } from '../../core/policy/rules/index.ts';
import { policyRules } from '../../core/policy/rules/index.ts';
import { strategies } from '../../core/secret/secret.ts';
import { secretTypes } from '../../rotators/registry.ts';

const ruleSchema = z.enum(policyRules.map(({ id }) => id) as [PolicyRuleId, ...PolicyRuleId[]]);

const wholeDays = z.int().min(1).max(36_500);

const patternSchema = z
  .string()
  .min(1)
  .max(200)
  .refine(
    (pattern) => {
      try {
        return new RegExp(pattern, 'i').test('') || true;
      } catch {
        return false;
      }
    },
    { error: 'must be a regular expression' },
  );

const detectionSchema = z.strictObject({
  /** Regular expressions for names of fields that hold secrets, beside the usual ones, whatever their case. */
  names: z.array(patternSchema).max(100).default([]),
  /** Bits of entropy by character from which a text of one piece counts as a value. */
  entropyBits: z.number().min(2).max(8).default(usualDetection.entropyBits),
  /** Fewest characters of such a text. */
  minimumLength: z.int().min(8).max(4096).default(usualDetection.minimumLength),
});

/** Demands that a policy may make anywhere. Those that are left out are inherited. */
const demandsSchema = z
  .strictObject({
    /** Most days between two rotations. */
    rotateWithinDays: z.int().min(1).max(999),
    /** Reason for `rotateWithinDays`: the targeted risk analysis of PCI DSS 12.3.1, say. */
    cadenceReason: z.string().min(1).max(1024),
    /** Most days until a secret that has not rotated counts as overdue. */
    maximumAgeDays: z.int().min(1).max(1000),
    /** Most days between two replacements of a secret that nothing rotates. */
    replaceWithinDays: wholeDays,
    /** Most hours for which a replaced credential works on. */
    overlapHours: z.int().min(0).max(8760),
    /** Fewest bits of entropy of a generated password. */
    passwordBits: z.int().min(32).max(1024),
    /** Fewest days for which records of the audit log are locked. */
    auditRetentionDays: wholeDays,
    /** Most days for which a rule may be waived. */
    waiverDays: z.int().min(1).max(366),
    /** Secret types that may be used. */
    types: z.array(z.enum(secretTypes)).min(1),
    /** Strategies that may be used. */
    strategies: z.array(z.enum(strategies)).min(1),
    /** Environment in which a definition must be before it is in this one. */
    promotion: z.strictObject({ from: z.string().min(1).max(20) }),
    /** Rules that tell the value of a secret from other texts. */
    detection: detectionSchema,
    /** Parts that are asked for or not, one by one. */
    require: z.strictObject(
      Object.fromEntries(requirements.map((name) => [name, z.boolean().optional()])) as Record<
        (typeof requirements)[number],
        z.ZodOptional<z.ZodBoolean>
      >,
    ),
    /** Severities that differ from those of the rules; `off` asks for nothing. */
    severity: z.partialRecord(ruleSchema, z.enum(['error', 'warning', 'off'])),
  })
  .partial();

/** Reads the policy of the organization, which every environment inherits. */
export const policySchema = demandsSchema;

const dayPattern = /^\d{4}-\d{2}-\d{2}$/;
/** Reads a day of the calendar as `2027-03-31`. */
export const daySchema = z
  .string()
  .regex(dayPattern, 'must be a day such as 2027-03-31')
  .refine((day) => !dayPattern.test(day) || new Date(`${day}T00:00:00Z`).toJSON()?.slice(0, 10) === day, {
    error: 'is no day of the calendar',
  });

/** Reads the policy of one environment. */
export const environmentPolicySchema = demandsSchema.extend({
  /** Weight of the environment; the defaults go by it. */
  stage: z.enum(stages).default('production'),
  /** Rules that may stay broken until a day. */
  waivers: z
    .array(
      z.strictObject({
        rule: ruleSchema,
        /** Key of the secret. @default - the environment itself, and each of its secrets */
        secret: z.string().min(1).max(64).optional(),
        /** Sentence that says why, for the assessor and for whoever comes next. */
        reason: z.string().min(10).max(1024),
        /** Last day on which the waiver counts. */
        until: daySchema,
      }),
    )
    .max(100)
    .default([]),
});

/** The policy of one environment, as it is written. */
export type EnvironmentPolicyConfiguration = z.output<typeof environmentPolicySchema>;
/** The policy of the organization, as it is written. */
export type PolicyConfiguration = z.output<typeof policySchema>;
