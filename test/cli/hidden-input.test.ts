import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { type Input, mostBytes, readHidden } from '../../cli/hidden-input.ts';

/** Standard input that a test types into. */
class Keyboard extends EventEmitter implements Input {
  readonly isTTY: boolean;
  readonly raw: boolean[] = [];
  paused = true;

  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }

  setRawMode(raw: boolean): void {
    this.raw.push(raw);
  }

  resume(): void {
    this.paused = false;
  }

  pause(): void {
    this.paused = true;
  }

  type(...chunks: readonly string[]): void {
    for (const chunk of chunks) this.emit('data', Buffer.from(chunk));
  }
}

function asked(isTTY = true) {
  const input = new Keyboard(isTTY);
  let shown = '';
  const value = readHidden(input, 'Value: ', (text) => {
    if (isTTY && text === 'Value: ') expect(input.raw).toEqual([true]);
    shown += text;
  });
  return { input, value, shown: () => shown };
}

describe('at a terminal', () => {
  test('a line is read and not shown, and the terminal is as before', async () => {
    const { input, value, shown } = asked();
    input.type('s3', 'cret', '\r');
    expect(await value).toBe('s3cret');
    expect(shown()).toBe('Value: \n');
    expect([input.raw, input.paused, input.listenerCount('data')]).toEqual([[true, false], true, 0]);
  });

  test('lines that are pasted together are one value: none is left for the shell', async () => {
    const { input, value } = asked();
    input.type('-----BEGIN-----\r');
    await sleep(20);
    input.type('line two\rline three\r');
    expect(await value).toBe('-----BEGIN-----\nline two\nline three');
  });

  test('backspace takes a character off, of whatever length, and none that is not there', async () => {
    const { input, value } = asked();
    input.type('\u007f', 'ä€\u007f\u007f', 'ok\b', '\r');
    expect(await value).toBe('o');
  });

  test('Ctrl-D ends, Ctrl-C ends with nothing looked up', async () => {
    const first = asked();
    first.input.type('s3cret\u0004');
    expect(await first.value).toBe('s3cret');
    const second = asked();
    second.input.type('s3cret\u0003');
    await expect(second.value).rejects.toMatchObject({ code: 'NotConfirmed', exitCode: 1 });
    expect(second.input.raw).toEqual([true, false]);
  });
});

describe('in a pipe', () => {
  test('everything is read as it is, and nobody is asked', async () => {
    const { input, value, shown } = asked(false);
    input.emit('data', Buffer.from('s3cret\r\n€').subarray(0, 9));
    input.emit('data', Buffer.from('€').subarray(1));
    input.type('\u0003\n');
    input.emit('end');
    expect(await value).toBe('s3cret\r\n€\u0003\n');
    expect([shown(), input.raw]).toEqual(['', []]);
  });

  test('more than any secret is refused, and not repeated', async () => {
    const { input, value } = asked(false);
    input.type('x'.repeat(mostBytes), 's3cret');
    const error = await value.catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'ValueTooLong', exitCode: 2 });
    expect(error.message).not.toContain('s3cret');
  });
});
