import type { Member } from '../deployed/members.ts';
import type { RevocationRequest } from '../events/catalogue.ts';
import { type PlannedMember, type PlannedTask, planDigest, type RevocationPlan, withId } from './plan.ts';
import type { Selection } from './selection.ts';

/** Chooses the members that a request is about, and names those that nobody knows. */
export function chooseMembers(
  asked: NonNullable<RevocationRequest['members']>,
  members: readonly Member[],
): { readonly chosen: readonly Member[]; readonly unknown: readonly string[] } {
  if (asked === 'all') return { chosen: members, unknown: [] };
  const known = new Set(members.map(({ name }) => name));
  return {
    chosen: members.filter(({ name }) => asked.includes(name)),
    unknown: [...new Set(asked)].filter((name) => !known.has(name)),
  };
}

/**
 * Gives the selection as a member is asked for it. Everything in the coordinator's environment is everything in the member's.
 * @returns undefined where the selection cannot find anything there: a principal of another account is no role or user there
 */
export function selectionFor(
  select: Selection,
  { environment, account }: Pick<Member, 'environment' | 'account'>,
): Selection | undefined {
  if ('environment' in select) return { environment };
  if ('principal' in select && select.principal.split(':')[4] !== account) return undefined;
  return select;
}

/** A plan for the own environment alone, with the names in the selection that it does not know. */
export interface OwnPlan {
  readonly plan: RevocationPlan;
  /** Names that are of no secret here. Absent where they are tasks of the plan. */
  readonly unknown: readonly string[];
}

/** The answer of a member to the question for its plan, with what it does not know. */
export interface MemberAnswer extends PlannedMember {
  readonly unknown: readonly string[];
}

/**
 * Merges the plans of all environments into one. A member that could not be asked is in it with the reason and a task, and so is
 * each name that no environment knows.
 */
export function mergePlans(
  { plan, unknown }: OwnPlan,
  answers: readonly MemberAnswer[],
  select: Selection,
): RevocationPlan {
  const nowhere = unknown.filter((name) => answers.every((answer) => answer.unknown.includes(name)));
  const members = answers.map(({ unknown: _, ...member }) => member);
  const tasks = [
    ...members.flatMap((member) => unreachableTask(member) ?? []),
    ...nowhere.map((name) =>
      withId({
        task: `Revoke ${name} by hand: no environment knows a secret of this name.`,
        via: 'the request',
      }),
    ),
    ...foreignTasks(select, members),
  ].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { ...plan, elsewhere: { members, tasks } };
}

/** Makes the task of a member that could not be asked; undefined where it could. */
export const unreachableTask = ({
  name,
  environment,
  account,
  region,
  unreachable,
}: PlannedMember): PlannedTask | undefined =>
  unreachable === undefined
    ? undefined
    : withId({
        task: `Revoke in ${name} (${environment} in ${account}, ${region}) by its own rekey revoke, unless its part concludes: it could not be asked.`,
        via: name,
      });

/** Makes the tasks for members to which a principal of another account has no way but by resource policies. */
function foreignTasks(select: Selection, members: readonly PlannedMember[]): PlannedTask[] {
  if (!('principal' in select)) return [];
  const account = select.principal.split(':')[4];
  return members
    .filter((member) => member.account !== account)
    .map(({ name }) =>
      withId({
        task: `Look which secrets of ${name} ${select.principal} may read by their resource policies: it is of another account.`,
        via: name,
      }),
    );
}

/** Gives the digest of the own environment's part of a plan, which stays the same whatever the members answer. */
export function ownDigest({ elsewhere: _, ...own }: RevocationPlan): string {
  return planDigest(own);
}

/** Lists all tasks of a plan, those of members that could not be asked among them. */
export const allTasks = ({ tasks, elsewhere }: RevocationPlan): readonly PlannedTask[] => [
  ...tasks,
  ...(elsewhere?.tasks ?? []),
];
