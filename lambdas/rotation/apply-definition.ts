import { contentTag, environmentTag } from '../../core/deployed/names.ts';
import { RekeyError, summarizeError } from '../../core/errors/rekey-error.ts';
import type { EventOrigin } from '../../core/events/create.ts';
import type { DefinitionStore } from '../../core/ports.ts';
import { isFailed, type Rotator, type TargetContext } from '../../core/rotator.ts';
import { type Assignment, assignmentOf, type SecretContent } from '../../core/secret/definition.ts';
import { generatePassword, type PasswordPolicy } from '../../core/secret/password.ts';
import type { SecretDescription, SecretVersion } from '../../core/secret/secret.ts';
import { apart, type ContentRules, contentMarks, markOf, merge, staying, withoutContent } from './content.ts';
import { type CredentialSources, credentialsAtHand } from './credentials.ts';
import { isFirstValue, parseCredential, parseSecretJson, type SecretJson } from './secret-value.ts';
import type { VersionCache } from './version-cache.ts';

/** The dependencies of following a definition. */
export interface DefinitionDependencies<S extends object> extends CredentialSources<S>, ContentRules<S> {
  readonly rotator: Rotator<S>;
  readonly definitions: Pick<DefinitionStore, 'find'>;
  readonly origin: EventOrigin;
  readonly passwords: PasswordPolicy;
}

/** The JSON and the credential that a rotation starts from. */
export interface Base<S> {
  /**
   * The current JSON as it was parsed for the rest of this. It is to be compared with {@link Base.json}. A second parse of the
   * same text may differ, since V8 takes now the one and now the other of two equal keys of a nested object.
   */
  readonly held: SecretJson;
  /** The current JSON, with the content of the definition where that has changed. */
  readonly json: SecretJson;
  /** The same, parsed. */
  readonly credential: S;
  /** The same where the current credential works: its bounds have not moved. */
  readonly present: S;
  /** Mark to note when this has become current; see {@link contentMarks}. */
  readonly mark?: string;
}

/**
 * Reads the content of a secret that this environment created; undefined for any other. The definition of an adopted secret is
 * not even read here: its JSON is its owner's.
 */
export async function contentOf<S extends object>(
  { name, tags }: SecretDescription,
  { definitions, origin }: Pick<DefinitionDependencies<S>, 'definitions' | 'origin'>,
): Promise<SecretContent | undefined> {
  return tags[environmentTag] === origin.environment ? (await definitions.find(name))?.content : undefined;
}

/**
 * Reads the user and the place that the deployment names as a secret's; see {@link CredentialSources.assigned}. The function may
 * read the definition of an adopted secret only where that names some.
 */
export async function assignedTo(
  { name, tags }: SecretDescription,
  { definitions, origin }: Pick<DefinitionDependencies<object>, 'definitions' | 'origin'>,
): Promise<Assignment | undefined> {
  const definition = await definitions.find(name).catch((error: unknown) => {
    if (tags[environmentTag] === origin.environment) throw error;
    return undefined;
  });
  return definition && assignmentOf(definition);
}

/**
 * Writes the content of a secret's definition into its JSON, once per change of the definition. It sees to it that the next
 * credential can be set where the definition points. Where it cannot, the credential stays where it is and goes on rotating
 * there. A credential rotates also while its definition cannot be read or does not fit, unless the secret holds its first value
 * and nothing else.
 *
 * @throws RekeyError `DefinitionUnavailable` | `DefinitionUnreadable`
 * @throws SecretError `SecretValueInvalid`
 */
export async function applyDefinition<S extends object>(
  description: SecretDescription,
  value: string,
  context: TargetContext,
  dependencies: DefinitionDependencies<S>,
): Promise<Base<S>> {
  const { rotator } = dependencies;
  const { name, tags } = description;
  const json = parseSecretJson(value, name);
  const as = (changed: SecretJson, where = name) =>
    parseCredential(rotator.schema, JSON.stringify(changed), where);
  const unchanged = (mark?: string): Base<S> => {
    const credential = as(json);
    return { held: json, json, credential, present: credential, ...(mark !== undefined && { mark }) };
  };

  const content = await contentOf(description, dependencies).catch((error: unknown) => {
    const message = `the definition of ${name} cannot be read (${error instanceof Error ? error.name : 'no error'}); the rotation function needs ssm:GetParameter on it, and from its network a way to Systems Manager`;
    if (isFirstValue(json)) {
      const lasts = error instanceof RekeyError && !error.retryable;
      throw new RekeyError(lasts ? 'DefinitionUnreadable' : 'DefinitionUnavailable', message, {
        cause: error,
      });
    }
    const rest = 'the credential rotated without it';
    context.finding({ code: 'DefinitionUnread', message: `${message}; ${rest}` });
    return undefined;
  });
  if (content === undefined) return unchanged();
  const { whole, bounded } = contentMarks(content);
  const tag = tags[contentTag];
  if (tag === whole && !isFirstValue(json)) return unchanged(whole);
  const merged = merge(json, content, dependencies, tag === bounded ? 'bounds' : 'everything');
  if (merged === undefined) {
    if (isFirstValue(json)) as({ ...content.fields, ...json }, `${name} as its definition has it`);
    context.finding({
      code: 'DefinitionNotFollowed',
      message: `the fields in the definition of ${name} do not make a ${rotator.type} secret; the credential rotated without them; correct create.fields`,
    });
    return unchanged();
  }
  const stays = staying(merged, json, content);
  const present = as(stays);
  // A pending version never changes: one with an admin that does not serve would fail for ever, so none is stored.
  const requireAdmin = () => credentialsAtHand(dependencies, description, present).admin();
  if (merged.moved.length === 0) {
    if (stays.masterarn !== json.masterarn) await requireAdmin();
    return { held: json, json: stays, credential: present, present, mark: whole };
  }
  const credential = as(merged.json);
  const obstacle = await obstacleAt(credential, content, description, context, dependencies);
  if (obstacle === undefined) return { held: json, json: merged.json, credential, present, mark: whole };
  await requireAdmin();
  context.finding({
    code: 'DefinitionNotFollowed',
    message: `the definition of ${name} gives another ${merged.moved.join(', ')}, and the credential stays where it is: ${obstacle}. Each rotation tries again`,
  });
  return { held: json, json: stays, credential: present, present, mark: bounded };
}

/**
 * Finds what keeps the next credential from being set where a definition points; undefined when nothing does. The credential that
 * works now is not tried there: it belongs to the place that it was made for.
 */
async function obstacleAt<S extends object>(
  next: S,
  { masterarn }: SecretContent,
  description: SecretDescription,
  context: TargetContext,
  dependencies: DefinitionDependencies<S>,
): Promise<string | undefined> {
  const { rotator, passwords, origin } = dependencies;
  if (masterarn === undefined || rotator.kind === 'issuing') {
    return `only an admin secret could set a password there; name one in adminSecret, or store by hand a version that logs in there`;
  }
  try {
    const admin = await credentialsAtHand(dependencies, description, next).admin();
    const asAdmin = admin && (await rotator.probe(admin, context));
    if (asAdmin !== undefined && isFailed(asAdmin)) throw asAdmin.error;
    // A password that nobody has: the place answers, and takes it or not.
    const password = generatePassword(passwords, origin.random);
    const asUser = await rotator.probe({ ...next, password }, context);
    if (asUser.outcome === 'unreachable') throw asUser.error;
    return undefined;
  } catch (error) {
    const { code, message } = summarizeError(error);
    return `${code}: ${message}`;
  }
}

/** The credential in use, as the set step has to see it. */
export interface BeforeSet<S> {
  /** Differs from the pending one in the credential, and in what it is bound to. */
  readonly current: S;
  /** Keys by which the pending one is bound to something else, because the definition says so. */
  readonly moved: readonly string[];
}

/**
 * Gives the current credential of a secret whose pending version may have taken over a new content of its definition. The bounds
 * of the two may differ only if the definition says what the pending one does. Bounds that somebody else wrote do not count.
 *
 * @param value - the current JSON
 * @throws SecretError `SecretValueInvalid`, and whatever keeps the definition from being read where it must be asked
 */
export async function currentForSet<S extends object>(
  next: S,
  value: string,
  description: SecretDescription,
  dependencies: DefinitionDependencies<S>,
): Promise<BeforeSet<S>> {
  const { rotator, origin } = dependencies;
  const { name, tags } = description;
  if (tags[environmentTag] !== origin.environment) {
    return { current: parseCredential(rotator.schema, value, name), moved: [] };
  }
  const json = parseSecretJson(value, name);
  const asSeen = (held: SecretJson) =>
    parseCredential(rotator.schema, JSON.stringify(withoutContent(held, next, dependencies)), name);
  const current = asSeen(json);
  const moved = apart(current, next, dependencies);
  if (moved.length === 0) return { current, moved };
  const content = await contentOf(description, dependencies);
  const defined = content && merge(json, content, dependencies);
  if (defined === undefined || apart(rotator.schema.parse(defined.json), next, dependencies).length > 0) {
    return { current, moved: [] };
  }
  // As though it had been there before, so that the check of the type compares nothing but the passwords.
  return { current: asSeen({ password: json.password }), moved };
}

/** Makes the finding on the login at the former place. Only a person can tell whether it is still wanted. */
export const leftBehind = (identity: string, moved: readonly string[]) =>
  ({
    code: 'CredentialLeftBehind',
    message: `the definition gave the secret of ${identity} another ${moved.join(', ')}: at its former place the credential before this one goes on working; remove it there when nobody needs it`,
  }) as const;

/**
 * Notes which content of the definition a version that has become current has taken over. Where that cannot be told or noted, the
 * next rotation writes the content once more.
 */
export async function noteContent<S extends object>(
  description: SecretDescription,
  { versionId, value }: SecretVersion,
  { finding }: TargetContext,
  dependencies: DefinitionDependencies<S> & { readonly store: VersionCache },
): Promise<void> {
  const { store } = dependencies;
  const { arn, name, tags } = description;
  const mark =
    store.contentIn(arn, versionId) ??
    (await dueMark(parseSecretJson(value, name), description, dependencies));
  if (mark === undefined || mark === tags[contentTag]) return;
  try {
    await store.tag(arn, contentTag, mark);
  } catch (error) {
    finding({
      code: 'DefinitionNotNoted',
      message: `that the secret has taken over its definition could not be noted in its tag ${contentTag} (${summarizeError(error).code}): the next rotation writes the fields once more, over what was changed by hand`,
    });
  }
}

/** Finds the mark that a secret deserves. Undefined where none is due, or where that cannot be told. */
async function dueMark<S extends object>(
  json: SecretJson,
  description: SecretDescription,
  dependencies: DefinitionDependencies<S>,
): Promise<string | undefined> {
  const content = await contentOf(description, dependencies).catch(() => undefined);
  return content && markOf(json, content, dependencies, description.tags[contentTag]);
}
