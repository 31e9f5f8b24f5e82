import { Collector, type Surrounding } from '../collector.ts';
import { isObject, type ManifestDocument, type ManifestFile, pointerText } from '../document.ts';
import type { Place } from '../reference.ts';
import { secretIdOf } from '../secret-id.ts';
import { baseName, type ManifestFinder } from './finder.ts';

/** Properties of one document by their whole names, with the place of each. */
interface Properties {
  readonly texts: ReadonlyMap<string, string>;
  readonly placeOf: (name: string) => Place;
}

const named = /^(?:application|bootstrap)[\w.-]*\.(?:ya?ml|properties)$/i;
const mostProperties = 50_000;

/**
 * Finds what Spring reads from Secrets Manager. Such are `spring.config.import`, the older settings of a bootstrap, and logins of the
 * JDBC driver that reads them itself.
 * @see https://docs.awspring.io/spring-cloud-aws/docs/current/reference/html/index.html#spring-cloud-aws-secrets-manager
 * @see https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets_jdbc.html
 */
export const spring: ManifestFinder = {
  format: 'spring',
  title: 'Spring configuration',
  recognizes: ({ name, documents, text }) =>
    (named.test(baseName(name)) && (documents.length > 0 || name.endsWith('.properties'))) ||
    (/\.(?:ya?ml|properties)$/i.test(name) &&
      /config[.:\s]{0,20}import|jdbc-secretsmanager:/.test(text) &&
      /aws-secretsmanager:|jdbc-secretsmanager:/.test(text) &&
      documentsOf({ name, documents, text, faults: [], actions: [] }).length > 0),
  find: (file) => {
    const collector = new Collector('spring', file);
    const profile = /^(?:application|bootstrap)-([A-Za-z][\w-]*)\./.exec(baseName(file.name))?.[1];
    const documents = documentsOf(file);
    const shared = new Map(
      documents.flatMap(({ texts }) => (texts.has('spring.config.activate.on-profile') ? [] : [...texts])),
    );
    for (const properties of documents) collectFrom(collector, properties, shared, profile);
    return collector.reading;
  },
};

function documentsOf(file: ManifestFile): readonly Properties[] {
  if (/\.properties$/i.test(file.name)) return propertiesIn(file);
  return file.documents.filter(({ value }) => isObject(value)).map((document) => flattened(file, document));
}

function flattened({ name }: ManifestFile, document: ManifestDocument): Properties {
  const texts = new Map<string, string>();
  const ways = new Map<string, readonly string[]>();
  const visit = (value: unknown, path: string, way: readonly string[]): void => {
    if (texts.size > mostProperties) return;
    if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value)) {
        const next = Array.isArray(value) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
        visit(item, next, [...way, key]);
      }
    } else if (value !== null && value !== undefined) {
      texts.set(path, String(value));
      ways.set(path, way);
    }
  };
  visit(document.value, '', []);
  return {
    texts,
    placeOf: (key) => {
      const way = ways.get(key) ?? [];
      const line = document.lineOf(way);
      return { file: name, ...(line !== undefined && { line }), pointer: pointerText(way) };
    },
  };
}

/** Reads a file of properties; `#---` begins another document. */
function propertiesIn({ name, text }: ManifestFile): readonly Properties[] {
  const documents: { texts: Map<string, string>; lines: Map<string, number> }[] = [
    { texts: new Map(), lines: new Map() },
  ];
  const lines = text.split(/\r?\n/);
  for (let index = 0; index < lines.length; index += 1) {
    const from = index;
    let line = lines[index] ?? '';
    if (/^[#!]---\s*$/.test(line)) {
      documents.push({ texts: new Map(), lines: new Map() });
      continue;
    }
    if (/^\s*[#!]/.test(line)) continue;
    while (/(?<!\\)\\$/.test(line) && index + 1 < lines.length && line.length < 20_000) {
      index += 1;
      line = line.slice(0, -1) + (lines[index] ?? '').trimStart();
    }
    const [, key, value = ''] = /^\s*([^\s:=]+)\s*[:=\s]\s*(.*)$/.exec(line) ?? [];
    const document = documents.at(-1);
    if (key === undefined || document === undefined) continue;
    document.texts.set(key, value.trim());
    document.lines.set(key, from + 1);
  }
  return documents.map(({ texts, lines: at }) => ({
    texts,
    placeOf: (key) => ({ file: name, line: at.get(key) ?? 1, pointer: key }),
  }));
}

/** Puts properties and defaults in the place of `${name}` and `${name:default}`. */
function filled(text: string, own: ReadonlyMap<string, string>, shared: ReadonlyMap<string, string>): string {
  let result = text;
  for (let round = 0; round < 4 && result.includes('${'); round += 1) {
    result = result.replaceAll(
      /\$\{([\w.-]{1,200})(?::([^{}]{0,1000}))?\}/g,
      (whole, name: string, otherwise: string | undefined) =>
        own.get(name) ?? shared.get(name) ?? otherwise ?? whole,
    );
  }
  return result;
}

function collectFrom(
  collector: Collector,
  { texts, placeOf }: Properties,
  shared: ReadonlyMap<string, string>,
  profile: string | undefined,
): void {
  const value = (...names: readonly string[]): string | undefined =>
    names.map((name) => texts.get(name) ?? shared.get(name)).find((text) => text !== undefined);
  const fill = (text: string): string => filled(text, texts, shared);
  const regionText = value(
    'spring.cloud.aws.secretsmanager.region',
    'spring.cloud.aws.region.static',
    'aws.secretsmanager.region',
    'cloud.aws.region.static',
  );
  const region = regionText === undefined ? undefined : fill(regionText);
  const onProfile = texts.get('spring.config.activate.on-profile') ?? texts.get('spring.profiles') ?? profile;
  const around: Surrounding = {
    region: region?.includes('${') === true ? undefined : region,
    environment: onProfile !== undefined && /^[\w-]+$/.test(onProfile) ? onProfile : undefined,
  };
  for (const [name, text] of texts) {
    if (!/^spring\.config\.import(?:\[\d+\])?$/.test(name)) continue;
    for (const location of text.split(',')) {
      const [, ids] = /^\s*(?:optional:)?aws-secretsmanager:(.*)$/.exec(location) ?? [];
      for (const id of ids?.split(';') ?? []) {
        const whole = fill(id).split('?')[0] ?? '';
        if (whole.trim() !== '') collector.take(secretIdOf(whole), placeOf(name), around);
      }
    }
  }
  collectBootstrap(collector, texts, placeOf, fill, around, value('spring.application.name'));
  collectLogins(collector, texts, placeOf, fill, around);
}

/** Collects the secret that the starters before Spring Boot 2.4 derive from a prefix and the application's name. */
function collectBootstrap(
  collector: Collector,
  texts: ReadonlyMap<string, string>,
  placeOf: Properties['placeOf'],
  fill: (text: string) => string,
  around: Surrounding,
  application: string | undefined,
): void {
  for (const base of ['aws.secretsmanager', 'spring.cloud.aws.secretsmanager']) {
    const [prefix, own, enabled] = [`${base}.prefix`, `${base}.name`, `${base}.enabled`].map((name) =>
      texts.get(name),
    );
    const name = own ?? (prefix === undefined ? undefined : application);
    if (name === undefined || enabled === 'false') continue;
    const at = own === undefined ? `${base}.prefix` : `${base}.name`;
    collector.take(secretIdOf(fill(`${prefix ?? '/secret'}/${name}`)), placeOf(at), around);
  }
}

/** Collects users of databases that stand for a secret, as the JDBC driver of Secrets Manager takes them. */
function collectLogins(
  collector: Collector,
  texts: ReadonlyMap<string, string>,
  placeOf: Properties['placeOf'],
  fill: (text: string) => string,
  around: Surrounding,
): void {
  for (const [name, text] of texts) {
    const base = /^(.*)\.(?:url|jdbc-?url)$/i.exec(name)?.[1];
    if (base === undefined || !/^jdbc-secretsmanager:/.test(text)) continue;
    const user = ['username', 'user'].map((end) => `${base}.${end}`).find((key) => texts.has(key));
    if (user !== undefined) collector.take(secretIdOf(fill(texts.get(user) ?? '')), placeOf(user), around);
  }
}
