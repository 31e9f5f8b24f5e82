/**
 * Makes the anchor that GitHub gives to a heading.
 * @see https://docs.github.com/en/get-started/writing-on-github/getting-started-with-writing-and-formatting-on-github/basic-writing-and-formatting-syntax#section-links
 */
function slug(heading: string): string {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

/**
 * Gives a heading its anchor, with a number where others of the page have it already.
 * @param heading - as it is written in Markdown
 * @param taken - anchors of the page so far; the new one is added
 */
export function anchorOf(heading: string, taken: Set<string>): string {
  const anchor = slug(heading);
  for (let index = 0; ; index += 1) {
    const candidate = index === 0 ? anchor : `${anchor}-${index}`;
    if (!taken.has(candidate)) {
      taken.add(candidate);
      return candidate;
    }
  }
}
