import { createHmac, timingSafeEqual } from 'node:crypto';
import { Ajv, type ValidateFunction } from 'ajv';

/** A request as a receiver got it. */
export interface Received {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The body as it came, before anything is parsed. */
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The documented contract of a receiver: which answer it gives to a request. */
export interface Contract {
  /** The secret of a channel to it, below its base URL. */
  secret(base: string): object;
  answer(request: Received): Answer;
}

const ajv = new Ajv({ allErrors: true, strict: true, strictRequired: false });

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const isJson = ({ headers }: Received): boolean => /^application\/json\b/.test(headers['content-type'] ?? '');
const problems = (validate: ValidateFunction): string =>
  (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message ?? ''}`).join('; ');

const text = (type: string, maxLength: number) => ({
  type: 'object',
  required: ['type', 'text'],
  additionalProperties: false,
  properties: {
    type: { const: type },
    text: { type: 'string', minLength: 1, maxLength },
    ...(type === 'plain_text' ? { emoji: { type: 'boolean' } } : { verbatim: { type: 'boolean' } }),
  },
});

/**
 * Blocks of Slack as far as messages of this kind have them, and their limits.
 * @see https://docs.slack.dev/reference/block-kit/blocks/header-block/
 * @see https://docs.slack.dev/reference/block-kit/blocks/section-block/
 */
const slackMessage = ajv.compile({
  type: 'object',
  required: ['text'],
  additionalProperties: false,
  properties: {
    text: { type: 'string', minLength: 1, maxLength: 40_000 },
    mrkdwn: { type: 'boolean' },
    unfurl_links: { type: 'boolean' },
    unfurl_media: { type: 'boolean' },
    blocks: {
      type: 'array',
      maxItems: 50,
      items: {
        oneOf: [
          {
            type: 'object',
            required: ['type', 'text'],
            additionalProperties: false,
            properties: { type: { const: 'header' }, text: text('plain_text', 150) },
          },
          {
            type: 'object',
            required: ['type', 'fields'],
            additionalProperties: false,
            properties: {
              type: { const: 'section' },
              fields: { type: 'array', minItems: 1, maxItems: 10, items: text('plain_text', 2_000) },
            },
          },
          {
            type: 'object',
            required: ['type', 'text'],
            additionalProperties: false,
            properties: {
              type: { const: 'section' },
              text: { oneOf: [text('plain_text', 3_000), text('mrkdwn', 3_000)] },
            },
          },
        ],
      },
    },
  },
});

/**
 * Slack's incoming webhooks: `ok` and 200, or a word and 400, 403, 404, 410.
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/
 * @see https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks
 */
const slackPath = '/services/T00000000/B00000000/sentinel-slack-token';
export const slackContract: Contract = {
  secret: (base) => ({ url: `${base}${slackPath}` }),
  answer(request) {
    if (request.method !== 'POST') return { status: 405, body: 'method_not_allowed' };
    if (request.path !== slackPath) return { status: 404, body: 'no_service' };
    if (!isJson(request) || !slackMessage(parsed(request.body))) {
      return { status: 400, body: `invalid_payload ${problems(slackMessage)}` };
    }
    return { status: 200, body: 'ok' };
  },
};

const richText = {
  type: 'object',
  required: ['type', 'inlines'],
  additionalProperties: false,
  properties: {
    type: { const: 'RichTextBlock' },
    inlines: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        required: ['type', 'text'],
        additionalProperties: false,
        properties: {
          type: { const: 'TextRun' },
          text: { type: 'string', minLength: 1 },
          size: { enum: ['Default', 'Small', 'Medium', 'Large', 'ExtraLarge'] },
          weight: { enum: ['Default', 'Lighter', 'Bolder'] },
          color: { enum: ['Default', 'Dark', 'Light', 'Accent', 'Good', 'Warning', 'Attention'] },
        },
      },
    },
  },
};

/**
 * A message for a workflow of Teams: one adaptive card of a version that Teams shows.
 * @see https://adaptivecards.io/explorer/RichTextBlock.html
 * @see https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
 */
const teamsMessage = ajv.compile({
  type: 'object',
  required: ['type', 'attachments'],
  additionalProperties: false,
  properties: {
    type: { const: 'message' },
    attachments: {
      type: 'array',
      minItems: 1,
      maxItems: 1,
      items: {
        type: 'object',
        required: ['contentType', 'content'],
        additionalProperties: false,
        properties: {
          contentType: { const: 'application/vnd.microsoft.card.adaptive' },
          contentUrl: { type: 'null' },
          content: {
            type: 'object',
            required: ['type', 'version', 'body'],
            additionalProperties: false,
            properties: {
              $schema: { const: 'http://adaptivecards.io/schemas/adaptive-card.json' },
              type: { const: 'AdaptiveCard' },
              version: { enum: ['1.2', '1.3', '1.4', '1.5'] },
              body: { type: 'array', minItems: 1, items: richText },
              actions: {
                type: 'array',
                maxItems: 6,
                items: {
                  type: 'object',
                  required: ['type', 'title', 'url'],
                  additionalProperties: false,
                  properties: {
                    type: { const: 'Action.OpenUrl' },
                    title: { type: 'string' },
                    url: { type: 'string', pattern: '^https://' },
                  },
                },
              },
            },
          },
        },
      },
    },
  },
});

const teamsPath = '/workflows/0123/triggers/manual/paths/invoke';
const teamsQuery = '?api-version=2016-06-01&sig=sentinel-teams-signature';
/** @see https://learn.microsoft.com/en-us/connectors/teams/#microsoft-teams-webhook */
export const teamsContract: Contract = {
  secret: (base) => ({ url: `${base}${teamsPath}${teamsQuery}` }),
  answer(request) {
    const [path = '', query = ''] = request.path.split('?');
    if (path !== teamsPath) return { status: 404, body: 'WorkflowNotFound' };
    if (`?${query}` !== teamsQuery) return { status: 401, body: 'AuthorizationFailed' };
    if (Buffer.byteLength(request.body) > 28 * 1024) return { status: 413, body: 'too large' };
    if (!isJson(request) || !teamsMessage(parsed(request.body))) {
      return { status: 400, body: `InvalidBotAdaptiveCard ${problems(teamsMessage)}` };
    }
    return { status: 202, body: '' };
  },
};

const key = Buffer.from('0123456789abcdef0123456789abcdef');
const webhookMessage = ajv.compile({
  type: 'object',
  required: ['type', 'timestamp', 'data'],
  additionalProperties: false,
  properties: {
    type: { type: 'string', pattern: '^[a-zA-Z0-9_]+(\\.[a-zA-Z0-9_]+)+$' },
    timestamp: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\dT' },
    data: {
      type: 'object',
      required: ['id', 'environment', 'urgency', 'title', 'subject', 'deed', 'facts'],
    },
  },
});

const toleranceSeconds = 5 * 60;
/**
 * A receiver by the specification: it looks at signature and time before it looks at the body, and knows ids that it has had.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookContract(
  now: () => Date = () => new Date(),
): Contract & { readonly seen: Set<string> } {
  const seen = new Set<string>();
  return {
    seen,
    secret: (base) => ({ url: `${base}/hooks/rekey`, signingKey: `whsec_${key.toString('base64')}` }),
    answer(request) {
      const {
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': signatures,
      } = request.headers;
      if (id === undefined || timestamp === undefined || signatures === undefined)
        return { status: 400, body: '' };
      if (Math.abs(now().getTime() / 1_000 - Number(timestamp)) > toleranceSeconds)
        return { status: 401, body: '' };
      const expected = createHmac('sha256', key).update(`${id}.${timestamp}.${request.body}`).digest();
      const isSigned = signatures.split(' ').some((signature) => {
        const given = Buffer.from(signature.startsWith('v1,') ? signature.slice(3) : '', 'base64');
        return given.length === expected.length && timingSafeEqual(given, expected);
      });
      if (!isSigned) return { status: 401, body: '' };
      seen.add(id);
      return webhookMessage(parsed(request.body))
        ? { status: 204, body: '' }
        : { status: 422, body: problems(webhookMessage) };
    },
  };
}

/** @see https://developer.pagerduty.com/docs/send-alert-event */
const pagerdutyEvent = ajv.compile({
  type: 'object',
  required: ['routing_key', 'event_action'],
  additionalProperties: false,
  properties: {
    routing_key: { type: 'string', minLength: 32, maxLength: 32 },
    event_action: { enum: ['trigger', 'acknowledge', 'resolve'] },
    dedup_key: { type: 'string', minLength: 1, maxLength: 255 },
    client: { type: 'string' },
    client_url: { type: 'string' },
    links: {
      type: 'array',
      items: {
        type: 'object',
        required: ['href'],
        additionalProperties: false,
        properties: { href: { type: 'string', pattern: '^https?://' }, text: { type: 'string' } },
      },
    },
    payload: {
      type: 'object',
      required: ['summary', 'source', 'severity'],
      additionalProperties: false,
      properties: {
        summary: { type: 'string', minLength: 1, maxLength: 1_024 },
        source: { type: 'string', minLength: 1 },
        severity: { enum: ['critical', 'error', 'warning', 'info'] },
        timestamp: { type: 'string' },
        component: { type: 'string' },
        group: { type: 'string' },
        class: { type: 'string' },
        custom_details: { type: 'object' },
      },
    },
  },
  allOf: [
    {
      if: { properties: { event_action: { const: 'trigger' } } },
      // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
      then: { required: ['payload'], properties: { payload: {} } },
      else: { required: ['dedup_key'], properties: { dedup_key: {} } },
    },
  ],
});

const routingKey = '0123456789abcdef0123456789abcdef';
/** PagerDuty's Events API v2, with the state of the alerts that it keeps. */
export function pagerdutyContract(): Contract & { readonly alerts: Map<string, string> } {
  const alerts = new Map<string, string>();
  return {
    alerts,
    secret: (base) => ({ url: `${base}/v2/enqueue`, routingKey }),
    answer(request) {
      if (request.path !== '/v2/enqueue') return { status: 404, body: '' };
      const event = parsed(request.body) as {
        routing_key?: string;
        event_action?: string;
        dedup_key?: string;
      };
      if (Buffer.byteLength(request.body) > 512 * 1024) return { status: 413, body: '' };
      const invalid = (errors: string) => ({
        status: 400,
        body: JSON.stringify({
          status: 'invalid event',
          message: 'Event object is invalid',
          errors: [errors],
        }),
      });
      if (!isJson(request) || !pagerdutyEvent(event)) return invalid(problems(pagerdutyEvent));
      if (event.routing_key !== routingKey) return invalid("'routing_key' is invalid");
      const { dedup_key: dedup = 'made-up' } = event as { dedup_key?: string };
      const before = alerts.get(dedup);
      if (event.event_action === 'trigger')
        alerts.set(dedup, before === 'acknowledged' ? before : 'triggered');
      else if (before === 'triggered' || before === 'acknowledged') {
        alerts.set(dedup, event.event_action === 'resolve' ? 'resolved' : 'acknowledged');
      }
      return {
        status: 202,
        body: JSON.stringify({ status: 'success', message: 'Event processed', dedup_key: dedup }),
      };
    },
  };
}

/** @see https://docs.opsgenie.com/docs/alert-api#create-alert */
const opsgenieAlert = ajv.compile({
  type: 'object',
  required: ['message'],
  additionalProperties: false,
  properties: {
    message: { type: 'string', minLength: 1, maxLength: 130 },
    alias: { type: 'string', maxLength: 512 },
    description: { type: 'string', maxLength: 15_000 },
    details: { type: 'object', additionalProperties: { type: 'string' } },
    entity: { type: 'string', maxLength: 512 },
    source: { type: 'string', maxLength: 100 },
    priority: { enum: ['P1', 'P2', 'P3', 'P4', 'P5'] },
    tags: { type: 'array', maxItems: 20, items: { type: 'string', maxLength: 50 } },
  },
});
const opsgenieAct = ajv.compile({
  type: 'object',
  additionalProperties: false,
  properties: {
    user: { type: 'string', maxLength: 100 },
    source: { type: 'string', maxLength: 100 },
    note: { type: 'string', maxLength: 25_000 },
  },
});

const apiKey = 'sentinel-opsgenie-api-key';
/** Opsgenie's Alert API, with the state of the alerts that it keeps. */
export function opsgenieContract(): Contract & { readonly alerts: Map<string, string> } {
  const alerts = new Map<string, string>();
  const taken = {
    status: 202,
    body: JSON.stringify({ result: 'Request will be processed', took: 0.1, requestId: 'r' }),
  };
  return {
    alerts,
    secret: (base) => ({ url: base, apiKey }),
    answer(request) {
      if (request.headers.authorization !== `GenieKey ${apiKey}`) {
        return { status: 401, body: JSON.stringify({ message: 'Could not authenticate' }) };
      }
      const url = new URL(request.path, 'https://receiver');
      const body = parsed(request.body);
      const act = /^\/v2\/alerts\/([^/]+)\/(close|acknowledge)$/.exec(url.pathname);
      if (act !== null) {
        if (url.searchParams.get('identifierType') !== 'alias') return { status: 422, body: '' };
        if (!opsgenieAct(body)) return { status: 422, body: problems(opsgenieAct) };
        const alias = decodeURIComponent(act[1] ?? '');
        if (alerts.has(alias)) alerts.set(alias, act[2] === 'close' ? 'closed' : 'acknowledged');
        return taken;
      }
      if (url.pathname !== '/v2/alerts') return { status: 404, body: '' };
      if (!isJson(request) || !opsgenieAlert(body)) return { status: 422, body: problems(opsgenieAlert) };
      alerts.set((body as { alias?: string }).alias ?? '', 'open');
      return taken;
    },
  };
}
