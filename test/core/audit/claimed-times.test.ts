import { expect, test } from '@jest/globals';
import { type AuditEvent, emptyHead, encodeObject } from '../../../core/audit/format.ts';
import { verifyLog } from '../../../core/audit/verify.ts';

const recordedAt = new Date('2026-03-01T12:00:00.000Z');

async function verify(event: Pick<AuditEvent, 'detailType' | 'detail' | 'time'>) {
  const whole = { id: 'a', source: 'rekey.cli', account: '1', region: 'r', ...event };
  const { key, body } = encodeObject(emptyHead, [whole], recordedAt);
  return await verifyLog(
    {
      versions: async function* () {
        yield { key, deleteMarker: false, latest: true };
      },
      read: async () => body,
    },
    { now: new Date('2026-03-08T12:00:00.000Z') },
  );
}

const metadata = { id: '0195a000-0000-7000-8000-000000000001' };

/** Whoever may put events on the bus says their time: `Time` of PutEvents. The log itself says when it has recorded them. */
test.each([
  ['of the year 9999', '9999-01-01T00:00:00Z'],
  ['of the year 275760, the last one that there is', '+275760-09-13T00:00:00Z'],
  ['that is none', 'soon'],
])(
  'what was begun a week ago and never ended is named, though its event has a time %s',
  async (_what, time) => {
    const asked = await verify({
      time,
      detailType: 'Secret Revocation Requested',
      detail: { metadata, data: {} },
    });
    expect(asked.problems.map(({ code }) => code)).toEqual(['RevocationIncomplete']);
    const begun = await verify({
      time,
      detailType: 'Secret Rotation Started',
      detail: { metadata, data: { secretArn: 'arn', versionId: 'v' } },
    });
    expect(begun.problems.map(({ code }) => code)).toEqual(['RotationIncomplete']);
  },
);
