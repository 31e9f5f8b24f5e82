/** A value that stands in a page: text, which is escaped, or markup that the kit made. */
export type Content = Html | string | number | undefined | false | readonly Content[];

/** A piece of markup. It comes from {@link html} alone, so a text cannot become markup by mistake. */
export class Html {
  readonly #markup: string;

  private constructor(markup: string) {
    this.#markup = markup;
  }

  /** Makes markup of a template's own text, which stands in the code, and of values. */
  static fromTemplate(strings: TemplateStringsArray, values: readonly Content[]): Html {
    const places = placesOf(strings);
    const parts = strings.map((text, index) => {
      if (index === 0) return text;
      return writtenAt(places[index - 1] ?? 'element', values[index - 1]) + text;
    });
    return new Html(parts.join(''));
  }

  /** Makes a stylesheet's element. @throws TypeError for a text that could end the element */
  static stylesheet(css: string): Html {
    if (css.includes('<')) throw new TypeError('a stylesheet has no "<", which could end its element');
    return new Html(`<style>${css}</style>`);
  }

  toString(): string {
    return this.#markup;
  }
}

/**
 * Makes markup. Every text in it is escaped, and stands in an element or in a quoted attribute.
 *
 * @throws TypeError where a value stands in a tag and not in a quoted attribute, or markup stands in an attribute
 * @example
 * html`<p title="${title}">${text}</p>`
 */
export const html = (strings: TemplateStringsArray, ...values: readonly Content[]): Html =>
  Html.fromTemplate(strings, values);

type Place = 'element' | 'attribute';

const known = new WeakMap<TemplateStringsArray, readonly Place[]>();

/** Finds in which place each value of a template stands. */
function placesOf(strings: TemplateStringsArray): readonly Place[] {
  const cached = known.get(strings);
  if (cached !== undefined) return cached;
  let before = '';
  const places = strings.slice(0, -1).map((text): Place => {
    before += text;
    const tag = before.slice(before.lastIndexOf('<'));
    if (before.includes('<') && isOpenTag(tag)) {
      if (tag.split('"').length % 2 === 0) return 'attribute';
      throw new TypeError(`a value stands in a tag, outside of quotes, behind ${text.slice(-40)}`);
    }
    return 'element';
  });
  known.set(strings, places);
  return places;
}

/** Tells whether a tag has not ended. A ">" between quotes does not end it. */
const isOpenTag = (tag: string): boolean => !tag.replace(/"[^"]*"/g, '').includes('>');

function writtenAt(place: Place, value: Content): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) {
    if (place === 'attribute') throw new TypeError('an attribute holds text, not markup');
    return value.toString();
  }
  if (typeof value === 'string' || typeof value === 'number') return escaped(String(value));
  return value.map((one) => writtenAt(place, one)).join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * Controls, and what nobody sees, such as a mark that turns the order of a text. Each is shown as a mark of its own. Joiners stay:
 * some languages are written with them.
 */
const unsafe = /(?![\n\t\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029]/gu;

const escaped = (text: string): string =>
  text
    .toWellFormed()
    .replace(unsafe, '\ufffd')
    .replace(/[&<>"']/g, (character) => entities[character] ?? character);
