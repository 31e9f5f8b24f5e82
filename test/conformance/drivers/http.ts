import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { IssuingRotator } from '../../../core/rotator.ts';
import { startGitLab } from '../../../local/servers/gitlab.ts';
import { recipeBook } from '../../../rotators/http/recipe-book.ts';
import { httpRotator } from '../../../rotators/http/rotator.ts';
import type { HttpSecret } from '../../../rotators/http/schema.ts';
import { startTokenService, type TokenService } from '../../rotators/http/token-service.ts';
import { patience, runLivesAmongManyMs, runLivesMs } from '../pace.ts';
import type { TargetUnderTest } from '../target.ts';

const recipeFile = join(import.meta.dirname, '../../rotators/http/token-service.json');
const scopes = ['tokens:read', 'tokens:write', 'tokens:revoke'] as const;

/** A small token service behind real HTTPS, and a recipe for it. */
export interface HttpUnderTest extends TargetUnderTest<HttpSecret> {
  readonly rotator: IssuingRotator<HttpSecret>;
  readonly service: TokenService;
}

export async function start(): Promise<HttpUnderTest> {
  const [service, gitlab] = await Promise.all([startTokenService(), startGitLab()]);
  const recipe = JSON.parse(await readFile(recipeFile, 'utf8'));
  const recipes = recipeBook({
    'test-token': recipe,
    'replicated-token': { ...recipe, settleSeconds: 4, settleAnswers: 2 },
  });
  const rotator = httpRotator({ recipes, runLivesMs });
  const host = `localhost:${service.port}`;
  const tokenOf = ({ token }: HttpSecret): string => String(token);
  let accounts = 0;

  const createAccount: HttpUnderTest['createAccount'] = async (options = {}) => {
    accounts += 1;
    const project = `${options.name ?? 'app'}${options.exact ? '' : `-${accounts}`}`;
    const { id, value } = service.issue(project);
    const admin = { service: 'test-tokens', host, token: `admin-${randomUUID()}` };
    service.admins.set(admin.token, new Set(scopes));
    const common = { recipe: 'test-token', host, project, scopes: ['read'], days: 7 };
    return {
      secret: { ...common, id, token: value, team: 'orders', nested: { kept: [1, null, 'x'] } },
      admin,
    };
  };
  const both = ['single-user', 'dual-credential'] as const;
  const valid = () => service.useCertificate({});
  const calm = async () => {
    service.mood = undefined;
  };
  return {
    rotator,
    service,
    server: 'an HTTPS server of the test suite',
    context: {
      ...patience,
      certificateAuthorities: [service.authority.cert],
      allowPrivateAddresses: true,
    },
    port: service.port,
    through: (port) => ({
      rotator: httpRotator({ recipes, runLivesMs: runLivesAmongManyMs }),
      secret: (secret) => ({ ...secret, host: `localhost:${port}` }),
    }),
    settlesAfterMs: runLivesAmongManyMs + 50,
    // A deployed function has the recipes that ship, and no others.
    deployed: {
      environment: { REKEY_ALLOW_PRIVATE_ADDRESSES: 'true' },
      certificateAuthorities: [gitlab.caPem],
      createAccount: async () => {
        const { host, adminToken } = gitlab;
        const project = `bench/${randomUUID()}`;
        const { id, token } = gitlab.issue(project);
        const common = { recipe: 'gitlab-project-access-token', host, project };
        const rules = { scopes: ['read_api'], accessLevel: 20, days: 30 };
        return {
          secret: { ...common, ...rules, id: String(id), token },
          admin: { service: 'gitlab', host, project, token: adminToken },
        };
      },
      logsIn: (secret) => gitlab.accepts(tokenOf(secret)),
    },
    changing: ['id', 'token', 'createdAs', 'expiresAt'],
    countsSessions: false,
    adminOnly: true,
    createAccount,
    withPassword: (secret, token) => ({ ...secret, token }),
    passwordOf: tokenOf,
    logsIn: (secret) => service.accepts(tokenOf(secret)),
    openSession: async (secret) => ({
      alive: () => service.accepts(tokenOf(secret)),
      close: async () => {},
    }),
    awkward: {
      names: [
        'a/b/c',
        '../../other',
        '..%2f..',
        '?search=x&from=1#end',
        '%00%0d%0aX: y',
        `quote"d o'brien`,
        'back\\slash;x',
        '{{token}}',
        '{{admin.token}}',
        '$& $1',
        ' spaces ',
        'Größe-名前-🙂',
        'x'.repeat(300),
      ],
      passwords: [],
    },
    outages: [
      {
        name: 'the server is down',
        code: 'TargetUnreachable',
        begin: () => service.goDown(),
        end: () => service.comeBack(),
      },
      {
        name: 'the server accepts connections and says nothing',
        code: 'TargetUnreachable',
        silent: true,
        begin: () => service.hang(),
        end: () => service.comeBack(),
      },
      {
        name: 'the service says that it is busy',
        code: 'TargetBusy',
        begin: async () => {
          service.mood = (response) => response.writeHead(429, { 'retry-after': '3600' }).end();
        },
        end: calm,
      },
      {
        name: 'the service is in maintenance',
        code: 'TargetUnreachable',
        begin: async () => {
          service.mood = (response) => response.writeHead(503).end('<html>');
        },
        end: calm,
      },
      {
        name: 'the service never answers',
        code: 'TargetTimeout',
        silent: true,
        begin: async () => {
          service.mood = () => {};
        },
        end: calm,
      },
      {
        name: 'everything is redirected',
        code: 'TargetRefused',
        begin: async () => {
          service.mood = (response) =>
            response.writeHead(307, { location: 'https://elsewhere.example/x?y=1' }).end();
        },
        end: calm,
      },
      ...(
        [
          ['for another host', { hosts: ['service.example'] }],
          ['expired', { expired: true }],
          ['by an unknown authority', { unknownAuthority: true }],
        ] as const
      ).map(([name, options]) => ({
        name: `the certificate is ${name}`,
        code: 'TlsRefused' as const,
        begin: () => service.useCertificate(options),
        end: valid,
      })),
    ],
    missingPermissions: [
      ...scopes.map((scope) => [scope, 'apply'] as const),
      ['tokens:revoke', 'contain'] as const,
    ].map(([scope, act]) => ({
      name: `${scope} for ${act}`,
      strategies: both,
      act,
      names: scope,
      remove: async ({ admin }) => {
        service.admins.get(tokenOf(admin))?.delete(scope);
      },
    })),
    logged: 'POST /projects/app-1/tokens 201',
    readLog: async () => service.log.join('\n'),
    stop: async () => {
      await Promise.all([service.stop(), gitlab.stop()]);
    },
  };
}
