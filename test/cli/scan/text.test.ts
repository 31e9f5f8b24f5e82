import { describe, expect, test } from '@jest/globals';
import { planted } from './planted.ts';
import { scanned } from './world.ts';

const { value } = planted.find(({ name }) => name === 'GitHub') ?? { value: '' };
const key = planted.find(({ name }) => name === 'RSA key')?.text ?? '';

describe('the place of a secret', () => {
  test.each([
    ['at the begin', '', 1, 1],
    ['behind lines', 'one\ntwo\r\nthree ', 3, 7],
    ['far behind, over windows', `${'x'.repeat(99)}\n`.repeat(12_345), 12_346, 1],
    ['far behind in one line', 'y '.repeat(700_000), 1, 1_400_001],
    ['behind other letters', 'größe: ', 1, 8],
  ])('%s', async (_, before, line, column) => {
    for (const chunk of [1_000, 65_536]) {
      const { found } = await scanned(`${before}${value}\nend`, { chunk });
      expect(found.map(({ place }) => place)).toEqual([{ path: ['artifact'], line, column }]);
    }
  });

  test('is one, wherever windows meet', async () => {
    const window = 256 * 1_024;
    for (const at of [window - 24 * 1_024, window]) {
      for (const shift of [-65, -64, -41, -40, -39, -20, -1, 0, 1, 30]) {
        for (const filler of ['.', '\0']) {
          const text = `${filler.repeat(at + shift - 1)} ${value} ${filler.repeat(window)}`;
          const { found } = await scanned(text);
          expect([at, shift, found.map(({ place }) => place.offset ?? (place.column ?? 0) - 1)]).toEqual([
            at,
            shift,
            [at + shift],
          ]);
        }
      }
    }
  });

  test('is none in the middle of a word, wherever windows meet', async () => {
    for (const at of [256 * 1_024 - 24 * 1_024, 256 * 1_024 - 24 * 1_024 - 64]) {
      const { found } = await scanned(`${'x'.repeat(at)}${value} ${'.'.repeat(300_000)}`);
      expect(found).toEqual([]);
    }
  });

  test('of a private key that lies over the end of a window', async () => {
    for (const before of [256 * 1_024 - 500, 256 * 1_024 - 24 * 1_024 - 500]) {
      const { rules } = await scanned(`${'-'.repeat(before)}\n${key}\n${'z'.repeat(300_000)}`);
      expect(rules).toEqual(['PrivateKey']);
    }
  });
});

describe('encodings', () => {
  test('UTF-16 with a mark, of both orders', async () => {
    const little = Buffer.from(`\ufeffa\nb ${value}`, 'utf16le');
    const big = Buffer.from(little).swap16();
    for (const bytes of [little, big]) {
      expect((await scanned(bytes)).found.map(({ place }) => place)).toEqual([
        { path: ['artifact'], line: 2, column: 3 },
      ]);
    }
  });

  test('strings in what is no text, of one byte each and of two, at odd and even places', async () => {
    for (const shift of [0, 1]) {
      const noise = Buffer.from(
        Array.from({ length: 4_000 + shift }, (_, at) => ((at * 7_919) % 251) & 0x8f),
      );
      for (const text of [Buffer.from(value), Buffer.from(value, 'utf16le')]) {
        const { found } = await scanned(
          Buffer.concat([noise, Buffer.from([0]), text, Buffer.from([0, 0, 1]), noise]),
        );
        expect(found.map(({ rule, place }) => [rule, place.offset])).toEqual([
          ['GitHubToken', noise.length + 1],
        ]);
      }
    }
  });

  test('bytes that are no UTF-8 do not hide what stands beside them', async () => {
    const { rules } = await scanned(
      Buffer.concat([Buffer.from([0xe9, 0xff]), Buffer.from(` ${value}`), Buffer.from([0xff])]),
    );
    expect(rules).toEqual(['GitHubToken']);
    const binary = Buffer.concat([Buffer.from([0, 0xe9]), Buffer.from(value), Buffer.from([0xe9, 0])]);
    expect((await scanned(binary)).rules).toEqual(['GitHubToken']);
  });
});
