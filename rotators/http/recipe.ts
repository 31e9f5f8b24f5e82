import * as z from 'zod';
import { pointerPattern } from './pointer.ts';
import { unavailableStatuses } from './statuses.ts';

/**
 * A recipe: one kind of API token, how it is made, tried and revoked, as data. `docs/secret-types/http.md` says how to write one.
 * Texts may hold `{{name}}`; see `template.ts` for the names.
 */

const key = z
  .string()
  .regex(/^[a-z][A-Za-z0-9]{0,63}$/, 'must be letters and digits, beginning with a small letter');
const text = z.string().min(1);
const pointer = z.string().regex(pointerPattern, 'must be a JSON pointer such as /data/id');
const status = z.int().min(100).max(599);
const headers = z.record(z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'must be a header name'), text);
const httpsUrl = z.string().startsWith('https://', 'must begin with https://');

/** Answers that mean one thing. The status is one of these; where `at` is given, a value there is one of `is`, or like `like`. */
const answers = z.array(
  z.strictObject({
    status: z.array(status).min(1),
    at: pointer.optional(),
    is: z
      .array(z.union([z.string(), z.number(), z.boolean()]))
      .min(1)
      .optional(),
    /** Regular expression that the text there matches. */
    like: z.string().refine(isPattern, 'must be a regular expression').optional(),
  }),
);

const authentication = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bearer'), token: text }),
  z.strictObject({ kind: z.literal('basic'), username: text, password: text }),
  z.strictObject({ kind: z.literal('headers'), headers }),
  /** Client credentials grant (RFC 6749, section 4.4). The token that comes back is sent as a bearer token. */
  z.strictObject({
    kind: z.literal('oauth2'),
    url: httpsUrl,
    clientId: text,
    clientSecret: text,
    /** Way of authenticating the client: HTTP Basic, or as fields of the form. */
    sendAs: z.enum(['basic', 'form']),
    /** Further fields of the form, such as `scope`. */
    form: z.record(text, text).default({}),
  }),
  /** Login with a JSON body. The token in its answer is `{{login.token}}` in the headers of the requests. */
  z.strictObject({
    kind: z.literal('login'),
    url: httpsUrl,
    json: z.json(),
    token: pointer,
    headers: headers.default({ Authorization: 'Bearer {{login.token}}' }),
  }),
]);

const request = {
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  url: httpsUrl,
  headers: headers.default({}),
  /** JSON body; a text that is one template alone takes the type of its value. */
  json: z.json().optional(),
  /** Form body. */
  form: z.record(text, text).optional(),
};

const removal = z.strictObject({
  ...request,
  /** Answers that say that it was done by this request. */
  done: answers.min(1),
  /** Answers that say that there was nothing to do: the credential is gone. */
  gone: answers.default([]),
});

const parameter = z.strictObject({
  description: text,
  /**
   * Type of the value. `host` is a host name with or without a port; `list` an array of texts; `json` any array or object that is
   * not empty.
   */
  type: z.enum(['text', 'host', 'integer', 'list', 'json']).default('text'),
  /** Pattern that a text, a host name or each text of a list must match, from beginning to end. */
  pattern: z.string().optional(),
  minimum: z.int().optional(),
  maximum: z.int().optional(),
  /** Value where the secret has no such key. */
  default: z.json().optional(),
  /**
   * True if it may be left out without a default. A JSON field or a header that is this parameter alone is then left out as well.
   */
  optional: z.boolean().default(false),
});

/** Reads the form of a recipe; `recipe-rules.ts` says what the form leaves open. */
export const recipeSchema = z.strictObject({
  title: text,
  /** Name of the service, which admin secrets give; recipes of one service share them. */
  service: z.string().regex(/^[a-z][a-z0-9-]{1,63}$/),
  /** The vendor's own pages that the recipe follows. */
  documentation: z.array(httpsUrl).min(1),
  /** Systems that it was run against, said as it is. */
  verifiedOn: text,
  parameters: z.record(key, parameter).default({}),
  credential: z.strictObject({
    /** Keys of the secret's JSON: the one that the service knows the credential by, and the value itself. */
    id: key,
    secret: key,
  }),
  admin: z.strictObject({
    /** Keys of the admin secret besides `service` and parameters. */
    fields: z.record(key, z.strictObject({ description: text, secret: z.boolean() })),
    /** The permission that it needs, in the service's own words; errors name it. */
    permission: text,
    /** Event that ends its credential by itself, in words that follow "it ends". */
    ends: text.optional(),
    authentication,
  }),
  /** Authentication of a credential that makes its successor, where the service allows that and there is no admin. */
  own: z.strictObject({ permission: text, authentication }).optional(),
  create: z.strictObject({
    ...request,
    done: answers.min(1),
    /** Answers that say that there is room for no other credential. */
    full: answers.default([]),
    /** Answers that say that nothing was made, since something else was being changed. The whole step is then tried again. */
    busy: answers.default([]),
    /** Keys of the secret's JSON → where the value of each stands in the answer. */
    answer: z.record(key, pointer),
  }),
  test: z.strictObject({
    ...request,
    authentication: authentication.optional(),
    accepted: answers.min(1),
    rejected: answers.min(1),
    /** Place in the answer that says which credential it was, by the same id. */
    id: pointer.optional(),
  }),
  /**
   * Request for the credentials that there are. `name` is what create calls `{{rekey.name}}`. Where the service has no names,
   * `room` is how many there may be, and `created` tells when each was made.
   */
  list: z
    .strictObject({
      ...request,
      items: pointer,
      id: pointer,
      name: pointer.optional(),
      created: pointer.optional(),
      room: z.int().min(1).optional(),
      /** The service leaves the list out where it is empty, with status 200. */
      omitsEmpty: z.boolean().default(false),
      /** Answers that stand for an empty list, where the service sends no such list. */
      empty: answers.default([]),
      next: z
        .discriminatedUnion('by', [
          /** `Link: <…>; rel="next"` (RFC 8288). */
          z.strictObject({ by: z.literal('link') }),
          /** A URL or path in the answer. */
          z.strictObject({ by: z.literal('url'), at: pointer }),
          /** A word in the answer that goes into the query, while `more` is true. */
          z.strictObject({ by: z.literal('cursor'), parameter: text, at: pointer, more: pointer }),
          /** The number of the page in the query; a page with fewer than `size` items is the last. */
          z.strictObject({
            by: z.literal('page'),
            parameter: text,
            size: z.int().min(1),
            first: z.int().default(1),
          }),
        ])
        .optional(),
    })
    .optional(),
  /** Turns the credential off so that a person can turn it on again. A recipe without it revokes at once. */
  disable: removal.optional(),
  /** Removes the credential for good; after `disable`, where there is that. */
  revoke: removal,
  retry: z
    .strictObject({
      /** Times that a request is sent at the most. */
      attempts: z.int().min(1).max(5).default(3),
      /** Statuses after which it is sent again; create only after 429, which says that nothing was done. */
      statuses: z.array(status).default([...unavailableStatuses]),
      /** Header that says when, besides `Retry-After`. */
      after: z.strictObject({ header: text, as: z.enum(['seconds', 'epoch']) }).optional(),
    })
    .prefault({}),
  /** Seconds that a new credential may take to be accepted, and a revoked one to be refused. */
  settleSeconds: z.int().min(0).max(25).default(5),
  /**
   * Number of such answers in a row that count, a second apart. It is more than one where replicas hear of a change one by one.
   */
  settleAnswers: z.int().min(1).max(5).default(1),
  /** Places of the service's error code in an answer, tried in order. Only short words are ever quoted. */
  errorCodes: z.array(pointer).default([]),
  /** Words for what revocation ends at the service, for the record. */
  revocation: text,
  /** Notes that a user must know. */
  notes: z.array(text).default([]),
});

export type Recipe = z.output<typeof recipeSchema>;
export type Parameter = z.output<typeof parameter>;
export type Authentication = z.output<typeof authentication>;
export type Answers = z.output<typeof answers>;
export type Removal = z.output<typeof removal>;

/** The parts that all requests of recipes have. */
export interface RecipeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly json?: z.core.util.JSONType | undefined;
  readonly form?: Readonly<Record<string, string>> | undefined;
}

/** Tells whether a text is a regular expression. */
export function isPattern(pattern: string): boolean {
  try {
    new RegExp(pattern, 'u');
    return true;
  } catch {
    return false;
  }
}
