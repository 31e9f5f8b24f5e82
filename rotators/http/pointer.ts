/** Form of a pointer to a value in a JSON document. @see https://www.rfc-editor.org/rfc/rfc6901 */
export const pointerPattern = /^(?:\/(?:[^~/]|~[01])*)*$/;

/** Reads the value at `pointer`; undefined where there is none. Inherited properties are passed over. */
export function valueAt(document: unknown, pointer: string): unknown {
  let value = document;
  for (const part of pointer.split('/').slice(1)) {
    const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}
