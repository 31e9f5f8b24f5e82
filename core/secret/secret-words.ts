/**
 * Names and values that look like a secret's. Rules that go by them ask for both, so that `PASSWORD_POLICY=strong` is left alone.
 */

/** Words that end the name of a secret value, whatever the spelling: `DB_PASSWORD`, `dbPassword`, `api-key`. */
const secretEnds =
  /(?:^|_)(?:password|passwd|pwd|passphrase|secret|token|credential|credentials|(?:api|access|private|secret|signing|encryption|shared|auth|account|master|client|webhook|service)_?(?:secret_?)?key|api_?secret|connection_?string|dsn)$/;

/** Words that make a name one of something beside a secret: its ARN, its age, its rules. */
const besides =
  /(?:^|_)(?:arn|id|ids|name|names|path|file|url|uri|endpoint|policy|length|expiry|expiration|ttl|age|days|hours|minutes|seconds|version|type|enabled|disabled|header|prefix|suffix|region|bucket|table|topic|queue|stage|public|count|size|limit|method|algorithm|issuer|audience|rotation|format|provider|manager|store|key_?id|kms_?key|partition_key|sort_key|cache_key|primary_key|max_tokens?)(?:_|$)/;

/** Words that begin the name of a switch, whatever it is about: `AllowUsersToChangePassword`. */
const switches =
  /^(?:allow|enable|enabled|disable|use|uses|require|requires|has|is|should|needs?|create|generate|rotate|show|hide|skip|with|without)_/;

/** Writes a name in small letters with underscores, from any spelling. */
const spelled = (name: string): string =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z]+)([A-Z][a-z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '');

/** Tells whether something by this name holds a secret value. */
export function namesSecret(name: string): boolean {
  const words = spelled(name);
  return secretEnds.test(words) && !besides.test(words) && !switches.test(words);
}

/** Keys of a secret's JSON that are no secret: where a database is and what it is called. */
const plainKeys = new Set([
  'username',
  'user',
  'host',
  'hostname',
  'port',
  'dbname',
  'database',
  'db',
  'engine',
  'endpoint',
  'address',
  'dbclusteridentifier',
  'dbinstanceidentifier',
  'client_id',
  'clientid',
  'region',
  'schema',
  'email',
]);

/** Tells whether a key of a secret's JSON, or a variable's name, says that no secret is behind it. */
export const namesPlainPart = (key: string): boolean => {
  const words = spelled(key);
  return plainKeys.has(words) || [...plainKeys].some((one) => words.endsWith(`_${one}`));
};

/**
 * Values with which people fill the place of a secret that comes later.
 */
const placeholder =
  /^(?:|-|_|\*+|x{2,}|\.{2,}|null|none|nil|n\/?a|empty|undefined|todo|tbd|true|false|yes|no|on|off|enabled|disabled|required|optional|string|secret|password|token|key|value|default|initial|(?:please[-_ ]?)?(?:change|replace|update|override|set|fill)[-_ ]?(?:me|this|it|in|later)?.*|.*placeholder.*|dummy.*|example.*|your[-_ ].*|to[-_ ]be[-_ ].*|<.*>|\$\{.*\}|\{\{.*\}\}|\[.*\])$/i;

/** Texts that lead to a secret or say something of it, and are none. */
const pointer =
  /^(?:arn:|https?:\/\/(?![^/@\s]*:[^/@\s]*@)|\/|\.{1,2}\/|s3:\/\/|file:|alias\/|ssm:|vault:|projects\/)/i;

/** Tells whether a text could be a secret value. It must stand for itself, and be no place that is filled later. */
export function couldBeSecret(text: string): boolean {
  const trimmed = text.trim();
  return (
    trimmed.length >= 4 && !placeholder.test(trimmed) && !pointer.test(trimmed) && !/^\d{1,5}$/.test(trimmed)
  );
}

/**
 * Forms of credentials that are known for certain, whatever their name. Each has letters that no other text begins with.
 * AWS's own documentation examples are left out: their ids end in EXAMPLE.
 */
const certainForms: readonly (readonly [kind: string, form: RegExp])[] = [
  ['an AWS access key id', /(?<![A-Z0-9])(?:AKIA)(?![A-Z2-7]*EXAMPLE)[A-Z2-7]{16}(?![A-Z0-9])/],
  ['a private key', /-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/],
  ['a GitHub token', /(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})/],
  ['a GitLab token', /(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,}/],
  ['a Slack token', /(?<![A-Za-z0-9])xox[abprs]-[A-Za-z0-9-]{20,}/],
  ['a Stripe key', /(?<![A-Za-z0-9])[rs]k_live_[A-Za-z0-9]{20,}/],
  [
    'a connection string with a password',
    /(?:postgres(?:ql)?|mysql|mariadb|rediss?|mongodb(?:\+srv)?|amqps?|https?):\/\/[^\s:/@'"<>$\ufffc]*:(?!\/)([^\s:/@'"<>${}*\ufffc]{4,})@(?!localhost|127\.)/i,
  ],
];

/** Names the kind of credential that a text holds for certain; undefined where none is seen. */
export function credentialIn(text: string): string | undefined {
  for (const [kind, form] of certainForms) {
    const [found, password = found] = form.exec(text) ?? [];
    if (password !== undefined && couldBeSecret(password)) return kind;
  }
  return undefined;
}
