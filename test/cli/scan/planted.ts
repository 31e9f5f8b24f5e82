import { createHash, generateKeyPairSync } from 'node:crypto';

/** Secrets that no scanner finds in this file: each is put together when a test runs, from parts and a seed. */

let count = 0;
/** Makes characters of an alphabet that look random and are the same in every run. */
function some(length: number, alphabet: string): string {
  let text = '';
  while (text.length < length) {
    count += 1;
    const bytes = createHash('sha512').update(`planted ${count}`).digest();
    text += [...bytes].map((byte) => alphabet[byte % alphabet.length]).join('');
  }
  return text.slice(0, length);
}
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const lower = upper.toLowerCase();
const digits = '0123456789';
const hex = '0123456789abcdef';
const word = upper + lower + digits;

/** A secret that was planted: what is in the file, and the rule that must find it. */
export interface Planted {
  readonly name: string;
  readonly rule: string;
  readonly text: string;
  /** The part of the text that is the secret, and may stand in no output. */
  readonly value: string;
  /** Name of the file, where a rule looks at it. */
  readonly file?: string;
}

const token = (
  name: string,
  rule: string,
  begin: string,
  length: number,
  alphabet = word,
  end = '',
): Planted => {
  const value = begin + some(length, alphabet) + end;
  return { name, rule, value, text: `const token = '${value}';` };
};
const url = (name: string, rule: string, begin: string, rest: string): Planted => {
  const password = some(18, word);
  return { name, rule, value: password, text: `url: ${begin}app-${name.length}:${password}@${rest}` };
};
const pem = (name: string, key: string): Planted => ({
  name,
  rule: 'PrivateKey',
  value: key.split('\n')[2] ?? '',
  text: key,
});
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const dashes = '-'.repeat(5);

const serviceAccount = (() => {
  const key = rsa.export({ type: 'pkcs8', format: 'pem' }).toString();
  const text = JSON.stringify(
    { type: 'service_account', private_key_id: some(40, hex), private_key: key },
    null,
    2,
  );
  return {
    name: 'Google Cloud',
    rule: 'GcpServiceAccountKey',
    value: key.split('\n')[2] ?? '',
    text,
    file: 'account.json',
  };
})();
const assigned = (name: string, rule: string, begin: string, value: string, end = ''): Planted => ({
  name,
  rule,
  value,
  text: `${begin}${value}${end}`,
});
// The document ends with one character of a group of three, as those of the vendor do.
const onePassword = `ops_${Buffer.from(`{"key":"${some(123, word)}"}`).toString('base64')}`;

/** One secret of each kind that the rules know. */
export const planted: readonly Planted[] = [
  token('AWS key id', 'AwsAccessKeyId', `AK${'IA'}`, 16, upper + digits),
  assigned('AWS secret key', 'AwsSecretAccessKey', 'aws_secret_access_key = ', some(40, word)),
  assigned('AWS secret key of Rekey', 'AwsSecretAccessKey', '"secretAccessKey": "', some(40, word), '"'),
  serviceAccount,
  {
    name: 'npmrc',
    rule: 'NpmAuthToken',
    ...(({ value }) => ({ value, text: `//registry.example/:_authToken=${value}` }))({
      value: some(36, word),
    }),
    file: '.npmrc',
  },
  token('npm', 'NpmAccessToken', `np${'m_'}`, 36),
  token('Slack', 'SlackToken', `xo${'xb-'}${some(12, digits)}-`, 24),
  assigned(
    'Slack webhook',
    'SlackWebhook',
    '',
    `https://hooks.sla${'ck.com'}/services/T${some(8, upper)}/B${some(8, upper)}/${some(24, word)}`,
  ),
  url('basic auth', 'PasswordInUrl', 'https://', 'git.internal.net/repo'),
  token('OpenAI', 'OpenAiKey', `sk-pr${'oj-'}${some(74, word)}T3Blbk${'FJ'}`, 74),
  token('Anthropic', 'AnthropicKey', `sk-an${'t-api03-'}`, 93, word, 'AA'),
  token('Groq', 'GroqKey', `gs${'k_'}`, 52),
  token('Hugging Face', 'HuggingFaceToken', `h${'f_'}`, 34, upper + lower),
  token('Linear', 'LinearKey', `lin_${'api_'}`, 40),
  token('Notion', 'NotionToken', `nt${'n_'}${some(11, digits)}`, 35),
  pem('EC key', ec.export({ type: 'pkcs8', format: 'pem' }).toString()),
  pem('RSA key', rsa.export({ type: 'pkcs1', format: 'pem' }).toString()),
  token('SendGrid', 'SendGridKey', `S${'G.'}${some(22, word)}.`, 43),
  token('Shopify', 'ShopifyToken', `shp${'at_'}`, 32, hex),
  token('Stripe', 'StripeKey', `sk_li${'ve_'}`, 40),
  token('Stripe, test', 'StripeTestKey', `sk_te${'st_'}`, 40),
  token('GitHub', 'GitHubToken', `gh${'p_'}`, 36),
  token('GitHub, fine-grained', 'GitHubToken', `github_${'pat_'}`, 82),
  token('GitLab', 'GitLabToken', `glp${'at-'}`, 20),
  token('Grafana Cloud', 'GrafanaToken', `gl${'c_'}`, 80),
  token('Grafana account', 'GrafanaToken', `gls${'a_'}${some(32, word)}_`, 8, hex),
  { name: '1Password', rule: 'OnePasswordToken', value: onePassword, text: `OP=${onePassword}` },
  url('PostgreSQL', 'DatabasePasswordInUrl', 'postgresql://', 'db.internal:5432/orders'),
  url('MySQL', 'DatabasePasswordInUrl', 'mysql://', 'db.internal/orders'),
  url('MongoDB', 'DatabasePasswordInUrl', 'mongodb+srv://', 'cluster0.mongodb.net/orders'),
  url('Redis', 'DatabasePasswordInUrl', 'rediss://', 'cache.internal:6379/0'),
  url('AMQP', 'DatabasePasswordInUrl', 'amqps://', 'queue.internal/shop'),
  token('Vault', 'VaultToken', `hv${'s.'}`, 95),
  token('Vercel', 'VercelToken', `vc${'p_'}`, 24),
  token('Databricks', 'DatabricksToken', `da${'pi'}`, 32, hex),
  token('Docker', 'DockerToken', `dckr_${'pat_'}`, 27),
  token('Figma', 'FigmaToken', `fi${'gd_'}`, 43),
  token('Cloudflare', 'CloudflareToken', `cf${'ut_'}${some(40, word)}`, 8, hex),
  token('Tailscale', 'TailscaleKey', `tskey-au${'th-'}${some(16, word)}-`, 32),
  assigned(
    'secret of Secrets Manager',
    'SecretValue',
    '{"engine":"postgres","host":"db.internal","username":"app","password":"',
    some(32, word),
    '"}',
  ),
  {
    name: 'PGP',
    rule: 'PrivateKey',
    ...(({ value }) => ({
      value,
      text: `${dashes}BEGIN PGP PRIVATE KEY BLOCK${dashes}\n\n${value}\n${some(64, word)}\n${some(64, word)}\n${some(64, word)}\n=abcd\n${dashes}END PGP PRIVATE KEY BLOCK${dashes}`,
    }))({ value: some(64, word) }),
  },
  token('age', 'AgeKey', `AGE-SECRET-${'KEY-1'}`, 58, '023456789ACDEFGHJKLMNPQRSTUVWXYZ'),
  token('PyPI', 'PyPiToken', `pypi-${'AgEI'}`, 120),
  token('RubyGems', 'RubyGemsKey', `rubygems${'_'}`, 48, hex),
  token('Google', 'GoogleClientSecret', `GOCS${'PX-'}`, 28),
  token('DigitalOcean', 'DigitalOceanToken', `dop_${'v1_'}`, 64, hex),
  token('Atlassian', 'AtlassianToken', `ATAT${'T3'}`, 186),
  assigned(
    'Azure storage',
    'AzureStorageKey',
    'DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=',
    `${some(86, word)}==`,
  ),
  token('New Relic', 'NewRelicKey', `NRA${'K-'}`, 27, upper + digits),
  token('webhook', 'WebhookSecret', `whse${'c_'}`, 44),
  token('Telegram', 'TelegramToken', `${some(10, '123456789')}:A${'A'}`, 33),
];
