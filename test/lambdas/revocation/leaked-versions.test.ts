import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import type { ContainmentInput } from '../../../core/deployed/revocation-state.ts';
import { SecretError } from '../../../core/errors/rekey-error.ts';
import type { SecretStore } from '../../../core/ports.ts';
import { stages } from '../../../core/secret/secret.ts';
import { readLeaks } from '../../../lambdas/revocation/leaked-versions.ts';
import { requestId, secretArn } from './world.ts';

interface Login {
  readonly username: string;
  readonly password: string;
}

interface Kept {
  /** Undefined where Secrets Manager shows no text. */
  readonly value?: string | undefined;
  readonly labels?: readonly string[];
  readonly created?: Date | undefined;
}

const text = (password: string, username = 'app'): string => JSON.stringify({ username, password });
const at = (minute: number): Date => new Date(Date.UTC(2026, 2, 1, 12, minute));

/** Secrets Manager as one answer shows it, newest version first. */
function showing(
  versions: Readonly<Record<string, Kept>>,
  schema: z.ZodType<Login> = z.looseObject({ username: z.string(), password: z.string().min(1) }),
) {
  const asked = { describe: 0, list: 0, read: [] as string[] };
  const store = {
    describe: async () => {
      asked.describe += 1;
      return {
        arn: secretArn,
        name: 'orders',
        rotationEnabled: true,
        tags: {},
        versions: Object.fromEntries(
          Object.entries(versions).flatMap(([id, { labels = [] }]) =>
            labels.length === 0 ? [] : [[id, [...labels]]],
          ),
        ),
      };
    },
    listVersions: async () => {
      asked.list += 1;
      return Object.entries(versions).map(([versionId, { created }]) => ({
        versionId,
        ...(created !== undefined && { created }),
      }));
    },
    read: async (_id: string, which: { versionId?: string }) => {
      const { versionId = '' } = which;
      asked.read.push(versionId);
      const found = versions[versionId];
      return found?.value === undefined
        ? undefined
        : { versionId, value: found.value, ...(found.created !== undefined && { created: found.created }) };
    },
  } as unknown as SecretStore;
  const rotator = {
    schema,
    identity: ({ username }: Login) => username,
  };
  const look = (wanted: readonly string[], change: Partial<ContainmentInput> = {}) =>
    readLeaks(
      {
        action: 'contain',
        requestId,
        correlationId: 'c',
        secretArn,
        secretName: 'orders',
        named: false,
        versions: [...wanted],
        ...change,
      },
      { store, rotator, wait: async () => undefined },
    );
  return { look, asked };
}

const { current, previous, pending } = stages;

describe('the versions that leaked', () => {
  test('come in the order of their danger: the one in use, those with a label, the rest', async () => {
    const { look } = showing({
      forgotten: { value: text('1') },
      labelled: { value: text('2'), labels: ['last-known-good'] },
      before: { value: text('3'), labels: [previous] },
      used: { value: text('4'), labels: [current] },
    });
    const { found, currentVersionId } = await look(['forgotten', 'labelled', 'before', 'used']);
    expect(found.map(({ versionIds, labelled }) => [versionIds, labelled])).toEqual([
      [['used'], true],
      [['labelled'], true],
      [['before'], true],
      [['forgotten'], false],
    ]);
    expect(currentVersionId).toBe('used');
  });

  test('are one where their values are, and each has the name of its login', async () => {
    const { look } = showing({
      a: { value: text('same') },
      b: { value: text('same') },
      c: { value: text('other', 'reader') },
      used: { value: text('now'), labels: [current] },
    });
    const { found } = await look(['a', 'b', 'c']);
    expect(found).toMatchObject([
      { versionIds: ['a', 'b'], identity: 'app', credential: { password: 'same' } },
      { versionIds: ['c'], identity: 'reader', credential: { password: 'other' } },
    ]);
  });

  test('that are gone, or hold no credential, are named', async () => {
    const { look, asked } = showing({
      malformed: { value: 'no JSON' },
      empty: { value: JSON.stringify({ username: 'app' }) },
      good: { value: text('1') },
      used: { value: text('now'), labels: [current] },
    });
    const { found, unavailable } = await look(['gone', 'malformed', 'empty', 'good']);
    expect(unavailable).toEqual(['gone', 'malformed', 'empty']);
    expect(found.map(({ versionIds }) => versionIds)).toEqual([['good']]);
    // Before the rotation an emergency does not wait for what may never come.
    expect(asked.read.filter((id) => id === 'gone')).toHaveLength(1);
  });

  const rotated = {
    made: { value: text('new'), labels: [current], created: at(10) },
    late: { value: text('late'), created: at(9) },
    missed: { value: text('missed'), created: at(4) },
    exactly: { value: text('exactly'), created: at(5) },
    timeless: { value: text('timeless') },
    known: { value: text('known'), labels: [previous], created: at(1) },
  };
  const after = { newVersionId: 'made', requestedAt: at(5).toISOString() };
  const idsOf = (found: readonly { readonly versionIds: readonly string[] }[]) =>
    found.flatMap(({ versionIds }) => versionIds).toSorted();

  test('are, after the rotation, also those that the list of the request lacked', async () => {
    const { found } = await showing(rotated).look(['known', 'made'], after);
    expect(idsOf(found)).toEqual(['exactly', 'known', 'missed']);
  });

  test.each<[string, Partial<ContainmentInput>]>([
    ['the request named some', { ...after, named: true }],
    ['nobody knows when it came', { newVersionId: 'made' }],
  ])('are those of the list where %s', async (_, change) => {
    const { look, asked } = showing(rotated);
    const { found } = await look(['known', 'made'], change);
    expect(idsOf(found)).toEqual(['known']);
    expect(asked.list).toBe(0);
  });

  test('are those of the list before the rotation', async () => {
    const { found } = await showing(rotated).look(['known'], { requestedAt: at(5).toISOString() });
    expect(idsOf(found)).toEqual(['known']);
  });
});

describe('the version in use', () => {
  test('is, before the rotation, the one with the label, whatever leaked; one answer is enough', async () => {
    const { look, asked } = showing({ used: { value: text('now'), labels: [current] } });
    expect(await look(['used'])).toMatchObject({ currentVersionId: 'used', current: { password: 'now' } });
    expect(asked.describe).toBe(1);
  });

  test('is looked for again where named versions leaked and one of them is shown as current', async () => {
    const { look, asked } = showing({ used: { value: text('now'), labels: [current] } });
    await look(['used'], { named: true });
    expect(asked.describe).toBe(6);
    const other = showing({
      used: { value: text('now'), labels: [current] },
      old: { value: text('old') },
    });
    await other.look(['old'], { named: true });
    expect(other.asked.describe).toBe(1);
  });

  test('is, after the rotation, the one that was made, though the label is still shown elsewhere', async () => {
    const { look, asked } = showing({
      made: { value: text('new'), labels: [pending], created: at(10) },
      leaked: { value: text('leaked'), labels: [current, 'mine'], created: at(1) },
    });
    const { currentVersionId, description, stillCurrent } = await look(['leaked'], { newVersionId: 'made' });
    expect({ currentVersionId, stillCurrent }).toEqual({ currentVersionId: 'made', stillCurrent: 'leaked' });
    expect(description.versions).toEqual({ made: [current, pending], leaked: ['mine'] });
    expect(asked.describe).toBe(6);
  });

  test('is read once where it is the one that was made, or that was replaced', async () => {
    const usual = showing({
      made: { value: text('new'), labels: [current] },
      leaked: { value: text('leaked'), labels: [previous] },
    });
    await usual.look(['leaked'], { newVersionId: 'made' });
    expect(usual.asked.read).toEqual(['made', 'leaked']);
    const outdated = showing({
      made: { value: text('new') },
      leaked: { value: text('leaked'), labels: [current] },
    });
    const { description, found } = await outdated.look(['leaked'], { newVersionId: 'made' });
    expect(outdated.asked.read).toEqual(['made', 'leaked']);
    expect(description.versions).toEqual({ made: [current] });
    expect(found).toMatchObject([{ versionIds: ['leaked'], labelled: false }]);
  });

  test('is none where no version has the label, and what leaked counts as in use', async () => {
    const { look, asked } = showing({ leaked: { value: text('leaked') } });
    expect(await look(['leaked'])).toMatchObject({
      currentVersionId: '',
      current: { password: 'leaked' },
      currentFault: { code: 'SecretValueMissing' },
    });
    expect(asked.read).toEqual(['leaked']);
  });

  test('is itself where its type has no more than a password', async () => {
    const { look } = showing(
      {
        leaked: { value: JSON.stringify({ password: 'leaked' }) },
        used: { value: JSON.stringify({ password: 'now' }), labels: [current] },
      },
      z.looseObject({ username: z.string().default('app'), password: z.string() }),
    );
    const { current: inUse, found } = await look(['leaked']);
    expect(inUse).toMatchObject({ password: 'now' });
    expect(found).toHaveLength(1);
  });

  test('is that of a later rotation, and of no earlier one', async () => {
    const shown = async (created: Date | undefined, made: Date | undefined = at(10)) => {
      const { look } = showing({
        other: { value: text('other'), labels: [current], created },
        made: { value: text('new'), labels: [previous], created: made },
        leaked: { value: text('leaked'), created: at(1) },
      });
      const { currentVersionId, stillCurrent } = await look(['leaked'], { newVersionId: 'made' });
      expect(stillCurrent).toBeUndefined();
      return currentVersionId;
    };
    expect(await shown(at(11))).toBe('other');
    expect(await shown(at(10))).toBe('made');
    expect(await shown(at(9))).toBe('made');
    expect(await shown(undefined)).toBe('made');
    expect(await shown(at(11), new Date(Number.NaN))).toBe('made');
  });

  test('that the rotation made must be readable: without it nothing is known', async () => {
    const { look, asked } = showing({ leaked: { value: text('leaked'), labels: [current] } });
    await expect(look(['leaked'], { newVersionId: 'made' })).rejects.toMatchObject({
      code: 'LabelsOutdated',
    });
    expect(asked.read.filter((id) => id === 'made')).toHaveLength(6);
  });

  test('holds the very value that leaked', async () => {
    const { look } = showing({
      made: { value: text('same'), labels: [current] },
      leaked: { value: text('same'), labels: [previous] },
    });
    const { sameAsCurrent } = await look(['leaked'], { newVersionId: 'made' });
    expect(sameAsCurrent).toMatchObject({ versionIds: ['leaked'] });
    const { sameAsCurrent: itself } = await showing({ used: { value: text('now'), labels: [current] } }).look(
      ['used'],
    );
    expect(itself).toBeUndefined();
    const { sameAsCurrent: other } = await showing({
      made: { value: text('new'), labels: [current] },
      leaked: { value: text('leaked') },
    }).look(['leaked'], { newVersionId: 'made' });
    expect(other).toBeUndefined();
  });

  test.each([
    ['a first value, which no target was told', JSON.stringify({ password: 'generated' }), undefined],
    ['no JSON', 'text', 'SecretValueInvalid'],
    ['no text', undefined, 'SecretValueMissing'],
  ])('that holds %s leaves the leaked one to be cut off with itself', async (_, value, fault) => {
    const { look } = showing({
      leaked: { value: text('leaked') },
      used: { value, labels: [current] },
    });
    const { current: inUse, currentFault, currentVersionId } = await look(['leaked']);
    expect(currentVersionId).toBe('used');
    expect(inUse).toMatchObject({ password: 'leaked' });
    expect(currentFault?.code).toBe(fault);
    expect(currentFault === undefined || currentFault instanceof SecretError).toBe(true);
  });
});

describe('of a plan that names no versions', () => {
  const old = { value: text('old'), labels: [stages.previous], created: at(1) };
  const leaked = { value: text('leaked'), labels: [stages.current], created: at(30) };
  // Both clocks of the request are behind that of Secrets Manager.
  const request = { requestedAt: at(0).toISOString(), takenAt: at(0).toISOString() };

  test('all that are there leaked, whatever other clocks say', async () => {
    const { look } = showing({ leaked, old });
    expect((await look([], request)).leaked).toEqual(['leaked', 'old']);
  });

  test('after the rotation all that are older than what it made, listed once', async () => {
    const made = { value: text('made'), labels: [stages.current], created: at(31) };
    const later = { value: text('later'), created: at(40) };
    const { look, asked } = showing({
      later,
      made,
      leaked: { ...leaked, labels: [stages.previous] },
      old: { ...old, labels: [] },
    });
    const leaks = await look([], { ...request, newVersionId: 'made' });
    expect(leaks.leaked).toEqual(['leaked', 'old']);
    expect(leaks.found.flatMap(({ versionIds }) => versionIds).toSorted()).toEqual(['leaked', 'old']);
    expect(asked.list).toBe(1);
  });

  test('that is tried again, those that came after the first try did not leak', async () => {
    const again = { requestedAt: at(60).toISOString(), takenAt: at(35).toISOString() };
    const made = { value: text('made'), labels: [stages.current], created: at(36) };
    const { look } = showing({ made, leaked: { ...leaked, labels: [stages.previous] }, old });
    expect((await look([], again)).leaked).toEqual(['leaked', 'old']);
    const second = { value: text('second'), labels: [stages.current], created: at(61) };
    const retried = showing({ second, made: { ...made, labels: [] }, leaked, old });
    expect((await retried.look([], { ...again, newVersionId: 'second' })).leaked).toEqual(['leaked', 'old']);
  });
});
