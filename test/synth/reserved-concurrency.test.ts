import { describe, expect, test } from '@jest/globals';
import { Template } from 'aws-cdk-lib/assertions';
import { defineConfig } from '../../lib/config/config.ts';
import { RekeyEnvironment } from '../../lib/rekey-environment.ts';
import { testApp } from './support/app.ts';

function build(reservedConcurrency?: object): RekeyEnvironment {
  const { environments } = defineConfig({
    environments: {
      dev: {
        account: '111122223333',
        region: 'eu-central-1',
        audit: { retentionDays: 1 },
        secrets: {
          orders: { type: 'postgresql', strategy: 'single-user', adopt: 'orders', owner: 'team-orders' },
        },
        ...(reservedConcurrency !== undefined && { reservedConcurrency }),
      },
    },
  } as Parameters<typeof defineConfig>[0]);
  const configuration = environments.dev;
  if (configuration === undefined) throw new Error('no environment');
  return new RekeyEnvironment(testApp(), 'dev', { configuration, directory: import.meta.dirname });
}

/** What each function reserves, by the description of the function. */
function reservations(environment: RekeyEnvironment): Record<string, number> {
  const found = [environment.audit, ...environment.rotations, environment.revocation].flatMap((stack) =>
    Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')),
  );
  return Object.fromEntries(
    found.flatMap(({ Properties }) =>
      Properties.ReservedConcurrentExecutions === undefined
        ? []
        : [
            [
              String(Properties.Description).replace('Rekey dev: ', ''),
              Properties.ReservedConcurrentExecutions,
            ],
          ],
    ),
  );
}

describe('reserved concurrency', () => {
  test('is off by default: a new account cannot reserve any', () => {
    expect(reservations(build())).toEqual({});
  });

  test('is kept for the functions of the emergency path, and for no function that rotates', () => {
    const reserved = reservations(build({ intake: 2, workflow: 5, containment: 7, writer: 1 }));
    expect(reserved).toMatchObject({
      'takes revocation requests': 2,
      'reports how a revocation ended': 5,
      'cuts off leaked postgresql credentials, single-user': 7,
      'writes the audit log': 1,
    });
    expect(Object.keys(reserved).filter((description) => description.startsWith('rotates'))).toEqual([]);
  });

  test('is refused at synth where AWS would refuse it, with what to do next', () => {
    expect(() => build({ containment: 900, intake: 1 })).toThrow(
      'environments.dev.reservedConcurrency: 2 functions would reserve 901 executions, and of a quota of 1000 only 900 can ' +
        'be reserved, since AWS keeps 100 for all others; reserve less, or have the quota raised and state it in ' +
        'reservedConcurrency.quota',
    );
    expect(() => build({ intake: 1, quota: 10 })).toThrow('of a quota of 10 only 0 can be reserved');
    expect(reservations(build({ containment: 900, intake: 1, quota: 2000 }))).toMatchObject({
      'takes revocation requests': 1,
    });
  });

  test.each([
    [{ intake: 0 }, 'reservedConcurrency.intake'],
    [{ writer: 2 }, 'must be 1: the queue has one message group'],
    [{ rotation: 1 }, 'rotation'],
  ])('%j is refused with the configuration', (settings, message) => {
    expect(() => build(settings)).toThrow(message);
  });
});
