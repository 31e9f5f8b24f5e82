import { Collector, readByOf } from '../collector.ts';
import { isObject, type Json, listOf, type ManifestDocument, textOf } from '../document.ts';
import { isOpenText } from '../secret-id.ts';
import { asValues, type Spot, small, taskDefinitionSpots } from '../spots.ts';
import { type ManifestFinder, someDocument } from './finder.ts';

/** Finds the task definition of a document: the document, or a part of what the CLI prints. */
function taskOf(value: unknown): { readonly task: Json; readonly way: readonly string[] } | undefined {
  if (!isObject(value)) return undefined;
  if (isTask(value)) return { task: value, way: [] };
  return isObject(value.taskDefinition) && isTask(value.taskDefinition)
    ? { task: value.taskDefinition, way: ['taskDefinition'] }
    : undefined;
}

const isTask = ({ containerDefinitions }: Json): boolean =>
  Array.isArray(containerDefinitions) && containerDefinitions.every(isObject);

/**
 * Finds the secrets of a task definition, in all forms of `valueFrom`. The execution role reads them.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Secret.html
 */
export const ecsTaskDefinition: ManifestFinder = {
  format: 'ecs-task-definition',
  title: 'ECS task definitions',
  recognizes: (file) => someDocument(file, (value) => taskOf(value) !== undefined),
  find: (file) => {
    const collector = new Collector('ecs-task-definition', file);
    for (const document of file.documents) {
      const found = taskOf(document.value);
      if (found === undefined) continue;
      const name = textOf(found.task.family) ?? 'task';
      for (const spot of taskDefinitionSpots(asValues(found.task), small)) {
        takeSpot(collector, document, found.way, spot, name);
      }
      noteMissing(collector, document, found);
    }
    return collector.reading;
  },
};

/** Takes a spot whose value is plain text. */
export function takeSpot(
  collector: Collector,
  document: ManifestDocument,
  way: readonly string[],
  { value, path, read, role }: Spot,
  name: string,
): void {
  const text = textOf(value);
  if (text === undefined) return;
  const roleText = textOf(role);
  const readBy = readByOf(name, roleText === undefined || isOpenText(roleText) ? undefined : roleText);
  for (const one of read(text)) collector.take(one, collector.at(document, [...way, ...path]), { readBy });
}

/** Notes entries of `secrets` that say nothing of where the value comes from. */
function noteMissing(
  collector: Collector,
  document: ManifestDocument,
  { task, way }: { readonly task: Json; readonly way: readonly string[] },
): void {
  for (const [index, container] of listOf(task.containerDefinitions).entries()) {
    for (const [at, secret] of listOf((container as Json).secrets).entries()) {
      if (isObject(secret) && typeof secret.valueFrom === 'string') continue;
      const pointer = [...way, 'containerDefinitions', String(index), 'secrets', String(at)];
      collector.take({ kind: 'malformed', why: 'valueFrom is missing' }, collector.at(document, pointer));
    }
  }
}
