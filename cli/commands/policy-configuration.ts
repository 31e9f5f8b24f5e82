import { resolve } from 'node:path';
import { dayOf } from '../../core/lifecycle/dates.ts';
import type { Answer } from '../../core/policy/examine.ts';
import { examine } from '../../core/policy/examine.ts';
import type { EnvironmentFacts } from '../../core/policy/facts.ts';
import { loadConfiguration } from '../../lib/config/config.ts';
import { hasPolicy, policyFactsOf } from '../../lib/config/policy-facts.ts';
import type { Configuration } from '../../lib/config/schema.ts';
import type { Invocation } from '../context.ts';
import { usageError } from '../errors.ts';

/** A configuration with what its policy says of each environment and secret. */
export interface ExaminedConfiguration {
  readonly configuration: Configuration;
  readonly environments: readonly EnvironmentFacts[];
  readonly answers: readonly Answer[];
}

/** Reads a configuration file and holds it to its policy. Asks AWS for nothing. */
export async function examineFile(
  path: string,
  { context }: Pick<Invocation, 'context'>,
): Promise<ExaminedConfiguration> {
  const { configuration } = await loadConfiguration(resolve(path));
  const environments = policyFactsOf(configuration);
  const today = dayOf(context.clock.now());
  return { configuration, environments, answers: examine(environments, { today }) };
}

/**
 * Picks an environment of a file: the named one, or the only one.
 * @throws CliError 2 when there are several and none is named, or none of that name
 */
export function oneEnvironment(
  environments: readonly EnvironmentFacts[],
  name: string | undefined,
): EnvironmentFacts {
  const names = environments.map((one) => one.name).join(', ');
  const [first, ...others] = environments;
  const found =
    name === undefined
      ? others.length === 0
        ? first
        : undefined
      : environments.find((one) => one.name === name);
  if (found === undefined) {
    throw usageError(
      'UsageInvalid',
      name === undefined
        ? `the configuration has several environments; name one with --environment: ${names}`
        : `the configuration has no environment ${name}; there are: ${names}`,
    );
  }
  return found;
}

/** Names the environments that no policy is written for, which only the defaults were held to. */
export const withoutPolicy = ({ configuration }: ExaminedConfiguration): string[] =>
  Object.entries(configuration.environments).flatMap(([name, environment]) =>
    hasPolicy(configuration, environment) ? [] : [name],
  );
