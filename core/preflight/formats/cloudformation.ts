import { readCloudFormation } from '../../template/cloudformation.ts';
import type { Template } from '../../template/template.ts';
import { Collector } from '../collector.ts';
import { isObject, type ManifestFile } from '../document.ts';
import { collectResources } from '../resources.ts';
import type { ManifestFinder } from './finder.ts';

/** Tells whether a document is a template, even one in which some resource is broken. */
export const isTemplate = (value: unknown): boolean =>
  isObject(value) &&
  isObject(value.Resources) &&
  Object.values(value.Resources).some(
    (one) => isObject(one) && typeof one.Type === 'string' && /^\w+::/.test(one.Type),
  );

/** Reads the templates of a file, in the form that their rules go by. */
export const templatesOf = ({ name, documents }: ManifestFile): readonly Template[] =>
  documents.flatMap(({ value }) =>
    isObject(value) && isTemplate(value) ? [readCloudFormation(name, value)] : [],
  );

/**
 * Finds dynamic references, and resources that name a secret: task definitions, functions, builds, proxies. Secrets that the templates
 * make themselves are left to the rules for templates.
 * @see https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html
 */
export const cloudformation: ManifestFinder = {
  format: 'cloudformation',
  title: 'CloudFormation, SAM and CDK output',
  recognizes: (file) => file.documents.some(({ value }) => isTemplate(value)),
  find: (file, { world }) => {
    const collector = new Collector('cloudformation', file);
    const document = file.documents.find(({ value }) => isTemplate(value));
    const own = world.templates
      .filter(({ name }) => name === file.name)
      .flatMap(({ resources }) => resources);
    if (document !== undefined) {
      collectResources(
        collector,
        world,
        own.filter(({ ownedByCdk }) => !ownedByCdk),
        ({ pointer }, path) => collector.at(document, [...pointer, ...path]),
      );
    }
    return collector.reading;
  },
};
