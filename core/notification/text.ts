/**
 * Characters that are taken out of messages. They are controls, directions of writing that show one text as another, and all
 * without width.
 * @see https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
const unseen =
  /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb]+|[\ufe00-\ufe0f]+|[\u{e0000}-\u{e007f}]+/gu;

/**
 * Makes one bounded line of a text that others wrote, such as a name or a reason. Unseen characters are taken out.
 * @param longest - UTF-16 code units, the ellipsis among them
 */
export function plain(text: string, longest: number): string {
  // Cut first: what comes may be of any length.
  const line = text
    .slice(0, longest * 4)
    .toWellFormed()
    .replace(unseen, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
  if (line.length <= longest) return line;
  return `${line.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** Cuts a text to a number of bytes in UTF-8, at the border of a character. */
export function cutBytes(text: string, most: number): string {
  if (Buffer.byteLength(text) <= most) return text;
  const kept: string[] = [];
  let bytes = Buffer.byteLength('…');
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > most) break;
    kept.push(character);
  }
  return `${kept.join('')}…`;
}

/** Writes a text in ASCII, as headers and subjects of mails need it. */
export const ascii = (text: string): string => text.normalize('NFKD').replace(/[^\u0020-\u007e]/g, '?');
