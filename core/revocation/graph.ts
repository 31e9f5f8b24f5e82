import { sameSecret } from '../deployed/names.ts';
import { assignmentOf, type SecretDefinition } from '../secret/definition.ts';

/** The way in which one credential leads to another thing. */
export interface Edge {
  /** Name of the secret whose holder gets at the rest. */
  readonly from: string;
  /** Name of the secret that it leads to. Absent where it leads to something that Rekey cannot cut off. */
  readonly to?: string;
  /** Sentence that says what a person has to do, where Rekey cannot. */
  readonly task?: string;
  /** Relation in words: `admin of`, `issues`, `leads to`. */
  readonly relation: 'admin of' | 'issues' | 'leads to';
  /** Workload between them. */
  readonly via?: string;
}

/** The secrets of an environment, and what each of them leads to. */
export interface SecretGraph {
  readonly definitions: ReadonlyMap<string, SecretDefinition>;
  /** Edges by the name of the secret that they begin at. */
  readonly edges: ReadonlyMap<string, readonly Edge[]>;
}

/** Finds secrets by the ways in which they are named: the name, the ARN, the ARN without its suffix. */
export function secretIndex(
  definitions: readonly SecretDefinition[],
): (secret: string) => SecretDefinition | undefined {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const byArn = new Map<string, SecretDefinition | undefined>(
    definitions.map((definition) => [definition.arn, definition]),
  );
  return (secret) => {
    const known = byName.get(secret) ?? byArn.get(secret);
    if (known !== undefined || !secret.startsWith('arn:') || byArn.has(secret)) return known;
    // Many secrets share an admin secret that is not among them: each ARN is looked for once.
    const found = definitions.find(({ arn }) => sameSecret(arn, secret));
    byArn.set(secret, found);
    return found;
  };
}

/**
 * Builds the graph of what each credential leads to. An admin secret leads to its users, a secret to what its definition says. What a
 * definition names that is no secret of Rekey's is a task for a person.
 */
export function secretGraph(definitions: readonly SecretDefinition[]): SecretGraph {
  const find = secretIndex(definitions);
  const edges = new Map<string, Edge[]>(definitions.map(({ name }) => [name, []]));
  for (const definition of definitions) {
    const { name, leadsTo = [] } = definition;
    const masterarn =
      assignmentOf(definition)?.masterarn ?? definition.content?.masterarn ?? definition.adminSecret;
    const admin = masterarn === undefined ? undefined : find(masterarn);
    if (admin !== undefined && admin.name !== name) {
      edges.get(admin.name)?.push({ from: admin.name, to: name, relation: 'admin of' });
    }
    for (const lead of leadsTo) {
      const { via } = lead;
      const found = 'secret' in lead ? find(lead.secret) : undefined;
      edges.get(name)?.push({
        from: name,
        relation: via === undefined ? 'leads to' : 'issues',
        ...(via !== undefined && { via }),
        ...(found !== undefined
          ? { to: found.name }
          : {
              task:
                'task' in lead ? lead.task : `Replace ${lead.secret}, which Rekey does not look after here.`,
            }),
      });
    }
  }
  return { definitions: new Map(definitions.map((one) => [one.name, one])), edges };
}

/** Says in words how one secret leads to the next. */
export const edgeText = ({ from, relation, via }: Edge): string =>
  relation === 'admin of'
    ? `${from} is its admin secret`
    : via === undefined
      ? `${from} leads to it`
      : `${via} issues it, and reads ${from}`;
