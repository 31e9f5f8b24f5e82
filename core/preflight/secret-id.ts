/** A secret that a text names, with the part of it that is read. */
export interface NamedSecret {
  readonly kind: 'secret';
  readonly secret: string;
  readonly key?: string;
  readonly versionStage?: string;
  readonly versionId?: string;
  readonly region?: string;
  readonly account?: string;
}

/** A reading of a text that may name a secret. */
export type SecretText =
  | NamedSecret
  /** Part of it is settled elsewhere. */
  | { readonly kind: 'open' }
  | { readonly kind: 'malformed'; readonly why: string }
  /** It names something else, or nothing. */
  | { readonly kind: 'none' };

const none: SecretText = { kind: 'none' };
const open: SecretText = { kind: 'open' };
const malformed = (why: string): SecretText => ({ kind: 'malformed', why });

const nameCharacters = '[A-Za-z0-9/_+=.@!-]';
const fullName = new RegExp(`^${nameCharacters}{1,512}$`);
const fullArn = new RegExp(
  `^arn:aws[a-z-]*:secretsmanager:[a-z]{2}[a-z0-9-]+:\\d{12}:secret:${nameCharacters}{1,519}$`,
);
const placeholders =
  /\$\{|\$\(|\$[A-Za-z_]|\{\{|__action_\d+__|<[^<>]{0,100}>|%[A-Za-z_]{1,100}%|#\{|\{[A-Za-z_.]{1,100}\}/;

/** An ARN in which a word stands for the region or the account. */
const words = /^arn:[^:]*:secretsmanager:(?:[A-Z_-]{3,40}:[^:]*|[^:]*:[A-Za-z_-]{3,40}):/;

/** Tells whether a variable, an expression, or whoever fills in a template settles a part of a text. */
export const isOpenText = (text: string): boolean => placeholders.test(text) || words.test(text);

/** Tells whether a text is the whole ARN of a secret, with or without its six random characters. */
export const isSecretArn = (text: string): boolean => fullArn.test(text);

/** An ARN as Secrets Manager gives it out, with its six characters at the end. Nobody has to put anything into such a one. */
const wholeArn =
  /^arn:aws[a-z-]*:secretsmanager:[a-z]{2}(?:-[a-z]+)+-\d:(?!123456789012)\d{12}:secret:[^\s:]+-[A-Za-z0-9]{6}$/;

/** Tells whether a text says of itself that somebody has to put in a name. */
export const isStandIn = (text: string): boolean =>
  !wholeArn.test(text) &&
  /(?:^|[/:_-])(?:your|change-?_?me|replace|placeholder|todo|xxx+|dummy|fixme|none|null|undefined)(?:$|[/:_-])|(?:example|sample)-(?:secret|arn)|^<[^<>]*>$/i.test(
    text,
  );

/**
 * Reads a text that must name a secret: a name, or an ARN.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
 */
export function secretIdOf(written: string): SecretText {
  const text = written.trim();
  if (isOpenText(text)) return open;
  if (text === '') return malformed('it names no secret');
  if (/^arn:/.test(text)) {
    return fullArn.test(text)
      ? { kind: 'secret', secret: text }
      : malformed(
          'it is no ARN of a secret, which is arn:<partition>:secretsmanager:<region>:<account>:secret:<name>',
        );
  }
  return fullName.test(text)
    ? { kind: 'secret', secret: text }
    : malformed('it holds characters that no name of a secret has, or more than 512');
}

const throughParameter =
  /^(?:arn:aws[a-z-]*:ssm:([a-z0-9-]*):(\d*):parameter)?\/aws\/reference\/secretsmanager\/(.+)$/;

/** Reads the name of a parameter that leads to a secret; other parameters are none. */
function secretOfParameter(text: string): SecretText {
  const [, region = '', account = '', id = ''] = throughParameter.exec(text) ?? [];
  if (id === '') return none;
  const [versionless = '', version = ''] = id.split(':');
  const named = secretIdOf(id.startsWith('arn:') ? id : versionless);
  if (named.kind !== 'secret') return named;
  return {
    ...named,
    ...(region !== '' && { region }),
    ...(account !== '' && { account }),
    ...(version !== '' && !id.startsWith('arn:') && { versionStage: version }),
  };
}

/**
 * Reads `valueFrom` of a container: a secret's ARN, after which a key, a stage and a version may stand. Parameters are none, but for
 * those that lead to a secret.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html
 */
export function valueFromOf(text: string): SecretText {
  const parameter = secretOfParameter(text);
  if (parameter.kind !== 'none') return parameter;
  if (!/^arn:/.test(text)) return /secretsmanager/.test(text) && isOpenText(text) ? open : none;
  if (!/^arn:[^:]*:secretsmanager:/.test(text)) return none;
  if (isOpenText(text)) return open;
  return withParts(text.split(':'), 7);
}

/** Reads an id behind which a key, a stage and a version may stand, as CodeBuild takes it. */
export function secretWithParts(text: string): SecretText {
  if (isOpenText(text)) return open;
  return withParts(text.split(':'), text.startsWith('arn:') ? 7 : 1);
}

function withParts(parts: readonly string[], ofId: number): SecretText {
  const named = secretIdOf(parts.slice(0, ofId).join(':'));
  if (named.kind !== 'secret') return named;
  const [key = '', versionStage = '', versionId = '', ...more] = parts.slice(ofId);
  if (more.length > 0) {
    return malformed('more than a key, a stage and a version stands behind the secret');
  }
  return {
    ...named,
    ...(key !== '' && { key }),
    ...(versionStage !== '' && { versionStage }),
    ...(versionId !== '' && { versionId }),
  };
}

/** Schemes of addresses that lead to Secrets Manager. */
const address =
  /^(?:aws-secretsmanager|aws-secrets-manager|awssecretsmanager|aws-sm|secretsmanager|asm):\/\/(.+)$/;

/** Reads an address of a secret, such as `aws-secretsmanager://prod/orders#password`. */
function secretOfAddress(text: string): SecretText {
  const [, rest = ''] = address.exec(text) ?? [];
  if (rest === '') return none;
  const [before = '', fragment] = rest.split('#');
  const [id = '', query = ''] = before.split('?');
  const named = secretIdOf(id.replace(/^\/(?=arn:)/, ''));
  if (named.kind !== 'secret') return named;
  return { ...named, ...queried(query), ...(fragment !== undefined && fragment !== '' && { key: fragment }) };
}

/**
 * Reads a reference of vals, as Helmfile and Argo CD plugins take it; its key begins with a slash.
 * @see https://github.com/helmfile/vals#aws-secrets-manager
 */
function secretsOfVals(text: string): readonly SecretText[] {
  const found = text.matchAll(
    /(?:secret)?ref\+awssecrets:\/\/([^\s'"#+?]{1,700})(\?[^\s'"#+]{0,500})?(?:#([^\s'"+@]{1,500}))?/g,
  );
  return [...found].slice(0, 100).map(([, id = '', query = '', fragment = '']) => {
    const named = secretIdOf(id);
    if (named.kind !== 'secret') return named;
    const key = fragment.replace(/^\//, '').split('/').join('.');
    return { ...named, ...queried(query.slice(1)), ...(key !== '' && { key }) };
  });
}

function queried(query: string): Partial<NamedSecret> {
  const given = new URLSearchParams(query);
  const first = (...names: readonly string[]): string | undefined =>
    names.map((name) => given.get(name)).find((value) => value !== null && value !== '') ?? undefined;
  const [region, versionStage, versionId] = [
    first('region'),
    first('version_stage', 'versionStage'),
    first('version_id', 'versionId'),
  ];
  return {
    ...(region !== undefined && { region }),
    ...(versionStage !== undefined && { versionStage }),
    ...(versionId !== undefined && { versionId }),
  };
}

/**
 * Reads an address of the extension that functions ask for secrets and parameters.
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_lambda.html
 */
function secretOfExtension(text: string): SecretText {
  if (
    !/^https?:\/\/(?:localhost|127\.0\.0\.1)(?::\d+)?\/(?:secretsmanager|systemsmanager)\//.test(text) ||
    !URL.canParse(text)
  ) {
    return none;
  }
  const { pathname, searchParams, search } = new URL(text);
  const id = searchParams.get('secretId');
  if (pathname === '/secretsmanager/get' && id !== null) {
    const named = secretIdOf(id);
    return named.kind === 'secret' ? { ...named, ...queried(search.slice(1)) } : named;
  }
  return pathname === '/systemsmanager/parameters/get'
    ? secretOfParameter(searchParams.get('name') ?? '')
    : none;
}

/** Names of variables that say that a secret's name stands in them. */
const namesSecret = /(?:^|_)SECRETS?(?:_?MANAGER)?(?:_SECRET)?_?(?:ARN|ID|NAME)$/;
/** Names of variables that speak of secrets of somebody else. */
const elsewhere =
  /VAULT|AZURE|GCP|GOOGLE|K8S|KUBE|HELM|TLS|INGRESS|CLIENT_SECRET|DOCKER|GITHUB|DOPPLER|OAUTH/;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * Reads a variable that a program is started with. The form of its value says that it names a secret, or its own name does:
 * `…_SECRET_ARN`, `…_SECRET_ID`, `…_SECRET_NAME`, also `…SecretArn`.
 */
export function secretsOfVariable(name: string, written: string): readonly SecretText[] {
  const text = written.trim();
  const byForm = secretsOfText(text);
  if (byForm.length > 0) return byForm;
  const words = name
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toUpperCase();
  if (!namesSecret.test(words) || elsewhere.test(words)) return [];
  if (text === '' || uuid.test(text) || /^(?:true|false|\d+)$/i.test(text) || isStandIn(text)) return [];
  const named = secretIdOf(text);
  // The value of such a variable may be a secret by mistake, so nothing is said of one that has another form.
  return named.kind === 'malformed' && !text.startsWith('arn:') ? [] : [named];
}

/** Reads a text whose form says that it names a secret. */
export function secretsOfText(written: string): readonly SecretText[] {
  const text = written.trim();
  if (isSecretArn(text)) return isStandIn(text) ? [] : [{ kind: 'secret', secret: text }];
  if (text.includes('ref+awssecrets://')) return secretsOfVals(text);
  const one = [secretOfAddress(text), secretOfExtension(text), secretOfParameter(text)].find(
    ({ kind }) => kind !== 'none',
  );
  if (one !== undefined) return [one];
  // An ARN with a key behind it, as ECS writes it.
  if (/^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[^\s:]+:[^\s]*$/.test(text)) {
    return [valueFromOf(text)];
  }
  return /^arn:[^\s:]*:secretsmanager:\S*$/.test(text) && isOpenText(text) ? [open] : [];
}
