import {
  DeleteRolePolicyCommand,
  IAMClient,
  ListRolesCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import { describe, expect, test } from '@jest/globals';
import { logsIn, openSession } from '../../local/servers/database.ts';
import { environmentName } from '../../local/tour/deployment.ts';
import { eventually } from '../../local/tour/eventually.ts';
import type { World } from './world.ts';

const source = 'rekey.cli';
const detailType = 'Secret Revocation Requested';

/** Revocation by event: what is done, what is refused, and that neither happens twice or silently. */
export function revocation(world: () => World): void {
  describe('revocation', () => {
    test('replace: the application has its new credential before the old one dies, with both users of an alternating secret', async () => {
      const secret = `/${environmentName}/billing`;
      const { caPem } = world().postgres;
      const leaked = await world().readLogin(secret);
      const session = await openSession(leaked, caPem);
      let cut = false;
      session.once('end', () => {
        cut = true;
      });
      const detail = world().request({ select: { secret }, mode: 'replace' });
      await world().put('responder', { source, detailType, detail });
      const { text } = await world().recorded('Secret Revocation Succeeded', detail.metadata.id);
      const current = await world().readLogin(secret);
      expect(text).toContain(current.versionId);
      expect(current.versionId).not.toBe(leaked.versionId);
      // By CloudTrail's own record of the call, which the words of the request do not name.
      const attributed = await world().recorded('Request Attributed', detail.metadata.id);
      expect(attributed.text).toMatch(/"claimed":\s*"end-to-end test"/);
      expect(attributed.text).toMatch(/"principal":\s*"arn:aws:sts::\d{12}:assumed-role\//);
      expect(attributed.text).toMatch(/"agrees":\s*false/);
      expect(await logsIn(leaked, caPem)).toBe(false);
      expect(await logsIn(current, caPem)).toBe(true);
      await eventually('the session is cut', async () => cut);
      const again = await world().rekey('operator', 'secret', 'rotate', secret, '--wait', '--yes');
      expect(again.exitCode).toBe(0);
      expect(await logsIn(await world().readLogin(secret), caPem)).toBe(true);
    });

    describe('an unwritable log stops no emergency', () => {
      /** Has every function but the writer of the log denied these actions, while `work` runs. */
      const denied = async (actions: readonly string[], work: () => Promise<void>) => {
        const iam = new IAMClient(world().cloud.clientOptions());
        const { Roles = [] } = await iam.send(new ListRolesCommand({ MaxItems: 1_000 }));
        const names = Roles.filter(
          ({ RoleName = '', AssumeRolePolicyDocument = '' }) =>
            decodeURIComponent(AssumeRolePolicyDocument).includes('lambda.amazonaws.com') &&
            !RoleName.includes('Writer'),
        ).map(({ RoleName = '' }) => RoleName);
        expect(names.length).toBeGreaterThan(5);
        const PolicyName = 'unwritable';
        const PolicyDocument = JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Deny', Action: actions, Resource: '*' }],
        });
        const all = (act: (RoleName: string) => Promise<unknown>) => Promise.all(names.map(act));
        await all((RoleName) => iam.send(new PutRolePolicyCommand({ RoleName, PolicyName, PolicyDocument })));
        try {
          await work();
        } finally {
          await all((RoleName) => iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })));
        }
      };
      const secret = `/${environmentName}/orders`;

      test.each(['kill', 'replace'] as const)('%s, and the queue takes every record', async (mode) => {
        const { caPem } = world().postgres;
        const leaked = await world().readLogin(secret);
        const detail = world().request({ select: { secret }, mode });
        await denied(['events:PutEvents'], async () => {
          await world().put('responder', { source, detailType, detail });
          await world().recorded('Secret Revocation Succeeded', detail.metadata.id);
        });
        const current = await world().readLogin(secret);
        expect(await logsIn(leaked, caPem)).toBe(false);
        expect(await logsIn(current, caPem)).toBe(true);
        const mine = (await world().records()).filter(({ text }) => text.includes(current.versionId));
        expect(mine.map((record) => record.detailType)).toEqual(
          expect.arrayContaining(['Secret Rotation Started', 'Secret Rotation Succeeded']),
        );
      });

      test('kill, where neither bus nor queue takes anything, and the outcome is recorded afterwards', async () => {
        const { caPem } = world().postgres;
        const leaked = await world().readLogin(secret);
        const detail = world().request({ select: { secret }, mode: 'kill' });
        await denied(['events:PutEvents', 'sqs:SendMessage'], async () => {
          await world().put('responder', { source, detailType, detail });
          await eventually('the leaked password is refused and another one works', async () => {
            const current = await world().readLogin(secret);
            if (current.versionId === leaked.versionId || (await logsIn(leaked, caPem))) return false;
            return await logsIn(current, caPem);
          });
        });
        await world().recorded('Secret Revocation Succeeded', detail.metadata.id);
      });
    });

    test('the same request twice does the work once', async () => {
      const secret = `/${environmentName}/orders`;
      const before = await world().executions();
      const detail = world().request({ select: { secret } });
      await world().put('responder', { source, detailType, detail });
      await world().put('responder', { source, detailType, detail });
      await world().recorded('Secret Revocation Succeeded', detail.metadata.id);
      const { versionId } = await world().readLogin(secret);
      await world().put('responder', { source, detailType, detail });
      await world().put('responder', {
        source,
        detailType,
        detail: world().request({ select: { secret: '/dev/marker' } }),
      });
      await world().recorded('Secret Revocation Rejected', '/dev/marker');
      expect(await world().executions()).toBe(before + 1);
      expect((await world().readLogin(secret)).versionId).toBe(versionId);
      const mine = (await world().records()).filter(({ text }) => text.includes(detail.metadata.id));
      for (const type of [
        'Secret Revocation Started',
        'Secret Revocation Succeeded',
        'Secret Revocation Requested',
      ]) {
        expect(mine.filter((record) => record.detailType === type)).toHaveLength(1);
      }
    });

    test.each([
      ['an unknown secret', { select: { secret: '/dev/typo' } }, {}, 'SecretUnknown'],
      [
        'a request without a reason',
        { select: { secret: '/dev/orders' }, reason: '' },
        {},
        'RequestMalformed',
      ],
      ['an unknown mode', { select: { secret: '/dev/orders' }, mode: 'gently' }, {}, 'RequestMalformed'],
      ['an unknown field', { select: { secret: '/dev/orders' }, force: true }, {}, 'RequestMalformed'],
      [
        'another environment',
        { select: { secret: '/dev/orders' } },
        { environment: 'prod' },
        'EnvironmentMismatch',
      ],
      [
        'versions that nobody keeps',
        { select: { secret: '/dev/orders' }, versions: ['gone'] },
        {},
        'VersionsNotKept',
      ],
    ])('%s is rejected, on the record', async (_name, data, metadata, code) => {
      const before = await world().executions();
      const detail = world().request(data, metadata);
      await world().put('responder', { source, detailType, detail });
      const { text } = await world().recorded('Secret Revocation Rejected', detail.metadata.id);
      expect(text).toContain(code);
      expect(await world().executions()).toBe(before);
    });

    test('a source that may not ask is rejected, on the record', async () => {
      const detail = world().request({ select: { secret: '/dev/orders' } });
      await world().put('administrator', { source: 'somebody.else', detailType, detail });
      const { text } = await world().recorded('Secret Revocation Rejected', detail.metadata.id);
      expect(text).toContain('SourceNotAllowed');
    });
  });
}
