import { demandOf, requirements, stageDemands, stages } from '../core/policy/demands.ts';
import { policyRules } from '../core/policy/rules/index.ts';

/** Limits of the table, by the words that it shows beside the number. */
const limits = {
  rotateWithinDays: 'days at most',
  maximumAgeDays: 'days at most',
  replaceWithinDays: 'days at most',
  overlapHours: 'hours at most',
  passwordBits: 'bits at least',
  auditRetentionDays: 'days at least',
  waiverDays: 'days at most',
} as const;

/** Writes the table of what the stages demand. */
export function stagesTable(): string {
  const layers = (stage: (typeof stages)[number]) => [{ from: 'default', demands: stageDemands[stage] }];
  const numbers = Object.entries(limits).map(([name, unit]) => [
    `\`${name}\``,
    ...stages.map((stage) => `${demandOf(name as keyof typeof limits, layers(stage))?.value ?? '–'} ${unit}`),
  ]);
  const parts = requirements.map((name) => [
    `\`require.${name}\``,
    ...stages.map((stage) => (demandOf(`require.${name}`, layers(stage)) === undefined ? '' : 'yes')),
  ]);
  return table(['', ...stages], [...numbers, ...parts]);
}

/** Writes a chapter for each rule. */
export const rulesPart = (): string =>
  policyRules
    .map(
      ({ id, severity, scope, goesBy, demand, reason, controls }) =>
        `### ${id}\n\n${demand} ${reason}\n\n- Severity: ${severity}; looks at each ${scope}; goes by \`${goesBy}\`\n- Controls: ${controls.join(', ')}`,
    )
    .join('\n\n');

const table = (headings: readonly string[], rows: readonly (readonly string[])[]): string =>
  [headings, headings.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
