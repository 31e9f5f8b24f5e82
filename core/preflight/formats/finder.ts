import type { World } from '../../template/world.ts';
import type { ManifestDocument, ManifestFile } from '../document.ts';
import type { KubernetesObjects } from '../kubernetes.ts';
import type { ManifestFormat, ManifestReading, Place } from '../reference.ts';

/** Facts that other files tell. */
export interface Surroundings {
  /** Templates of CloudFormation, whose exports lead to one another. */
  readonly world: World;
  readonly kubernetes: KubernetesObjects;
  /** Finds the values of the chart that a template of Helm is in. */
  readonly chartValues: (file: string) => unknown;
}

/** A further file in which a manifest goes on. */
export interface Include {
  /** Path as it is written. */
  readonly path: string;
  /** Folder that it starts from: that of the file, or the top of the repository. */
  readonly from: 'file' | 'repository';
  readonly place: Place;
}

/** Finds references in manifests of one format. */
export interface ManifestFinder {
  readonly format: ManifestFormat;
  /** Title of the format in the documentation. */
  readonly title: string;
  /** Tells whether a file is of the format, by its content and by its name. */
  readonly recognizes: (file: ManifestFile) => boolean;
  readonly find: (file: ManifestFile, around: Surroundings) => ManifestReading;
  /** Lists the files that a manifest goes on in. @default - it stands alone */
  readonly includes?: (file: ManifestFile) => readonly Include[];
}

/** Gives the name of a file without its folders. */
export const baseName = (path: string): string => path.split('/').at(-1) ?? path;

/** Tells whether a document of a file meets a condition. */
export const someDocument = ({ documents }: ManifestFile, is: (value: unknown) => boolean): boolean =>
  documents.some(({ value }: ManifestDocument) => is(value));
