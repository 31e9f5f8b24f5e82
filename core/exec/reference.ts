import { RekeyError } from '../errors/rekey-error.ts';

/** A secret that a process gets, and how its variables are called. */
export interface SecretReference {
  /** Name or ARN, as Secrets Manager takes it. */
  readonly id: string;
  /** Staging label of the version. */
  readonly stage: string;
  /** Key of the secret's JSON, where one value of it is wanted. */
  readonly key?: string;
  /** Name of the one variable. */
  readonly name?: string;
  /** Text before the names that are made of the JSON's keys. */
  readonly prefix?: string;
  /** The reference as it was written. */
  readonly written: string;
}

const named = /^([A-Za-z_][A-Za-z0-9_]*)(\*?)=(.*)$/s;
const label = /^[A-Za-z0-9_+=.@!/-]{1,256}$/;
/** An id has no `#`, so the first one ends it. */
const parts = /^([^#]+)(?:#(.*))?$/s;

const refuse = (written: string, why: string): never => {
  throw new RekeyError(
    'SecretReferenceInvalid',
    `--secret ${JSON.stringify(written.slice(0, 200))}: ${why}; write [NAME=]<name or ARN>[#key][@label]`,
  );
};

/** Splits off a staging label behind the last `@`. */
function labelled(text: string): readonly [rest: string, stage: string | undefined] {
  const at = text.lastIndexOf('@');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

/**
 * Reads `[NAME=]<name or ARN>[#key][@label]`. With `PREFIX_*=` the names of all keys begin with that prefix.
 *
 * Names of secrets may hold `=` and `@`: the last `@` begins the label, so `a@b@AWSCURRENT` is the secret `a@b`, and of a name
 * with `=` the ARN is given.
 * @param prefix - of `--prefix`; a prefix of the reference goes before it
 * @throws RekeyError `SecretReferenceInvalid`
 * @example
 * readReference('DB_PASSWORD=/prod/orders/db#password');
 */
export function readReference(written: string, prefix?: string): SecretReference {
  const [, name, star, behind] = named.exec(written) ?? [];
  const [, whole = '', keyed] = parts.exec(behind ?? written) ?? [];
  const [rest, stage] = labelled(keyed ?? whole);
  const [id, key] = keyed === undefined ? [rest, undefined] : [whole, rest];
  if (id === '') return refuse(written, 'it names no secret');
  if (key === '') return refuse(written, 'there is no key behind #');
  if (stage !== undefined && !label.test(stage))
    return refuse(written, 'what follows the last @ is no staging label');
  if (star === '*' && key !== undefined)
    return refuse(written, 'a prefix is for all keys, and one key is named');
  const begin = star === '*' ? name : prefix;
  return {
    id,
    stage: stage ?? 'AWSCURRENT',
    written,
    ...(key !== undefined && { key }),
    ...(name !== undefined && star !== '*' && { name }),
    ...(begin !== undefined && { prefix: begin }),
  };
}
