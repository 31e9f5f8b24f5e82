import { RekeyError } from '../errors/rekey-error.ts';
import { memberTexts } from '../secret/json-text.ts';
import type { SecretReference } from './reference.ts';

/** The variables of a process by name. */
export type Variables = ReadonlyMap<string, string>;

/** A version of a secret, as it was read for a process. */
export interface ReadSecret {
  readonly reference: SecretReference;
  readonly value: string;
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Variables by which whoever may write a secret could run code in the process: loaders, interpreters and shells obey them. No list
 * of them is complete; a prefix keeps all keys away from such names.
 * @see https://man7.org/linux/man-pages/man8/ld.so.8.html
 * @see https://nodejs.org/api/cli.html#environment-variables
 */
const obeyed =
  /^(?:PATH|IFS|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|PS4|PROMPT_COMMAND|LD_.*|DYLD_.*|NODE_OPTIONS|NODE_PATH|PYTHON(?:PATH|HOME|STARTUP|USERBASE)|PERL5(?:LIB|OPT|DB)|PERLLIB|LUA_INIT.*|LUA_C?PATH.*|CLASSPATH|MAVEN_OPTS|OPENSSL_(?:CONF|MODULES|ENGINES)|GCONV_PATH|DOTNET_STARTUP_HOOKS|(?:CORECLR|COR)_(?:ENABLE_)?PROFIL.*|PHPRC|PHP_INI_SCAN_DIR|NPM_CONFIG_.*|ZDOTDIR|GEM_(?:HOME|PATH)|BUNDLE_GEMFILE|NODE_EXTRA_CA_CERTS|AWS_CONFIG_FILE|AWS_SHARED_CREDENTIALS_FILE|SSH_ASKPASS|EDITOR|PAGER|RUBY(?:LIB|OPT)|JAVA_TOOL_OPTIONS|_JAVA_OPTIONS|JDK_JAVA_OPTIONS|GIT_(?:SSH|SSH_COMMAND|CONFIG.*|EXEC_PATH|ASKPASS|EXTERNAL_DIFF|EDITOR|PAGER|TEMPLATE_DIR))$/;

/** Makes the name of a variable from a key: `db-password` becomes `DB_PASSWORD`. */
const nameOf = (key: string, prefix = ''): string => prefix + key.toUpperCase().replace(/[^A-Z0-9_]/g, '_');

const shown = (text: string): string => JSON.stringify(text.slice(0, 64));

/** Gives the members of a JSON object as texts; `undefined` for any other value. */
function membersOf(value: string): ReadonlyMap<string, string> | undefined {
  try {
    const parsed: unknown = JSON.parse(value);
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  } catch {
    return undefined;
  }
  return memberTexts(value);
}

/** Turns the JSON text of a member into the text of a variable: strings without quotes, the rest as JSON. */
const plain = (json: string): string => (json.startsWith('"') ? JSON.parse(json) : json);

function variablesOf({ reference, value }: ReadSecret): [name: string, value: string][] {
  const { id, key, name, prefix, written } = reference;
  if (key === undefined && name !== undefined) return [[name, value]];
  const members = membersOf(value);
  if (members === undefined) {
    throw new RekeyError(
      'SecretValueInvalid',
      key === undefined
        ? `${id} holds plain text, which has no keys to name variables by; write NAME=${written}`
        : `${id} holds no JSON object, so it has no key ${shown(key)}; leave the key out`,
    );
  }
  const wanted = key === undefined ? [...members.keys()] : [key];
  return wanted.flatMap((one): [string, string][] => {
    const json = members.get(one);
    if (key !== undefined && (json === undefined || json === 'null')) {
      throw new RekeyError(
        'SecretValueInvalid',
        `${id} has no value under the key ${shown(one)}; its keys are ${[...members.keys()].slice(0, 30).map(shown).join(', ')}`,
      );
    }
    return json === undefined || json === 'null' ? [] : [[name ?? nameOf(one, prefix), plain(json)]];
  });
}

/** Refuses a name that no shell takes. Refuses one that was made of a key and that loaders or shells obey. */
function checkName(name: string, { id, name: chosen }: SecretReference, inEnvironment: boolean): void {
  if (!variableName.test(name)) {
    throw new RekeyError(
      'VariableNameRefused',
      `${id}: ${shown(name)} cannot be the name of a variable; give a prefix (PREFIX_*=${id}), or name single keys (NAME=${id}#key)`,
    );
  }
  if (inEnvironment && chosen === undefined && obeyed.test(name)) {
    throw new RekeyError(
      'VariableNameRefused',
      `${id}: a key of it would set ${name}, which decides what code the process runs; give a prefix (PREFIX_*=${id}), or write NAME=${id}#key if that is meant`,
    );
  }
}

/**
 * Names the values of secrets as variables.
 * @param to - `environment` refuses what an environment cannot hold, and names that decide what code runs
 * @throws RekeyError `SecretValueInvalid` | `VariableNameRefused` | `VariableTaken` | `VariableValueRefused`; none holds a value
 */
export function nameVariables(secrets: readonly ReadSecret[], to: 'environment' | 'descriptor'): Variables {
  const variables = new Map<string, string>();
  const holders = new Map<string, string>();
  for (const secret of secrets) {
    const { id, written } = secret.reference;
    for (const [name, value] of variablesOf(secret)) {
      checkName(name, secret.reference, to === 'environment');
      const holder = holders.get(name);
      if (holder !== undefined) {
        throw new RekeyError(
          'VariableTaken',
          `${name} would come from ${holder} and from ${written}; give one of them a prefix (PREFIX_*=${id}), or name single keys (NAME=${id}#key)`,
        );
      }
      if (to === 'environment' && value.includes('\0')) {
        throw new RekeyError(
          'VariableValueRefused',
          `${id}: the value of ${name} holds a NUL, which no environment can; use --env-file-descriptor`,
        );
      }
      holders.set(name, written);
      variables.set(name, value);
    }
  }
  return variables;
}

/** The forms of what is written to a descriptor. */
export type DescriptorFormat = 'json' | 'dotenv';

/**
 * Writes one line of dotenv such that shells (`.`), Node's `--env-file` and the dotenv packages read the same value.
 * They agree on text in single quotes, and on text in double quotes that holds no `\`, `$`, backtick or double quote.
 */
function dotenvLine(name: string, value: string): string {
  if (!value.includes("'")) return `${name}='${value}'\n`;
  if (!/["\\$`]/.test(value)) return `${name}="${value}"\n`;
  throw new RekeyError(
    'VariableValueRefused',
    `the value of ${name} holds a single quote beside characters that readers of dotenv take in different ways; use --format json`,
  );
}

/**
 * Writes variables as they go through a descriptor: one line of JSON, or dotenv.
 * @throws RekeyError `VariableValueRefused`
 */
export function writeVariables(variables: Variables, format: DescriptorFormat): string {
  if (format === 'json') return `${JSON.stringify(Object.fromEntries(variables))}\n`;
  return [...variables].map(([name, value]) => dotenvLine(name, value)).join('');
}

/**
 * Variables that lead to credentials of AWS, or to the files that hold them.
 * @see https://docs.aws.amazon.com/sdkref/latest/guide/settings-reference.html
 */
const credentialVariables =
  /^AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|CREDENTIAL_EXPIRATION|PROFILE|DEFAULT_PROFILE|ROLE_ARN|ROLE_SESSION_NAME|WEB_IDENTITY_TOKEN_FILE|CONTAINER_.*|CREDENTIAL_FILE|SHARED_CREDENTIALS_FILE|CONFIG_FILE)$/;

/** Withholds AWS credentials from an environment, and points the SDKs away from files and from the machine's role. */
export function withoutAwsCredentials(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string | undefined> {
  return {
    ...Object.fromEntries(Object.entries(environment).filter(([name]) => !credentialVariables.test(name))),
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
