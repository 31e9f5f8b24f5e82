/** The output of the local cloud's programs: one line a step, timings, and a table at the end. */
export interface Terminal {
  /** Prints a heading. */
  title(text: string): void;
  /** Prints a line of detail below the step that runs. */
  note(text: string): void;
  /** Runs a step and prints how long it took, or that it failed. */
  step<T>(text: string, action: () => Promise<T>): Promise<T>;
  table(header: readonly string[], rows: readonly (readonly string[])[]): void;
}

/** Makes the output for a stream, in colours for a terminal where NO_COLOR is empty (https://no-color.org). */
export function terminal(stream: NodeJS.WriteStream = process.stdout): Terminal {
  const colours = stream.isTTY === true && !process.env.NO_COLOR;
  const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const line = (text = ''): void => {
    stream.write(`${text}\n`);
  };
  return {
    title: (text) => {
      line();
      line(paint(1, text));
    },
    note: (text) => line(`    ${paint(2, text)}`),
    async step(text, action) {
      const start = performance.now();
      const took = (): string => paint(2, `${((performance.now() - start) / 1000).toFixed(1)} s`);
      if (colours) {
        stream.write(`  … ${text}\r`);
      }
      try {
        const result = await action();
        line(`  ${paint(32, 'ok')} ${text}  ${took()}`);
        return result;
      } catch (error) {
        line(`  ${paint(31, 'failed')} ${text}  ${took()}`);
        throw error;
      }
    },
    table(header, rows) {
      const widths = header.map((cell, column) =>
        Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)),
      );
      const format = (row: readonly string[]): string =>
        row
          .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
          .join('  ');
      line();
      line(paint(1, format(header)));
      line(widths.map((width) => '-'.repeat(width)).join('  '));
      for (const row of rows) {
        line(format(row));
      }
    },
  };
}
