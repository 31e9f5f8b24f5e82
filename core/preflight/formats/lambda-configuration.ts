import { Collector } from '../collector.ts';
import { isObject, type Json, textOf } from '../document.ts';
import { asValues, functionSpots } from '../spots.ts';
import { takeSpot } from './ecs-task-definition.ts';
import { type ManifestFinder, someDocument } from './finder.ts';

interface FoundFunction {
  readonly configuration: Json;
  readonly way: readonly string[];
}

/** Finds the functions of a document: what the CLI prints of one or of many, or what it takes. */
function functionsOf(value: unknown): readonly FoundFunction[] {
  if (!isObject(value)) return [];
  if (typeof value.FunctionName === 'string') return [{ configuration: value, way: [] }];
  const { Configuration, Functions } = value;
  if (isObject(Configuration) && typeof Configuration.FunctionName === 'string') {
    return [{ configuration: Configuration, way: ['Configuration'] }];
  }
  return Array.isArray(Functions)
    ? Functions.flatMap((one: unknown, index) =>
        isObject(one) && typeof one.FunctionName === 'string'
          ? [{ configuration: one, way: ['Functions', String(index)] }]
          : [],
      )
    : [];
}

/**
 * Finds variables of functions that name secrets, by the form of the value or by the name of the variable. The role of the function
 * reads them.
 * @see https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
 */
export const lambdaConfiguration: ManifestFinder = {
  format: 'lambda-configuration',
  title: 'Configurations of Lambda functions',
  recognizes: (file) => someDocument(file, (value) => functionsOf(value).length > 0),
  find: (file) => {
    const collector = new Collector('lambda-configuration', file);
    for (const document of file.documents) {
      for (const { configuration, way } of functionsOf(document.value)) {
        for (const spot of functionSpots(asValues(configuration))) {
          takeSpot(collector, document, way, spot, textOf(configuration.FunctionName) ?? 'function');
        }
      }
    }
    return collector.reading;
  },
};
