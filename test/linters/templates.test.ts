import { beforeAll, expect, test } from '@jest/globals';
import example from '../../rekey.config.ts';
import { everything } from '../synth/support/everything.ts';
import { accepted } from './accepted.ts';
import { type Finding, judge } from './finding.ts';
import { synthesize, type TemplateFile } from './templates.ts';
import { cfnGuard, cfnLint, checkov, installLinters, type Linters } from './tools.ts';

/** A region of every kind: the oldest, one of Europe, one that began in 2024. */
const regions = ['us-east-1', 'eu-central-1', 'ap-southeast-5'];

let linters: Linters;
let templates: readonly TemplateFile[];
const findings: Finding[] = [];

beforeAll(async () => {
  linters = await installLinters();
  templates = [
    ...synthesize(example, 'dev'),
    ...synthesize(example, 'prod'),
    ...synthesize(everything, 'full'),
  ];
}, 900_000);

const linterTests: readonly [string, () => Promise<Finding[]>][] = [
  ['cfn-lint', () => cfnLint(linters, templates, regions)],
  ['checkov', () => checkov(linters, templates)],
  ["cfn-guard with Control Tower's rules", () => cfnGuard(linters, templates)],
];

test.each(linterTests)(
  '%s finds nothing that is not accepted with a reason',
  async (_, lint) => {
    const found = await lint();
    findings.push(...found);
    expect(judge(found, accepted).open).toEqual([]);
  },
  600_000,
);

test('nothing is accepted that no linter finds', () => {
  expect(judge(findings, accepted).unused).toEqual([]);
});
