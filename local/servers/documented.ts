import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../../docs/secret-types');

/**
 * Reads the code block of a type's documentation that follows the given marker. So what people are told to run is what is run
 * here.
 */
export async function documented(type: string, marker: string): Promise<string> {
  const text = await readFile(join(folder, `${type}.md`), 'utf8');
  const block = text.split(`<!-- ${marker} -->`)[1]?.match(/```\w*\n([\s\S]*?)```/)?.[1];
  if (block === undefined) throw new Error(`the documentation of ${type} has no block marked "${marker}"`);
  return block.trim();
}
