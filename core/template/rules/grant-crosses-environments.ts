import { environmentTag } from '../../deployed/names.ts';
import type { Control } from '../../policy/control.ts';
import { tagsOf } from '../cloudformation.ts';
import { leastPrivilege } from '../controls.ts';
import { allowingStatements, writtenPolicies } from '../policies.ts';
import type { TemplateRule } from '../rule.ts';
import type { Resource } from '../template.ts';

const controls: readonly Control[] = [...leastPrivilege, 'ISO 27001:2022 A.8.31', 'OWASP NHI 2025 NHI8'];

/** Tags by which principals and secrets are told to belong to an environment. */
const environmentTags = [environmentTag, 'environment', 'env', 'stage'];

/** Refuses grants by which a principal of one environment reads the secrets of another. */
export const grantCrossesEnvironments: TemplateRule<'GrantCrossesEnvironments'> = {
  description: {
    id: 'GrantCrossesEnvironments',
    severity: 'error',
    demand: 'A principal reads the secrets of one environment, which is its own.',
    reason: 'Whoever breaks into the weaker environment gets the secrets of the stronger one.',
    controls,
  },
  *check(world, { environments }) {
    const known = new Set(environments);
    for (const { on, property, document, holders } of writtenPolicies(world)) {
      for (const { policy, index } of allowingStatements(world, document)) {
        const reached = new Set(policy.Statement.flatMap((one) => environmentsOf(one, known)));
        if (reached.size === 0) continue;
        const own = new Set(holders.flatMap((holder) => environmentOf(holder, known) ?? []));
        const place = { on, property: [...property, 'Statement', String(index)] };
        if (reached.size > 1) {
          yield {
            ...place,
            message: `a statement reaches secrets of several environments: ${[...reached].sort().join(', ')}`,
            fix: 'give each environment a role of its own, and name the secrets of that one alone',
          };
          continue;
        }
        const [other = ''] = reached;
        const [mine] = own;
        if (own.size !== 1 || mine === undefined || mine === other) continue;
        yield {
          ...place,
          message: `a role of environment ${mine} is allowed to read secrets of ${other}`,
          fix: `name secrets of ${mine}, or tag the role as one of ${other}`,
        };
      }
    }
  },
};

interface Readable {
  readonly Effect: string;
  readonly Action?: readonly string[] | undefined;
  readonly Resource?: readonly string[] | undefined;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> | undefined;
}

const readsValues = (action: string): boolean =>
  /^(?:\*|secretsmanager:(?:\*|Get\*|GetSecret\*|GetSecretValue|BatchGet.*))$/i.test(action);

/** Lists the environments whose secrets a statement lets read: by the first segment of names, and by conditions on tags. */
function environmentsOf(statement: Readable, known: ReadonlySet<string>): readonly string[] {
  if (statement.Effect !== 'Allow' || !statement.Action?.some(readsValues)) return [];
  const byName = (statement.Resource ?? []).flatMap((resource) => {
    const [, segment] = /^arn:[^:]*:secretsmanager:[^:]*:[^:]*:secret:\/?([^/]+)\//.exec(resource) ?? [];
    return segment !== undefined && known.has(segment.toLowerCase()) ? [segment.toLowerCase()] : [];
  });
  const byTag = Object.entries(statement.Condition ?? {}).flatMap(([operator, keys]) =>
    /^(?:ForAnyValue:)?String(?:Equals|Like)(?:IgnoreCase)?$/.test(operator)
      ? Object.entries(keys).flatMap(([key, values]) =>
          isEnvironmentKey(key) ? values.filter((one) => known.has(one.toLowerCase())) : [],
        )
      : [],
  );
  return [...byName, ...byTag.map((one) => one.toLowerCase())];
}

function isEnvironmentKey(key: string): boolean {
  const [, tag] = /^(?:aws|secretsmanager):ResourceTag\/(.+)$/i.exec(key) ?? [];
  return tag !== undefined && environmentTags.includes(tag.toLowerCase());
}

function environmentOf(holder: Resource, known: ReadonlySet<string>): string | undefined {
  const tags = Object.entries(tagsOf(holder.properties));
  const [, value] = tags.find(([key]) => environmentTags.includes(key.toLowerCase())) ?? [];
  const name = value?.toLowerCase();
  return name !== undefined && known.has(name) ? name : undefined;
}
