import { deploymentParameters, deploymentPath } from '../core/deployed/names.ts';
import type { DeploymentFacts } from '../core/operator-ports.ts';
import type { DefinitionStore } from '../core/ports.ts';
import type { SecretDefinition } from '../core/secret/definition.ts';
import { near } from '../core/suggest.ts';
import type { Invocation } from './context.ts';
import { CliError, usageError } from './errors.ts';
import { explain } from './failure.ts';
import { printableLines } from './output.ts';

/** The environment that a command works on. */
export interface Environment {
  readonly name: string;
  readonly facts: DeploymentFacts;
}

/**
 * Opens the environment that was named, or the only one there is.
 * @throws CliError `EnvironmentMissing` | `EnvironmentAmbiguous` | `EnvironmentUnknown`
 */
export async function openEnvironment({ cloud, environment }: Invocation): Promise<Environment> {
  const deployments = await cloud.deployments();
  if (environment === undefined) {
    const names = await deployments.environments().catch((error: unknown) => {
      const { code, message, action } = explain(error);
      throw code === 'AccessDenied'
        ? new CliError(
            3,
            code,
            `${message} Name the environment with --environment or REKEY_ENVIRONMENT instead.`,
            {
              cause: error,
              ...(action !== undefined && { action }),
            },
          )
        : error;
    });
    const [only] = names;
    if (only === undefined) {
      throw usageError(
        'EnvironmentMissing',
        'no Rekey environment is deployed in this account and region (nothing below /rekey/ in SSM); check --region and --profile, or deploy one',
      );
    }
    if (names.length > 1) {
      throw usageError(
        'EnvironmentAmbiguous',
        `several environments are deployed here: ${names.join(', ')}; choose one with --environment or REKEY_ENVIRONMENT`,
      );
    }
    return { name: only, facts: await deployments.facts(only) };
  }
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(environment)) {
    throw usageError(
      'EnvironmentUnknown',
      `${JSON.stringify(environment.slice(0, 64))} cannot be an environment's name; names are up to 64 of A-Z a-z 0-9 . _ -`,
    );
  }
  const facts = await deployments.facts(environment);
  if (Object.keys(facts).length === 0) {
    const there = await deployments.environments().then(
      (names) => (names.length === 0 ? 'none is deployed here' : `deployed here: ${names.join(', ')}`),
      () => 'which ones there are, this caller may not list',
    );
    throw usageError(
      'EnvironmentUnknown',
      `there is no environment ${environment} in this account and region; ${there}`,
    );
  }
  return { name: environment, facts };
}

/**
 * Reads one fact of the deployment.
 * @throws CliError `DeploymentIncomplete`
 */
export function fact({ name, facts }: Environment, key: keyof DeploymentFacts): string {
  const value = facts[key];
  if (value === undefined) {
    throw new CliError(
      3,
      'DeploymentIncomplete',
      `environment ${name} has no ${deploymentPath(name)}/${deploymentParameters[key]} in SSM; the stack that writes it is not deployed`,
    );
  }
  return value;
}

/**
 * Finds the definition of a secret, by name or ARN.
 * @throws CliError `SecretUnknown`, with the nearest names
 */
export async function findDefinition(
  definitions: DefinitionStore,
  secret: string,
  environment: string,
): Promise<SecretDefinition> {
  const found = await definitions.find(secret);
  if (found !== undefined) {
    return found;
  }
  throw usageError('SecretUnknown', await unknownSecret(definitions, secret, environment));
}

/** Says that there is no secret of a name, and which ones may be meant. A slash at the begin is part of a name. */
export async function unknownSecret(
  definitions: DefinitionStore,
  secret: string,
  environment: string,
): Promise<string> {
  const names = (await definitions.list()).map(({ name }) => name);
  const bare = (name: string) => name.replace(/^\/+/, '');
  const same = names.filter((name) => bare(name) === bare(secret));
  const meant = same.length > 0 ? same : near(secret, names);
  const hint =
    meant.length > 0
      ? `did you mean ${meant.join(', ')}?`
      : names.length === 0
        ? 'this environment has no secrets yet'
        : 'rekey secret list shows all of them';
  return `environment ${environment} has no secret ${JSON.stringify(secret.slice(0, 256))}; ${hint}`;
}

/**
 * Asks before something is changed. `--yes` answers beforehand.
 * @throws CliError `ConfirmationMissing` when nobody can be asked, `NotConfirmed` when the answer is not yes
 */
export async function confirm(
  { context, output }: Invocation,
  yes: boolean,
  question: string,
): Promise<void> {
  if (yes) {
    return;
  }
  if (context.ask === undefined) {
    throw usageError(
      'ConfirmationMissing',
      'standard input is no terminal, so nobody can be asked; give --yes to go ahead',
    );
  }
  output.clearProgress();
  const answer = (await context.ask(printableLines(`${question} [y/N] `))).trim().toLowerCase();
  if (answer !== 'y' && answer !== 'yes') {
    throw new CliError(1, 'NotConfirmed', 'not confirmed; nothing was changed');
  }
}
