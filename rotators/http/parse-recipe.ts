import { type Recipe, recipeSchema } from './recipe.ts';
import { recipeProblems } from './recipe-rules.ts';

const checkedSchema = recipeSchema.superRefine((recipe, context) => {
  for (const { path, message } of recipeProblems(recipe as Recipe)) {
    context.addIssue({ code: 'custom', path, message });
  }
});

/**
 * Reads a recipe.
 * @throws Error that names every path that is wrong
 */
export function parseRecipe(name: string, data: unknown): Recipe {
  const parsed = checkedSchema.safeParse(data);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(
      ({ path, message }) => `${path.join('.') || 'recipe'}: ${message}`,
    );
    throw new Error(`the recipe ${name} is not valid: ${problems.join('; ')}`);
  }
  return parsed.data;
}
