/**
 * Stands in for `iconv-lite` in the functions' bundles: half a megabyte of tables for encodings other than UTF-8, in
 * which no connection of ours speaks. What a server says in another one all the same, Node decodes by itself.
 * @see https://github.com/pillarjs/iconv-lite#low-level-codec-apis
 */

/** The driver's name for the servers' three-byte UTF-8, which is UTF-8 up to U+FFFF; names beyond that are refused. */
const nodeName = (encoding) => (encoding === 'cesu8' ? 'utf8' : encoding);

module.exports = {
  getDecoder(encoding) {
    const decoder = new TextDecoder(nodeName(encoding));
    return {
      write: (bytes) => decoder.decode(bytes, { stream: true }),
      end: () => decoder.decode(),
    };
  },
  getEncoder(encoding) {
    return { write: (text) => Buffer.from(text, nodeName(encoding)), end: () => undefined };
  },
};
