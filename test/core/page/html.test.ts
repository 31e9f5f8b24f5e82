import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Html, html } from '../../../core/page/html.ts';
import { writePage } from '../../../core/page/page.ts';
import { stylesheet } from '../../../core/page/style.ts';
import { propertyRuns } from '../../property-runs.ts';

/** Reads a text back out of markup, as a browser does. */
const unescaped = (markup: string): string =>
  markup
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');

describe('markup', () => {
  test('has every text escaped, in an element and in an attribute', () => {
    const text = fc.string({ unit: fc.constantFrom(...'<>&"\'=/ aé\n', 'javascript:', '-->', '</p>') });
    fc.assert(
      fc.property(text, (given) => {
        const markup = `${html`<p title="${given}">${given}</p>`}`;
        const [, title = '', content = ''] = /^<p title="([^"<>]*)">([^<>]*)<\/p>$/.exec(markup) ?? [];
        expect([unescaped(title), unescaped(content)]).toEqual([given, given]);
      }),
      { numRuns: propertyRuns(300) },
    );
  });

  test('joins lists and other markup, and leaves out what is not there', () => {
    const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`);
    expect(`${html`<ul>${items}${undefined}${false}</ul>${3}`}`).toBe(
      '<ul><li>a</li><li>&lt;b&gt;</li></ul>3',
    );
  });

  test.each([
    ['an attribute without quotes', () => html`<p title=${'x'}>`],
    ['the name of an attribute', () => html`<p ${'onclick'}="x">`],
    ['the name of an element', () => html`<${'script'}>`],
    ['behind a quoted ">"', () => html`<p title=">" ${'onclick=x'}>`],
  ])('refuses a text as %s', (_, make) => expect(make).toThrow(TypeError));

  test('refuses markup in an attribute, and a stylesheet that could end itself', () => {
    expect(() => html`<p title="${html`<b>x</b>`}">`).toThrow(TypeError);
    expect(() => Html.stylesheet('a{}</style><script>')).toThrow(TypeError);
  });

  test('shows controls and what turns the order of a text as a mark', () => {
    expect(`${html`${'a\u202eb\u0000c\u001bd\ud800e\u2066f'}`}`).toBe('a\ufffdb\ufffdc\ufffdd\ufffde\ufffdf');
    // Joiners belong to the writing of some languages, and to some signs.
    expect(`${html`${'نمی\u200cشود 👩\u200d🚒\tx\ny'}`}`).toBe('نمی\u200cشود 👩\u200d🚒\tx\ny');
  });
});

describe('a page', () => {
  const page = writePage({ title: '<t>', kicker: 'Kind', content: html`<p>x</p>`, footer: 'made' });

  test('permits its stylesheet alone, by hash', async () => {
    const { createHash } = await import('node:crypto');
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    const hash = createHash('sha256').update(stylesheet).digest('base64');
    expect(unescaped(policy)).toBe(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`,
    );
    expect(page.split('<style>')).toHaveLength(2);
  });

  test('names no other place, and no style outside of the stylesheet', () => {
    expect(page).not.toMatch(/https?:|\burl\(|@import|<script|<link|\bstyle="/);
    expect(page).toContain('<title>&lt;t&gt; · Kind</title>');
    expect(page).toContain('<html lang="en">');
  });
});
