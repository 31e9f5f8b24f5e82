import type { ApprovalFacts } from '../core/approval/deployed.ts';
import type { OperatorApprovals } from '../core/operator-ports.ts';
import type { Invocation } from './context.ts';
import type { Environment } from './environment.ts';
import { CliError } from './errors.ts';

/**
 * Reads what needs a second person in an environment; `undefined` where nothing does.
 * @throws CliError `DeploymentIncomplete` when the fact cannot be read
 */
export async function approvalFacts({ name, facts }: Environment): Promise<ApprovalFacts | undefined> {
  if (facts.approvals === undefined) return undefined;
  const { approvalFactsSchema } = await import('../core/approval/deployed.ts');
  const read = approvalFactsSchema.safeParse(parsed(facts.approvals));
  if (read.data !== undefined) return read.data;
  throw new CliError(
    3,
    'DeploymentIncomplete',
    `what environment ${name} says of its approvals cannot be read: bring the CLI up to date, or deploy again`,
  );
}

/**
 * Opens the approvals of an environment.
 * @throws CliError `DeploymentIncomplete` where nothing needs one
 */
export async function openApprovals(
  { cloud }: Invocation,
  environment: Environment,
): Promise<OperatorApprovals> {
  const facts = await approvalFacts(environment);
  if (facts === undefined) {
    throw new CliError(
      3,
      'DeploymentIncomplete',
      `nothing needs approval in environment ${environment.name}: its configuration has no approvals`,
    );
  }
  return await cloud.approvals(environment.name, facts);
}

/** Says who may answer. */
export const whoMayAnswer = (approvers: readonly string[]): string =>
  approvers.length === 0 ? 'anybody else with the role of an approver' : approvers.join(', ');

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
