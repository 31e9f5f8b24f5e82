import type { SecretFound } from '../../core/scan/finding.ts';

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const blob = /^blobs\/sha256\/([0-9a-f]{64})$/;
const legacy = /^([0-9a-f]{64})(?:\.json|\/json|\/layer\.tar)$/;
/** Documents that say what is in an image. */
const documents = new Set(['index.json', 'manifest.json', 'oci-layout', 'repositories']);

/** Tells whether a file may be a document of an image: an index, a manifest, or a configuration. */
export const isImageDocument = (path: readonly string[], head: Uint8Array): boolean => {
  const name = nameInImage(path);
  return head[0] === 0x7b || head[0] === 0x5b
    ? blob.test(name) || legacy.test(name) || documents.has(name)
    : false;
};

/** Gives the name of a file in its image, where `docker save` and folders begin it differently. */
const nameInImage = (path: readonly string[]): string =>
  (path.at(-1) ?? '').replace(/^\.\//, '').replace(/^.*\/(?=blobs\/sha256\/)/, '');

/** Files of one layer that deletions are noted of. */
const mostDeletions = 200_000;

/** A layer of an image, by what was read of the image. */
interface Layer {
  readonly image: string;
  readonly index: number;
  readonly createdBy: string;
}

/**
 * The notes on images that a scan makes on its way. An archive names its layers after, or before, it holds them; so findings get
 * their names at the end.
 */
export class ImageNotes {
  /** Configurations, by the root of the image and the digest. */
  readonly #configurations = new Map<string, Json>();
  /** Manifests, by the root of the image. */
  readonly #manifests: {
    readonly root: string;
    readonly config: string;
    readonly layers: readonly string[];
    readonly name: string;
  }[] = [];
  readonly #deletions = new Map<string, Set<string>>();
  #deleted = 0;
  #layers: Map<string, Layer> | undefined;

  /** Notes a file of a layer that deletes one of an earlier layer. */
  noteEntry(archive: readonly string[], name: string): void {
    const base = name.slice(name.lastIndexOf('/') + 1);
    if (!base.startsWith('.wh.') || this.#deleted >= mostDeletions) return;
    this.#deleted += 1;
    const key = keyOf(archive);
    const deletions = this.#deletions.get(key) ?? new Set();
    const folder = cleaned(name.slice(0, name.length - base.length));
    deletions.add(base === '.wh..wh..opq' ? `${folder}*` : `${folder}${base.slice('.wh.'.length)}`);
    this.#deletions.set(key, deletions);
  }

  /** Reads a document of an image, and gives its texts with their places. It gives undefined for what is no JSON. */
  noteDocument(path: readonly string[], text: string) {
    let document: unknown;
    try {
      document = JSON.parse(text);
    } catch {
      return undefined;
    }
    const root = keyOf(path.slice(0, -1));
    const name = nameInImage(path);
    if (isObject(document) && isObject(document.config) && Array.isArray(document.layers)) {
      this.#noteManifest(root, name, digestOf(document.config), document.layers.map(digestOf));
    } else if (name === 'manifest.json') {
      for (const one of listOf(document).filter(isObject)) {
        const layers = listOf(one.Layers).map(String);
        this.#noteManifest(root, String(listOf(one.RepoTags)[0] ?? 'image'), String(one.Config), layers);
      }
    } else if (isObject(document) && (isObject(document.rootfs) || Array.isArray(document.history))) {
      this.#configurations.set(`${root}\n${name}`, document);
    }
    return textsIn(document);
  }

  #noteManifest(root: string, name: string, config: string, layers: readonly string[]): void {
    this.#manifests.push({
      root,
      name: blob.test(name) ? `image ${name.slice(-64, -52)}` : name,
      config,
      layers,
    });
  }

  /** Names the layer in which a secret was found, and the later layer that deletes its file. */
  named(found: SecretFound): SecretFound {
    this.#layers ??= this.#named();
    const { path } = found.place;
    const at = path.findIndex((_, index) => this.#layers?.has(keyOf(path.slice(0, index + 1))) === true);
    if (at === -1) return found;
    const layer = this.#layers.get(keyOf(path.slice(0, at + 1)));
    if (layer === undefined) return found;
    const deleting = this.#deletedLater(layer, path.slice(0, at), path[at + 1] ?? '');
    const remark =
      deleting === undefined ? undefined : `deleted by layer ${deleting}, and shipped all the same`;
    return {
      ...found,
      place: { ...found.place, path: path.with(at, `layer ${layer.index + 1} of ${layer.image}`) },
      ...(remark !== undefined
        ? { remark }
        : layer.createdBy !== '' && { remark: `the layer was made by ${layer.createdBy}` }),
    };
  }

  #named(): Map<string, Layer> {
    const layers = new Map<string, Layer>();
    for (const { root, name, config, layers: files } of this.#manifests) {
      const history = listOf(this.#configurations.get(`${root}\n${config}`)?.history).filter(isObject);
      const makers = history.filter(({ empty_layer }) => empty_layer !== true);
      files.forEach((file, index) => {
        // A command may hold what it should not; where one is found in it, the finding on the history says so.
        const createdBy = makers.length === files.length ? instructionOf(makers[index]) : '';
        layers.set(`${root}\n${file}`, { image: name, index, createdBy });
      });
    }
    return layers;
  }

  #deletedLater(layer: Layer, root: readonly string[], file: string): number | undefined {
    const name = cleaned(file);
    const folders = name.split('/').map((_, count, steps) => steps.slice(0, count + 1).join('/'));
    for (const [key, { image, index }] of this.#layers ?? []) {
      if (image !== layer.image || index <= layer.index || !key.startsWith(keyOf(root))) continue;
      const deletions = this.#deletions.get(key);
      const gone = folders.some(
        (folder) =>
          deletions?.has(folder) === true || (folder !== name && deletions?.has(`${folder}/*`) === true),
      );
      if (gone) return index + 1;
    }
    return undefined;
  }
}

const keyOf = (path: readonly string[]): string =>
  path.map((step, index) => (index === path.length - 1 ? nameInImage([step]) : step)).join('\n');
const cleaned = (name: string): string => name.replace(/^(?:\.?\/)+/, '');

/** Gives the path of a blob of a descriptor. */
const digestOf = (descriptor: unknown): string =>
  isObject(descriptor) ? String(descriptor.digest).replace(/^sha256:/, 'blobs/sha256/') : '';

/** Gives the first word of the instruction that made a layer, such as `COPY`. What follows it is not shown. */
const instructionOf = (history: Json | undefined): string =>
  /^(?:\/bin\/sh -c #\(nop\) +)?(RUN|COPY|ADD|WORKDIR|\/bin\/sh)\b/.exec(
    String(history?.created_by ?? ''),
  )?.[1] ?? '';

/** Texts of one document. */
const mostTexts = 20_000;

/**
 * Finds every text in a document, with its place, such as `config.Env[2]` or `history[4].created_by`. It gives undefined for a
 * document that holds too many, or too deep.
 */
function textsIn(document: unknown): readonly { readonly name: string; readonly text: string }[] | undefined {
  const texts: { name: string; text: string }[] = [];
  let whole = true;
  const visit = (value: unknown, name: string, depth: number): void => {
    if (texts.length >= mostTexts || depth > 32) {
      whole = false;
      return;
    }
    if (typeof value === 'string') texts.push({ name, text: value });
    else if (Array.isArray(value))
      for (const [at, one] of value.entries()) visit(one, `${name}[${at}]`, depth + 1);
    else if (isObject(value)) {
      for (const [key, one] of Object.entries(value)) {
        // A label is found by its name as well as by its value.
        if (typeof one === 'string') visit(`${key}=${one}`, name === '' ? key : `${name}.${key}`, depth + 1);
        else visit(one, name === '' ? key : `${name}.${key}`, depth + 1);
      }
    }
  };
  visit(document, '', 0);
  return whole ? texts : undefined;
}
