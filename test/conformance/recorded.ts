import type { IAMClient } from '@aws-sdk/client-iam';

type RequestHandler = IAMClient['config']['requestHandler'];

/** A call of an AWS API, as it was asked for and answered. */
export interface Call {
  readonly action: string;
  /** Databases and users that the request names. */
  readonly names: readonly string[];
  /** False until the API has granted it. */
  granted: boolean;
}

/** What in a request of the query protocol names the resource. */
const naming = /(?:Identifier|UserId|UserName)$/;

function read(body: unknown, path: string): Omit<Call, 'granted'> {
  const text = String(body ?? '');
  if (path.endsWith('/invocations')) {
    const { username } = JSON.parse(text) as { username?: string };
    return { action: 'Invoke', names: username === undefined ? [] : [username] };
  }
  const fields = new URLSearchParams(text);
  return {
    action: fields.get('Action') ?? 'unknown',
    names: [...fields].filter(([key, value]) => naming.test(key) && value !== '').map(([, value]) => value),
  };
}

/** Records what goes through a handler of requests that several clients share. */
export function recorded(handler: RequestHandler, calls: Call[]): RequestHandler {
  return new Proxy(handler, {
    get(of, property) {
      // Shared by all clients: one that ends must not cut off the others.
      if (property === 'destroy') return () => {};
      const member: unknown = Reflect.get(of, property, of);
      if (typeof member !== 'function') return member;
      if (property !== 'handle') return member.bind(of);
      return async (...parameters: unknown[]) => {
        const [{ body, path = '' }] = parameters as [{ body?: unknown; path?: string }];
        const call: Call = { ...read(body, path), granted: false };
        calls.push(call);
        const answer: { response: { statusCode: number } } = await member.apply(of, parameters);
        call.granted = answer.response.statusCode < 300;
        return answer;
      };
    },
  });
}

/** The calls that were granted, change something and name another than `own`. */
export const strangers = (calls: readonly Call[], own: readonly string[]): string[] =>
  calls
    .filter(({ granted, action }) => granted && !/^(?:Describe|List|Get)/.test(action))
    .flatMap(({ action, names }) =>
      names.filter((name) => !own.includes(name)).map((name) => `${action} ${name}`),
    );
