import { couldBeSecret, credentialIn, namesSecret } from '../../secret/secret-words.ts';
import { keptOutOfCode } from '../controls.ts';
import { type ExposedPlace, exposedKinds, exposedPlacesOf, isTextPlace } from '../exposed-places.ts';
import type { TemplateRule } from '../rule.ts';
import { leavesOf, writtenText } from '../value.ts';

/** Refuses a secret in plain text where whoever may describe the resource reads it. */
export const plaintextSecretExposed: TemplateRule<'PlaintextSecretExposed'> = {
  description: {
    id: 'PlaintextSecretExposed',
    severity: 'error',
    demand: 'No variable, script, tag or definition of a resource holds a secret in plain text.',
    reason: 'The template shows it, and so does each call that describes the resource.',
    controls: keptOutOfCode,
  },
  *check(world) {
    for (const resource of world.resources) {
      for (const place of exposedPlacesOf(resource)) {
        const found = foundIn(place);
        if (found === undefined) continue;
        const { what, readBy, fix } = exposedKinds[place.kind];
        yield {
          on: resource,
          property: place.property,
          message: `${what} holds ${found} in plain text, which ${readBy} shows`,
          fix: `${fix}; then change the credential, since the template is known`,
        };
      }
    }
  },
};

/** Says what a place holds, such as `DB_PASSWORD` or `a GitHub token`; undefined where it holds no secret. */
function foundIn(place: ExposedPlace): string | undefined {
  for (const { value } of leavesOf(place.value)) {
    const text = writtenText(value);
    if (text === undefined) continue;
    const kind = credentialIn(text);
    const { name } = place;
    if (kind !== undefined) return name === undefined || name === '' ? kind : `${kind}, in ${name},`;
    if (name !== undefined && namesSecret(name) && typeof value === 'string' && isSecretText(value))
      return name;
    const assigned = isTextPlace(place) ? assignedIn(text) : undefined;
    if (assigned !== undefined) return assigned;
  }
  return undefined;
}

/** Tells whether a text is a value, and no expression of the states' language that gives one. */
const isSecretText = (text: string): boolean => couldBeSecret(text) && !/^(?:\$|States\.|\{%)/.test(text);

const assignment =
  /(?:^|[\s;&])(?:export\s+|ENV\s+|set\s+)?([A-Za-z_][A-Za-z0-9_]*)=(["']?)([^\s"'`$(){}<>;&|\\]{6,})\2/gm;

/** Finds a variable of a script that is set to a literal secret. */
function assignedIn(text: string): string | undefined {
  for (const [, name = '', , value = ''] of text.matchAll(assignment)) {
    if (namesSecret(name) && isSecretText(value)) return name;
  }
  return undefined;
}
