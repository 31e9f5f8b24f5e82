import { describe, expect, test } from '@jest/globals';
import { environmentTag } from '../../../core/deployed/names.ts';
import type { ContainmentInput, WorkflowInput } from '../../../core/deployed/revocation-state.ts';
import { callsOf, type QuotaName } from '../../../core/pace/quotas.ts';
import type { DefinitionStore, RotationControl } from '../../../core/ports.ts';
import { containLeaks } from '../../../lambdas/revocation/contain.ts';
import { verifyLeaks } from '../../../lambdas/revocation/proof.ts';
import { rotateStep } from '../../../lambdas/revocation/rotate.ts';
import { steps } from '../../../lambdas/rotation/event.ts';
import { intercept } from '../../chaos/intercept.ts';
import { engine } from '../rotation/engine.ts';
import { requestId, secretArn, World } from './world.ts';

/** The quotas that one call of a port counts towards. */
const countsTowards: Readonly<Record<string, Partial<Record<QuotaName, number>>>> = {
  'store.describe': { secretReads: 1 },
  'store.read': { secretReads: 1, keyUses: 1 },
  'store.putPending': { secretWrites: 1, keyUses: 2 },
  'store.moveCurrent': { secretWrites: 1 },
  'store.removePending': { secretWrites: 1 },
  'store.listVersions': { secretVersionLists: 1 },
  'rotation.rotate': { secretRotations: 1 },
  'definitions.find': { parameterReads: 1 },
  'bus.publish': { eventPuts: 1 },
};

/** Every part of a revocation of one secret, with its calls counted. */
async function counted() {
  const world = new World();
  await world.store.tag(secretArn, environmentTag, 'test');
  let counts: Partial<Record<QuotaName, number>> = {};
  const note = (call: string, when: 'before' | 'after') => {
    if (when === 'after') return;
    for (const [name, by] of Object.entries(countsTowards[call] ?? { [call]: 1 })) {
      counts[name as QuotaName] = (counts[name as QuotaName] ?? 0) + by;
    }
  };
  const since = () => {
    const those = counts;
    counts = {};
    return those;
  };
  const store = intercept(world.store, 'store', note);
  const bus = intercept(world.bus, 'bus', note);
  const find: Pick<DefinitionStore, 'find'> = { find: async () => world.definition };
  const definitions = intercept(find, 'definitions', note);
  const rotate: RotationControl['rotate'] = async (arn, token) => {
    world.store.begin(arn, token);
    for (const Step of steps) {
      const cold = engine({ rotator: world.rotator, store, bus, definitions });
      await cold.run({ Step, SecretId: arn, ClientRequestToken: token });
    }
    return 'started';
  };
  const rotation = intercept({ rotate }, 'rotation', note);
  const dependencies = { ...world.containment(), store, bus };
  const leak = {
    requestId,
    correlationId: 'c',
    secretArn,
    secretName: 'orders',
    versions: ['v1'],
    named: false,
    requestedAt: '2026-03-01T11:59:59.500Z',
  };
  const input: ContainmentInput = { ...leak, action: 'contain' };
  await containLeaks(input, dependencies);
  const contain = since();
  const asked: WorkflowInput = {
    ...leak,
    requestDigest: 'd',
    mode: 'kill',
    containmentFunction: 'containment',
    stepSeconds: 60,
    consumers: [],
    assigned: null,
    owner: 'team-orders',
  };
  const outcome = await rotateStep(asked, { ...world, store, rotation, definitions });
  if (!('newVersionId' in outcome)) throw new Error('it waits for a turn that nobody gave');
  const { newVersionId, rotatedAt } = outcome;
  const rotated = since();
  await verifyLeaks({ ...input, action: 'verify', newVersionId, rotatedAt }, dependencies);
  const verify = since();
  await containLeaks({ ...input, newVersionId, rotatedAt }, dependencies);
  return { contain, rotate: rotated, verify, sweep: since() };
}

describe('the calls of AWS that a revocation makes for one secret', () => {
  test('are those that the pace of many is worked out from', async () => {
    expect(await counted()).toEqual(callsOf);
  });
});
