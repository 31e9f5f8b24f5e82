import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpSecret } from '../../../rotators/http/schema.ts';
import { type Answer, type StandIn, startStandIn } from './stand-in.ts';

/** A request as the vendor documents it. `<name>`, `<prefix>`, `<day>` and `<time>` stand for what is new each time. */
export interface Documented {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Fixture {
  readonly secret: HttpSecret;
  readonly admin: HttpSecret;
  /** What the vendor issues, as it must stand in the secret. */
  readonly made: Readonly<Record<string, string>>;
  readonly adminHeaders: Readonly<Record<string, string>>;
  readonly ownHeaders?: Readonly<Record<string, string>>;
  readonly token?: { readonly request: Documented; readonly answer: Answer };
  readonly list?: { readonly request: Documented; readonly answer: Answer };
  readonly create: { readonly request: Documented; readonly answer: Answer };
  readonly test: {
    readonly request: Documented;
    readonly headers?: Readonly<Record<string, string>>;
    readonly accepted: Answer;
    readonly rejected: Answer;
  };
  readonly disable?: Removal;
  readonly revoke: Removal;
}

interface Removal {
  readonly request: Documented;
  readonly done: Answer;
  readonly gone: Answer;
}

const folder = join(import.meta.dirname, 'vendors');
/** What the vendor of each recipe documents, by the name of the recipe. */
export const fixtures = new Map(
  readdirSync(folder).map((file) => {
    const fixture: Fixture = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    return [file.replace(/\.json$/, ''), fixture] as const;
  }),
);
/** The version that the next credential is made for. */
export const token = '11111111-2222-4333-8444-555555555555';

/** Stands in for the hosts of all vendors. */
export async function startVendors(): Promise<StandIn> {
  const requests = [...fixtures.values()].flatMap(
    ({ token: oauth, list, create, test: trial, disable, revoke }) =>
      [oauth, list, create, trial, disable, revoke].flatMap((part) =>
        part === undefined ? [] : [part.request],
      ),
  );
  return await startStandIn([...new Set(requests.map(({ host }) => host))]);
}
