import { type DemandName, demandOf, requirements } from './demands.ts';
import type { EnvironmentPolicy } from './facts.ts';
import type { Severity } from './rule.ts';
import { policyRules } from './rules/index.ts';

/** Meaning of a change for what the policy allows. */
export type Direction = 'tighter' | 'looser' | 'other';

/** One demand, severity or waiver that differs between two policies. */
export interface PolicyChange {
  /** Name as in the configuration: `rotateWithinDays`, `require.tls`, `severity.BrakeOff`, `waivers`. */
  readonly what: string;
  readonly before: string;
  readonly after: string;
  readonly direction: Direction;
}

/** Limits by what makes them tighter: a lower number, or a higher one. */
const limits = {
  rotateWithinDays: 'lower',
  maximumAgeDays: 'lower',
  replaceWithinDays: 'lower',
  overlapHours: 'lower',
  waiverDays: 'lower',
  passwordBits: 'higher',
  auditRetentionDays: 'higher',
} as const satisfies Partial<Record<DemandName, 'lower' | 'higher'>>;

/**
 * Compares two policies as they are in force, whatever layers they are made of.
 *
 * @example
 * comparePolicies(before.policy, after.policy).filter(({ direction }) => direction === 'looser');
 */
export function comparePolicies(before: EnvironmentPolicy, after: EnvironmentPolicy): PolicyChange[] {
  return [
    ...differing('stage', before.stage.value, after.stage.value, () => 'other'),
    ...Object.entries(limits).flatMap(([name, tighter]) =>
      differing(name, ...both(name as keyof typeof limits, before, after), (one, other) => {
        if (one === undefined || other === undefined) return one === undefined ? 'tighter' : 'looser';
        return other < one === (tighter === 'lower') ? 'tighter' : 'looser';
      }),
    ),
    ...(['types', 'strategies'] as const).flatMap((name) =>
      differing(name, ...both(name, before, after), (one, other) => {
        if (one === undefined || other === undefined) return one === undefined ? 'tighter' : 'looser';
        if (other.every((value) => one.includes(value))) return 'tighter';
        return 'looser';
      }),
    ),
    ...(['promotion', 'detection', 'cadenceReason'] as const).flatMap((name) =>
      differing(name, ...both(name, before, after), (one, other) =>
        one === undefined ? 'tighter' : other === undefined ? 'looser' : 'other',
      ),
    ),
    ...requirements.flatMap((name) =>
      differing(`require.${name}`, ...both(`require.${name}`, before, after), (one) =>
        one === undefined ? 'tighter' : 'looser',
      ),
    ),
    ...policyRules.flatMap(({ id, severity: usual }) =>
      differing(
        `severity.${id}`,
        severityOf(id, usual, before),
        severityOf(id, usual, after),
        (one, other) => (weight(other) > weight(one) ? 'tighter' : 'looser'),
      ),
    ),
    ...compareWaivers(before, after),
  ];
}

function both<Name extends DemandName>(name: Name, before: EnvironmentPolicy, after: EnvironmentPolicy) {
  return [demandOf(name, before.layers)?.value, demandOf(name, after.layers)?.value] as const;
}

function differing<Value>(
  what: string,
  before: Value | undefined,
  after: Value | undefined,
  direction: (before: Value | undefined, after: Value | undefined) => Direction,
): PolicyChange[] {
  const [one, other] = [inWords(before), inWords(after)];
  return one === other ? [] : [{ what, before: one, after: other, direction: direction(before, after) }];
}

function inWords(value: unknown): string {
  if (value === undefined) return '-';
  if (Array.isArray(value)) return value.join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

type Weighed = Severity | 'off' | undefined;

function severityOf(id: string, usual: Severity, { severities }: EnvironmentPolicy): Weighed {
  return severities.findLast(({ by }) => by[id] !== undefined)?.by[id] ?? usual;
}

const weight = (severity: Weighed): number => ['off', 'warning', 'error'].indexOf(severity ?? 'off');

function compareWaivers(before: EnvironmentPolicy, after: EnvironmentPolicy): PolicyChange[] {
  const texts = ({ waivers }: EnvironmentPolicy) =>
    waivers.map(
      ({ rule, secret, until }) => `${rule}${secret === undefined ? '' : ` of ${secret}`} until ${until}`,
    );
  const [old, now] = [texts(before), texts(after)];
  return [
    ...now
      .filter((text) => !old.includes(text))
      .map((text): PolicyChange => ({ what: 'waivers', before: '-', after: text, direction: 'looser' })),
    ...old
      .filter((text) => !now.includes(text))
      .map((text): PolicyChange => ({ what: 'waivers', before: text, after: '-', direction: 'tighter' })),
  ];
}
