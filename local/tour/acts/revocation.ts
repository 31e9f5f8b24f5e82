import assert from 'node:assert/strict';
import { logsIn, openSession } from '../../servers/database.ts';
import { environmentName } from '../deployment.ts';
import { eventually } from '../eventually.ts';
import { type Act, milliseconds } from './act.ts';

/** Shows the end of a leaked credential: session and login end, and the application gets a new one. */
export const leakedCredential: Act = async (deployment, note) => {
  const secret = `/${environmentName}/payments`;
  const { caPem } = deployment.postgres;
  const leaked = await deployment.readLogin(secret);
  const intruder = await openSession(leaked, caPem);
  let cut: number | undefined;
  intruder.once('end', () => {
    cut = performance.now();
  });
  await intruder.query('SELECT 1');

  const argv = [
    '--mode',
    'kill',
    '--reason',
    'password found in a public repository',
    '--wait',
    '--yes',
    '--json',
  ];
  const start = performance.now();
  const asked = deployment
    .rekey('responder', 'revoke', secret, ...argv)
    .then(({ exitCode, stdout, stderr }) => {
      assert.equal(exitCode, 0, `rekey revoke ended with ${exitCode}:\n${stdout}${stderr}`);
    });
  const seen = eventually('the leaked password is refused', async () => !(await logsIn(leaked, caPem))).then(
    () => performance.now(),
  );
  const [refused] = await Promise.all([seen, asked]);
  await eventually('the open session is cut', async () => cut !== undefined);
  await assert.rejects(intruder.query('SELECT 1'), 'the session that used the leaked password must be gone');
  note('the open session was cut');
  assert.equal(await logsIn(leaked, caPem), false);
  note(`the leaked password is refused, ${milliseconds(refused - start)} after the responder pressed enter`);
  const current = await deployment.readLogin(secret);
  assert.notEqual(current.versionId, leaked.versionId);
  assert.ok(await logsIn(current, caPem), 'the new credential must be accepted');
  note('the new credential of the application is accepted');

  const report = await eventually('the report is in the audit log', async () => {
    const tail = await deployment.rekey('auditor', 'audit', 'tail', '--secret', secret, '--json');
    const line = tail.stdout.split('\n').find((text) => text.includes('Secret Revocation Succeeded'));
    return line === undefined ? undefined : findReport(JSON.parse(line));
  });
  const fromEvent = Date.parse(report.refusedAt) - Date.parse(report.requestedAt);
  return [
    {
      what: 'leaked credential revoked',
      result: `session cut, login refused ${milliseconds(fromEvent)} after the event, new credential works`,
    },
  ];
};

/** Finds the report's times, wherever the record holds its event. */
function findReport(record: unknown): { requestedAt: string; refusedAt: string } {
  if (typeof record === 'object' && record !== null) {
    if ('refusedAt' in record && 'requestedAt' in record) {
      return { requestedAt: String(record.requestedAt), refusedAt: String(record.refusedAt) };
    }
    for (const part of Object.values(record)) {
      if (typeof part === 'object' && part !== null) {
        try {
          return findReport(part);
        } catch {
          // Not in this part.
        }
      }
    }
  }
  throw new Error('the record of the revocation holds no times');
}
