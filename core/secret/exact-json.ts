/**
 * Parses JSON and keeps every whole number that no double holds as its own text. An id of 64 bits would otherwise become its
 * neighbour's, which is somebody else's.
 *
 * @throws SyntaxError which may quote the text
 * @example
 * parseExactly('{"id": 9007199254740993}'); // { id: '9007199254740993' }
 * @see https://www.rfc-editor.org/rfc/rfc8259#section-6
 */
export const parseExactly = (text: string): unknown => JSON.parse(text, keepText);

/**
 * Keeps a whole number that a double cannot hold as its text. The third argument holds the text that a value was read from,
 * which the types of ES2024 lack.
 */
const keepText = ((_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  typeof value === 'number' && !Number.isSafeInteger(value) && source !== undefined && /^-?\d+$/.test(source)
    ? source
    : value) as (key: string, value: unknown) => unknown;
