import type { Control } from '../policy/control.ts';
import type { RuleDescription, Severity } from '../policy/rule.ts';

/** A kind of secret that a scan knows, and how it is shown. */
export interface SecretKind {
  /** Name of the rule in words; reports and waivers use it. */
  readonly rule: string;
  /** Text that names the kind, such as `access token of npm`. */
  readonly kind: string;
  readonly severity: Severity;
  /** Beginnings that its issuer publishes, and that may be shown. The longest that fits is. */
  readonly prefixes?: readonly string[];
}

const error = 'error';
const warning = 'warning';

/**
 * Kinds of secretlint's recommended preset, by the short name of its rule and the id of its message. A test holds the table to
 * the preset that is installed.
 * @see https://github.com/secretlint/secretlint/tree/master/packages/%40secretlint/secretlint-rule-preset-recommend
 */
const presetKinds: Readonly<Record<string, SecretKind>> = {
  // The id names a key and opens nothing by itself.
  'aws/AWSAccessKeyID': {
    rule: 'AwsAccessKeyId',
    kind: 'id of an AWS access key',
    severity: warning,
    prefixes: ['AKIA', 'ASIA', 'A3T'],
  },
  'aws/AWSSecretAccessKey': { rule: 'AwsSecretAccessKey', kind: 'secret access key of AWS', severity: error },
  'gcp/PrivateKeyJSON': {
    rule: 'GcpServiceAccountKey',
    kind: 'key of a Google Cloud service account',
    severity: error,
  },
  'gcp/PrivateKeyP12': {
    rule: 'GcpServiceAccountKey',
    kind: 'key of a Google Cloud service account',
    severity: error,
  },
  'npm/PackageJSON_xOauthToken': {
    rule: 'GitHubTokenInUrl',
    kind: 'token of GitHub in a URL',
    severity: error,
  },
  'npm/Npmrc_authToken': { rule: 'NpmAuthToken', kind: 'token of a package registry', severity: error },
  'npm/NPM_ACCESS_TOKEN': {
    rule: 'NpmAccessToken',
    kind: 'access token of npm',
    severity: error,
    prefixes: ['npm_'],
  },
  'slack/SLACK_TOKEN': {
    rule: 'SlackToken',
    kind: 'token of Slack',
    severity: error,
    prefixes: ['xoxb-', 'xoxp-', 'xapp-', 'xoxa-', 'xoxo-', 'xoxr-'],
  },
  'slack/IncomingWebhook': {
    rule: 'SlackWebhook',
    kind: 'incoming webhook of Slack',
    severity: error,
    prefixes: ['https://hooks.slack.com/services/'],
  },
  'basicauth/BasicAuth': { rule: 'PasswordInUrl', kind: 'user and password in a URL', severity: error },
  'openai/OPENAI_TOKEN': {
    rule: 'OpenAiKey',
    kind: 'API key of OpenAI',
    severity: error,
    prefixes: ['sk-proj-', 'sk-svcacct-', 'sk-admin-', 'sk-'],
  },
  'anthropic/ANTHROPIC_API_KEY': {
    rule: 'AnthropicKey',
    kind: 'API key of Anthropic',
    severity: error,
    prefixes: ['sk-ant-'],
  },
  'groq/GROQ_API_KEY': { rule: 'GroqKey', kind: 'API key of Groq', severity: error, prefixes: ['gsk_'] },
  'huggingface/HUGGINGFACE_USER_ACCESS_TOKEN': {
    rule: 'HuggingFaceToken',
    kind: 'token of Hugging Face',
    severity: error,
    prefixes: ['hf_'],
  },
  'linear/LINEAR_API_TOKEN': {
    rule: 'LinearKey',
    kind: 'API key of Linear',
    severity: error,
    prefixes: ['lin_api_'],
  },
  'notion/NOTION_INTEGRATION_TOKEN': {
    rule: 'NotionToken',
    kind: 'token of Notion',
    severity: error,
    prefixes: ['ntn_'],
  },
  'privatekey/PrivateKey': { rule: 'PrivateKey', kind: 'private key', severity: error },
  'sendgrid/SENDGRID_KEY': {
    rule: 'SendGridKey',
    kind: 'API key of SendGrid',
    severity: error,
    prefixes: ['SG.'],
  },
  'shopify/SHOPIFY_KEY': {
    rule: 'ShopifyToken',
    kind: 'token of Shopify',
    severity: error,
    prefixes: ['shppa_', 'shpca_', 'shpat_', 'shpss_'],
  },
  'stripe/STRIPE_SECRET_KEY_LIVE': {
    rule: 'StripeKey',
    kind: 'live key of Stripe',
    severity: error,
    prefixes: ['sk_live_'],
  },
  'stripe/STRIPE_RESTRICTED_KEY_LIVE': {
    rule: 'StripeKey',
    kind: 'live key of Stripe',
    severity: error,
    prefixes: ['rk_live_'],
  },
  'stripe/STRIPE_SECRET_KEY_TEST': {
    rule: 'StripeTestKey',
    kind: 'test key of Stripe',
    severity: warning,
    prefixes: ['sk_test_'],
  },
  'stripe/STRIPE_RESTRICTED_KEY_TEST': {
    rule: 'StripeTestKey',
    kind: 'test key of Stripe',
    severity: warning,
    prefixes: ['rk_test_'],
  },
  'github/GITHUB_TOKEN': {
    rule: 'GitHubToken',
    kind: 'token of GitHub',
    severity: error,
    prefixes: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
  },
  'gitlab/GITLAB_PERSONAL_ACCESS_TOKEN': {
    rule: 'GitLabToken',
    kind: 'token of GitLab',
    severity: error,
    prefixes: ['glpat-'],
  },
  'grafana/GRAFANA_CLOUD_API_TOKEN': {
    rule: 'GrafanaToken',
    kind: 'token of Grafana',
    severity: error,
    prefixes: ['glc_'],
  },
  'grafana/GRAFANA_SERVICE_ACCOUNT_TOKEN': {
    rule: 'GrafanaToken',
    kind: 'token of Grafana',
    severity: error,
    prefixes: ['glsa_'],
  },
  '1password/OPS_TOKEN': {
    rule: 'OnePasswordToken',
    kind: 'token of a 1Password service account',
    severity: error,
    prefixes: ['ops_'],
  },
  'database-connection-string/MongoDBConnection': {
    rule: 'DatabasePasswordInUrl',
    kind: 'connection string of MongoDB with its password',
    severity: error,
  },
  'database-connection-string/MySQLConnection': {
    rule: 'DatabasePasswordInUrl',
    kind: 'connection string of MySQL with its password',
    severity: error,
  },
  'database-connection-string/PostgreSQLConnection': {
    rule: 'DatabasePasswordInUrl',
    kind: 'connection string of PostgreSQL with its password',
    severity: error,
  },
  'hashicorp-vault/HASHICORP_VAULT_SERVICE_TOKEN': {
    rule: 'VaultToken',
    kind: 'token of HashiCorp Vault',
    severity: error,
    prefixes: ['hvs.'],
  },
  'hashicorp-vault/HASHICORP_VAULT_BATCH_TOKEN': {
    rule: 'VaultToken',
    kind: 'token of HashiCorp Vault',
    severity: error,
    prefixes: ['hvb.'],
  },
  'hashicorp-vault/HASHICORP_VAULT_RECOVERY_TOKEN': {
    rule: 'VaultToken',
    kind: 'token of HashiCorp Vault',
    severity: error,
    prefixes: ['hvr.'],
  },
  ...Object.fromEntries(
    [
      'PERSONAL_ACCESS_TOKEN',
      'INTEGRATION_TOKEN',
      'APP_ACCESS_TOKEN',
      'APP_REFRESH_TOKEN',
      'AI_GATEWAY_API_KEY',
    ].map((name) => [
      `vercel/VERCEL_${name}`,
      {
        rule: 'VercelToken',
        kind: 'token of Vercel',
        severity: error,
        prefixes: ['vcp_', 'vci_', 'vca_', 'vcr_', 'vck_'],
      } as const,
    ]),
  ),
  'databricks/DATABRICKS_PERSONAL_ACCESS_TOKEN': {
    rule: 'DatabricksToken',
    kind: 'token of Databricks',
    severity: error,
    prefixes: ['dapi'],
  },
  'docker/DOCKER_PERSONAL_ACCESS_TOKEN': {
    rule: 'DockerToken',
    kind: 'token of Docker',
    severity: error,
    prefixes: ['dckr_pat_'],
  },
  'figma/FIGMA_PERSONAL_ACCESS_TOKEN': {
    rule: 'FigmaToken',
    kind: 'token of Figma',
    severity: error,
    prefixes: ['figd_'],
  },
  ...Object.fromEntries(
    ['GLOBAL_API_KEY', 'USER_API_TOKEN', 'ACCOUNT_API_TOKEN'].map((name) => [
      `cloudflare/CLOUDFLARE_${name}`,
      {
        rule: 'CloudflareToken',
        kind: 'token of Cloudflare',
        severity: error,
        prefixes: ['cfk_', 'cfut_', 'cfat_'],
      } as const,
    ]),
  ),
  ...Object.fromEntries(
    ['API_KEY', 'AUTH_KEY', 'CLIENT_KEY', 'SCIM_KEY', 'WEBHOOK_KEY', 'KEY'].map((name) => [
      `tailscale/TAILSCALE_${name}`,
      { rule: 'TailscaleKey', kind: 'key of Tailscale', severity: error, prefixes: ['tskey-'] } as const,
    ]),
  ),
};

/** Kinds of Rekey's own rule, which adds what the preset leaves out. */
const ownKinds = {
  SecretValue: {
    rule: 'SecretValue',
    kind: 'value of a secret as Secrets Manager keeps it',
    severity: error,
  },
  RedisConnection: {
    rule: 'DatabasePasswordInUrl',
    kind: 'connection string of Redis or a queue with its password',
    severity: error,
  },
  PgpPrivateKey: { rule: 'PrivateKey', kind: 'private key of PGP', severity: error },
  PuttyPrivateKey: { rule: 'PrivateKey', kind: 'private key of PuTTY', severity: error },
  AgeKey: { rule: 'AgeKey', kind: 'key of age', severity: error, prefixes: ['AGE-SECRET-KEY-1'] },
  PyPiToken: { rule: 'PyPiToken', kind: 'token of PyPI', severity: error, prefixes: ['pypi-AgEI'] },
  RubyGemsKey: { rule: 'RubyGemsKey', kind: 'key of RubyGems', severity: error, prefixes: ['rubygems_'] },
  GoogleClientSecret: {
    rule: 'GoogleClientSecret',
    kind: 'client secret of Google',
    severity: error,
    prefixes: ['GOCSPX-'],
  },
  DigitalOceanToken: {
    rule: 'DigitalOceanToken',
    kind: 'token of DigitalOcean',
    severity: error,
    prefixes: ['dop_v1_', 'doo_v1_', 'dor_v1_'],
  },
  AtlassianToken: {
    rule: 'AtlassianToken',
    kind: 'token of Atlassian',
    severity: error,
    prefixes: ['ATATT3'],
  },
  AzureStorageKey: { rule: 'AzureStorageKey', kind: 'key of an Azure storage account', severity: error },
  NewRelicKey: { rule: 'NewRelicKey', kind: 'user key of New Relic', severity: error, prefixes: ['NRAK-'] },
  WebhookSecret: {
    rule: 'WebhookSecret',
    kind: 'secret by which webhooks are signed',
    severity: error,
    prefixes: ['whsec_'],
  },
  TelegramToken: { rule: 'TelegramToken', kind: 'token of a bot of Telegram', severity: error },
} as const satisfies Readonly<Record<string, SecretKind>>;

/** Name of a kind of Rekey's own rule. */
export type OwnKind = keyof typeof ownKinds;

/** Kind of what a newer preset may find, and the table does not know. */
const unknownKind: SecretKind = { rule: 'SecretFound', kind: 'secret', severity: error };

/** Short name of Rekey's own rule, beside those of the preset. */
export const ownRule = 'rekey';

const kinds: Readonly<Record<string, SecretKind>> = {
  ...presetKinds,
  ...Object.fromEntries(Object.entries(ownKinds).map(([name, kind]) => [`${ownRule}/${name}`, kind])),
};

/** Tells the kind of what a rule found. */
export const kindOf = (rule: string, message: string): SecretKind =>
  kinds[`${rule}/${message}`] ?? unknownKind;

/** Lists every kind with the rule and the message that it comes from. */
export const knownKinds = (): readonly (readonly [id: string, kind: SecretKind])[] => Object.entries(kinds);

/** Name of the finding on something that a scan could not read. */
export const notLookedInto = 'NotLookedInto';
/** Name of the finding on a value that a secret of the environment has or had. */
export const liveSecret = 'LiveSecret';

const controls: readonly Control[] = [
  'PCI DSS 4.0.1 8.6.2',
  'ISO 27001:2022 A.5.17',
  'NIST 800-53 r5 IA-5(7)',
  'OWASP NHI 2025 NHI2',
];

/** Every rule of a scan, for reports and documents. */
export const scanRules: readonly RuleDescription[] = [
  ...[...new Map([unknownKind, ...Object.values(kinds)].map((kind) => [kind.rule, kind])).values()].map(
    ({ rule, kind, severity }) => ({
      id: rule,
      severity,
      demand: `What is shipped holds no ${kind}.`,
      reason: 'Whoever gets the artifact has the secret as well, and for as long as it works.',
      controls,
    }),
  ),
  {
    id: liveSecret,
    severity: error,
    demand: 'What is shipped holds no value that a secret of the environment has or had.',
    reason: 'The value is known to be a secret, and may work now.',
    controls,
  },
  {
    id: notLookedInto,
    severity: error,
    demand: 'A scan can read all that is shipped.',
    reason: 'A secret in what was not read is shipped all the same.',
    controls,
  },
];
