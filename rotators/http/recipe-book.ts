import * as z from 'zod';
import { parseRecipe } from './parse-recipe.ts';
import type { Recipe } from './recipe.ts';

/** The recipes by name. Each is read and checked when it is first asked for, since a function mostly needs one. */
export interface Recipes {
  readonly names: readonly string[];
  /** The services of all recipes; admin secrets name one. */
  readonly services: readonly string[];
  /** Reads a recipe. @throws Error that names every path that is wrong, for a recipe that is not valid */
  get(name: string): Recipe | undefined;
}

const serviceSchema = z.looseObject({ service: z.string() });

/** Makes recipes of parsed JSON files. */
export function recipeBook(files: Readonly<Record<string, unknown>>): Recipes {
  const read = new Map<string, Recipe>();
  const names = Object.keys(files);
  return {
    names,
    services: [...new Set(names.map((name) => serviceSchema.parse(files[name]).service))],
    get(name) {
      if (!Object.hasOwn(files, name)) return undefined;
      let recipe = read.get(name);
      if (recipe === undefined) {
        recipe = parseRecipe(name, files[name]);
        read.set(name, recipe);
      }
      return recipe;
    },
  };
}
