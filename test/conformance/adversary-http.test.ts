import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { systemRandom } from '../../adapters/system.ts';
import { containLeaks } from '../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../lambdas/revocation/proof.ts';
import { issueCertificate } from '../../local/servers/certificates.ts';
import { recipeBook } from '../../rotators/http/recipe-book.ts';
import { httpRotator } from '../../rotators/http/rotator.ts';
import { outcome } from '../chaos/histories.ts';
import { Rotations } from '../chaos/secrets-manager.ts';
import { engine, MemoryBus, noDatabases } from '../lambdas/rotation/engine.ts';
import { MemoryStore } from '../lambdas/rotation/memory-store.ts';
import { propertyRuns } from '../property-runs.ts';
import { startTokenService, type TokenService } from '../rotators/http/token-service.ts';

/**
 * Somebody who may write the secret of an API token, and read none, changes its fields in any version between any two steps,
 * and has a service of their own with a good certificate. They must be sent no token that works, and no token of others may be
 * revoked.
 */

type Secret = Record<string, unknown>;
interface Fields {
  readonly host?: 'real' | 'his';
  readonly id?: 'own' | 'neighbour' | 'stranger';
  readonly project?: 'own' | 'other';
  readonly masterarn?: 'admin' | 'none';
  readonly createdAs?: 'rekey' | 'none';
}
type Move =
  | { readonly kind: 'step' }
  | { readonly kind: 'rotation' }
  | { readonly kind: 'revocation'; readonly rotate: boolean }
  | { readonly kind: 'write'; readonly label: string; readonly fields: Fields };

const moves = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: fc.constant<Move>({ kind: 'step' }) },
    { weight: 3, arbitrary: fc.constant<Move>({ kind: 'rotation' }) },
    { weight: 2, arbitrary: fc.boolean().map((rotate): Move => ({ kind: 'revocation', rotate })) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('write' as const),
        label: fc.constantFrom('AWSCURRENT', 'AWSCURRENT', 'AWSPENDING', 'AWSPREVIOUS', 'his-own'),
        fields: fc.record(
          {
            host: fc.constantFrom('real' as const, 'his' as const),
            id: fc.constantFrom('own' as const, 'neighbour' as const, 'stranger' as const),
            project: fc.constantFrom('own' as const, 'other' as const),
            masterarn: fc.constantFrom('admin' as const, 'none' as const),
            createdAs: fc.constantFrom('rekey' as const, 'none' as const),
          },
          { requiredKeys: [] },
        ),
      }),
    },
  ),
  { minLength: 2, maxLength: 9 },
);

const arn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:app-AbCdEf';
const adminArn = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:admin-GhIjKl';

let service: TokenService;
let his: { readonly host: string; heard(): string; stop(): Promise<void> };

/** A service that takes every request for a success, and keeps what it is sent. */
async function startHis(): Promise<typeof his> {
  const heard: string[] = [];
  const server = createServer(await issueCertificate(service.authority), async (request, response) => {
    heard.push(JSON.stringify(request.headers));
    for await (const chunk of request) heard.push(String(chunk));
    const status = { POST: 201, DELETE: 204 }[request.method ?? ''] ?? 200;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(
      status === 204 ? '' : JSON.stringify({ id: 'tok/1', value: 'made by him', tokens: [], next: null }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `localhost:${(server.address() as AddressInfo).port}`,
    heard: () => heard.join('\n'),
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

beforeAll(async () => {
  service = await startTokenService();
  his = await startHis();
});
afterAll(async () => {
  await his.stop();
  await service.stop();
});

/** The service's own recipe; as it is, where tokens make their successors, and where nothing says which one a token is. */
const forms = [
  { own: false, says: true },
  { own: false, says: false },
  { own: true, says: true },
  { own: true, says: false },
] as const;
type Form = (typeof forms)[number];

async function rotatorOf({ own, says }: Form) {
  const recipe = JSON.parse(
    await readFile(join(import.meta.dirname, '../rotators/http/token-service.json'), 'utf8'),
  );
  const { id: _id, ...silent } = recipe.test;
  const bearer = { kind: 'bearer', token: '{{token}}' };
  const recipes = recipeBook({
    'test-token': {
      ...recipe,
      settleSeconds: 0,
      test: says ? recipe.test : silent,
      ...(own && { own: { permission: 'all scopes', authentication: bearer } }),
    },
  });
  return httpRotator({ recipes, runLivesMs: 0, trialPauseMs: 1 });
}

async function play(history: readonly Move[], form: Form): Promise<readonly string[]> {
  const rotator = await rotatorOf(form);
  const host = `localhost:${service.port}`;
  const story = `story-${service.tokens.size}-${service.log.length}`;
  const [project, other] = [`${story}-own`, `${story}-other`];
  const given = service.issue(project);
  const neighbour = service.issue(project, 'rekey-of another secret');
  const stranger = service.issue(other);
  const admin = `admin-of-${story}`;
  const scopes = new Set(['tokens:read', 'tokens:write', 'tokens:revoke']);
  service.admins.set(admin, scopes);
  const ownTokens = () => [...service.tokens.values()].filter((token) => token.project === project);
  const allow = () => {
    if (form.own) for (const { value } of ownTokens()) service.admins.set(value, scopes);
  };
  allow();
  const masterarn = form.own ? {} : { masterarn: adminArn };
  const first: Secret = {
    recipe: 'test-token',
    host,
    project,
    scopes: ['read'],
    id: given.id,
    token: given.value,
  };
  const store = new MemoryStore();
  store.create(arn, JSON.stringify({ ...first, ...masterarn }));
  store.create(adminArn, JSON.stringify({ service: 'test-tokens', host, token: admin }));
  const target = {
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 5_000,
    certificateAuthorities: [service.authority.cert],
    allowPrivateAddresses: true,
  };
  let made = 0;
  const serial = (): number => {
    made += 1;
    return made;
  };
  const guesses = new Set<string>();

  const write = ({ label, fields }: Extract<Move, { kind: 'write' }>) => {
    const guess = `a guess of his ${serial()}`;
    guesses.add(guess);
    const ids = { own: given.id, neighbour: neighbour.id, stranger: stranger.id };
    const value: Secret = {
      ...first,
      ...masterarn,
      token: guess,
      ...(fields.host === 'his' && { host: his.host }),
      ...(fields.id && { id: ids[fields.id] }),
      ...(fields.project === 'other' && { project: other }),
      ...(fields.masterarn && { masterarn: fields.masterarn === 'admin' ? adminArn : undefined }),
      ...(fields.createdAs === 'rekey' && { createdAs: 'rekey-a guess of his' }),
    };
    const id = `his-${serial()}`;
    const holder = store.peek(arn, 'AWSCURRENT')?.versionId ?? '';
    store.put(arn, id, JSON.stringify(value));
    if (label === 'AWSCURRENT') return;
    store.label(arn, 'AWSCURRENT', holder);
    store.label(arn, label, id);
  };
  const rotations = new Rotations({
    arn,
    store,
    invoke: async ({ step, token }) => {
      const lifecycle = engine({ rotator: rotator as never, store, strategy: 'single-user', target });
      const failure = await outcome(lifecycle.run({ Step: step, SecretId: arn, ClientRequestToken: token }));
      allow();
      return failure;
    },
  });
  const revocation = async (rotate: boolean) => {
    const input = {
      requestId: 'r1',
      correlationId: 'r1',
      secretArn: arn,
      secretName: 'app',
      named: false,
      versions: store.ids(arn),
      assigned: null,
    };
    const dependencies = {
      rotator,
      strategy: 'single-user' as const,
      store,
      bus: new MemoryBus(),
      databases: noDatabases,
      origin: {
        source: 'rekey.containment' as const,
        environment: 'test',
        actor: 'test',
        random: systemRandom,
        clock: { now: () => new Date() },
      },
      target,
      wait: async () => undefined,
    };
    await containLeaks({ ...input, action: 'contain' }, dependencies).catch(() => undefined);
    if (!rotate) return;
    await rotations.rotation(undefined);
    const newVersionId = store.peek(arn, 'AWSCURRENT')?.versionId;
    const after = { ...input, newVersionId, rotatedAt: new Date().toISOString() };
    await containLeaks({ ...after, action: 'contain' }, dependencies).catch(() => undefined);
    await verifyLeaks({ ...after, action: 'verify' }, dependencies).catch(() => undefined);
  };

  const faults: string[] = [];
  const working = () => [
    admin,
    ...[...service.tokens.values()]
      .filter(({ project: of }) => of.startsWith(story))
      .map(({ value }) => value),
  ];
  for (const [index, move] of history.entries()) {
    const before = working();
    if (move.kind === 'write') write(move);
    else if (move.kind === 'step') await rotations.step(undefined);
    else if (move.kind === 'rotation') await rotations.rotation(undefined);
    else await revocation(move.rotate);
    const when = `${index}. ${JSON.stringify(move)}`;
    const heard = his.heard();
    for (const value of new Set([...before, ...working()])) {
      if (heard.includes(value)) faults.push(`${when}: he was sent a token that works`);
    }
    if (!service.tokens.has(neighbour.id)) faults.push(`${when}: the neighbour's token was revoked`);
    if (!service.tokens.has(stranger.id)) faults.push(`${when}: the stranger's token was revoked`);
    if (faults.length > 0) break;
  }
  return faults;
}

const at = (fields: Fields, label = 'AWSCURRENT'): Move => ({ kind: 'write', label, fields });
const found: readonly (readonly Move[])[] = [
  [at({ host: 'his' }), { kind: 'rotation' }, { kind: 'revocation', rotate: true }],
  // A version beside the one in use, at his service.
  [at({ host: 'his' }, 'his-own'), { kind: 'revocation', rotate: true }],
  [at({ host: 'his', masterarn: 'none' }, 'AWSPREVIOUS'), { kind: 'revocation', rotate: false }],
  // The id of somebody else's token.
  [at({ id: 'neighbour' }), { kind: 'rotation' }, { kind: 'revocation', rotate: true }],
  [at({ id: 'neighbour' }, 'AWSPREVIOUS'), { kind: 'revocation', rotate: true }],
  [at({ id: 'neighbour', createdAs: 'rekey' }, 'his-own'), { kind: 'rotation' }, { kind: 'rotation' }],
  [at({ id: 'stranger', project: 'other' }), { kind: 'rotation' }, { kind: 'rotation' }],
];

test.each(forms)(
  'gains nothing; a token makes its successor: $own, and says which one it is: $says',
  async (form) => {
    await fc.assert(
      fc.asyncProperty(moves, async (history) => {
        expect(await play(history, form)).toEqual([]);
      }),
      {
        numRuns: propertyRuns(25),
        ...(process.env.REKEY_SEED && { seed: Number(process.env.REKEY_SEED) }),
        examples: found.map((history) => [history as Move[]]),
      },
    );
  },
);
