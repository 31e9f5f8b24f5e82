/** One thing that a linter holds against a template. */
export interface Finding {
  readonly linter: LinterName;
  /** Id under which the linter documents the rule. */
  readonly rule: string;
  /** Name of the stack whose template it is. */
  readonly stack: string;
  /** Logical id of the resource; empty where the linter names none. */
  readonly resource: string;
  /** CloudFormation type of the resource; empty where the linter names none. */
  readonly type: string;
  readonly message: string;
}

export type LinterName = 'cfn-lint' | 'checkov' | 'cfn-guard';

/** A rule that does not hold for some resources, and why that is right. */
export interface Acceptance {
  readonly linter: LinterName;
  readonly rule: string;
  /** What it is accepted for: tested against `<type> <logical id>`. @default - every resource */
  readonly resources?: RegExp;
  readonly reason: string;
}

const covers = ({ linter, rule, resources }: Acceptance, finding: Finding): boolean =>
  linter === finding.linter &&
  rule === finding.rule &&
  (resources === undefined || resources.test(`${finding.type} ${finding.resource}`));

/** Sorts findings into those that nobody accepted, and acceptances that nothing needs any more. */
export function judge(
  findings: readonly Finding[],
  acceptances: readonly Acceptance[],
): { readonly open: readonly Finding[]; readonly unused: readonly Acceptance[] } {
  return {
    open: findings.filter((finding) => !acceptances.some((acceptance) => covers(acceptance, finding))),
    unused: acceptances.filter((acceptance) => !findings.some((finding) => covers(acceptance, finding))),
  };
}
