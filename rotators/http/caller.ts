import { setTimeout as sleep } from 'node:timers/promises';
import { SecretError, TargetError } from '../../core/errors/rekey-error.ts';
import type { TargetContext } from '../../core/rotator.ts';
import type { Authority } from './authority.ts';
import { endOfAdmin } from './expiry.ts';
import { valueAt } from './pointer.ts';
import type { Answers, Authentication, Recipe, RecipeRequest } from './recipe.ts';
import type { RecipeContext } from './recipe-context.ts';
import { loginToken } from './recipe-rules.ts';
import type { Credential } from './schema.ts';
import { unavailableStatuses } from './statuses.ts';
import {
  fill,
  fillForm,
  fillJson,
  fillUrl,
  isLeftOut,
  UrlUnfit,
  ValueMissing,
  type Values,
} from './template.ts';
import { type HttpAnswer, type HttpRequest, OutcomeUnknown, type Transport } from './transport.ts';

/** Names of a recipe's requests, as errors have them. */
export type RequestName = 'create' | 'test' | 'list' | 'disable' | 'revoke' | 'token';

/** The options of one request. */
export interface CallOptions {
  readonly name: RequestName;
  readonly values: Values;
  /** Authority that it is done by; left out where the request itself carries all it needs. */
  readonly by?: Authority | { readonly authentication: Authentication; readonly values: Values };
  /** URL in place of the recipe's: a further page. */
  readonly url?: URL;
  /** Most attempts. Default: those of the recipe. */
  readonly attempts?: number;
}

const unavailable: ReadonlySet<number> = new Set(unavailableStatuses);
const firstWaitMs = 500;
const codePattern = /^[A-Za-z][A-Za-z_]{1,39}$|^[A-Z]{0,8}\d{1,10}$/;
/** Shortest value that may be a secret: a shorter one may well be part of a code. */
const shortestEcho = 8;
/**
 * Limit of one call of the rotator, all requests and waits together, in statement timeouts. A step makes two calls at the most.
 */
const wholeTimeouts = 2.8;

/** Sends the requests of one recipe for one call of the rotator, within one limit of time. */
export class Caller {
  readonly recipe: Recipe;
  readonly trialPauseMs: number;
  readonly #context: TargetContext;
  readonly #transport: Transport;
  readonly #deadline: number;
  readonly #tokens = new Map<Authentication, string>();

  constructor(
    { recipe }: Pick<Credential, 'recipe'>,
    context: TargetContext,
    { transport, trialPauseMs }: Pick<RecipeContext, 'transport' | 'trialPauseMs'>,
  ) {
    this.recipe = recipe;
    this.trialPauseMs = trialPauseMs;
    this.#context = context;
    this.#transport = transport;
    this.#deadline = performance.now() + wholeTimeouts * context.statementTimeoutMs;
  }

  /**
   * Sends a request and returns the answer, whatever its status. It is sent again where the recipe's rules say so.
   * @throws TargetError, {@link OutcomeUnknown}
   * @throws SecretError `SecretValueInvalid` when the secret lacks a value
   */
  async send(request: RecipeRequest, options: CallOptions): Promise<HttpAnswer> {
    const { retry } = this.recipe;
    const attempts = options.attempts ?? retry.attempts;
    const ready = await this.#prepare(request, options);
    for (let attempt = 1; ; attempt += 1) {
      const begun = performance.now();
      const outcome = await this.#attempt(ready, options);
      // What took long to fail has used up the time that another attempt would need; the whole step is tried again.
      const quick = performance.now() - begun < this.#context.connectTimeoutMs / 2;
      const again = quick && attempt < attempts && this.#mayRepeat(outcome, options.name);
      const waitMs = again ? this.#waitMs(outcome, attempt) : undefined;
      if (waitMs !== undefined && performance.now() + waitMs < this.#deadline) {
        await sleep(waitMs);
      } else if (outcome instanceof TargetError) {
        throw outcome;
      } else {
        return outcome;
      }
    }
  }

  /** Waits within the limit of time. It gives false when there is too little left. */
  async pause(milliseconds: number): Promise<boolean> {
    if (performance.now() + milliseconds >= this.#deadline) return false;
    await sleep(milliseconds);
    return true;
  }

  /** Gives the text that errors begin with: `create at gitlab.example.com`. */
  where(name: RequestName, url: URL): string {
    return `${name} at ${url.host}`;
  }

  /** Gives the text that errors say of an answer: `create at gitlab.example.com: answered 409 (CODE)`. */
  answered(
    answer: HttpAnswer,
    url: URL,
    { name, ...sent }: Pick<CallOptions, 'name'> & Partial<CallOptions>,
  ): string {
    return `${this.where(name, url)}: answered ${answer.status}${this.#errorCode(answer, sent)}`;
  }

  /**
   * Makes the error for an answer that the recipe has no other meaning for. It quotes the status and the service's error code. It
   * never quotes the answer's text, which may hold what was sent.
   */
  refusal(
    answer: HttpAnswer,
    url: URL,
    { name, ...sent }: Pick<CallOptions, 'name'> & Partial<CallOptions>,
  ): TargetError | SecretError {
    const answered = this.answered(answer, url, { name, ...sent });
    const { by } = sent;
    const authority = by !== undefined && 'permission' in by ? by : undefined;
    if (answer.status === 401 && authority?.own === true) {
      return new SecretError(
        'CredentialUnusable',
        `${answered}, so the current credential is refused; name an admin secret in "masterarn" (${this.recipe.admin.permission})`,
      );
    }
    if (answer.status === 401) {
      const who = authority === undefined ? 'the credential' : 'the credential of the admin secret';
      const end = authority === undefined ? '' : endOfAdmin(authority, this.recipe);
      return new TargetError('AuthenticationRefused', `${answered}, so ${who} is refused${end}`);
    }
    if (answer.status === 403 && authority !== undefined) {
      const who = authority.own ? 'the credential itself' : 'the admin secret';
      return new TargetError('PermissionMissing', `${answered}; ${who} needs: ${authority.permission}`);
    }
    if (unavailable.has(answer.status)) {
      const after = answer.headers['retry-after'];
      const hint = typeof after === 'string' && /^\d{1,9}$/.test(after) ? `; it asks to wait ${after} s` : '';
      const code = answer.status === 429 ? 'TargetBusy' : 'TargetUnreachable';
      return new TargetError(code, `${answered}${hint}; try again later`);
    }
    return new TargetError(
      'TargetRefused',
      `${answered}, which the recipe does not expect; compare the secret's keys with the recipe`,
    );
  }

  /** Gives the URL that a request goes to; for errors. */
  url(request: RecipeRequest, { name, values, url }: CallOptions): URL {
    return url ?? this.#filled(name, () => fillUrl(request.url, values));
  }

  async #prepare(request: RecipeRequest, options: CallOptions): Promise<HttpRequest> {
    const { name, values, by } = options;
    const url = this.url(request, options);
    const signed = by === undefined ? {} : await this.#authenticate(by);
    return this.#filled(name, () => {
      const headers = {
        ...(request.json !== undefined && { 'content-type': 'application/json' }),
        ...(request.form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...filledHeaders(request.headers, values),
        ...signed,
      };
      const body =
        request.json !== undefined
          ? JSON.stringify(fillJson(request.json, values))
          : request.form && fillForm(request.form, values);
      return { method: request.method, url, headers, ...(body !== undefined && { body }) };
    });
  }

  async #attempt(request: HttpRequest, { name }: CallOptions): Promise<HttpAnswer | TargetError> {
    const left = Math.max(1, Math.ceil(this.#deadline - performance.now()));
    const exchange = {
      ...this.#context,
      connectTimeoutMs: Math.min(this.#context.connectTimeoutMs, left),
      statementTimeoutMs: Math.min(this.#context.statementTimeoutMs, left),
      where: this.where(name, request.url),
    };
    try {
      return await this.#transport(request, exchange);
    } catch (error) {
      if (error instanceof TargetError) return error;
      throw error;
    }
  }

  /**
   * Tells whether a request may be sent again. One that creates is sent twice only if it is certain that it did nothing the first
   * time.
   */
  #mayRepeat(outcome: HttpAnswer | TargetError, name: RequestName): boolean {
    if (outcome instanceof TargetError) {
      return outcome.retryable && !(name === 'create' && outcome instanceof OutcomeUnknown);
    }
    return name === 'create' ? outcome.status === 429 : this.recipe.retry.statuses.includes(outcome.status);
  }

  #waitMs(outcome: HttpAnswer | TargetError, attempt: number): number {
    const backoff = firstWaitMs * 2 ** (attempt - 1);
    if (outcome instanceof TargetError) return backoff;
    return Math.max(backoff, this.#askedWaitMs(outcome) ?? 0);
  }

  #askedWaitMs({ headers }: HttpAnswer): number | undefined {
    const after = headers['retry-after'];
    if (after !== undefined) {
      const seconds = Number(after);
      const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(after) - Date.now();
      if (!Number.isNaN(ms)) return ms;
    }
    const rule = this.recipe.retry.after;
    const value = rule === undefined ? Number.NaN : Number(headers[rule.header.toLowerCase()] ?? Number.NaN);
    if (rule === undefined || !Number.isFinite(value)) return undefined;
    return rule.as === 'seconds' ? value * 1000 : value * 1000 - Date.now();
  }

  /** Reads the service's error code, if it is a short word or number and nothing of what was sent. */
  #errorCode({ body }: HttpAnswer, { values, by }: Partial<Pick<CallOptions, 'values' | 'by'>>): string {
    const sent = [
      ...(values?.values() ?? []),
      ...(by?.values.values() ?? []),
      ...this.#tokens.values(),
    ].filter((value) => typeof value === 'string');
    for (const pointer of this.recipe.errorCodes) {
      const code = valueAt(body, pointer);
      if (typeof code === 'number' && Number.isSafeInteger(code)) return ` (${code})`;
      if (typeof code !== 'string' || !codePattern.test(code)) continue;
      const isEcho = sent.some(
        (value) => value.includes(code) || (value.length >= shortestEcho && code.includes(value)),
      );
      if (!isEcho) return ` (${code})`;
    }
    return '';
  }

  async #authenticate(by: NonNullable<CallOptions['by']>): Promise<Record<string, string>> {
    const { authentication, values } = by;
    if (authentication.kind === 'oauth2' || authentication.kind === 'login') {
      let token = this.#tokens.get(authentication);
      token ??= await this.#token(authentication, by);
      this.#tokens.set(authentication, token);
      if (authentication.kind === 'oauth2') return { authorization: `Bearer ${token}` };
      const { headers } = authentication;
      const known = new Map([...values, [loginToken, token]]);
      return this.#filled('token', () => filledHeaders(headers, known));
    }
    return this.#filled('token', () => {
      switch (authentication.kind) {
        case 'bearer':
          return filledHeaders({ authorization: `Bearer ${authentication.token}` }, values);
        case 'basic':
          return {
            authorization: basic(
              fill(authentication.username, values),
              fill(authentication.password, values),
            ),
          };
        case 'headers':
          return filledHeaders(authentication.headers, values);
      }
    });
  }

  /** Gets an access token. It is kept for this call alone, and sent only to the hosts of the recipe. */
  async #token(
    authentication: TokenAuthentication,
    whose: Pick<Authority, 'values' | 'expiresAt'>,
  ): Promise<string> {
    const { values } = whose;
    const { request, by, at } = tokenRequest(authentication, values);
    const options = { name: 'token', values, ...(by !== undefined && { by }) } as const;
    const answer = await this.send(request, options);
    const isGiven = answer.status === 200 || (authentication.kind === 'login' && answer.status === 201);
    const token = isGiven ? valueAt(answer.body, at) : undefined;
    if (typeof token === 'string' && fitsHeader(token) && token !== '') return token;
    const to = this.url(request, options);
    if (answer.status === 400 || answer.status === 401) {
      const who = authentication.kind === 'login' ? 'user' : 'client';
      const ended = endOfAdmin(whose, this.recipe);
      throw new TargetError(
        'AuthenticationRefused',
        `${this.where('token', to)}: answered ${answer.status}${this.#errorCode(answer, options)}, so the ${who} of the admin secret gets no access token${ended}`,
      );
    }
    throw this.refusal(answer, to, options);
  }

  #filled<T>(name: RequestName, fillAll: () => T): T {
    try {
      return fillAll();
    } catch (error) {
      if (error instanceof ValueMissing) throw this.#unfit(name, `has no ${error.variable}`);
      if (error instanceof UrlUnfit)
        throw this.#unfit(name, 'holds a value that would change where a request goes');
      if (error instanceof HeaderUnfit)
        throw this.#unfit(name, `holds a value that cannot be sent in ${error.message}`);
      throw error;
    }
  }

  #unfit(name: RequestName, fault: string): SecretError {
    return new SecretError(
      'SecretValueInvalid',
      `the secret, or its admin secret, ${fault}; the request ${name} of "${this.recipe.title}" was not sent`,
    );
  }
}

type TokenAuthentication = Extract<Authentication, { kind: 'oauth2' | 'login' }>;

/** Makes the request that asks for an access token, and says where the token stands in its answer. */
function tokenRequest(
  authentication: TokenAuthentication,
  values: Values,
): { readonly request: RecipeRequest; readonly by?: CallOptions['by']; readonly at: string } {
  const { url } = authentication;
  if (authentication.kind === 'login') {
    const { json, token } = authentication;
    return { request: { method: 'POST', url, headers: {}, json }, at: token };
  }
  const { clientId, clientSecret, sendAs, form } = authentication;
  const client = sendAs === 'form' ? { client_id: clientId, client_secret: clientSecret } : {};
  const request: RecipeRequest = {
    method: 'POST',
    url,
    headers: {},
    form: { grant_type: 'client_credentials', ...client, ...form },
  };
  const basicAuthentication = { kind: 'basic', username: clientId, password: clientSecret } as const;
  return {
    request,
    at: '/access_token',
    ...(sendAs === 'basic' && { by: { authentication: basicAuthentication, values } }),
  };
}

/** Tells whether an answer is one of these. */
export function matches(answers: Answers, { status, body }: HttpAnswer): boolean {
  return answers.some(({ status: statuses, at, is, like }) => {
    if (!statuses.includes(status)) return false;
    const value = at === undefined ? undefined : valueAt(body, at);
    if (is !== undefined) return is.some((expected) => expected === value);
    if (like !== undefined) return typeof value === 'string' && new RegExp(like, 'u').test(value);
    return at === undefined || value !== undefined;
  });
}

/** A value that cannot be sent in the header that the message names. */
class HeaderUnfit extends Error {}

const fitsHeader = (value: string): boolean => /^[\t\x20-\x7e]*$/.test(value);

function filledHeaders(templates: Readonly<Record<string, string>>, values: Values): Record<string, string> {
  return Object.fromEntries(
    Object.entries(templates)
      .filter(([, template]) => !isLeftOut(template, values))
      .map(([name, template]) => {
        const value = fill(template, values);
        if (!fitsHeader(value)) throw new HeaderUnfit(name);
        return [name.toLowerCase(), value];
      }),
  );
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
