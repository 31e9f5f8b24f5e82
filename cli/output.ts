/** A place that text goes to. */
export interface Stream {
  write(text: string): void;
  /** True for a terminal: only then there are colours and progress. */
  readonly terminal: boolean;
  /** Gives the size of the terminal now, where it is known. */
  readonly size?: () => { readonly columns: number; readonly rows: number };
}

const tones = { good: '32', warn: '33', bad: '31', dim: '2', strong: '1' } as const;
export type Tone = keyof typeof tones;

/** A table's cell: plain text, or text with a tone that shows on terminals only. */
export type Cell = string | { readonly text: string; readonly tone: Tone };

const textOf = (cell: Cell): string => printable(typeof cell === 'string' ? cell : cell.text);

/** Control characters, and those that change the order or the look of what stands around them. */
const unsafe = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * Replaces control characters of a text, which would let it write over the terminal. Text from events and tags may hold
 * anything.
 */
const printable = (text: string): string => text.replace(unsafe, '\ufffd');

/** Replaces the control characters in several lines. */
export const printableLines = (text: string): string => text.split('\n').map(printable).join('\n');

/** Cuts a line to a width, colours aside. A line that wraps could not be drawn over. */
function clipped(line: string, width: number): string {
  let left = width;
  let text = '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the colours that this class writes itself
  for (const part of line.match(/\u001b\[\d+m|[^\u001b]/gu) ?? []) {
    if (part.startsWith('\u001b')) text += part;
    else if (left > 0) {
      text += part;
      left -= 1;
    }
  }
  return text;
}

/** Escapes in JSON what a terminal may obey or show in another order; the document stays the same. */
export const asJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(unsafe, (character) =>
    // Of the control characters, JSON itself leaves the ends of lines between its own parts, and those after DEL.
    character === '\n'
      ? character
      : [...Array(character.length).keys()].map((at) => escaped(character.charCodeAt(at))).join(''),
  );

const escaped = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;

/**
 * Writes what a command says. Results go to standard output, everything else (plans, questions, progress, errors) to standard
 * error, so that a pipe holds results only. With `--json`, results are exactly one document, or one per line.
 */
export class Output {
  readonly json: boolean;
  readonly #out: Stream;
  readonly #error: Stream;
  readonly #colour: boolean;
  #progressShown = false;
  /** Number of lines that the next {@link redraw} takes the place of. */
  #drawn = 0;

  constructor(out: Stream, error: Stream, options: { json: boolean; colour: boolean }) {
    this.#out = out;
    this.#error = error;
    this.json = options.json;
    this.#colour = options.colour;
  }

  /** Writes the result as a JSON document; does nothing in text mode. */
  document(value: unknown): void {
    if (this.json) {
      this.#out.write(`${asJson(value, 2)}\n`);
    }
  }

  /** Writes one line of NDJSON; does nothing in text mode. */
  documentLine(value: unknown): void {
    if (this.json) {
      this.#out.write(`${asJson(value)}\n`);
    }
  }

  /** Writes a line of the result for people; does nothing in JSON mode. */
  line(text = '', tone?: Tone): void {
    if (!this.json) {
      this.clearProgress();
      this.#out.write(`${this.#toned(this.#out, printable(text), tone)}\n`);
    }
  }

  /** Writes aligned columns for people; an empty list of headings makes none. Does nothing in JSON mode. */
  table(headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
    if (!this.json) {
      this.clearProgress();
      this.#out.write(this.#table(this.#out, headings, rows));
    }
  }

  /** True where {@link redraw} draws over what it drew before: on a terminal, in text mode. */
  get live(): boolean {
    return !this.json && this.#out.terminal;
  }

  /**
   * Writes a title and a table in the place of those of the call before. What does not fit on the terminal is left out, and
   * counted. Does nothing unless {@link live}.
   */
  redraw(title: string, headings: readonly string[], rows: readonly (readonly Cell[])[]): void {
    if (!this.live) return;
    const { columns, rows: height } = this.#out.size?.() ?? { columns: 80, rows: 24 };
    // The title, the headings, the line that counts what is left out, and the one in which the cursor stays.
    const room = Math.max(1, height - 4);
    const lines = [
      this.#toned(this.#out, printable(title), 'strong'),
      ...this.#table(this.#out, headings, rows.slice(0, room)).trimEnd().split('\n'),
      ...(rows.length > room ? [`and ${rows.length - room} more`] : []),
    ].map((line) => clipped(line, columns - 1));
    this.clearProgress();
    const back = this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r\u001b[J`;
    this.#out.write(`${back}${lines.join('\n')}\n`);
    this.#drawn = lines.length;
  }

  /** Writes a remark beside the result: plans, warnings, hints. Goes to standard error in every mode. */
  note(text = '', tone?: Tone): void {
    this.clearProgress();
    this.#error.write(`${this.#toned(this.#error, printable(text), tone)}\n`);
  }

  /** Writes aligned columns beside the result. */
  noteTable(rows: readonly (readonly Cell[])[]): void {
    this.clearProgress();
    this.#error.write(this.#table(this.#error, [], rows));
  }

  /** Shows what is going on, in a line that takes the place of the one before. On terminals only. */
  progress(text: string): void {
    if (this.#error.terminal) {
      this.#error.write(`\r\u001b[2K${this.#toned(this.#error, printable(text).slice(0, 110), 'dim')}`);
      this.#progressShown = true;
    }
  }

  clearProgress(): void {
    if (this.#progressShown) {
      this.#error.write('\r\u001b[2K');
      this.#progressShown = false;
    }
  }

  #toned(stream: Stream, text: string, tone: Tone | undefined): string {
    return tone !== undefined && this.#colour && stream.terminal && text !== ''
      ? `\u001b[${tones[tone]}m${text}\u001b[0m`
      : text;
  }

  #table(stream: Stream, headings: readonly string[], rows: readonly (readonly Cell[])[]): string {
    const all: (readonly Cell[])[] =
      headings.length === 0 ? [...rows] : [headings.map((text) => ({ text, tone: 'dim' as const })), ...rows];
    const count = Math.max(0, ...all.map((row) => row.length));
    const widths = Array.from({ length: count }, (_, column) =>
      Math.max(...all.map((row) => [...textOf(row[column] ?? '')].length)),
    );
    return all
      .map((row) => {
        const line = row.map((cell, column) => {
          const text = textOf(cell);
          const padding = column === row.length - 1 ? 0 : (widths[column] ?? 0) - [...text].length;
          return (
            this.#toned(stream, text, typeof cell === 'string' ? undefined : cell.tone) + ' '.repeat(padding)
          );
        });
        return `${line.join('  ').trimEnd()}\n`;
      })
      .join('');
  }
}
