import type { Lead } from '../../core/secret/definition.ts';
import { near } from '../../core/suggest.ts';
import type { Leads } from './leads-schema.ts';
import type { Problem } from './problem.ts';
import type { EnvironmentConfiguration, LooseEnvironment } from './schema.ts';
import { secretName } from './secret-rules.ts';

/** Refuses leads to secrets, and of workloads, that are not there. */
export function checkLeads({ secrets, consumers }: LooseEnvironment): Problem[] {
  const check = (leads: Leads, path: readonly (string | number)[]): Problem[] =>
    leads.flatMap((lead, index) =>
      !('secret' in lead) || Object.hasOwn(secrets, lead.secret)
        ? []
        : [
            {
              path: [...path, 'leadsTo', index, 'secret'],
              message: `is no key of secrets${meant(lead.secret, Object.keys(secrets))}`,
            },
          ],
    );
  const named = [...new Set(Object.values(secrets).flatMap((secret) => secret.consumers))];
  return [
    ...Object.entries(secrets).flatMap(([key, { leadsTo }]) => check(leadsTo, ['secrets', key])),
    ...Object.entries(consumers).flatMap(([name, { leadsTo }]) => [
      ...(named.includes(name)
        ? []
        : [
            {
              path: ['consumers', name],
              message: `is read by no secret's consumers${meant(name, named)}; name it in the consumers of what it reads`,
            },
          ]),
      ...check(leadsTo, ['consumers', name]),
    ]),
  ];
}

function meant(word: string, known: readonly string[]): string {
  const [nearest] = near(word, known, 1);
  return nearest === undefined ? '' : `; did you mean ${nearest}?`;
}

/** Gives all that a secret leads to: by itself, and by what its consumers issue. */
export function leadsOf(
  environment: string,
  { secrets, consumers }: Pick<EnvironmentConfiguration, 'secrets' | 'consumers'>,
  secret: Pick<EnvironmentConfiguration['secrets'][string], 'leadsTo' | 'consumers'>,
): Lead[] {
  const named = (leads: Leads, via?: string): Lead[] =>
    leads.map((lead) => ({
      ...('secret' in lead ? { secret: nameOf(environment, secrets, lead.secret) } : { task: lead.task }),
      ...(via !== undefined && { via }),
    }));
  return [
    ...named(secret.leadsTo),
    ...secret.consumers.flatMap((consumer) => named(consumers[consumer]?.leadsTo ?? [], consumer)),
  ];
}

const nameOf = (environment: string, secrets: EnvironmentConfiguration['secrets'], key: string): string => {
  const secret = secrets[key];
  return secret === undefined ? key : secretName(environment, secret);
};
