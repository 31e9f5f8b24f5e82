import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { formProblem } from './forms.ts';
import { flatten, type Problem } from './problem.ts';
import { checkRules } from './rules.ts';
import { type Configuration, type ConfigurationInput, configurationSchema } from './schema.ts';

/** The configuration cannot be used; the message lists every problem with its path, its value and the limit. */
export class ConfigurationError extends RekeyError<'ConfigurationInvalid'> {
  constructor(message: string) {
    super('ConfigurationInvalid', message);
  }
}

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws ConfigurationError with every problem at once
 * @example
 * // rekey.config.ts
 * export default defineConfig({
 *   environments: {
 *     dev: {
 *       audit: { retentionDays: 1 },
 *       secrets: {
 *         orders: {
 *           type: 'postgresql',
 *           strategy: 'single-user',
 *           create: { name: 'orders/db', fields: { engine: 'postgres', host: 'db.internal', username: 'orders' } },
 *           adminSecret: { adopt: 'orders-admin' },
 *           owner: 'team-orders',
 *         },
 *       },
 *     },
 *   },
 * });
 */
export function defineConfig(input: ConfigurationInput): Configuration {
  if (unchecked !== undefined) {
    unchecked.input = input;
    throw new ConfigurationError('it is being read, not used');
  }
  const form = formProblem(input);
  if (form !== undefined) {
    throw new ConfigurationError(form);
  }
  const parsed = configurationSchema.safeParse(input);
  const problems: readonly Problem[] = parsed.success
    ? checkRules(parsed.data)
    : flatten(parsed.error.issues);
  if (!parsed.success || problems.length > 0) {
    throw new ConfigurationError(
      `the configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n${problems
        .map((problem) => describe(problem, input))
        .join('\n')}`,
    );
  }
  // The rules have held every secret to its kind.
  return parsed.data as Configuration;
}

/** The place where {@link defineConfig} leaves its input for {@link readConfiguration}, which makes it. */
let unchecked: { input?: unknown } | undefined;

/**
 * Imports a configuration file and gives what it defines as it stands, whatever is wrong with it.
 * @throws ConfigurationError when it defines nothing
 */
export async function readConfiguration(path: string): Promise<unknown> {
  const file = existing(path);
  unchecked = {};
  try {
    const module: { default?: unknown } = await import(pathToFileURL(file).href);
    if (module.default === undefined) {
      throw new ConfigurationError(`${file}: must have a default export, made with defineConfig`);
    }
    return module.default;
  } catch (error) {
    if (unchecked.input === undefined) throw error;
    return unchecked.input;
  } finally {
    unchecked = undefined;
  }
}

function existing(path: string): string {
  const file = resolve(path);
  if (!existsSync(file)) {
    throw new ConfigurationError(`${file}: no such file; name one with -c config=<path>`);
  }
  return file;
}

/** A configuration file, read and checked. */
export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** Folder of the file; paths in it are relative to this. */
  readonly directory: string;
}

/**
 * Imports a configuration file (`.ts` or `.js`, default export) and checks it, the PEM files that it names included.
 * @throws ConfigurationError
 */
export async function loadConfiguration(path: string): Promise<LoadedConfiguration> {
  const file = existing(path);
  const module: { default?: ConfigurationInput } = await import(pathToFileURL(file).href);
  if (module.default === undefined) {
    throw new ConfigurationError(`${file}: must have a default export, made with defineConfig`);
  }
  const configuration = defineConfig(module.default);
  const directory = dirname(file);
  for (const [environment, { secrets, notifications }] of Object.entries(configuration.environments)) {
    const holders = { secrets, 'notifications.channels': notifications.channels };
    for (const [part, entries] of Object.entries(holders)) {
      for (const [key, entry] of Object.entries(entries)) {
        if (!('certificateAuthority' in entry) || entry.certificateAuthority === undefined) continue;
        checkCertificates(
          `environments.${environment}.${part}.${key}.certificateAuthority`,
          resolve(directory, entry.certificateAuthority),
        );
      }
    }
  }
  return { configuration, directory };
}

function checkCertificates(path: string, file: string): void {
  if (!existsSync(file)) {
    throw new ConfigurationError(`${path}: ${file}: no such file`);
  }
  const text = readFileSync(file, 'utf8');
  if (!text.includes('-----BEGIN CERTIFICATE-----')) {
    throw new ConfigurationError(`${path}: ${file}: holds no PEM certificate`);
  }
  if (text.includes('PRIVATE KEY-----')) {
    throw new ConfigurationError(
      `${path}: ${file}: holds a private key; it would be deployed with the function, keep certificates only`,
    );
  }
}

/**
 * Picks one environment: the named one, or the first.
 * @throws ConfigurationError when there is none of that name
 */
export function selectEnvironment(configuration: Configuration, name?: string) {
  const names = Object.keys(configuration.environments);
  const chosen = name ?? names[0] ?? '';
  const environment = configuration.environments[chosen];
  if (environment === undefined) {
    throw new ConfigurationError(
      `environment ${JSON.stringify(chosen)} is not configured; there are: ${names.join(', ')}`,
    );
  }
  return { name: chosen, environment };
}

/**
 * Writes a problem as `path: value: message`. A value in `fields` is never shown: it may be a password put in the wrong place.
 */
function describe({ path, message }: Problem, input: unknown): string {
  const at = path.join('.');
  let value: unknown = input;
  for (const key of path) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  }
  const hidden = path.includes('fields') || typeof value === 'object' || value === undefined;
  return `  ${at}: ${hidden ? '' : `${JSON.stringify(value).slice(0, 120)}: `}${message}`;
}
