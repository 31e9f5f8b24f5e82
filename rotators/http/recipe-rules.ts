import { type Authentication, isPattern, type Recipe, type RecipeRequest } from './recipe.ts';
import { textsIn, urlParts, variablesOf } from './template.ts';

/** Values that Rekey adds to those of a request. */
const ownVariables = {
  'rekey.name': 'a name that is never used again, for what create makes',
  'rekey.expiryDate': 'the day on which the new credential ends (parameter `days`), as YYYY-MM-DD, UTC',
  'rekey.expiresAt': 'the same as a time, such as 2026-03-01T12:00:00Z',
  'rekey.expiresAtMillis': 'the same as milliseconds since 1970',
  'rekey.lifetimeSeconds': 'the same as a number of seconds',
  'rekey.lifetimeHours': 'the same as a number of hours',
} as const;

/** Name of the answer of a login, in the headers of the requests that follow it. */
export const loginToken = 'login.token';

/** Keys of a secret's JSON that parameters and parts of a credential must leave free. */
const reservedKeys = ['recipe', 'service', 'masterarn', 'createdAs'] as const;
/** Key of the end of a credential, which only the answer of the service may fill. */
const endKey = 'expiresAt';

interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}
type Path = readonly (string | number)[];

/**
 * Finds faults that the form of a recipe alone does not show. Such are names without a value, and secrets where they must not
 * stand.
 */
export function* recipeProblems(recipe: Recipe): Generator<Problem> {
  yield* keyProblems(recipe);
  if (recipe.settleAnswers > recipe.settleSeconds + 1) {
    yield { path: ['settleAnswers'], message: 'must fit into settleSeconds, one a second' };
  }
  const parameters = Object.keys(recipe.parameters);
  const made = Object.keys(recipe.create.answer);
  const lifetime = parameters.includes('days');
  const added = Object.keys(ownVariables).filter((name) => name === 'rekey.name' || lifetime);
  const admin = Object.keys(recipe.admin.fields).map((name) => `admin.${name}`);
  const open = made.filter((name) => name !== recipe.credential.secret);
  const openAdmin = admin.filter(
    (name) => recipe.admin.fields[name.slice('admin.'.length)]?.secret === false,
  );

  const check = function* (
    request: RecipeRequest,
    path: Path,
    values: { readonly url: readonly string[]; readonly body: readonly string[] },
  ): Generator<Problem> {
    yield* urlProblems(recipe, request.url, [...path, 'url'], values.url);
    for (const part of ['headers', 'json', 'form'] as const) {
      yield* unknownIn(textsIn(request[part], [...path, part]), values.body);
    }
    if (request.json !== undefined && request.form !== undefined) {
      yield { path: [...path], message: 'must not have both json and form' };
    }
  };
  const authenticate = function* (
    authentication: Authentication,
    path: Path,
    values: { readonly url: readonly string[]; readonly body: readonly string[] },
  ): Generator<Problem> {
    if (authentication.kind === 'login') {
      yield* urlProblems(recipe, authentication.url, [...path, 'url'], values.url);
      yield* unknownIn(textsIn(authentication.json, [...path, 'json']), values.body);
      const inHeaders = textsIn(authentication.headers, [...path, 'headers']);
      yield* unknownIn(inHeaders, [...values.body, loginToken]);
      if (!Object.values(authentication.headers).some((text) => variablesOf(text).includes(loginToken))) {
        yield { path: [...path, 'headers'], message: `must hold {{${loginToken}}}` };
      }
      return;
    }
    if (authentication.kind === 'oauth2') {
      yield* urlProblems(recipe, authentication.url, [...path, 'url'], values.url);
    }
    const texts = Object.entries(authentication).filter(([name]) => name !== 'url');
    yield* unknownIn(textsIn(Object.fromEntries(texts), path), values.body);
  };

  yield* check(recipe.create, ['create'], {
    url: [...parameters, ...openAdmin],
    body: [...parameters, ...openAdmin, ...added],
  });
  yield* check(recipe.test, ['test'], {
    url: [...parameters, ...open],
    body: [...parameters, ...open, recipe.credential.secret],
  });
  if (tokenUrl(recipe.test.authentication) !== undefined) {
    yield {
      path: ['test', 'authentication'],
      message: 'must send the credential itself: where it logs in for a token, that login is the test',
    };
  } else if (recipe.test.authentication !== undefined) {
    yield* authenticate(recipe.test.authentication, ['test', 'authentication'], {
      url: parameters,
      body: [...parameters, ...open, recipe.credential.secret],
    });
  }
  if (recipe.list !== undefined) {
    const { name, room } = recipe.list;
    if ((name === undefined) === (room === undefined)) {
      yield { path: ['list'], message: 'must have either name, or room where the service has no names' };
    }
    const values = [...parameters, ...openAdmin, 'rekey.name'];
    yield* check(recipe.list, ['list'], { url: values, body: values });
  }
  for (const name of ['disable', 'revoke'] as const) {
    const values = [...parameters, ...openAdmin, ...open];
    if (recipe[name] !== undefined) yield* check(recipe[name], [name], { url: values, body: values });
  }
  yield* authenticate(recipe.admin.authentication, ['admin', 'authentication'], {
    url: [...parameters, ...openAdmin],
    body: [...parameters, ...admin],
  });
  if (recipe.own !== undefined) {
    yield* authenticate(recipe.own.authentication, ['own', 'authentication'], {
      url: parameters,
      body: [...parameters, ...made],
    });
  }
}

function* keyProblems(recipe: Recipe): Generator<Problem> {
  const { credential, create, parameters } = recipe;
  for (const part of ['id', 'secret'] as const) {
    if (!Object.hasOwn(create.answer, credential[part])) {
      yield {
        path: ['create', 'answer'],
        message: `must say where ${credential[part]} stands (credential.${part})`,
      };
    }
  }
  if (credential.id === credential.secret) {
    yield { path: ['credential', 'id'], message: 'must not be the secret itself: ids stand in records' };
  }
  for (const [where, names] of [
    ['parameters', Object.keys(parameters)],
    ['admin.fields', Object.keys(recipe.admin.fields)],
    ['create.answer', Object.keys(create.answer)],
  ] as const) {
    for (const name of names) {
      const taken =
        (reservedKeys as readonly string[]).includes(name) ||
        (where !== 'create.answer' && name === endKey) ||
        (where !== 'parameters' && Object.hasOwn(parameters, name));
      if (taken) yield { path: [...where.split('.'), name], message: 'is taken; choose another key' };
    }
  }
  for (const [name, { pattern, type }] of Object.entries(parameters)) {
    if (pattern !== undefined && !isPattern(pattern)) {
      yield { path: ['parameters', name, 'pattern'], message: 'must be a regular expression' };
    }
    if (pattern !== undefined && (type === 'integer' || type === 'json')) {
      yield { path: ['parameters', name, 'pattern'], message: 'is only for text, host and list' };
    }
  }
  const days = parameters.days;
  if (days !== undefined && days.type !== 'integer') {
    yield {
      path: ['parameters', 'days', 'type'],
      message: 'must be integer: it is the lifetime of a credential',
    };
  }
}

function* urlProblems(recipe: Recipe, url: string, path: Path, known: readonly string[]): Generator<Problem> {
  yield* unknownIn([[path, url]], known);
  const { host } = urlParts(url);
  if (host === '' || host.includes('@'))
    yield { path: [...path], message: 'must name a host, and nobody before it' };
  for (const name of variablesOf(host)) {
    const parameter = recipe.parameters[name];
    if (parameter !== undefined && parameter.type !== 'host' && parameter.pattern === undefined) {
      yield {
        path: [...path],
        message: `{{${name}}} decides which host is called; give the parameter the type host, or a pattern`,
      };
    }
    if (parameter === undefined) {
      yield { path: [...path], message: `{{${name}}} must be a parameter to stand in the host` };
    }
  }
}

function* unknownIn(texts: Iterable<readonly [Path, string]>, known: readonly string[]): Generator<Problem> {
  for (const [path, text] of texts) {
    for (const name of variablesOf(text)) {
      if (!known.includes(name)) {
        yield {
          path: [...path],
          message: `{{${name}}} has no value here, or is a secret that must not stand here; known are ${known.join(', ')}`,
        };
      }
    }
  }
}

/** Lists the parameters that decide which hosts are called, in any request. */
export function hostParameters(recipe: Recipe): string[] {
  return inHosts([...adminUrls(recipe), ...ownUrls(recipe)]);
}

/**
 * Lists the parameters that must stand in the admin secret, too. They decide who gets the admin's credential, or who gets the new
 * one, unless a pattern already keeps that to the service.
 */
export function pinnedParameters(recipe: Recipe): string[] {
  const loose = inHosts(ownUrls(recipe)).filter((name) => recipe.parameters[name]?.pattern === undefined);
  return [...new Set([...inHosts(adminUrls(recipe)), ...loose])];
}

const inHosts = (urls: readonly (string | undefined)[]): string[] => [
  ...new Set(urls.flatMap((url) => (url === undefined ? [] : variablesOf(urlParts(url).host)))),
];

const tokenUrl = (authentication: Authentication | undefined): string | undefined =>
  authentication?.kind === 'oauth2' || authentication?.kind === 'login' ? authentication.url : undefined;

const adminUrls = ({ create, list, disable, revoke, admin }: Recipe) => [
  ...[create, list, disable, revoke].map((request) => request?.url),
  tokenUrl(admin.authentication),
];

const ownUrls = ({ test, own }: Recipe) => [test.url, tokenUrl(own?.authentication)];
