import { type Bound, estimateStep, evenPlan, type Room, usualRoom } from '../bench/scale/model.ts';
import { atOnce, callsOf, type Operation, type Quota, type QuotaName, quotas } from '../core/pace/quotas.ts';
import type { PlanPhase } from '../core/revocation/plan.ts';

const number = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 });
const operations = Object.keys(callsOf) as Operation[];

/** Writes the table of AWS's quotas, with the calls for one secret that count towards each. */
export function quotasTable(): string {
  const rows = (Object.entries(quotas) as [QuotaName, Quota][]).map(
    ([name, { of, perSecond, burst, adjustable, source }]) => {
      const calls = operations.map((operation) => String(callsOf[operation][name] ?? ''));
      const rate = burst === undefined ? number.format(perSecond) : `${perSecond}, ${burst} at once`;
      return `| [${of}](${source}) | ${rate} | ${adjustable ? 'yes' : 'no'} | ${calls.join(' | ')} |`;
    },
  );
  return [
    `| quota | a second | raised on request | ${operations.join(' | ')} |`,
    `|---|---|---|${'---|'.repeat(operations.length)}`,
    ...rows,
  ].join('\n');
}

/** Words for what holds a step up. */
const words: Readonly<Record<Exclude<Bound, QuotaName>, string>> = {
  pace: 'the pace of rotations',
  functions: 'functions at a time',
  lanesAtOnce: 'lanes at a time',
  longestLane: 'the longest lane',
};

function wordsFor(bound: Bound): string {
  if (bound in words) return words[bound as keyof typeof words];
  return quotas[bound as QuotaName].of.replace(/ together.*| of standard workflows/, '');
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7_200) return `${number.format(seconds / 60)} min`;
  return `${number.format(seconds / 3_600)} h`;
}

const phases: readonly PlanPhase[] = ['contain', 'replace'];

/** Writes the table of how long a revocation of so many secrets takes, and of what holds it up. */
export function durationsTable(): string {
  const newAccount: Room = { ...usualRoom, functions: atOnce.functions.newAccount };
  const rows = [1, 100, 1_000, 10_000, 100_000].map((secrets) => {
    const cells = [usualRoom, newAccount].flatMap((room) =>
      phases.map((phase) => {
        const step = evenPlan(secrets, 20).steps.find((one) => one.phase === phase);
        if (step === undefined) return '';
        const { seconds, by } = estimateStep(step, room);
        return `${duration(seconds)}: ${wordsFor(by)}`;
      }),
    );
    return `| ${number.format(secrets)} | ${cells.join(' | ')} |`;
  });
  const columns = [usualRoom, newAccount].flatMap(({ functions }) =>
    phases.map((phase) => `${phase}, ${number.format(functions)} functions`),
  );
  return [`| secrets | ${columns.join(' | ')} |`, `|---|${'---|'.repeat(columns.length)}`, ...rows].join(
    '\n',
  );
}
