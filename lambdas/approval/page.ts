import { createHash, timingSafeEqual } from 'node:crypto';
import * as z from 'zod';
import { type LinkKey, readLink } from '../../core/approval/link.ts';
import { type ApprovalRequest, isExpired, requireMayAnswer } from '../../core/approval/request.ts';
import type { ApprovalRecord } from '../../core/approval/store.ts';
import { codes } from '../../core/errors/codes.ts';
import { RekeyError } from '../../core/errors/rekey-error.ts';
import { type AnswerDependencies, decide } from './answer.ts';
import { type Page, pageHeaders, pageHtml, type Rows } from './html.ts';
import { known } from './settle.ts';

/**
 * A request to a function's URL, as far as it is looked at.
 * @see https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html#urls-payloads
 */
const httpRequestSchema = z.object({
  requestContext: z.object({ http: z.object({ method: z.string() }) }),
  queryStringParameters: z.record(z.string(), z.string()).optional(),
  cookies: z.array(z.string()).optional(),
  body: z.string().max(20_000).optional(),
  isBase64Encoded: z.boolean().optional(),
});

/** The answer of a function to a request of a browser. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body: string;
}

export interface PageDependencies
  extends Pick<AnswerDependencies, 'store' | 'tasks' | 'bus' | 'origin' | 'approvers'> {
  readonly key: Pick<LinkKey, 'verify'>;
  /** Says whether one more request is looked at; see `core/pace/limiter.ts`. */
  readonly admit: () => boolean;
}

/** Cookie that holds the nonce of the form. The prefix lets no other host set it. */
const cookie = '__Host-rekey-approval';

const shown = (statusCode: number, page: Page, cookies?: readonly string[]): HttpResponse => ({
  statusCode,
  headers: pageHeaders,
  ...(cookies !== undefined && { cookies }),
  body: pageHtml(page),
});

/**
 * Serves the page behind a link. Looking at it decides nothing, since scanners of mails follow links; pressing a button does.
 * The form carries a nonce that stands in a cookie, too, so that nothing but this page can send it.
 */
export async function serveLink(input: unknown, dependencies: PageDependencies): Promise<HttpResponse> {
  if (!dependencies.admit()) {
    return shown(429, { title: 'Too many requests', text: 'Try again in a minute.' });
  }
  const request = httpRequestSchema.safeParse(input).data;
  const method = request?.requestContext.http.method;
  if (request === undefined || (method !== 'GET' && method !== 'HEAD' && method !== 'POST')) {
    return shown(405, { title: 'Not this way', text: 'Open the link that you were sent.' });
  }
  try {
    if (method !== 'POST') return await look(request.queryStringParameters?.t ?? '', dependencies);
    const sent = Buffer.from(request.body ?? '', request.isBase64Encoded === true ? 'base64' : 'utf8');
    return await press(new URLSearchParams(sent.toString()), request.cookies ?? [], dependencies);
  } catch (error) {
    if (!(error instanceof RekeyError) || !Object.hasOwn(codes.approval, error.code)) throw error;
    const text = `${error.message}. Nothing was decided by this. You can answer with rekey approval, too.`;
    return shown(error.code === 'LinkInvalid' ? 403 : 409, {
      title: titles[error.code] ?? 'Not possible',
      text,
    });
  }
}

const titles: Readonly<Record<string, string>> = {
  LinkInvalid: 'This link is not valid',
  ApprovalUnknown: 'This request is not there any more',
  ApproverIsAuthor: 'Another person must answer',
  ApproverNotNamed: 'You are not among those who may answer',
  ApprovalDecided: 'This request was answered before',
  ApprovalExpired: 'The time to answer has ended',
};

/** Reads the link, and finds the request that it is for. */
async function open(
  token: string,
  { key, store, origin, approvers }: PageDependencies,
): Promise<{ record: ApprovalRecord; approver: string }> {
  const { requestId, approver, expiresAt } = await readLink(token, origin.environment, key);
  const record = await known(store, requestId);
  if (record.request.expiresAt !== expiresAt) {
    throw new RekeyError('LinkInvalid', 'the link is of another request');
  }
  // A person whom the configuration names no more has no link any more, nor has the author.
  requireMayAnswer(record.request, { arn: '', name: approver }, approvers);
  return { record, approver };
}

async function look(token: string, dependencies: PageDependencies): Promise<HttpResponse> {
  const { record, approver } = await open(token, dependencies);
  const { origin } = dependencies;
  const { request, decision } = record;
  const rows = rowsOf(request, origin.environment);
  if (decision !== undefined || isExpired(request, origin.clock.now())) {
    const by = decision === undefined || decision.outcome === 'expired' ? undefined : decision.by.name;
    const title = by === undefined ? 'The time to answer has ended' : `This request was ${decision?.outcome}`;
    return shown(200, { title, text: by === undefined ? 'Nobody answered.' : `By ${by}.`, rows });
  }
  const nonce = Buffer.from(origin.random.bytes(24)).toString('base64url');
  const page = {
    title: `May this ${request.operation} go on?`,
    text: `${approver}, you were asked to decide. Your answer is recorded.`,
    rows,
    form: { token, nonce },
  };
  return shown(200, page, [`${cookie}=${nonce}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=900`]);
}

async function press(
  form: URLSearchParams,
  cookies: readonly string[],
  dependencies: PageDependencies,
): Promise<HttpResponse> {
  const nonce = cookies.find((one) => one.startsWith(`${cookie}=`))?.slice(cookie.length + 1) ?? '';
  if (nonce === '' || !same(nonce, form.get('nonce') ?? '')) {
    throw new RekeyError(
      'LinkInvalid',
      'the form was not sent from this page, or too late; open the link again',
    );
  }
  const { record, approver } = await open(form.get('token') ?? '', dependencies);
  const outcome = form.get('outcome');
  const reason = (form.get('reason') ?? '').trim();
  if ((outcome !== 'granted' && outcome !== 'refused') || reason.length > 1_024) {
    throw new RekeyError('LinkInvalid', 'the form is incomplete');
  }
  const { id, operation } = record.request;
  if (record.decision !== undefined && record.decision.outcome !== 'expired') {
    // A link counts once, also for the same answer.
    throw new RekeyError(
      'ApprovalDecided',
      `${id} was ${record.decision.outcome} by ${record.decision.by.name}`,
    );
  }
  await decide(
    id,
    {
      outcome,
      by: { name: approver },
      way: 'link',
      ...(reason !== '' && { reason }),
      at: dependencies.origin.clock.now().toISOString(),
    },
    dependencies,
  );
  return shown(200, {
    title: outcome === 'granted' ? 'Approved' : 'Refused',
    text: `The ${operation} ${outcome === 'granted' ? 'goes on' : 'is not done'}. You may close this page.`,
    rows: rowsOf(record.request, dependencies.origin.environment),
  });
}

/** Compares two texts in a time that tells nothing of where they differ. */
function same(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

const rowsOf = (request: ApprovalRequest, environment: string): Rows => [
  ['Environment', environment],
  ['Operation', `${request.operation}, ${request.act}`],
  ['Subject', request.subject],
  ['Asked by', request.author.arn],
  ['Reason', request.reason],
  ['Until', `${request.expiresAt}, then it ${request.onExpiry === 'proceed' ? 'goes on' : 'is refused'}`],
];
