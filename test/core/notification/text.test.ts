import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { incidentSchema, isOpen, opened, resolved } from '../../../core/notification/incident.ts';
import { mailOf } from '../../../core/notification/mail.ts';
import { noticeOf } from '../../../core/notification/tellings.ts';
import { cutBytes, plain } from '../../../core/notification/text.ts';
import { propertyRuns } from '../../property-runs.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 600 });

describe('text that others wrote', () => {
  test('becomes one well-formed line within its bound, and what is plain already stays', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 2, max: 300 }), (text, longest) => {
        const line = plain(text, longest);
        expect(line.length).toBeLessThanOrEqual(longest);
        expect(line.isWellFormed()).toBe(true);
        expect(line).not.toMatch(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]/u);
        expect(plain(line, longest)).toBe(line);
      }),
      { numRuns: propertyRuns(500) },
    );
    expect(plain('/prod/orders_1+x=y@z.com', 100)).toBe('/prod/orders_1+x=y@z.com');
  });

  test('is cut to bytes at the border of a character', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 3, max: 200 }), (text, most) => {
        const cut = cutBytes(text.toWellFormed(), most);
        expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(most);
        expect(cut.isWellFormed()).toBe(true);
      }),
      { numRuns: propertyRuns(300) },
    );
  });
});

/** @see https://docs.aws.amazon.com/sns/latest/api/API_Publish.html `Subject` */
test('the subject of a mail is what SNS takes, whatever a secret is called', () => {
  fc.assert(
    fc.property(anyText, anyText, (name, reason) => {
      const notice = noticeOf({
        source: 'rekey.revocation',
        detailType: 'Secret Revocation Started',
        detail: {
          metadata: {
            id: 'id',
            schemaVersion: 1,
            time: '2026-03-10T12:00:00.000Z',
            environment: 'prod',
            actor: reason,
            correlationId: name,
          },
          data: {
            requestId: 'r',
            secretArn: 'arn',
            secretName: name,
            mode: 'kill',
            versions: [],
            reason,
            drill: true,
            requestedAt: '2026-03-10T12:00:00.000Z',
          },
        },
      });
      const { subject, message } = mailOf(notice);
      expect(subject).toMatch(/^[A-Za-z0-9\x21-\x2f][\x20-\x7e]{0,98}$/);
      expect(Buffer.byteLength(message)).toBeLessThan(256 * 1_024);
      expect(message.split('\n')).toContain('drill: yes, a rehearsal');
    }),
    { numRuns: propertyRuns(300) },
  );
});

test('events of an incident give the same end in whatever order they come, and however often', () => {
  const facts = {
    id: 'aaaaaaaaaaaa',
    subject: 's',
    event: 'Secret Rotation Failed',
    urgency: 'warning',
  } as const;
  const at = (minute: number) => new Date(Date.UTC(2026, 2, 10, 12, minute)).toISOString();
  const event = fc.record({ minute: fc.integer({ min: 0, max: 20 }), opens: fc.boolean() });
  fc.assert(
    fc.property(
      fc.uniqueArray(event, { minLength: 1, maxLength: 8, selector: ({ minute }) => minute }),
      fc.infiniteStream(fc.nat()),
      (events, picks) => {
        const apply = (order: typeof events) =>
          order.reduce<ReturnType<typeof opened> | undefined>(
            (state, { minute, opens }) =>
              opens ? opened(state, facts, at(minute)) : resolved(state, facts, at(minute)),
            undefined,
          );
        const inOrder = events.toSorted((one, other) => one.minute - other.minute);
        const shuffled = [...events, ...events].toSorted(() => (picks.next().value % 3) - 1);
        const [one, other] = [apply(inOrder), apply(shuffled)];
        if (one === undefined || other === undefined) throw new Error('no event');
        expect(isOpen(other)).toBe(isOpen(one));
        expect(incidentSchema.safeParse(other).success).toBe(true);
      },
    ),
    { numRuns: propertyRuns(500) },
  );
});

test.each([
  ['approval', 'Revocation not approved, nothing was done: /prod/orders/db'],
  ['verify', 'Revocation failed, a leaked credential may still work: /prod/orders/db'],
])('a revocation that ends at the stage %s is told as what it is', (stage, title) => {
  const notice = noticeOf({
    source: 'rekey.revocation',
    detailType: 'Secret Revocation Failed',
    detail: {
      metadata: {
        id: 'id',
        schemaVersion: 1,
        time: '2026-03-10T12:00:00.000Z',
        environment: 'prod',
        actor: 'lambda:report',
        correlationId: 'c',
      },
      data: {
        requestId: 'r',
        secretArn: 'arn',
        secretName: '/prod/orders/db',
        stage,
        error: { code: 'ApprovalRefused', message: 'refused', retryable: false },
      },
    },
  });
  expect(notice.title).toBe(title);
});
