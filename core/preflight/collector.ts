import { type ManifestDocument, type ManifestFile, placeIn } from './document.ts';
import type {
  ManifestFormat,
  ManifestProblem,
  ManifestProblemCode,
  ManifestReading,
  Place,
  ReadBy,
  SecretReference,
} from './reference.ts';
import { isOpenText, type SecretText } from './secret-id.ts';

/** Facts about a reference that its surroundings tell. */
export interface Surrounding {
  readonly key?: string | undefined;
  readonly region?: string | undefined;
  readonly account?: string | undefined;
  readonly versionStage?: string | undefined;
  readonly versionId?: string | undefined;
  readonly readBy?: ReadBy | undefined;
  readonly environment?: string | undefined;
}

/** Texts that a problem of a reference is explained with. */
const openFix = 'put the name of the secret there, or check what the pipeline renders in place of this file';

/** Collects what a finder finds in one file. */
export class Collector {
  readonly #format: ManifestFormat;
  readonly #file: ManifestFile;
  readonly #references: SecretReference[] = [];
  readonly #problems: ManifestProblem[] = [];

  constructor(format: ManifestFormat, file: ManifestFile) {
    this.#format = format;
    this.#file = file;
  }

  /** Gives what was collected. */
  get reading(): ManifestReading {
    return { references: this.#references, problems: this.#problems };
  }

  /** Gives a place of a document of the file. */
  at(document: ManifestDocument, pointer: readonly string[]): Place {
    return placeIn(this.#file, document, pointer);
  }

  /** Gives a place by its line. */
  line(line: number, pointer: string): Place {
    return { file: this.#file.name, line, pointer };
  }

  /** Takes a text that was read: a reference, a problem, or nothing. What the text itself says goes before its surroundings. */
  take(read: SecretText, place: Place, around: Surrounding = {}): void {
    if (read.kind === 'none') return;
    if (read.kind === 'open') {
      this.problem(
        'ReferenceUnresolved',
        place,
        'part of the name of the secret is settled elsewhere',
        openFix,
      );
      return;
    }
    if (read.kind === 'malformed') {
      this.problem(
        'ReferenceMalformed',
        place,
        `this does not name a secret: ${read.why}`,
        'write the name or the ARN of the secret there',
      );
      return;
    }
    const { kind: _, ...named } = read;
    const given = Object.entries({ ...around }).filter(
      ([, value]) => value !== undefined && value !== '' && (typeof value !== 'string' || !isOpenText(value)),
    );
    this.#references.push({
      format: this.#format,
      place,
      ...(Object.fromEntries(given) as Omit<SecretReference, 'format' | 'place' | 'secret'>),
      ...named,
    });
  }

  /** Notes a problem. */
  problem(code: ManifestProblemCode, place: Place, message: string, fix: string): void {
    this.#problems.push({ code, place, message, fix });
  }
}

/** Names who reads by what is known of the role: its ARN, its name, or nothing. */
export function readByOf(name: string, role?: string): ReadBy {
  if (role === undefined || role === '') return { name };
  if (/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(role)) return { name, roleArn: role };
  return /^[\w+=,.@/-]{1,128}$/.test(role) ? { name, roleName: role } : { name };
}
