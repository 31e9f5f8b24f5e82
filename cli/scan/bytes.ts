/** Bytes at the end that are remembered: as many as end a zip without a comment. */
const tailLength = 22;

const joinedTail = (tail: Uint8Array, value: Uint8Array): Uint8Array =>
  Buffer.concat([tail, value]).subarray(-tailLength);

/**
 * A stream of bytes of which the beginning can be looked at. Whoever stops in the middle leaves the rest where it is: an archive that
 * holds several would be lost with the first of them.
 */
export class Bytes implements AsyncIterable<Uint8Array> {
  readonly #source: AsyncIterator<Uint8Array>;
  readonly #ahead: Uint8Array[] = [];
  #ended = false;
  /** The last bytes that came; those of a zip say that it is one. */
  #tail: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Looks at the first bytes: as many as asked for, or all where there are fewer. They are read again afterwards. */
  async peek(count: number): Promise<Uint8Array> {
    let length = this.#ahead.reduce((sum, chunk) => sum + chunk.length, 0);
    while (length < count && !this.#ended) {
      const chunk = await this.#next();
      if (chunk === undefined) break;
      this.#ahead.push(chunk);
      length += chunk.length;
    }
    const [first, second] = this.#ahead;
    if (first === undefined) return new Uint8Array();
    if (second === undefined || first.length >= count) return first.subarray(0, count);
    const joined = Buffer.concat(this.#ahead);
    this.#ahead.splice(0, this.#ahead.length, joined);
    return joined.subarray(0, count);
  }

  /** Gives the last bytes that were read, up to {@link tailLength}. */
  get tail(): Uint8Array {
    return this.#tail;
  }

  /** Gives the next bytes; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    return this.#ahead.shift() ?? (await this.#next());
  }

  /** Collects all bytes; undefined where they are more than a limit, and the rest is then still there. */
  async collect(most: number): Promise<Buffer | undefined> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > most) {
        this.#ahead.unshift(...chunks);
        return undefined;
      }
    }
    return Buffer.concat(chunks, length);
  }

  /** Reads what is left, and forgets it. */
  async drain(): Promise<void> {
    for (let chunk = await this.read(); chunk !== undefined; ) chunk = await this.read();
  }

  /** Ends the source, and leaves what is left in it unread. */
  async close(): Promise<void> {
    this.#ended = true;
    await this.#source.return?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (let chunk = await this.read(); chunk !== undefined; chunk = await this.read()) yield chunk;
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#ended) return undefined;
    try {
      const { done, value } = await this.#source.next();
      if (done !== true) {
        this.#tail = value.length >= tailLength ? value.subarray(-tailLength) : joinedTail(this.#tail, value);
        return value;
      }
    } catch (error) {
      this.#ended = true;
      throw error;
    }
    this.#ended = true;
    return undefined;
  }
}
