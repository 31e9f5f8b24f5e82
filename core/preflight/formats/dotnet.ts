import { Collector, type Surrounding } from '../collector.ts';
import { isObject, type Json, type ManifestDocument, textOf, textsIn } from '../document.ts';
import { isSecretArn, isStandIn, secretIdOf } from '../secret-id.ts';
import { baseName, type ManifestFinder } from './finder.ts';

const named = /^appsettings(?:\.([A-Za-z][\w-]*))?\.json$/i;
/** Names of sections that configure a provider of Secrets Manager. */
const section = /^(?:aws)?secrets?-?manager(?:settings|options|configuration|config)?$/i;
/** Keys of such a section that name secrets. */
const namesSecret = /^(?:accepted|allowed)?secret(?:arn|id|name|key)s?$|^secrets$|secret(?:arn|id|name)s?$/i;

/**
 * Finds secrets in sections of Secrets Manager, such as `AWSSecretsManager` and `SecretsManager:AcceptedSecretArns`, and whole ARNs
 * elsewhere.
 * @see https://github.com/Kralizek/AWSSecretsManagerConfigurationExtensions
 */
export const dotnet: ManifestFinder = {
  format: 'dotnet',
  title: '.NET configuration',
  recognizes: ({ name, documents }) =>
    named.test(baseName(name)) && documents.some(({ value }) => isObject(value)),
  find: (file) => {
    const collector = new Collector('dotnet', file);
    const environment = named.exec(baseName(file.name))?.[1];
    for (const document of file.documents) {
      const seen = new Set<string>();
      if (isObject(document.value)) visit(collector, document, document.value, [], { environment }, seen);
      for (const { pointer, text } of textsIn(document.value)) {
        if (!seen.has(pointer.join('\0')) && isSecretArn(text) && !isStandIn(text)) {
          collector.take(secretIdOf(text), collector.at(document, pointer), { environment });
        }
      }
    }
    return collector.reading;
  },
};

const deepest = 60;

function visit(
  collector: Collector,
  document: ManifestDocument,
  value: Json,
  way: readonly string[],
  around: Surrounding,
  seen: Set<string>,
): void {
  if (way.length > deepest) return;
  // A colon in a key stands for a section, too.
  const inside = way.some((part) => part.split(':').some((one) => section.test(one)));
  const given = (name: RegExp): string | undefined =>
    Object.entries(value).flatMap(([key, one]) => (name.test(key) ? (textOf(one) ?? []) : []))[0];
  const here: Surrounding = inside
    ? {
        ...around,
        region: given(/^region(?:endpoint)?$/i) ?? around.region,
        versionStage: given(/^versionstage$/i) ?? around.versionStage,
      }
    : around;
  for (const [name, item] of Object.entries(value)) {
    const at = [...way, name];
    const last = name.split(':').at(-1) ?? name;
    const sectioned = inside || name.split(':').some((one) => section.test(one));
    if (sectioned && namesSecret.test(last) && !section.test(last))
      takeNamed(collector, document, item, at, here, seen);
    if (isObject(item)) visit(collector, document, item, at, here, seen);
  }
}

function takeNamed(
  collector: Collector,
  document: ManifestDocument,
  item: unknown,
  way: readonly string[],
  around: Surrounding,
  seen: Set<string>,
): void {
  const texts = Array.isArray(item)
    ? item.map((one: unknown, index) => ({ text: textOf(one), at: [...way, String(index)] }))
    : [{ text: textOf(item), at: way }];
  for (const { text, at } of texts) {
    if (text === undefined || text === '' || isStandIn(text)) continue;
    seen.add(at.join('\0'));
    collector.take(secretIdOf(text), collector.at(document, at), around);
  }
}
